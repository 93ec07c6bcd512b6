"""Casbin decides, once per policy and role set; the answers become an access table. The one module that knows casbin.

`enforce` walks policy lines (some 10 µs each), far too slow for every field of every request, so wildcards are
expanded first and lines are filed by (object, action). The matcher looks at an object and an action only to find its
lines, so objects with the same lines get the same answers: casbin holds one of each such kind, and is asked once.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from types import MappingProxyType
from typing import Any

from casbin import FastEnforcer
from casbin.model import FastModel
from casbin.persist import Adapter

from saas.access.catalogue import AccessCatalogue
from saas.access.rules import EVERY_ROW, Action, Effect, Policy, PolicyLine
from saas.access.table import ALLOWED, DENIED, MASKED, AccessTable, FieldAccess, FieldRight

MODEL = """
[request_definition]
r = sub, dom, obj, act, scope

[policy_definition]
p = sub, dom, obj, act, eft, scope

[role_definition]
g = _, _, _

[policy_effect]
e = some(where (p.eft == allow)) && !some(where (p.eft == deny))

[matchers]
m = r.obj == p.obj && r.act == p.act && r.dom == p.dom && g(r.sub, p.sub, r.dom) && \
(r.scope == p.scope || p.eft == "deny" && (p.scope == "all" || r.scope == "all"))
"""
"""A deny of every row denies each scope; a deny of one scope also ends ``all``, which contains it."""

GRANT = "access:configure"
_FILED_BY = (2, 3)  # object and action, in requests and lines alike


class _Enforcer(FastEnforcer):  # type: ignore[misc]  # casbin is untyped
    """Parses the matcher once: casbin parses it for each question, which costs more than the answer."""

    _parsed: Any = None

    def _get_expression(self, expr: str, functions: Any = None) -> Any:
        if self._parsed is None:
            self._parsed = super()._get_expression(expr, functions)
        return self._parsed


class _LoadedPolicy(Adapter):  # type: ignore[misc]  # casbin is untyped
    """Hands the expanded lines of one tenant to casbin. Subjects are prefixed: no user id can name a role."""

    def __init__(self, lines: Iterable[PolicyLine], policy: Policy, *, subject: str, roles: Iterable[str], domain: str):
        self._lines, self._links = lines, [(_role(link.role), _role(link.parent)) for link in policy.links]
        self._links += [(subject, _role(name)) for name in sorted(roles)]
        self._domain = domain

    def load_policy(self, model: Any) -> None:
        policy, roles = model.model["p"]["p"].policy, model.model["g"]["g"].policy
        for line in self._lines:
            policy.append(
                [_role(line.role), self._domain, line.object, line.action.value, line.effect.value, line.scope]
            )
        for child, parent in self._links:
            roles.append([child, parent, self._domain])


class Compiler:
    """Compiles policies against one catalogue."""

    def __init__(self, catalogue: AccessCatalogue) -> None:
        self._catalogue = catalogue
        self._spelled_out = lru_cache(maxsize=16)(partial(_spelled_out, catalogue))

    def compile(self, policy: Policy, *, roles: frozenset[str], domain: str, user: str = "actor") -> AccessTable:
        """What a user who holds `roles` may do under `policy`; `domain` is the tenant's id."""
        question = _Question(self._spelled_out(policy), policy, roles=roles, domain=domain, user=user)
        scopes = {name: found for name in self._catalogue.types if (found := question.scopes(Action.SEE, name))}
        fields = self._fields(question, scopes)
        return _table_of(
            fields=fields,
            usable={
                path
                for path in self._catalogue.fields
                if (path in fields and fields[path].access in {FieldAccess.ALLOW, FieldAccess.ROWS})
                and (question.is_allowed(Action.USE, path) or self._is_structural(path))
            },
            aggregable={path for path in self._catalogue.fields if question.is_allowed(Action.AGGREGATE, path)},
            writable={path for path in self._catalogue.fields if question.is_allowed(Action.WRITE, path)},
            permissions={verb for verb in question.verbs if question.is_allowed(Action.DO, verb)},
            scopes=scopes,
            grantors=self._grantors(question),
        )

    def _fields(self, question: _Question, scopes: dict[str, frozenset[str]]) -> dict[str, FieldRight]:
        fields: dict[str, FieldRight] = {}
        for path in self._catalogue.fields:
            full, masked = question.scopes(Action.READ, path), question.scopes(Action.MASK, path)
            right = _right(full) if full else MASKED if EVERY_ROW in masked else DENIED
            if right is not DENIED:
                fields[path] = right
            if masked:
                fields[f"{path}.masked"] = _right(full | masked)
        for type_name in scopes:
            fields.update(dict.fromkeys(self._catalogue.structural(type_name), ALLOWED))
        return fields

    def _is_structural(self, path: str) -> bool:
        return path in self._catalogue.structural(path.partition(".")[0])

    def _grantors(self, question: _Question) -> dict[str, tuple[str, ...]]:
        """Who can give a right: whoever may configure access; nobody alone, for pay and secrets."""
        granting = question.roles_that_may(GRANT)
        names = (*question.verbs, *self._catalogue.permissions, *self._catalogue.types, *self._catalogue.fields)
        return {name: granting for name in names if self._catalogue.is_grantable_alone(name)}


