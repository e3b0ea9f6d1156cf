"""Prints the time of a server of NTP, in seconds since 1970. Usage: ask_time.py ADDRESS."""

import socket
import struct
import sys

# Seconds from the beginning of NTP's time, 1900, to 1970: https://www.rfc-editor.org/rfc/rfc5905#section-6
SINCE_1900 = 2_208_988_800
CLIENT_OF_VERSION_4 = 0x23
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
    one.settimeout(10)
    one.sendto(bytes([CLIENT_OF_VERSION_4]) + bytes(47), (sys.argv[1], 123))
    answer = one.recv(48)
sys.stdout.write(f"{struct.unpack('!I', answer[40:44])[0] - SINCE_1900}")
