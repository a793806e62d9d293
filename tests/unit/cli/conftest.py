"""A suite of servicers made by each test, over mutual TLS, and the command as a person runs it."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import grpc
import pytest
from hallmark_cli import toml
from hallmark_cli.local.authority import Authority, person, service, utc_now

DOMAIN = "hallmark.internal"
ROLES = ("developer", "reviewer", "custodian", "cluster-admin", "operator", "auditor")
SERVICES = ("scanner", "signer", "policy", "verifier")

Serve = Callable[..., str]
Hallmark = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="session")
def tls(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Certificates of every role."""
    directory = tmp_path_factory.mktemp("tls")
    leaves = [service(DOMAIN, role, "local") for role in SERVICES] + [person(DOMAIN, role, "me") for role in ROLES]
    Authority(directory, DOMAIN, utc_now()).ensure(leaves)
    return directory


@pytest.fixture
def serve(tls: Path) -> Iterator[Serve]:
    """Serves these methods, as a role; gives the address."""
    servers: list[grpc.Server] = []

    def start(*handlers: grpc.GenericRpcHandler, role: str = "scanner") -> str:
        server = grpc.server(ThreadPoolExecutor(4))
        server.add_generic_rpc_handlers(handlers)
        pair = ((tls / f"{role}.key").read_bytes(), (tls / f"{role}.crt").read_bytes())
        credentials = grpc.ssl_server_credentials([pair], (tls / "ca.crt").read_bytes(), require_client_auth=True)
        port = server.add_secure_port("127.0.0.1:0", credentials)
        server.start()
        servers.append(server)
        return f"127.0.0.1:{port}"

    yield start
    for server in servers:
        server.stop(None).wait()


@pytest.fixture
def hallmark(tls: Path, tmp_path: Path) -> Hallmark:
    """Runs the command against the services at these addresses."""

    def run(*arguments: str, **addresses: str) -> subprocess.CompletedProcess[str]:
        profile = tmp_path / "hallmark.toml"
        identities = {
            role: {"certificate": str(tls / f"{role}.crt"), "key": str(tls / f"{role}.key")} for role in ROLES
        }
        profile.write_text(
            toml.dumps(
                {
                    "trust_domain": DOMAIN,
                    "ca": str(tls / "ca.crt"),
                    "services": addresses,
                    "identities": identities,
                }
            )
        )
        command = [sys.executable, "-m", "hallmark_cli", "--profile", str(profile), *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)

    return run
