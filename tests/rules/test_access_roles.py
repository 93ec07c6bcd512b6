"""What each role that every company begins with may do and may not: written out, so that a change is seen."""

from __future__ import annotations

from collections.abc import Set

import pytest

from saas.access import (
    ALLOWED,
    DEFAULT_POLICY,
    DENIED,
    MASKED,
    PERMISSIONS,
    AccessTable,
    Action,
    Effect,
    FieldAccess,
    FieldRight,
    PermissionMissing,
    Policy,
    PolicyLine,
    RoleLink,
    require,
)
from saas.access.compiler import Compiler
from tests.access_samples import catalogue

COMPILER = Compiler(catalogue())
SELF, TEAM = FieldRight(FieldAccess.ROWS, frozenset({"self"})), frozenset({"self", "department"})
IN_TEAM = FieldRight(FieldAccess.ROWS, TEAM)


def table(*roles: str, policy: Policy = DEFAULT_POLICY, user: str = "actor") -> AccessTable:
    return COMPILER.compile(policy, roles=frozenset(roles), domain="t1", user=user)


def plus(*lines: PolicyLine, links: tuple[RoleLink, ...] = ()) -> Policy:
    return DEFAULT_POLICY.with_own(lines, links, [link.role for link in links])


def deny(role: str, action: Action, object_: str, scope: str = "all") -> PolicyLine:
    return PolicyLine(role, action, object_, Effect.DENY, scope)


FIELD_RIGHTS: dict[str, dict[str, FieldRight]] = {
    "owner": {
        "Customer.name": ALLOWED,
        "Customer.phone": ALLOWED,
        "Employee.phone": ALLOWED,
        "Employee.baseSalary": DENIED,
        "Payslip.document": SELF,
        "AuditEntry.changes": ALLOWED,
    },
    "hr_admin": {
        "Customer.name": ALLOWED,
        "Customer.industry": DENIED,
        "Customer.phone": DENIED,
        "Employee.phone": ALLOWED,
        "Employee.hiredOn": ALLOWED,
        "EmployeeLeave.kind": ALLOWED,
        "Employee.baseSalary": DENIED,
        "Payslip.document": SELF,
        "AuditEntry.changes": DENIED,
    },
    "payroll_officer": {
        "Customer.name": DENIED,
        "Employee.name": ALLOWED,
        "Employee.phone": DENIED,
        "Employee.baseSalary": DENIED,
        "Payslip.document": ALLOWED,
        "Accrual.amount": ALLOWED,
        "Statement.payable": ALLOWED,
        "AuditEntry.changes": DENIED,
    },
    "sales_manager": {
        "Customer.name": ALLOWED,
        "Customer.phone": IN_TEAM,
        "Employee.number": ALLOWED,
        "Employee.phone": IN_TEAM,
        "Employee.email": SELF,
        "EmployeeLeave.firstOn": ALLOWED,
        "EmployeeLeave.kind": IN_TEAM,
        "Employee.hiredOn": IN_TEAM,
        "Employee.baseSalary": DENIED,
        "Payslip.document": SELF,
        "AuditEntry.changes": DENIED,
    },
    "rep": {
        "Customer.name": ALLOWED,
        "Customer.status": ALLOWED,
        "Customer.phone": SELF,
        "Customer.phone.masked": ALLOWED,
        "Employee.name": ALLOWED,
        "Employee.department": ALLOWED,
        "Employee.number": SELF,
        "Employee.phone": SELF,
        "Employee.phone.masked": SELF,
        "EmployeeLeave.kind": SELF,
        "Employee.baseSalary": DENIED,
        "Payslip.document": SELF,
        "AuditEntry.changes": DENIED,
    },
    "consultant": {
        "Customer.name": ALLOWED,
        "Customer.phone": MASKED,
        "Employee.phone": MASKED,
        "Employee.baseSalary": DENIED,
        "Payslip.document": DENIED,
        "AccessRule.role": ALLOWED,
        "AuditEntry.changes": DENIED,
    },
    "partner_app": {"Customer.name": DENIED, "Customer.status": DENIED, "Employee.name": DENIED},
    "auditor": {
        "AuditEntry.changes": ALLOWED,
        "Employee.name": ALLOWED,
        "Employee.phone": DENIED,
        "Customer.name": DENIED,
        "Employee.baseSalary": DENIED,
        "Payslip.document": DENIED,
    },
}
VERBS: dict[str, Set[str]] = {
    "owner": PERMISSIONS,
    "hr_admin": {
        "employee:create",
        "employee:update",
        "employee:separate",
        "employee:invite",
        "leave:write",
        "invitation:manage",
        "department:write",
        "session:manage",
        "behaviour:read",
        "behaviour:audit",
        "membership:manage",
        "import:preview",
        "import:commit",
        "import:undo",
        "incentive_plan:write",
        "incentive_plan:publish",
        "settlement:calculate",
        "settlement:approve",
        "settlement:lock",
        "bonus_pool:calculate",
        "bonus_pool:approve",
        "attendance:write",
        "payroll:configure",
        "payroll:assign",
        "payroll:run",
        "payroll:approve",
        "payroll:preview",
        "circulation:configure",
        "assessment:run",
        "assessment:decide",
    },
    "payroll_officer": {
        "attendance:write",
        "payroll:configure",
        "payroll:assign",
        "payroll:run",
        "payroll:approve",
        "payroll:preview",
        "import:preview",
        "import:commit",
        "import:undo",
    },
    "sales_manager": {
        "customer:create",
        "customer:update",
        "customer:claim",
        "customer:release",
        "customer:assign",
        "customer:transfer",
        "customer:mark",
        "customer:extend",
        "customer:history",
        "customer:level",
        "pool:allocate",
        "fairness:read",
        "behaviour:read",
        "follow_up:create",
        "opportunity:enter",
        "opportunity:move",
        "opportunity:assign",
        "deal:enter",
        "deal:credit",
        "deal:cancel",
        "collection:record",
        "refund:record",
        "target:set",
        "deal:stage",
        "assessment:appeal",
        "assessment:decide",
        "employee:invite",
        "leave:write",
        "import:preview",
        "import:commit",
        "import:undo",
    },
    "rep": {
        "assessment:appeal",
        "customer:create",
        "customer:update",
        "customer:claim",
        "customer:release",
        "customer:mark",
        "follow_up:create",
        "opportunity:enter",
        "opportunity:move",
        "deal:enter",
        "fairness:read",
        "behaviour:read",
    },
    "consultant": {
        "circulation:configure",
        "plugin:configure",
        "pool:configure",
        "access:configure",
        "access:read",
        "department:write",
        "incentive_plan:write",
        "payroll:configure",
    },
    "partner_app": frozenset(),
    "auditor": {"access:read", "allocation:audit", "audit:read", "audit:verify", "fairness:read"},
}
ROWS: dict[str, dict[str, set[str]]] = {
    "owner": {"Customer": {"all"}, "Employee": {"all"}, "AuditEntry": {"all"}, "Payslip": {"all"}},
    "hr_admin": {"Customer": {"all"}, "Employee": {"all"}, "FollowUp": set(), "AuditEntry": set()},
    "payroll_officer": {"Customer": set(), "Employee": {"all"}, "Payslip": {"all"}, "Accrual": {"all"}},
    "sales_manager": {
        "Customer": {"self", "pool", "department"},
        "FollowUp": {"self", "owned", "department"},
        "OwnershipRequest": {"self", "department"},
        "Employee": {"all"},
        "EmployeeLeave": {"all"},
    },
    "rep": {
        "Customer": {"self", "pool"},
        "FollowUp": {"self", "owned"},
        "Ownership": {"self"},
        "OwnershipRequest": {"self"},
        "Employee": {"all"},
        "EmployeeLeave": {"self"},
        "Payslip": {"self"},
    },
    "consultant": {"Customer": {"all"}, "AuditEntry": set(), "Payslip": set()},
    "partner_app": {"Customer": set(), "Employee": set(), "Department": set()},
    "auditor": {"AuditEntry": {"all"}, "Customer": set(), "FollowUp": set(), "EmployeeLeave": set()},
}


