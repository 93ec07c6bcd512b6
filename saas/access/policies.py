"""The roles every company begins with, and their rights: the least that lets each do its work.

A tenant adds roles and lines of its own (`saas.access.actions`); what stands here it can deny but not remove.
The pay of others is for the payroll officer alone, whom an owner appoints; one's own payslip is open.
"""

from __future__ import annotations

from collections.abc import Iterable

from saas.access.rules import EVERY_ROW, OWNER, Action, Policy, PolicyLine, RoleLink

HR_ADMIN, SALES_MANAGER, REP = "hr_admin", "sales_manager", "rep"
CONSULTANT, PARTNER_APP, AUDITOR = "consultant", "partner_app", "auditor"
PAYROLL_OFFICER = "payroll_officer"
DEFAULT_ROLES = (OWNER, HR_ADMIN, PAYROLL_OFFICER, SALES_MANAGER, REP, CONSULTANT, PARTNER_APP, AUDITOR)

PERMISSIONS = frozenset(
    {
        "employee:create",
        "employee:update",
        "employee:separate",
        "employee:invite",
        "leave:write",
        "department:write",
        "customer:create",
        "customer:update",
        "customer:claim",
        "customer:release",
        "customer:assign",
        "customer:transfer",
        "customer:level",
        "customer:mark",
        "customer:extend",
        "customer:history",
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
        "circulation:configure",
        "assessment:run",
        "assessment:appeal",
        "assessment:decide",
        "incentive_plan:write",
        "incentive_plan:publish",
        "settlement:calculate",
        "settlement:approve",
        "settlement:lock",
        "bonus_pool:calculate",
        "bonus_pool:approve",
        "pool:configure",
        "pool:allocate",
        "allocation:audit",
        "fairness:read",
        "behaviour:read",
        "behaviour:audit",
        "plugin:configure",
        "attendance:write",
        "payroll:configure",
        "payroll:assign",
        "payroll:run",
        "payroll:approve",
        "payroll:preview",
        "access:configure",
        "access:read",
        "audit:read",
        "audit:verify",
        "tenant:export",
        "tenant:suspend",
        "session:manage",
        "invitation:manage",
        "membership:manage",
        "import:preview",
        "import:commit",
        "import:undo",
    }
)
"""Every verb of the product itself; plugins declare theirs in their manifests."""

READ_USE = (Action.READ, Action.USE)
_COMPANY = ("Employee.*", "Department.*", "LegalEntity.*")
_SALES_TYPES = (
    "OpportunityStage",
    "Opportunity",
    "Deal",
    "Collection",
    "PerformanceCredit",
    "PerformanceLine",
    "Target",
)
_OF_DEPARTMENT = ("Opportunity", "Deal", "Collection", "PerformanceCredit", "PerformanceLine", "Target")
_PLAN_TYPES = ("IncentivePlan", "IncentivePlanVersion")
_INCENTIVE_TYPES = (*_PLAN_TYPES, "IncentiveParticipant", "Accrual", "Settlement", "Statement", "BonusPoolRun")
_BUSINESS_TYPES = (
    "Customer",
    "CustomerPool",
    "PoolSetting",
    "FollowUp",
    "Ownership",
    "HoldingMark",
    "OwnershipRequest",
    *_SALES_TYPES,
    "DealStage",
    *_INCENTIVE_TYPES,
)
_BUSINESS = tuple(f"{name}.*" for name in _BUSINESS_TYPES)
_COMPANY_TYPES = ("Employee", "Department", "LegalEntity")
_LEAVE_DAYS = tuple(f"EmployeeLeave.{name}" for name in ("employee", "firstOn", "lastOn", "enteredAt", "cancelledAt"))
"""Who is away when; of what kind the leave is, is for those who enter it and for the person."""
_IMPORT_TYPES = ("ImportBatch", "ImportPart", "ImportHeader", "ImportRemark", "ImportDifference")
_IMPORTS = tuple(f"{name}.*" for name in _IMPORT_TYPES)
_IMPORT_VERBS = ("import:preview", "import:commit", "import:undo")
_PAY_OF_INCENTIVES = (
    "Accrual.base",
    "Accrual.amount",
    "Statement.earned",
    "Statement.brought",
    "Statement.payable",
    "Statement.carried",
)
_POOLS_TYPES = (
    "PoolEvent",
    "PoolNotice",
    "PoolProposal",
    "Allocation",
    "AllocationPick",
    "AllocationCredit",
    "EmployeeTrait",
)
_POOLS = tuple(f"{name}.*" for name in _POOLS_TYPES)
_LEDGER_PEOPLE = ("PoolEvent.employee", "PoolEvent.formerOwner")
_LEDGER_FACTS = (
    "PoolEvent.pool",
    "PoolEvent.customer",
    "PoolEvent.customerLabel",
    "PoolEvent.isByJob",
    "PoolEvent.happenedOn",
    "PoolEvent.reason",
    "PoolEvent.rule",
    "PoolEvent.allocation",
    "PoolEvent.settingsVersion",
)
"""The public ledger: what happened is for every member of a pool, whom it was about as the pool's settings say."""
_CIRCULATION_TYPES = ("CirculationPolicy", "CustomerDecline", "Assessment", "AssessmentPerson", "AssessmentCustomer")
_CIRCULATION = tuple(f"{name}.*" for name in _CIRCULATION_TYPES)
_PAYROLL_TYPES = (
    "SalaryStructure",
    "SalaryStructureVersion",
    "PayPeriod",
    "PayrollRun",
    "PayrollTotal",
)
_PAYROLL = tuple(f"{name}.*" for name in (*_PAYROLL_TYPES, "Payslip"))
_PERSONAL = ("Customer.phone", "Customer.address", "Employee.phone", "Employee.email")


