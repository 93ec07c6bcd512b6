"""How allocations are read: what was planned and given, and the traits and credits that they go by."""

from __future__ import annotations

from saas.customers.policies import ALLOCATION_SCOPES, PICK_SCOPES
from saas.reads.mapping import (
    EXACT,
    EXACT_OR_NULL,
    RANGE,
    Column,
    EnumKind,
    Expression,
    GroupRoot,
    ListRoot,
    OneRoot,
    ReadType,
    ScalarKind,
    ToMany,
    ToOne,
)

ALLOCATION_METHOD = EnumKind(
    "AllocationMethod",
    "How customers are dealt.",
    {
        "FLEXIBLE": ("flexible", "Round robin: who was served least recently, among those with room."),
        "STRICT": ("strict", "Round robin in a fixed order; who has no room is passed over."),
        "WEIGHTED": ("weighted", "By weight, within one customer of the exact share."),
        "PERFORMANCE": ("performance", "By attainment in a closed period, with a floor and newcomers' guarantees."),
        "LOAD_ABSOLUTE": ("load_absolute", "Most room left, in customers."),
        "LOAD_RELATIVE": ("load_relative", "Most room left, as a part of the limit."),
        "DRAW": ("draw", "A draw by weight that outsiders can verify (抽签)."),
        "LEVEL": ("level", "The lowest level next: what was assigned in the cycle, less what was credited back (P45)."),
        "MATCH": ("match", "Match first: customers to those they fit, and first to who prefers them (P43)."),
        "PLUGIN": ("plugin", "A method that a plugin of the company brings."),
        "RULES": ("rules", "The pool's ordered rules: the first that fits a customer decides (P48)."),
    },
)
ALLOCATION_STATE = EnumKind(
    "AllocationState",
    "What became of an allocation.",
    {
        "PLANNING": ("planning", "Of many customers: the plan is being made."),
        "PLANNED": ("planned", "Frozen, and shown; nothing is given yet, or a commit was refused: see problemCount."),
        "COMMITTING": ("committing", "Of many customers: they are being given."),
        "COMMITTED": ("committed", "Given."),
        "FAILED": ("failed", "The plan could not be made; allocationProblems says why."),
        "CANCELLED": ("cancelled", "Dropped."),
    },
)
PICK_STATE = EnumKind(
    "AllocationPickState",
    "What became of a customer of an allocation.",
    {
        "PLANNED": ("planned", "Nothing yet."),
        "GIVEN": ("given", "It went to the person."),
        "KEPT": ("kept", "It stayed in the pool, since nobody could have it."),
        "SKIPPED": ("skipped", "It, or the person, had changed before the commit."),
    },
)

allocation = ReadType(
    name="Allocation",
    table="pool_allocation",
    prefix="alc",
    doc="An allocation of a pool's customers to people by a method.",
    scopes=ALLOCATION_SCOPES,
    fields=(
        ToOne("pool", "CustomerPool", "pool_id", "The pool.", filters=EXACT),
        Column("method", ALLOCATION_METHOD, "method", "The method.", structural=True),
        Column("state", ALLOCATION_STATE, "state", "What became of it.", structural=True, filters=EXACT),
        Column("allocatedOn", ScalarKind.DATE, "allocated_on", "The day whose facts are frozen; null before the plan."),
        Column("settingsVersion", ScalarKind.INT, "settings_version", "The pool's settings that decide."),
        Column(
            "planHash",
            ScalarKind.STRING,
            "plan_hash",
            "Stands for everything frozen; the commit names it. Null before the plan is there.",
        ),
        Column("customers", ScalarKind.INT, "customers", "How many customers it deals; null before the plan."),
        Expression(
            "problemCount",
            ScalarKind.INT,
            "jsonb_array_length(coalesce({t}.problems, '[]'))",
            "How many problems allocationProblems has: of a plan that failed, of a commit that was refused, or of what"
            " a pool could not allocate by itself.",
        ),
        Expression(
            "isByJob",
            ScalarKind.BOOLEAN,
            "({t}.created_by = '00000000-0000-0000-0000-000000000000')",
            "Whether a rule began it, and no person: as the pool's arrivalMethod does (P04).",
        ),
        Column("given", ScalarKind.INT, "given", "How many went to somebody."),
        Column("skipped", ScalarKind.INT, "skipped", "How many had changed before the commit."),
        Column("newcomers", ScalarKind.INT, "newcomers", "How many newcomers are guaranteed a part of it (P44)."),
        Column(
            "newcomersGuaranteed",
            ScalarKind.DECIMAL,
            "newcomers_guaranteed",
            "The percent of the customers that they are guaranteed together.",
        ),
        Column(
            "newcomersGiven",
            ScalarKind.INT,
            "newcomers_given",
            "How many customers go to those newcomers; null before a draw.",
        ),
        Column(
            "unplaced",
            ScalarKind.INT,
            "unplaced",
            "How many stay in the pool, since nobody could have them; null before a draw.",
        ),
        Column(
            "commitment", ScalarKind.STRING, "commitment", "Of a draw: the digest published before it (docs/draws.md)."
        ),
        Expression(
            "commitmentDocument",
            ScalarKind.STRING,
            "{t}.commitment_document::text",
            "Of a draw: what the digest is of, as JSON; it names nobody.",
        ),
        Column("picksRoot", ScalarKind.STRING, "picks_root", "Of a draw: the root of the picks, published after it."),
        Column(
            "createdAt",
            ScalarKind.DATETIME,
            "created_at",
            "When it was asked for.",
            structural=True,
            filters=RANGE,
            orderable=True,
        ),
        Column(
            "closedAt",
            ScalarKind.DATETIME,
            "closed_at",
            "When its commit was asked for, once it is done, or it was cancelled.",
        ),
        ToMany("picks", "AllocationPick", "allocation_id", "PLACE_ASC", "The customers and where they go."),
    ),
)

