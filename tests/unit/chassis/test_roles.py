"""The role table, held against every RPC of every proto."""

from importlib import import_module
from pathlib import Path

import hallmark
import pytest
from chassis.config import Binding, ConfigError
from chassis.errors import PermissionDenied
from chassis.permissions import ROLES, permission_of
from chassis.roles import Roles
from google.protobuf.descriptor import MethodDescriptor

WIRE = Path(str(hallmark.__file__)).parent
PEOPLE = ("developer", "reviewer", "custodian", "cluster-admin", "oncall", "operator", "auditor")
READING = ("Get", "List", "Watch", "BatchGet", "Explain", "Export", "Inspect", "Summarize")


def methods() -> list[MethodDescriptor]:
    found = []
    for file in sorted(WIRE.rglob("*_service_pb2.py")):
        module = import_module(".".join(("hallmark", *file.relative_to(WIRE).with_suffix("").parts)))
        for service in module.DESCRIPTOR.services_by_name.values():
            found += service.methods
    return found


METHODS = methods()


@pytest.mark.parametrize("method", METHODS, ids=lambda method: method.full_name)
def test_every_rpc_states_a_permission_that_somebody_has(method: MethodDescriptor) -> None:
    permission = permission_of(method)
    assert permission.startswith(f"{method.full_name.split('.')[1]}.")
    assert [role for role, held in ROLES.items() if permission in held] != []


def may_call(role: str) -> set[str]:
    return {method.name for method in METHODS if permission_of(method) in ROLES[role]}


def test_an_auditor_reads_and_changes_nothing() -> None:
    assert [name for name in may_call("auditor") if not name.startswith(READING)] == []


def test_no_role_both_manages_keys_and_signs() -> None:
    both = {"signer.keys.manage", "signer.images.sign"}
    assert [role for role, held in ROLES.items() if both <= held] == []


@pytest.mark.parametrize(
    ("rpc", "people"),
    [
        ("SignImage", {"reviewer"}),
        ("CreateKey", {"custodian"}),
        ("UpdateKey", {"custodian"}),
        ("ActivateRevision", {"cluster-admin"}),
        ("ImportAdvisories", {"operator"}),
        ("CreateTarget", {"operator"}),
        ("VerifyImages", set()),
    ],
)
def test_what_changes_something_belongs_to_one_role(rpc: str, people: set[str]) -> None:
    assert {role for role in PEOPLE if rpc in may_call(role)} == people


def test_an_adapter_verifies_and_does_nothing_else() -> None:
    assert may_call("admission") == {"VerifyImages", "ResolveImages"}


def test_a_binding_narrows_a_role_to_those_bound_and_their_patterns() -> None:
    roles = Roles([Binding(role="custodian", name="ann", keys=("pay-*",), repositories=("reg.example.com/**",))])
    scope = roles.caller("test.example", "custodian", "ann").scope
    scope.demand_key("pay-release")
    scope.demand_repository("reg.example.com/a/b")
    scope.demand_cluster("any")
    for outside in ("release", "xpay-release", "pay-a/b"):
        with pytest.raises(PermissionDenied):
            scope.demand_key(outside)
    with pytest.raises(PermissionDenied):
        scope.demand_repository("reg.example.com.evil.org/a")
    with pytest.raises(PermissionDenied, match="not bound"):
        roles.caller("test.example", "custodian", "bob")
    roles.caller("test.example", "auditor", "bob").scope.demand_key("release")


def test_a_configured_role_replaces_its_namesake_or_stands_beside_the_others() -> None:
    roles = Roles(changes={"developer": ("scanner.scans.read",), "release-bot": ("signer.images.sign",)})
    assert roles.caller("test.example", "developer", "d").permissions == {"scanner.scans.read"}
    assert roles.caller("test.example", "release-bot", "b").permissions == {"signer.images.sign"}
    assert roles.caller("test.example", "custodian", "c").permissions == ROLES["custodian"]
    Roles([Binding(role="release-bot", name="b")], {"release-bot": ()})


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"developer": ("scanner.scans.reed",)}, r"roles\.developer.*'scanner\.scans\.reed'"),
        ({"boss": ("signer.keys.manage", "signer.images.sign")}, r"roles\.boss: no role has both"),
        ({"auditor": ("scanner.scans.create",)}, r"roles\.auditor.*'scanner\.scans\.create'"),
        ({"a/b": ()}, "'a/b' cannot stand in a certificate"),
        ({"": ()}, "'' cannot stand in a certificate"),
    ],
)
def test_a_table_that_breaks_the_rules_is_refused(changes: dict[str, tuple[str, ...]], sentence: str) -> None:
    with pytest.raises(ConfigError, match=sentence):
        Roles(changes=changes)


@pytest.mark.parametrize(
    ("bindings", "sentence"),
    [
        ([Binding(role="custodain", name="ann")], "'custodain', which is none"),
        ([Binding(role="custodian", name="ann"), Binding(role="custodian", name="ann", keys=())], "custodian/ann"),
    ],
)
def test_a_binding_that_cannot_be_meant_is_refused(bindings: list[Binding], sentence: str) -> None:
    with pytest.raises(ConfigError, match=sentence):
        Roles(bindings)