def _allow(
    role: str, actions: Action | Iterable[Action], *objects: str, scopes: Iterable[str] = (EVERY_ROW,)
) -> list[PolicyLine]:
    wanted = (actions,) if isinstance(actions, Action) else tuple(actions)
    return [
        PolicyLine(role, action, object_, scope=scope) for action in wanted for object_ in objects for scope in scopes
    ]


def _owner() -> Iterable[PolicyLine]:
    """Everything in the company but pay."""
    yield from _allow(OWNER, Action.SEE, *_POOLS_TYPES, *_CIRCULATION_TYPES)
    yield from _leaves(OWNER)
    yield from _allow(OWNER, (*READ_USE, Action.AGGREGATE), *_POOLS, *_CIRCULATION)
    yield from _allow(OWNER, Action.SEE, *_BUSINESS_TYPES, *_COMPANY_TYPES, "AuditEntry", "Role", "AccessRule")
    yield from _allow(OWNER, READ_USE, *_BUSINESS, *_COMPANY, "AuditEntry.*", "Role.*", "AccessRule.*")
    yield from _allow(OWNER, (*READ_USE, Action.MASK, Action.WRITE), *_PERSONAL)
    yield from _allow(OWNER, (Action.AGGREGATE, Action.WRITE), *_BUSINESS, *_COMPANY)
    yield from _allow(OWNER, Action.SEE, *_PAYROLL_TYPES, "Payslip")
    yield from _allow(OWNER, READ_USE, *_PAYROLL)
    yield from _own_payslips(OWNER)
    yield from _allow(OWNER, Action.SEE, *_IMPORT_TYPES)
    yield from _allow(OWNER, READ_USE, *_IMPORTS)
    yield from _allow(OWNER, Action.DO, *sorted(PERMISSIONS))


def _importing(role: str) -> Iterable[PolicyLine]:
    """Imports of one's own; which kinds of rows, the verbs of those say."""
    yield from _allow(role, Action.SEE, *_IMPORT_TYPES, scopes=("self",))
    yield from _allow(role, READ_USE, *_IMPORTS)
    yield from _allow(role, Action.DO, *_IMPORT_VERBS)


def _own_payslips(role: str) -> Iterable[PolicyLine]:
    """Everybody on the staff reads their own payslips once these are published, and nobody anybody else's."""
    yield from _allow(role, Action.SEE, "Payslip", scopes=("self",))
    yield from _allow(role, READ_USE, "Payslip.month", "Payslip.employee")
    yield from _allow(role, Action.READ, "Payslip.department", "Payslip.publishedAt")
    yield from _allow(role, Action.READ, "Payslip.document", scopes=("self",))


def _leaves(role: str) -> Iterable[PolicyLine]:
    """Everybody's leave with its kind, entered and changed."""
    yield from _allow(role, Action.SEE, "EmployeeLeave")
    yield from _allow(role, READ_USE, "EmployeeLeave.*")
    yield from _allow(role, Action.DO, "leave:write")


