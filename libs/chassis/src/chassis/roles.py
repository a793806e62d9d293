"""Roles of this process's trust domain: what each may do, and who is bound to it."""

from collections.abc import Collection, Mapping, Sequence
from types import MappingProxyType

from chassis.config import Binding, ConfigError
from chassis.errors import PermissionDenied
from chassis.identity import SEGMENTS, Caller, Scope
from chassis.permissions import APART, KNOWN, READ, ROLES


class Roles:
    """The role table with its bindings. A role with no binding is open to every certificate of that role."""

    def __init__(
        self, bindings: Sequence[Binding] = (), changes: Mapping[str, Collection[str]] = MappingProxyType({})
    ) -> None:
        """`changes` are roles that replace those of the built-in table, or stand beside them. Raises ConfigError."""
        self._table = role_table(changes)
        self._bound = frozenset(binding.role for binding in bindings)
        self._scopes: dict[tuple[str, str], Scope] = {}
        for binding in bindings:
            self._bind(binding)

    def caller(self, trust_domain: str, role: str, name: str) -> Caller:
        """The caller of this role and name, with permissions and scope. Raises PermissionDenied."""
        permissions = self._table.get(role)
        if permissions is None:
            raise PermissionDenied(f"There is no role {role!r}.", metadata={"role": role})
        scope = self._scopes.get((role, name))
        if scope is None and role in self._bound:
            raise PermissionDenied(f"{name!r} is not bound to the role {role!r}.", metadata={"role": role})
        return Caller(trust_domain, role, name, permissions, scope or Scope())

    def _bind(self, binding: Binding) -> None:
        if binding.role not in self._table:
            raise ConfigError(f"A binding names the role {binding.role!r}, which is none of this table.")
        if (binding.role, binding.name) in self._scopes:
            raise ConfigError(f"Two bindings name {binding.role}/{binding.name}; put their patterns into one.")
        scope = Scope(binding.keys, binding.repositories, binding.clusters)
        self._scopes[binding.role, binding.name] = scope


def role_table(changes: Mapping[str, Collection[str]]) -> Mapping[str, frozenset[str]]:
    """The built-in table with these roles in the place of their namesakes, or added. Raises ConfigError.

    Whatever is configured, no role both manages keys and signs, and the auditor changes nothing.
    """
    table = {**ROLES, **{role: frozenset(permissions) for role, permissions in changes.items()}}
    for role in changes:
        _demand_sound(role, table[role])
    return MappingProxyType(table)


def _demand_sound(role: str, permissions: frozenset[str]) -> None:
    if not SEGMENTS.fullmatch(f"{role}/x"):
        raise ConfigError(f"roles: {role!r} cannot stand in a certificate; use letters, digits, dots and dashes.")
    if unknown := sorted(permissions - KNOWN):
        raise ConfigError(f"roles.{role}: there is no permission {unknown[0]!r}.")
    if permissions >= APART:
        raise ConfigError(f"roles.{role}: no role has both {' and '.join(sorted(APART))}.")
    if role == "auditor" and not permissions <= READ:
        raise ConfigError(f"roles.auditor: an auditor changes nothing, so not {min(permissions - READ)!r}.")
