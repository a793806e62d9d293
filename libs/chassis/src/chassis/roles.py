"""Roles of this process's trust domain: what each may do, and who is bound to it."""

from collections.abc import Sequence

from chassis.config import Binding
from chassis.errors import PermissionDenied
from chassis.identity import Caller, Scope
from chassis.permissions import ROLES


class Roles:
    """The role table with its bindings. A role with no binding is open to every certificate of that role."""

    def __init__(self, bindings: Sequence[Binding] = ()) -> None:
        self._bound = {binding.role for binding in bindings}
        self._scopes = {
            (binding.role, binding.name): Scope(binding.keys, binding.repositories, binding.clusters)
            for binding in bindings
        }

    def caller(self, trust_domain: str, role: str, name: str) -> Caller:
        """The caller of this role and name, with permissions and scope. Raises PermissionDenied."""
        permissions = ROLES.get(role)
        if permissions is None:
            raise PermissionDenied(f"There is no role {role!r}.", metadata={"role": role})
        scope = self._scopes.get((role, name))
        if scope is None and role in self._bound:
            raise PermissionDenied(f"{name!r} is not bound to the role {role!r}.", metadata={"role": role})
        return Caller(trust_domain, role, name, permissions, scope or Scope())