def _hr_admin() -> Iterable[PolicyLine]:
    """People with their personal data; of customers the names alone; incentives but for what each person gets."""
    yield from _allow(HR_ADMIN, Action.SEE, *_COMPANY_TYPES, "Customer")
    yield from _allow(HR_ADMIN, (*READ_USE, Action.WRITE, Action.AGGREGATE), *_COMPANY)
    yield from _allow(HR_ADMIN, (*READ_USE, Action.MASK, Action.WRITE), "Employee.phone", "Employee.email")
    yield from _allow(HR_ADMIN, READ_USE, "Customer.name", "Customer.shortName")
    yield from _allow(HR_ADMIN, Action.DO, "employee:create", "employee:update", "employee:separate")
    yield from _allow(HR_ADMIN, Action.DO, "employee:invite", "invitation:manage", "department:write")
    yield from _leaves(HR_ADMIN)
    yield from _allow(HR_ADMIN, Action.DO, "session:manage", "membership:manage")
    yield from _allow(HR_ADMIN, Action.DO, "behaviour:read", "behaviour:audit")
    yield from _importing(HR_ADMIN)
    yield from _allow(HR_ADMIN, Action.SEE, *_INCENTIVE_TYPES)
    yield from _allow(HR_ADMIN, READ_USE, *(f"{name}.*" for name in _INCENTIVE_TYPES))
    yield from _allow(HR_ADMIN, Action.DO, "incentive_plan:write", "incentive_plan:publish", "settlement:calculate")
    yield from _allow(HR_ADMIN, Action.DO, "settlement:approve", "settlement:lock")
    yield from _allow(HR_ADMIN, Action.DO, "bonus_pool:calculate", "bonus_pool:approve")
    yield from _allow(HR_ADMIN, Action.SEE, "CustomerPool", *_CIRCULATION_TYPES)
    yield from _allow(HR_ADMIN, READ_USE, "CustomerPool.name", *_CIRCULATION)
    yield from _allow(HR_ADMIN, Action.DO, "circulation:configure", "assessment:run", "assessment:decide")
    yield from _allow(HR_ADMIN, Action.SEE, *_PAYROLL_TYPES, "Payslip")
    yield from _allow(HR_ADMIN, READ_USE, *_PAYROLL)
    yield from _own_payslips(HR_ADMIN)
    yield from _allow(HR_ADMIN, Action.DO, "attendance:write", "payroll:configure", "payroll:assign")
    yield from _allow(HR_ADMIN, Action.DO, "payroll:run", "payroll:preview", "payroll:approve")


def _payroll_officer() -> Iterable[PolicyLine]:
    """Prepares pay, so reads everybody's: payslips before they are published, what each line of commission comes to."""
    yield from _allow(PAYROLL_OFFICER, Action.SEE, *_COMPANY_TYPES, *_INCENTIVE_TYPES, *_PAYROLL_TYPES, "Payslip")
    yield from _allow(PAYROLL_OFFICER, READ_USE, *_COMPANY, *_PAYROLL)
    yield from _allow(PAYROLL_OFFICER, READ_USE, *(f"{name}.*" for name in _INCENTIVE_TYPES))
    yield from _allow(PAYROLL_OFFICER, Action.READ, *_PAY_OF_INCENTIVES, "Payslip.document")
    yield from _allow(PAYROLL_OFFICER, Action.DO, "attendance:write", "payroll:configure", "payroll:assign")
    yield from _allow(PAYROLL_OFFICER, Action.DO, "payroll:run", "payroll:preview", "payroll:approve")
    yield from _importing(PAYROLL_OFFICER)


