"""For any policy: a deny never widens a table, and an allowance never narrows one."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from saas.access import DEFAULT_POLICY, AccessTable, Action, Effect, FieldAccess, FieldRight, PolicyLine
from saas.access.compiler import Compiler
from tests.access_samples import catalogue

CATALOGUE = catalogue()
COMPILER = Compiler(CATALOGUE)
OBJECTS = sorted([*CATALOGUE.fields, *CATALOGUE.types, *CATALOGUE.permissions, "Customer.*", "Employee.*"])
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
