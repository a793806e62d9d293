"""Ports for servers that must be told one before they start."""

import random
import socket

# Neither where systems take the ports of outgoing connections from, nor where the local suite chooses its own.
_RANGE = range(10000, 20000)


def free_port() -> int:
    """A port of loopback that nobody listens on, and that no outgoing connection will take."""
    while True:
        port = random.choice(_RANGE)
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) != 0:
                return port