def _rep() -> Iterable[PolicyLine]:
    """Own customers in full, the pool with masked numbers, colleagues by name and, in the own department, by rank;
    the plans that hold, and what one earns by them oneself."""
    yield from _allow(REP, Action.SEE, "Customer", scopes=("self", "pool"))
    yield from _allow(REP, Action.SEE, "FollowUp", scopes=("self", "owned"))
    yield from _allow(REP, Action.SEE, "Ownership", "HoldingMark", "OwnershipRequest", scopes=("self",))
    yield from _allow(REP, Action.SEE, "CustomerPool", "PoolSetting", "OpportunityStage", *_COMPANY_TYPES)
    yield from _rep_in_pools()
    yield from _rep_in_circulation()
    yield from _allow(REP, Action.SEE, "Opportunity", "PerformanceCredit", scopes=("self", "owned"))
    yield from _allow(REP, Action.SEE, "Deal", "Collection", scopes=("self", "credited"))
    yield from _allow(REP, Action.SEE, "PerformanceLine", scopes=("self", "department"))
    yield from _allow(REP, Action.SEE, "Target", scopes=("self",))
    yield from _allow(REP, Action.SEE, "DealStage", scopes=("self", "credited"))
    yield from _allow(REP, Action.SEE, *_PLAN_TYPES, scopes=("published",))
    yield from _allow(REP, Action.SEE, "IncentiveParticipant", "Accrual", "Settlement", "Statement", scopes=("self",))
    yield from _allow(REP, Action.READ, *_PAY_OF_INCENTIVES, scopes=("self",))
    yield from _allow(REP, (*READ_USE, Action.AGGREGATE), *_BUSINESS)
    yield from _allow(REP, Action.WRITE, "Customer.*", "FollowUp.*", "Customer.phone", "Customer.address")
    yield from _allow(REP, Action.MASK, "Customer.phone", "Customer.address")
    yield from _allow(REP, Action.READ, "Customer.phone", "Customer.address", scopes=("self",))
    yield from _allow(REP, Action.USE, "Customer.phone")
    yield from _allow(REP, READ_USE, "Employee.name", "Employee.department", "Department.*", "LegalEntity.name")
    yield from _allow(REP, Action.READ, "Employee.*", "Employee.phone", "Employee.email", scopes=("self",))
    yield from _allow(REP, Action.MASK, "Employee.phone", "Employee.email", scopes=("self",))
    yield from _allow(REP, Action.DO, "customer:create", "customer:update", "customer:claim", "customer:release")
    yield from _allow(
        REP, Action.DO, "customer:mark", "follow_up:create", "opportunity:enter", "opportunity:move", "deal:enter"
    )
    yield from _allow(REP, Action.DO, "fairness:read", "behaviour:read")
    yield from _allow(REP, Action.SEE, "EmployeeLeave", scopes=("self",))
    yield from _allow(REP, READ_USE, *_LEAVE_DAYS)
    yield from _allow(REP, Action.READ, "EmployeeLeave.kind", scopes=("self",))
    yield from _own_payslips(REP)


def _rep_in_pools() -> Iterable[PolicyLine]:
    """The public ledger and the allocations of one's pools; of warnings and picks one's own."""
    yield from _allow(REP, Action.SEE, "PoolEvent", scopes=("pool", "self"))
    yield from _allow(REP, Action.SEE, "Allocation", scopes=("pool",))
    yield from _allow(REP, Action.SEE, "PoolNotice", "AllocationPick", scopes=("self",))
    yield from _allow(REP, Action.SEE, "AllocationCredit", "EmployeeTrait", scopes=("self",))
    yield from _allow(REP, READ_USE, "AllocationCredit.*", "EmployeeTrait.*")
    yield from _allow(REP, READ_USE, *_LEDGER_FACTS, "PoolEvent.kind", "PoolEvent.happenedAt")
    yield from _allow(REP, Action.READ, *_LEDGER_PEOPLE, scopes=("named", "self"))
    yield from _allow(REP, READ_USE, "PoolNotice.*", "Allocation.*", "AllocationPick.*")


def _rep_in_circulation() -> Iterable[PolicyLine]:
    """The rules one is judged by, announced assessments; of declines and reclaimed customers one's own."""
    yield from _allow(REP, Action.SEE, "CirculationPolicy")
    yield from _allow(REP, Action.SEE, "Assessment", scopes=("announced",))
    yield from _allow(REP, Action.SEE, "CustomerDecline", "AssessmentPerson", "AssessmentCustomer", scopes=("self",))
    yield from _allow(REP, READ_USE, *_CIRCULATION)
    yield from _allow(REP, Action.DO, "assessment:appeal")


