"""The program that runs on the hosts: standard library, Python 3.9 or later, sent over SSH and not installed."""
