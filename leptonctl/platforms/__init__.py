"""The only part that creates or removes machines, networks and storage."""
