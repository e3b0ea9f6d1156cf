"""leptonctl: one site file for AI infrastructure, from the core to the edge."""

__version__ = "0.1.0"
