"""Pushes a layer to a registry, by its API. Usage: push_layer.py URL NAME CONTENT."""

# ruff: noqa: S310 - the test names the address

import hashlib
import sys
import urllib.request

url, name, content = sys.argv[1:]
begun = urllib.request.urlopen(urllib.request.Request(f"{url}/v2/{name}/blobs/uploads/", method="POST"))
place = begun.headers["Location"]
digest = f"sha256:{hashlib.sha256(content.encode()).hexdigest()}"
whole = f"{place}{'&' if '?' in place else '?'}digest={digest}"
headers = {"Content-Type": "application/octet-stream"}
urllib.request.urlopen(urllib.request.Request(whole, data=content.encode(), headers=headers, method="PUT"))
