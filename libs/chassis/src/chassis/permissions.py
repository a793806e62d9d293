"""Which role holds which permission, and which permission an RPC needs."""

from collections.abc import Mapping
from types import MappingProxyType

from google.protobuf.descriptor import MethodDescriptor
from hallmark.common.v1 import permission_pb2

READ = frozenset(
    {
        "scanner.scans.read",
        "scanner.images.read",
        "scanner.risk.read",
        "scanner.targets.read",
        "scanner.findings.read",
        "scanner.advisories.read",
        "signer.keys.read",
        "signer.signatures.read",
        "policy.policies.read",
        "policy.decisions.read",
        "verifier.verdicts.explain",
        "verifier.signatures.inspect",
    }
)

ROLES: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        "developer": READ | {"scanner.scans.create"},
        "reviewer": READ | {"signer.images.sign", "signer.revocations.create", "signer.signatures.revoke"},
        "custodian": READ | {"signer.keys.manage", "signer.revocations.create", "signer.key_versions.revoke"},
        "cluster-admin": READ | {"policy.policies.write"},
        "oncall": READ,
        "operator": READ
        | {"scanner.targets.write", "scanner.advisories.import", "scanner.inventories.import", "scanner.scans.create"},
        "auditor": READ,
        "scanner": frozenset(),
        "signer": frozenset({"scanner.risk.read"}),
        "policy": frozenset(),
        "verifier": frozenset(
            {
                "scanner.risk.read",
                "scanner.risk.watch",
                "signer.trust.watch",
                "signer.signatures.read",
                "policy.policies.watch",
                "policy.decisions.record",
            }
        ),
        "admission": frozenset({"verifier.images.verify", "verifier.tags.resolve"}),
    }
)
"""The default table. No role both manages keys and signs; auditor changes nothing."""

KNOWN = frozenset().union(*ROLES.values())
"""Every permission that an RPC states or a use case demands."""

APART = frozenset({"signer.keys.manage", "signer.images.sign"})
"""What no role holds together."""


def permission_of(method: MethodDescriptor) -> str:
    """The permission that an RPC states in its proto; empty where it states none."""
    stated: str = method.GetOptions().Extensions[permission_pb2.permission]
    return stated
