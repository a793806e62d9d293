"""Every certificate that the suite needs on this machine."""

import getpass
import re
from datetime import datetime

from hallmark_cli.local.authority import Authority, Leaf, listener, person, service
from hallmark_cli.local.home import PEOPLE, SERVICES, Home

TRUST_DOMAIN = "hallmark.internal"
EVENTS = "scanner-events"
WEBHOOK = "admission-webhook"
NAME = re.compile(r"[A-Za-z0-9._-]{1,63}")


def ensure(home: Home, cluster: str, now: datetime) -> None:
    """Issue what is absent or about to expire."""
    Authority(home.tls, TRUST_DOMAIN, now).ensure(leaves(cluster, user()))


def leaves(cluster: str, person_name: str) -> list[Leaf]:
    """The services, the person at this machine in every role, and the two HTTPS listeners.

    The adapter of a cluster is named after it: the verifier takes the cluster from there.
    """
    services = [service(TRUST_DOMAIN, role, cluster if role == "admission" else "local") for role in SERVICES]
    people = [person(TRUST_DOMAIN, role, person_name) for role in PEOPLE]
    return [*services, *people, listener(EVENTS), listener(WEBHOOK)]


def user() -> str:
    """The name of whoever uses this machine, where it can stand in an identity; else `local`."""
    try:
        name = getpass.getuser()
    except (KeyError, OSError):
        # A user without a name, as in some containers.
        return "local"
    return name if NAME.fullmatch(name) else "local"
