"""Access tables of tenants: policy loaded, compiled, kept; and the check of a verb against one.

A table is kept under the tenant's version, which every change of policy raises in its own transaction: a stale one
is never found again, whichever process made the change. Nothing here falls back: a policy that does not load, or
that holds what can't be understood, is an error.
"""

from __future__ import annotations

import json
from collections import OrderedDict
from collections.abc import Hashable
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, TypeVar
from uuid import UUID

from saas.access.catalogue import AccessCatalogue
from saas.access.compiler import Compiler
from saas.access.errors import PermissionMissing, PolicyUnusable
from saas.access.policies import DEFAULT_POLICY
from saas.access.rules import Action, Effect, Policy, PolicyLine, RoleLink
from saas.access.table import AccessTable
from saas.kernel import Actor
from tenants import Database, DatabaseRole, current_transaction

_KEPT = 2_000
_OWN_POLICY = """
SELECT t.version,
       (SELECT jsonb_agg(jsonb_build_array(r.role, r.action, r.object, r.effect, r.scope))
        FROM access_rule r WHERE r.tenant_id = t.id)::text AS lines,
       (SELECT jsonb_agg(jsonb_build_array(o.name, o.parent))
        FROM access_role o WHERE o.tenant_id = t.id)::text AS roles
FROM platform.tenant t
WHERE t.id = $1
"""
"""One statement, so that version and policy belong together."""
_OWN_RULES = """
SELECT id, role, action, object, effect, scope, reason, created_at FROM access_rule
 WHERE tenant_id = $1 AND ($2::uuid IS NULL OR id > $2) ORDER BY id LIMIT $3
"""


@dataclass(frozen=True, slots=True)
class RoleView:
    """A role and the one it inherits from; `is_built_in` where every company begins with it."""

    name: str
    parent: str | None
    is_built_in: bool


@dataclass(frozen=True, slots=True)
class RuleView:
    """A line of the company's own policy."""

    id: UUID
    line: PolicyLine
    reason: str
    created_at: datetime


def require(access: AccessTable, permission: str) -> None:
    """Refuse unless the caller holds the verb.

    :raises PermissionMissing: names the verb and the roles that could grant it.
    """
    if not access.may(permission):
        raise PermissionMissing(permission, access.who_grants(permission))


async def load_policy(tenant_id: UUID, *, defaults: Policy = DEFAULT_POLICY) -> tuple[int, Policy]:
    """The tenant's version and whole policy, in the open transaction of the platform role.

    :raises PolicyUnusable: no such tenant, or a stored line has no meaning.
    """
    row = await current_transaction().fetchrow(_OWN_POLICY, tenant_id)
    if row is None:
        raise PolicyUnusable(f"no tenant {tenant_id}")
    try:
        lines = [
            PolicyLine(role, Action(action), object_, Effect(effect), scope)
            for role, action, object_, effect, scope in json.loads(row["lines"] or "[]")
        ]
    except ValueError as error:
        raise PolicyUnusable(str(error)) from error
    roles = [(name, parent) for name, parent in json.loads(row["roles"] or "[]")]
    links = [RoleLink(name, parent) for name, parent in roles if parent is not None]
    return row["version"], defaults.with_own(lines, links, (name for name, _ in roles))


async def role_names(tenant_id: UUID, *, defaults: Policy = DEFAULT_POLICY) -> frozenset[str]:
    """Every role that somebody of the company can hold, in the open transaction of the platform role."""
    _, policy = await load_policy(tenant_id, defaults=defaults)
    return policy.roles


async def list_roles(
    actor: Actor, *, after: str | None, first: int, defaults: Policy = DEFAULT_POLICY
) -> tuple[RoleView, ...]:
    """Roles of the caller's company by name, the `first` ones behind `after` (permission ``access:read``)."""
    _, policy = await load_policy(actor.tenant_id, defaults=defaults)
    parents = {link.role: link.parent for link in policy.links}
    names = sorted(name for name in policy.roles if after is None or name > after)
    return tuple(RoleView(name, parents.get(name), name in defaults.roles) for name in names[:first])


async def list_rules(actor: Actor, *, after: UUID | None, first: int) -> tuple[RuleView, ...]:
    """The lines that the company added, oldest first, the `first` ones behind `after` (permission ``access:read``)."""
    rows = await current_transaction().fetch(_OWN_RULES, actor.tenant_id, after, first)
    return tuple(
        RuleView(
            row["id"],
            PolicyLine(row["role"], Action(row["action"]), row["object"], Effect(row["effect"]), row["scope"]),
            row["reason"],
            row["created_at"],
        )
        for row in rows
    )


Value = TypeVar("Value")


class _Recent(Generic[Value]):
    """The values last asked for, at most `size`."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._values: OrderedDict[Hashable, Value] = OrderedDict()

    def get(self, key: Hashable) -> Value | None:
        value = self._values.get(key)
        if value is not None:
            self._values.move_to_end(key)
        return value

    def put(self, key: Hashable, value: Value) -> None:
        self._values[key] = value
        self._values.move_to_end(key)
        if len(self._values) > self._size:
            self._values.popitem(last=False)


class AccessTables:
    """Gives each actor their access table.

    :param database: used for short transactions of its own: a table is needed before an operation's begins.
    :param policy: what every tenant begins with; plugins' default lines are added to it at the start.
    """

    def __init__(self, database: Database, catalogue: AccessCatalogue, *, policy: Policy = DEFAULT_POLICY) -> None:
        self._database = database
        self._compiler = Compiler(catalogue)
        self._defaults = policy
        self._tables: _Recent[AccessTable] = _Recent(_KEPT)
        self._compiled: _Recent[AccessTable] = _Recent(_KEPT)

    async def table(self, actor: Actor, *, version: int | None = None) -> AccessTable:
        """What the actor may do, by the policy in force.

        With `version` (the tenant's, as the session's look-up returned it) a table that is kept costs no trip to
        the database; without, the version is read.

        :raises PolicyUnusable: the policy can't be understood; nothing is allowed then.
        :raises Unavailable: the database does not answer.
        """
        if version is not None:
            kept = self._tables.get((actor.tenant_id, version, actor.roles))
            if kept is not None:
                return kept
        async with self._database.transaction(actor.tenant_id, role=DatabaseRole.PLATFORM):
            present, policy = await load_policy(actor.tenant_id, defaults=self._defaults)
        table = self._compile(policy, actor)
        self._tables.put((actor.tenant_id, present, actor.roles), table)
        return table

    def _compile(self, policy: Policy, actor: Actor) -> AccessTable:
        """One compilation for all tenants and versions whose policies are equal."""
        key = (policy.digest, actor.roles)
        table = self._compiled.get(key)
        if table is None:
            table = self._compiler.compile(policy, roles=actor.roles, domain=str(actor.tenant_id))
            self._compiled.put(key, table)
        return table