allocation_pick = ReadType(
    name="AllocationPick",
    table="allocation_pick",
    prefix="alp",
    doc="A customer of an allocation, and where it goes.",
    scopes=PICK_SCOPES,
    fields=(
        ToOne("allocation", "Allocation", "allocation_id", "The allocation.", filters=EXACT, groupable=True),
        Column("place", ScalarKind.INT, "place", "In the order in which it is dealt, from 0.", orderable=True),
        ToOne("customer", "Customer", "customer_id", "The customer, where the caller may see it.", filters=EXACT),
        Column("label", ScalarKind.STRING, "label", "The beginning of its name."),
        ToOne(
            "employee",
            "Employee",
            "employee_id",
            "Who gets it; null before a draw, and where nobody could.",
            filters=EXACT_OR_NULL,
            groupable=True,
        ),
        Column("state", PICK_STATE, "state", "What became of it.", structural=True, groupable=True),
        Column(
            "isOverflow",
            ScalarKind.BOOLEAN,
            "is_overflow",
            "Whether thresholds kept it from everybody, and the overflow assignee gets it (P13).",
        ),
    ),
)

TRAIT_KIND = EnumKind(
    "TraitKind",
    "What people and customers can have in common (P43).",
    {
        "TERRITORY": ("territory", "The beginning of a district's code (GB/T 2260)."),
        "INDUSTRY": ("industry", "An industry."),
        "SOURCE": ("source", "A source of customers."),
        "LEVEL": ("level", "A level of customers."),
        "LANGUAGE": ("language", "A language that customers speak."),
        "SKILL": ("skill", "A skill that customers need."),
        "PRODUCT": ("product", "A product that customers want."),
    },
)
CREDIT_KIND = EnumKind(
    "AllocationCreditKind",
    "Why customers no longer count as assigned (P45).",
    {
        "NO_SHOW": ("no_show", "The customer did not come."),
        "CANCELLED": ("cancelled", "The customer called it off."),
        "OTHER": ("other", "For another reason, which is told."),
    },
)

employee_trait = ReadType(
    name="EmployeeTrait",
    table="employee_trait",
    prefix="etr",
    doc="What a person is there for when customers are matched (P43).",
    scopes=PICK_SCOPES,
    fields=(
        ToOne("employee", "Employee", "employee_id", "The person.", filters=EXACT),
        Column("kind", TRAIT_KIND, "kind", "What it is.", structural=True),
        Column("value", ScalarKind.STRING, "value", "The value, as customers have it.", orderable=True),
    ),
)

allocation_credit = ReadType(
    name="AllocationCredit",
    table="allocation_credit",
    prefix="acr",
    doc="Customers that no longer count as assigned to a person in a pool, with the reason (P47).",
    scopes=PICK_SCOPES,
    fields=(
        ToOne("pool", "CustomerPool", "pool_id", "The pool."),
        ToOne("employee", "Employee", "employee_id", "The person.", filters=EXACT),
        ToOne("customer", "Customer", "customer_id", "The customer, where it is one that the caller may see."),
        Column("customers", ScalarKind.INT, "customers", "How many."),
        Column("kind", CREDIT_KIND, "kind", "Why.", structural=True),
        Column("reason", ScalarKind.STRING, "reason", "The reason."),
        Column("creditedOn", ScalarKind.DATE, "credited_on", "The day, in the company's calendar."),
        Column("creditedAt", ScalarKind.DATETIME, "credited_at", "When.", structural=True, orderable=True),
    ),
)

ALLOCATION_TYPES = (allocation, allocation_pick, allocation_credit, employee_trait)
ALLOCATION_ROOTS = (
    OneRoot("allocation", "Allocation", "An allocation by id."),
    ListRoot("allocations", "Allocation", "CREATED_AT_DESC", "The allocations of the pools one is a member of."),
    GroupRoot(
        "allocationPickGroups", "AllocationPick", "Customers of allocations counted by person, state or allocation."
    ),
    ListRoot("employeeTraits", "EmployeeTrait", "VALUE_ASC", "What people are there for when customers are matched."),
    ListRoot("allocationCredits", "AllocationCredit", "CREDITED_AT_DESC", "Credits, one's own and the team's."),
)
