"""Health of accelerators: what was read on a host, judged by a policy that is data. Nothing here asks a host."""
