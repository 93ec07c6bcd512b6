"""Which changes of rights are refused, and why."""

from __future__ import annotations

from itertools import pairwise

import pytest

from saas.access import DEFAULT_POLICY, Action, Effect, PolicyLine, RoleLink
from saas.access.rules import MAX_ROLE_DEPTH, check_may_change, check_new_role
from saas.kernel import AppError
from tests.access_samples import catalogue

CATALOGUE = catalogue()


def right(object_: str, action: Action = Action.READ, effect: Effect = Effect.ALLOW, scope: str = "all") -> PolicyLine:
    return PolicyLine("rep", action, object_, effect, scope)


@pytest.mark.parametrize(
    ("line", "key"),
    [
        (right("Customer.colour"), "access.unknown_object"),
        (right("Vehicle.*"), "access.unknown_object"),
        (right("Vehicle", Action.SEE), "access.unknown_object"),
        (right("customer:eat", Action.DO), "access.unknown_object"),
        (right("Customer", Action.READ), "access.unknown_object"),
        (right("Customer.name", Action.DO), "access.unknown_object"),
        (right("Employee", Action.SEE, scope="pool"), "access.unknown_scope"),
        (right("Department.name", scope="self"), "access.unknown_scope"),
        (right("Customer.name", Action.USE, scope="self"), "access.scope_not_taken"),
        (right("customer:claim", Action.DO, scope="self"), "access.scope_not_taken"),
        (right("Customer.status"), "access.structural_field"),
        (right("Employee.baseSalary"), "access.pay_needs_two"),
        (right("Employee.baseSalary", Action.AGGREGATE), "access.pay_needs_two"),
    ],
)
def test_line_without_meaning_is_refused(line: PolicyLine, key: str) -> None:
    with pytest.raises(AppError) as refused:
        CATALOGUE.check(line)
    assert refused.value.key == key


@pytest.mark.parametrize(
    "line",
    [
        right("Customer.phone", scope="self"),
        right("Customer.*", Action.USE),
        right("Customer", Action.SEE, Effect.DENY, "pool"),
        right("Employee.baseSalary", effect=Effect.DENY),
        right("customer:assign", Action.DO),
        right("Customer.status", Action.WRITE),
    ],
)
def test_line_with_a_meaning_passes(line: PolicyLine) -> None:
    CATALOGUE.check(line)


@pytest.mark.parametrize(
    ("holds", "role", "object_", "key"),
    [
        ({"consultant"}, "rep", "customer:assign", None),
        ({"consultant"}, "consultant", "customer:assign", "access.own_rights"),
        ({"sales_manager"}, "rep", "customer:assign", "access.own_rights"),
        ({"rep"}, "sales_manager", "customer:assign", None),
        ({"consultant"}, "rep", "access:configure", "access.reserved_right"),
        ({"consultant"}, "rep", "tenant:export", "access.reserved_right"),
        ({"owner"}, "owner", "access:configure", None),
        ({"owner", "rep"}, "rep", "tenant:export", None),
        ({"owner"}, "boss", "customer:assign", "access.unknown_role"),
    ],
)
def test_nobody_but_an_owner_changes_own_or_reserved_rights(
    holds: set[str], role: str, object_: str, key: str | None
) -> None:
    if key is None:
        check_may_change(DEFAULT_POLICY, actor_roles=frozenset(holds), role=role, object_=object_)
        return
    with pytest.raises(AppError) as refused:
        check_may_change(DEFAULT_POLICY, actor_roles=frozenset(holds), role=role, object_=object_)
    assert refused.value.key == key


@pytest.mark.parametrize(
    ("holds", "name", "parent", "key"),
    [
        ("consultant", "regional_manager", "sales_manager", None),
        ("consultant", "helper", None, None),
        ("owner", "deputy", "owner", None),
        ("consultant", "deputy", "owner", "access.reserved_right"),
        ("consultant", "deputy", "consultant", "access.reserved_right"),
        ("owner", "deputy", "boss", "access.unknown_role"),
        ("owner", "Deputy", None, "access.role_name_malformed"),
        ("owner", "role:owner", None, "access.role_name_malformed"),
        ("owner", "x", None, "access.role_name_malformed"),
        ("owner", "a" * 41, None, "access.role_name_malformed"),
    ],
)
def test_role_is_refused_when_it_would_give_too_much(
    holds: str, name: str, parent: str | None, key: str | None
) -> None:
    if key is None:
        check_new_role(DEFAULT_POLICY, actor_roles=frozenset({holds}), name=name, parent=parent)
        return
    with pytest.raises(AppError) as refused:
        check_new_role(DEFAULT_POLICY, actor_roles=frozenset({holds}), name=name, parent=parent)
    assert refused.value.key == key


def test_roles_stand_only_so_deep_that_casbin_still_finds_their_denies() -> None:
    names = ["rep", *(f"level_{number}" for number in range(1, MAX_ROLE_DEPTH + 1))]
    links = [RoleLink(below, above) for above, below in pairwise(names)]
    policy = DEFAULT_POLICY.with_own([], links, names[1:])
    check_new_role(policy, actor_roles=frozenset({"owner"}), name="another", parent=names[-2])
    with pytest.raises(AppError) as refused:
        check_new_role(policy, actor_roles=frozenset({"owner"}), name="another", parent=names[-1])
    assert refused.value.key == "access.roles_too_deep"
