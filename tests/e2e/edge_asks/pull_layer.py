"""Prints a layer of a registry. Usage: pull_layer.py URL NAME DIGEST."""

# ruff: noqa: S310 - the test names the address

import sys
import urllib.request

url, name, digest = sys.argv[1:]
sys.stdout.write(urllib.request.urlopen(f"{url}/v2/{name}/blobs/{digest}").read().decode())
