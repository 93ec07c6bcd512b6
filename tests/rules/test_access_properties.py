"""For any policy: a deny never widens a table, and an allowance never narrows one."""

from __future__ import annotations

from itertools import chain

from hypothesis import given, settings
from hypothesis import strategies as st

from saas.access import DEFAULT_POLICY, AccessTable, Action, Effect, FieldAccess, FieldRight, Policy, PolicyLine
from saas.access.compiler import Compiler
from tests.access_samples import catalogue

CATALOGUE = catalogue()
COMPILER = Compiler(CATALOGUE)
OBJECTS = sorted([*CATALOGUE.fields, *CATALOGUE.types, *CATALOGUE.permissions, "Customer.*", "Employee.*"])
SCOPES = ("all", "self", "department", "pool", "owned")
LINES = st.builds(
    PolicyLine,
    role=st.sampled_from(["rep", "sales_manager", "owner"]),
    action=st.sampled_from(Action),
    object=st.sampled_from(OBJECTS),
    effect=st.sampled_from(Effect),
    scope=st.sampled_from(["all", "all", "self", "department", "pool"]),
)


def covers(wide: AccessTable, narrow: AccessTable) -> bool:
    """Whether whatever `narrow` allows, `wide` allows too."""
    sets = ("usable", "aggregable", "writable", "permissions")
    return (
        all(getattr(narrow, name) <= getattr(wide, name) for name in sets)
        and all("all" in wide.visible(name) or rows <= wide.visible(name) for name, rows in narrow.scopes.items())
        and all(_covers(wide.read(*path.split(".", 1)), right) for path, right in narrow.fields.items())
    )


def _covers(wide: FieldRight, narrow: FieldRight) -> bool:
    if wide.access is FieldAccess.ALLOW or narrow.access is FieldAccess.DENY:
        return True
    if wide.access is FieldAccess.ROWS:
        # a right on some rows and the masked form elsewhere: the masked form has its own entry in the table
        return narrow.access is FieldAccess.MASKED or narrow.scopes <= wide.scopes
    return narrow.access is wide.access


@settings(max_examples=30, deadline=None)
@given(own=st.lists(LINES, max_size=8), extra=LINES)
def test_deny_never_widens_and_allowance_never_narrows(own: list[PolicyLine], extra: PolicyLine) -> None:
    roles = frozenset({"sales_manager"})
    before = COMPILER.compile(DEFAULT_POLICY.with_own(own, (), ()), roles=roles, domain="t1")
    after = COMPILER.compile(DEFAULT_POLICY.with_own([*own, extra], (), ()), roles=roles, domain="t1")
    if extra.effect is Effect.DENY:
        assert covers(before, after)
    else:
        assert covers(after, before)


class Reading:
    """What a policy says of some roles: something allows it, and nothing denies it or a part of it."""

    def __init__(self, policy: Policy, roles: frozenset[str]) -> None:
        self._about: dict[tuple[Action, str], list[PolicyLine]] = {}
        for line in chain.from_iterable(map(CATALOGUE.expand, policy.lines)):
            if line.role in roles:
                self._about.setdefault((line.action, line.object), []).append(line)

    def allows(self, action: Action, name: str, scope: str = "all") -> bool:
        """Whether the action on an object is allowed in a row scope."""
        about = self._about.get((action, name), [])
        denied = any(
            line.effect is Effect.DENY and (line.scope in (scope, "all") or (scope == "all" and line.scope != "all"))
            for line in about
        )
        return not denied and any(line.effect is Effect.ALLOW and line.scope == scope for line in about)


@settings(max_examples=40, deadline=None)
@given(own=st.lists(LINES, max_size=12), roles=st.sets(st.sampled_from(["rep", "sales_manager", "owner"])))
def test_tables_say_what_the_lines_say(own: list[PolicyLine], roles: set[str]) -> None:
    """Objects with equal lines share an answer; each must be the answer that its own lines give."""
    policy, held = DEFAULT_POLICY.with_own(own, (), ()), frozenset(roles)
    table, reading = COMPILER.compile(policy, roles=held, domain="t1"), Reading(policy, policy.lineage(held))
    verbs = {line.object for line in policy.lines if line.action is Action.DO}
    assert table.permissions == {name for name in verbs if reading.allows(Action.DO, name)}
    for action, found in ((Action.AGGREGATE, table.aggregable), (Action.WRITE, table.writable)):
        assert found == {path for path in CATALOGUE.fields if reading.allows(action, path)}
    for name in CATALOGUE.types:
        scopes = {scope for scope in SCOPES if reading.allows(Action.SEE, name, scope)}
        assert table.visible(name) == ({"all"} if "all" in scopes else scopes)