@pytest.mark.parametrize("role", FIELD_RIGHTS)
def test_role_reads_exactly_what_is_listed(role: str) -> None:
    compiled = table(role)
    assert {path: compiled.fields.get(path, DENIED) for path in FIELD_RIGHTS[role]} == FIELD_RIGHTS[role]


@pytest.mark.parametrize("role", VERBS)
def test_role_holds_exactly_these_verbs(role: str) -> None:
    assert table(role).permissions == VERBS[role]


@pytest.mark.parametrize("role", ROWS)
def test_role_sees_exactly_these_rows(role: str) -> None:
    compiled = table(role)
    assert {name: set(compiled.visible(name)) for name in ROWS[role]} == ROWS[role]


OTHERS = sorted(DEFAULT_POLICY.roles - {"payroll_officer"})


def test_no_role_but_the_payroll_officers_is_given_pay_but_ones_own_payslip() -> None:
    compiled = table(*OTHERS)
    assert compiled.fields["Payslip.document"] == SELF
    assert not [path for path in compiled.fields if "baseSalary" in path]
    assert not [path for path in compiled.usable | compiled.writable | compiled.aggregable if "baseSalary" in path]
    assert compiled.who_grants("Employee.baseSalary") == compiled.who_grants("Payslip.document") == ()
    officers = table("payroll_officer")
    used = officers.usable | officers.writable | officers.aggregable
    assert not used & {"Payslip.document", "Accrual.amount", "Statement.payable"}


def test_people_read_their_own_commission_and_others_nobody_elses() -> None:
    for role in OTHERS:
        own = SELF if role in {"rep", "sales_manager"} else DENIED
        compiled = table(role)
        assert [compiled.read("Accrual", "amount"), compiled.read("Statement", "payable")] == [own, own], role
    everything = table(*DEFAULT_POLICY.roles)
    used = everything.usable | everything.writable | everything.aggregable
    assert not used & {"Accrual.amount", "Accrual.base", "Statement.payable"}


