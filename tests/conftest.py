"""What holds for every test."""

import signal

# A shell's background job ignores SIGINT, and so would every program that a test starts from there and interrupts.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
