"""The configuration of each service on this machine, and the profile of the commands."""

import msgspec

from hallmark_cli.local.home import PEOPLE, Home
from hallmark_cli.local.identities import EVENTS, TRUST_DOMAIN, WEBHOOK
from hallmark_cli.local.ports import LOOPBACK
from hallmark_cli.local.records import Choices, Registry
from hallmark_cli.toml import Table, Value

PORTS = (
    "scanner",
    "scanner-probes",
    "scanner-events",
    "signer",
    "signer-probes",
    "policy",
    "policy-probes",
    "verifier",
    "verifier-probes",
    "admission",
    "admission-probes",
)
"""Every port of the suite: of each service where it serves, `-probes` for health and metrics, and for push events."""

UPSTREAMS = {"signer": ("scanner",), "verifier": ("scanner", "signer", "policy"), "admission": ("verifier",)}


def probe(service: str) -> str:
    """The name of the port on which a service answers probes."""
    return f"{service}-probes"


def config(service: str, home: Home, choices: Choices) -> Table:
    """The configuration file of a service."""
    ports = choices.ports
    table: dict[str, Value] = {
        "tls": _tls(home, service),
        "http": {"address": _address(ports[probe(service)])},
    }
    if service != "admission":
        table["server"] = {"address": _address(ports[service])}
    if service in ("scanner", "signer", "policy"):
        table["database"] = {"url": f"sqlite+aiosqlite:///{home.data(service)}/{service}.db"}
    if service in UPSTREAMS:
        table["upstreams"] = {role: {"address": _address(ports[role]), "role": role} for role in UPSTREAMS[service]}
    if service in ("scanner", "signer", "verifier"):
        table["registries"] = [_registry(host, known) for host, known in choices.registries.items()]
    return {**table, **_own(service, home, choices)}


def _own(service: str, home: Home, choices: Choices) -> Table:
    """What no other service has."""
    if service == "scanner":
        return {
            "events": _https(home, EVENTS, choices.ports["scanner-events"]),
            "cache": {"folder": str(home.data(service) / "layers")},
        }
    if service == "signer":
        return {"vault": {"key_file": str(home.vault_key)}}
    if service == "admission":
        return {"webhook": _https(home, WEBHOOK, choices.ports["admission"])}
    return {}


def profile(choices: Choices) -> Table:
    """The profile of the commands, beside the directory of the certificates."""
    return {
        "trust_domain": TRUST_DOMAIN,
        "ca": "tls/ca.crt",
        "services": {
            service: _address(choices.ports[service]) for service in ("scanner", "signer", "policy", "verifier")
        },
        "identities": {role: {"certificate": f"tls/{role}.crt", "key": f"tls/{role}.key"} for role in PEOPLE},
    }


def _tls(home: Home, service: str) -> Table:
    certificate = home.certificate(service)
    return {
        "ca": str(home.certificate("ca")),
        "certificate": str(certificate),
        "key": str(certificate.with_suffix(".key")),
        "trust_domain": TRUST_DOMAIN,
    }


def _https(home: Home, file: str, port: int) -> Table:
    certificate = home.certificate(file)
    return {
        "address": _address(port),
        "certificate": str(certificate),
        "key": str(certificate.with_suffix(".key")),
    }


def _registry(host: str, known: Registry) -> Table:
    stated: Table = msgspec.to_builtins(known)
    return {"host": host, **{name: value for name, value in stated.items() if value}}


def _address(port: int) -> str:
    return f"{LOOPBACK}:{port}"
