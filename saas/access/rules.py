"""Policy as plain values: lines, roles, and the pure decisions about changing them. No casbin, no database.

A line gives (or denies) a role one action on one object, in the rows of one scope. Objects are ``Type`` (to see
rows of it), ``Type.field``, ``Type.*`` (its public and internal fields) and verbs such as ``customer:claim``.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property

from saas.access.errors import OwnRights, ReservedRight, UnknownRole
from saas.kernel import BadUserInput

EVERY_ROW = "all"
OWNER = "owner"
RESERVED = frozenset({"access:configure", "tenant:export", "tenant:suspend"})
"""Verbs that only an owner may give or take: with them a role could take the company out of its owner's hands."""

MAX_ROLE_DEPTH = 6
"""Casbin follows at most ten links of inheritance; a deeper chain would silently lose its denies."""

_ROLE_NAME = re.compile(r"[a-z][a-z0-9_]{1,39}")


class Action(StrEnum):
    """What a line is about. SEE, READ and MASK may be limited to a row scope; the others cover every row."""

    SEE = "see"
    READ = "read"
    MASK = "mask"
    USE = "use"
    AGGREGATE = "aggregate"
    WRITE = "write"
    DO = "do"

    @property
    def takes_scope(self) -> bool:
        """Whether the action may be limited to some rows."""
        return self in {Action.SEE, Action.READ, Action.MASK}


class Effect(StrEnum):
    """A deny beats every allow, inherited or own."""

    ALLOW = "allow"
    DENY = "deny"


@dataclass(frozen=True, slots=True, order=True)
class PolicyLine:
    """One right of one role. `scope` names the rows: ``all``, or a row scope of the type (self, pool, …)."""

    role: str
    action: Action
    object: str
    effect: Effect = Effect.ALLOW
    scope: str = EVERY_ROW


@dataclass(frozen=True, slots=True, order=True)
class RoleLink:
    """`role` inherits every line of `parent`."""

    role: str
    parent: str


@dataclass(frozen=True)
class Policy:
    """All lines and roles that hold in one tenant. `roles` also names those without a line."""

    lines: tuple[PolicyLine, ...]
    links: tuple[RoleLink, ...] = ()
    names: frozenset[str] = frozenset()

    def with_own(self, lines: Iterable[PolicyLine], links: Iterable[RoleLink], names: Iterable[str]) -> Policy:
        """This policy and what a tenant added to it."""
        return Policy((*self.lines, *lines), (*self.links, *links), self.names | frozenset(names))

    @cached_property
    def roles(self) -> frozenset[str]:
        """Every role there is."""
        linked = {name for link in self.links for name in (link.role, link.parent)}
        return self.names | linked | {line.role for line in self.lines}

    @cached_property
    def digest(self) -> str:
        """A hash of the content: equal policies compile to equal tables."""
        lines = sorted(map(_line_values, self.lines))
        links = sorted([link.role, link.parent] for link in self.links)
        return hashlib.sha256(json.dumps([lines, links, sorted(self.roles)]).encode()).hexdigest()

    def lineage(self, roles: Iterable[str]) -> frozenset[str]:
        """The given roles and all they inherit from."""
        found = set(roles)
        fresh = set(found)
        while fresh:
            fresh = {link.parent for link in self.links if link.role in fresh} - found
            found |= fresh
        return frozenset(found)

    def depth(self, role: str) -> int:
        """How many roles stand above `role`; one parent each, so it is the length of a line."""
        return len(self.lineage({role})) - 1

    def verbs_of(self, role: str) -> Iterator[str]:
        """The verbs that `role` is given, by itself or by inheritance; denies are not looked at."""
        lineage = self.lineage({role})
        for line in self.lines:
            if line.role in lineage and line.action is Action.DO and line.effect is Effect.ALLOW:
                yield line.object


def _line_values(line: PolicyLine) -> list[str]:
    return [line.role, line.action.value, line.object, line.effect.value, line.scope]


def check_may_change(policy: Policy, *, actor_roles: frozenset[str], role: str, object_: str) -> None:
    """Refuse a change of `role` that the actor may not make.

    Nobody changes a role that they hold themselves, directly or by inheritance: not even to lose a right, since a
    deny taken away is a right gained. Owners stand above this, as somebody must; the trail shows what they did.

    :raises UnknownRole: there is no such role.
    :raises OwnRights: the actor holds the role.
    :raises ReservedRight: the object is reserved for owners.
    """
    if role not in policy.roles:
        raise UnknownRole(role)
    if OWNER in actor_roles:
        return
    if role in policy.lineage(actor_roles):
        raise OwnRights(role)
    if object_ in RESERVED:
        raise ReservedRight(object_, OWNER)


def check_new_role(policy: Policy, *, actor_roles: frozenset[str], name: str, parent: str | None) -> None:
    """Refuse a role whose name is taken or malformed, or whose parent gives more than the actor may give.

    :raises BadUserInput: the name is malformed, or the line of parents too long.
    :raises UnknownRole: the parent does not exist.
    :raises ReservedRight: the parent holds a reserved verb and the actor is no owner.
    """
    if not _ROLE_NAME.fullmatch(name):
        raise BadUserInput("access.role_name_malformed", {"role": name[:60]}, field=("name",))
    if parent is None:
        return
    if parent not in policy.roles:
        raise UnknownRole(parent)
    if policy.depth(parent) + 1 > MAX_ROLE_DEPTH:
        raise BadUserInput("access.roles_too_deep", {"parent": parent, "limit": MAX_ROLE_DEPTH}, field=("parent",))
    reserved = RESERVED.intersection(policy.verbs_of(parent))
    if reserved and OWNER not in actor_roles:
        raise ReservedRight(min(reserved), OWNER)
