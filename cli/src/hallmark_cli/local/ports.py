"""Ports on loopback: chosen once, kept from one start to the next, since registries and profiles name them."""

import random
import socket
from collections.abc import Iterable, Mapping

LOOPBACK = "127.0.0.1"
# Below the range from which systems take the ports of outgoing connections, which would be in the way of a later start.
RANGE = range(20000, 32000)


def choose(names: Iterable[str], chosen: Mapping[str, int]) -> dict[str, int]:
    """A port for every name: the one chosen before, else a free one."""
    ports = dict(chosen)
    fresh = (port for port in random.SystemRandom().sample(RANGE, len(RANGE)) if not taken(port))
    for name in names:
        if name not in ports:
            ports[name] = next(port for port in fresh if port not in ports.values())
    return ports


def taken(port: int) -> bool:
    """Whether somebody listens there."""
    with socket.socket() as probe:
        # As servers do: a connection that ended a minute ago does not keep the port.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
            probe.listen(1)
        except OSError:
            return True
        return False
