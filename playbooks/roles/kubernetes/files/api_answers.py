#!/usr/bin/python3
# Managed by leptonctl: the next run puts this file back.
"""Whether the API server of this host answers: exit 0 where it does. keepalived moves the address by it.

Usage: api_answers PORT. Only liveness is asked, of this host's own server: its certificate says nothing about that.
"""

import ssl
import sys
import urllib.error
import urllib.request

context = ssl.create_default_context()
context.check_hostname = False
context.verify_mode = ssl.CERT_NONE
try:
    urllib.request.urlopen(f"https://127.0.0.1:{int(sys.argv[1])}/livez", timeout=2, context=context)
except urllib.error.HTTPError:
    pass  # it answered
except OSError:
    sys.exit(1)
