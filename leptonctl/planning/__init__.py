"""Pure planning: what should be, what differs, in which order. No I/O, no clock, no network."""
