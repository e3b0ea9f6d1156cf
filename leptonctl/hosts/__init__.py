"""The only part that touches the inside of a host: SSH, Ansible, probes."""