@dataclass(frozen=True, slots=True)
class _SpelledOut:
    """A policy as lines on single objects, whoever asks.

    `alike` gives for each action on an object the first object about which the policy says just the same.
    """

    lines: Sequence[PolicyLine]
    alike: Mapping[tuple[Action, str], str]

    @property
    def asked(self) -> Iterable[PolicyLine]:
        """The lines on objects that stand for those like them."""
        return (line for line in self.lines if self.alike[line.action, line.object] == line.object)


def _spelled_out(catalogue: AccessCatalogue, policy: Policy) -> _SpelledOut:
    lines = list(dict.fromkeys(single for line in policy.lines for single in catalogue.expand(line)))
    said: dict[tuple[Action, str], set[tuple[str, Effect, str]]] = {}
    for line in lines:
        said.setdefault((line.action, line.object), set()).add((line.role, line.effect, line.scope))
    first: dict[tuple[Action, frozenset[tuple[str, Effect, str]]], str] = {}
    alike = {(action, name): first.setdefault((action, frozenset(each)), name) for (action, name), each in said.items()}
    return _SpelledOut(lines, alike)


class _Question:
    """One casbin enforcer over the expanded lines, asked in the words of this room."""

    def __init__(self, spelled: _SpelledOut, policy: Policy, *, roles: frozenset[str], domain: str, user: str) -> None:
        self._policy, self._domain, self._subject = policy, domain, f"user:{user}"
        self._alike = spelled.alike
        self._answers: dict[tuple[str, Action, str, str], bool] = {}
        self._given: dict[tuple[Action, str], set[str]] = {}
        lineage = policy.lineage(roles)
        for line in spelled.lines:
            if line.effect is Effect.ALLOW and line.role in lineage:  # what nobody gives need not be asked
                self._given.setdefault((line.action, line.object), set()).add(line.scope)
        self.verbs = sorted({line.object for line in spelled.lines if line.action is Action.DO})
        model = FastModel(_FILED_BY)
        model.load_model_from_text(MODEL)
        held = roles & policy.roles
        loaded = _LoadedPolicy(spelled.asked, policy, subject=self._subject, roles=held, domain=domain)
        self._enforcer = _Enforcer(model, loaded, cache_key_order=_FILED_BY)

    def scopes(self, action: Action, object_: str) -> frozenset[str]:
        """The row scopes in which the action is allowed; only ``all`` where that is among them."""
        given = self._given.get((action, object_), set())
        found = frozenset(scope for scope in given if self._ask(self._subject, action, object_, scope))
        return frozenset({EVERY_ROW}) if EVERY_ROW in found else found

    def is_allowed(self, action: Action, object_: str) -> bool:
        """Whether the action is allowed in every row."""
        return EVERY_ROW in self.scopes(action, object_)

    def roles_that_may(self, verb: str) -> tuple[str, ...]:
        """The roles that hold a verb."""
        return tuple(name for name in sorted(self._policy.roles) if self._ask(_role(name), Action.DO, verb, EVERY_ROW))

    def _ask(self, subject: str, action: Action, object_: str, scope: str) -> bool:
        question = (subject, action, self._alike.get((action, object_), object_), scope)
        answer = self._answers.get(question)
        if answer is None:
            answer = bool(self._enforcer.enforce(subject, self._domain, question[2], action.value, scope))
            self._answers[question] = answer
        return answer


def _role(name: str) -> str:
    return f"role:{name}"


def _right(scopes: frozenset[str]) -> FieldRight:
    return ALLOWED if EVERY_ROW in scopes else FieldRight(FieldAccess.ROWS, scopes)


def _table_of(
    *,
    fields: dict[str, FieldRight],
    usable: set[str],
    aggregable: set[str],
    writable: set[str],
    permissions: set[str],
    scopes: dict[str, frozenset[str]],
    grantors: dict[str, tuple[str, ...]],
) -> AccessTable:
    """The table with the hash of its content."""
    content = [
        {path: [right.access.value, sorted(right.scopes)] for path, right in fields.items()},
        *(sorted(part) for part in (usable, aggregable, writable, permissions)),
        {name: sorted(found) for name, found in scopes.items()},
        grantors,
    ]
    text = json.dumps(content, sort_keys=True, separators=(",", ":"))
    return AccessTable(
        fingerprint=hashlib.sha256(text.encode()).hexdigest(),
        fields=MappingProxyType(fields),
        usable=frozenset(usable),
        aggregable=frozenset(aggregable),
        writable=frozenset(writable),
        permissions=frozenset(permissions),
        scopes=MappingProxyType(scopes),
        grantors=MappingProxyType(grantors),
    )