def test_masked_field_can_not_be_used_and_a_row_right_can() -> None:
    assert not table("consultant").may_use("Customer", "phone")
    assert table("rep").may_use("Customer", "phone")
    assert not table("rep").may_use("Employee", "phone")
    assert not table("hr_admin").may_use("Customer", "industry")


def test_structural_fields_come_with_seeing_the_type() -> None:
    assert table("hr_admin").read("Customer", "status") == ALLOWED
    assert table("hr_admin").may_use("Customer", "status")
    assert table("auditor").read("Customer", "status") == DENIED


def test_refusal_names_the_verb_and_who_can_grant_it() -> None:
    with pytest.raises(PermissionMissing) as refused:
        require(table("rep"), "customer:assign")
    assert refused.value.values == {"permission": "customer:assign", "grantors": "consultant, owner"}
    require(table("sales_manager"), "customer:assign")


def test_nobody_and_unknown_roles_may_nothing() -> None:
    for compiled in (table(), table("boss")):
        assert (dict(compiled.fields), compiled.permissions, dict(compiled.scopes)) == ({}, frozenset(), {})


def test_user_whose_id_equals_a_role_inherits_nothing_from_it() -> None:
    assert table(user="owner").permissions == frozenset()
    assert table(user="role:owner").permissions == frozenset()


def test_equal_policies_of_two_tenants_share_a_fingerprint() -> None:
    own = table("owner")
    assert own.fingerprint == COMPILER.compile(DEFAULT_POLICY, roles=frozenset({"owner"}), domain="t2").fingerprint


def test_own_role_inherits_through_several_levels() -> None:
    policy = plus(links=(RoleLink("regional", "sales_manager"), RoleLink("national", "regional")))
    assert table("national", policy=policy).permissions == VERBS["sales_manager"]
    assert table("national", policy=policy).fingerprint == table("sales_manager", policy=policy).fingerprint


def test_several_roles_add_up() -> None:
    both = table("rep", "hr_admin")
    assert both.permissions == VERBS["rep"] | VERBS["hr_admin"]
    assert both.read("Employee", "phone") == ALLOWED
    assert both.visible("Customer") == {"all"}


def test_deny_beats_an_allowance_own_or_inherited() -> None:
    policy = plus(deny("rep", Action.DO, "customer:claim"))
    assert "customer:claim" not in table("rep", policy=policy).permissions
    assert "customer:claim" not in table("sales_manager", policy=policy).permissions
    assert "customer:claim" not in table("rep", "owner", policy=policy).permissions
    assert "customer:claim" in table("owner", policy=policy).permissions


def test_deny_of_one_scope_leaves_the_others() -> None:
    policy = plus(deny("rep", Action.SEE, "Customer", "pool"))
    assert table("rep", policy=policy).visible("Customer") == {"self"}
    assert table("owner", "rep", policy=policy).visible("Customer") == {"self"}


def test_deny_of_every_row_leaves_nothing() -> None:
    policy = plus(deny("rep", Action.SEE, "Customer"), deny("rep", Action.READ, "Customer.phone"))
    compiled = table("rep", policy=policy)
    assert compiled.visible("Customer") == frozenset()
    assert compiled.read("Customer", "phone") == MASKED
    assert not compiled.may_use("Customer", "phone")


def test_who_may_not_see_the_masked_form_may_not_see_the_full_one() -> None:
    compiled = table("owner", policy=plus(deny("owner", Action.MASK, "Customer.phone")))
    assert compiled.read("Customer", "phone") == DENIED
    assert "Customer.phone.masked" not in compiled.fields


def test_allowing_wildcard_never_covers_personal_pay_or_secret_and_a_denying_one_covers_all() -> None:
    every = [PolicyLine("partner_app", action, f"{name}.*") for action in Action for name in ("Customer", "Employee")]
    compiled = table("partner_app", policy=plus(*every))
    reached = {*compiled.fields, *compiled.usable, *compiled.aggregable, *compiled.writable}
    assert {"Customer.industry", "Employee.hiredOn"} <= reached
    assert not [path for path in reached if any(word in path for word in ("phone", "email", "address", "Salary"))]
    closed = table("owner", policy=plus(deny("owner", Action.READ, "Employee.*")))
    assert {path: right for path, right in closed.fields.items() if path.startswith("Employee.")} == {
        "Employee.status": ALLOWED,
        "Employee.phone": MASKED,
        "Employee.phone.masked": ALLOWED,
        "Employee.email": MASKED,
        "Employee.email.masked": ALLOWED,
    }


def test_scope_that_the_type_does_not_define_gives_nothing() -> None:
    policy = plus(PolicyLine("partner_app", Action.SEE, "Employee", scope="pool"))
    assert table("partner_app", policy=policy).visible("Employee") == frozenset()


def test_equal_policies_share_a_fingerprint_and_others_do_not() -> None:
    assert table("rep").fingerprint == table("rep").fingerprint
    assert table("rep").fingerprint != table("rep", policy=plus(deny("rep", Action.READ, "Customer.name"))).fingerprint