def _sales_manager() -> Iterable[PolicyLine]:
    """What a rep may do, for the departments below; inherits from rep."""
    yield from _allow(SALES_MANAGER, Action.SEE, "Customer", "FollowUp", "Ownership", scopes=("department",))
    yield from _allow(SALES_MANAGER, Action.SEE, "HoldingMark", "OwnershipRequest", scopes=("department",))
    yield from _allow(SALES_MANAGER, Action.SEE, *_OF_DEPARTMENT, scopes=("department",))
    yield from _allow(SALES_MANAGER, Action.SEE, "DealStage", "IncentiveParticipant", "Accrual", scopes=("department",))
    yield from _allow(SALES_MANAGER, Action.READ, "Customer.phone", "Customer.address", scopes=("department",))
    yield from _allow(SALES_MANAGER, READ_USE, "Employee.number", "Employee.position", "Employee.status")
    yield from _allow(SALES_MANAGER, Action.READ, "Employee.*", "Employee.phone", scopes=("department",))
    yield from _allow(SALES_MANAGER, Action.SEE, "PoolEvent", "PoolNotice", scopes=("department",))
    yield from _allow(SALES_MANAGER, Action.SEE, "EmployeeLeave")
    yield from _allow(SALES_MANAGER, Action.READ, "EmployeeLeave.kind", scopes=("department",))
    yield from _allow(SALES_MANAGER, Action.DO, "leave:write")
    yield from _allow(SALES_MANAGER, Action.SEE, "AllocationPick", "AllocationCredit", "EmployeeTrait")
    yield from _allow(SALES_MANAGER, Action.READ, *_LEDGER_PEOPLE, scopes=("department",))
    yield from _allow(SALES_MANAGER, Action.DO, "customer:assign", "customer:transfer", "employee:invite")
    yield from _allow(
        SALES_MANAGER, Action.DO, "customer:history", "customer:extend", "customer:level", "pool:allocate"
    )
    yield from _importing(SALES_MANAGER)
    yield from _allow(SALES_MANAGER, Action.DO, "opportunity:assign", "deal:credit", "deal:cancel", "target:set")
    yield from _allow(
        SALES_MANAGER,
        Action.SEE,
        "CustomerDecline",
        "AssessmentPerson",
        "AssessmentCustomer",
        scopes=("department",),
    )
    yield from _allow(SALES_MANAGER, Action.DO, "deal:stage", "assessment:decide")
    yield from _allow(SALES_MANAGER, Action.DO, "collection:record", "refund:record")


def _consultant() -> Iterable[PolicyLine]:
    """Configures; reads what is needed to judge a configuration, no person's numbers."""
    yield from _allow(CONSULTANT, Action.SEE, *_BUSINESS_TYPES, *_COMPANY_TYPES, "Role", "AccessRule")
    yield from _allow(CONSULTANT, READ_USE, *_BUSINESS, *_COMPANY, "Role.*", "AccessRule.*")
    yield from _allow(CONSULTANT, Action.SEE, *_POOLS_TYPES, "CirculationPolicy", "Assessment")
    yield from _allow(CONSULTANT, READ_USE, *_POOLS, "CirculationPolicy.*", "Assessment.*")
    yield from _allow(CONSULTANT, Action.DO, "circulation:configure")
    yield from _allow(CONSULTANT, Action.AGGREGATE, *_BUSINESS, *_COMPANY)
    yield from _allow(CONSULTANT, Action.MASK, *_PERSONAL)
    yield from _allow(CONSULTANT, Action.WRITE, "Department.*")
    yield from _allow(CONSULTANT, Action.DO, "pool:configure", "plugin:configure", "department:write")
    yield from _allow(CONSULTANT, Action.DO, "access:configure", "access:read", "incentive_plan:write")
    yield from _allow(CONSULTANT, Action.SEE, "SalaryStructure", "SalaryStructureVersion")
    yield from _allow(CONSULTANT, READ_USE, "SalaryStructure.*", "SalaryStructureVersion.*")
    yield from _allow(CONSULTANT, Action.DO, "payroll:configure")


def _auditor() -> Iterable[PolicyLine]:
    """Reads the trail and the rules, changes nothing, sees no personal field."""
    yield from _allow(AUDITOR, Action.SEE, "AuditEntry", "Role", "AccessRule", *_COMPANY_TYPES)
    yield from _allow(AUDITOR, READ_USE, "AuditEntry.*", "Role.*", "AccessRule.*", *_COMPANY)
    yield from _allow(AUDITOR, Action.SEE, "Allocation", "PoolEvent", "PoolProposal")
    yield from _allow(AUDITOR, READ_USE, "Allocation.*", "PoolEvent.*", "PoolProposal.*")
    yield from _allow(AUDITOR, Action.DO, "access:read", "audit:read", "audit:verify", "allocation:audit")
    yield from _allow(AUDITOR, Action.DO, "fairness:read")


def _default_policy() -> Policy:
    from_roles = (_owner, _hr_admin, _payroll_officer, _rep, _sales_manager, _consultant, _auditor)
    lines = tuple(line for of_role in from_roles for line in of_role())
    return Policy(lines, links=(RoleLink(SALES_MANAGER, REP),), names=frozenset(DEFAULT_ROLES))


DEFAULT_POLICY = _default_policy()
