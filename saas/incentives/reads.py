"""How plans, accruals, settlements and statements are read, and what they add to people and deals.

An accrual's amount is pay where it is one person's: it needs a right of its own. Statements are sealed. Explanations
are sentences in the reader's language, which no statement makes: `accrualExplanation` gives them one by one.
"""

from __future__ import annotations

from saas.incentives.policies import (
    ACCRUAL_SCOPES,
    PARTICIPANT_SCOPES,
    PLAN_SCOPES,
    POOL_RUN_SCOPES,
    SETTLEMENT_SCOPES,
    STAGE_SCOPES,
    STATEMENT_SCOPES,
    VERSION_SCOPES,
)
from saas.reads.mapping import (
    EXACT,
    RANGE,
    Column,
    DataClass,
    EnumKind,
    Expression,
    ListRoot,
    OneRoot,
    ReadType,
    RoomReads,
    ScalarKind,
    Sealed,
    ToMany,
    ToOne,
)

PLAN_CYCLE = EnumKind(
    "PlanCycle",
    "How long a period of a plan is.",
    {
        "MONTH": ("month", "A calendar month."),
        "QUARTER": ("quarter", "A calendar quarter."),
        "YEAR": ("year", "A calendar year."),
    },
)
PLAN_MEASURE = EnumKind(
    "PlanMeasure",
    "What a plan pays for.",
    {"SIGNED": ("signed", "What was signed (签约)."), "COLLECTED": ("collected", "What was collected (回款).")},
)
DEAL_MOMENT = EnumKind(
    "DealMoment",
    "When something of a deal is settled.",
    {"SIGNING": ("signing", "When it is signed."), "COLLECTION": ("collection", "When money comes in.")},
)
PAYABILITY = EnumKind(
    "Payability",
    "When what was earned becomes payable.",
    {
        "AT_SIGNING": ("at_signing", "At once."),
        "AT_COLLECTION": ("at_collection", "With each receipt, pro rata; the completing one takes the remainder."),
        "BY_STAGE": ("by_stage", "With each stage of the contract; the last one takes the remainder."),
    },
)
TIER_WINDOW = EnumKind(
    "TierWindow",
    "Over what the base of tiers adds up.",
    {
        "ORDER": ("order", "One order."),
        "PERIOD": ("period", "A person's period."),
        "YEAR": ("year", "A person's year to date."),
    },
)
VERSION_STATE = EnumKind(
    "PlanVersionState",
    "Whether a version holds.",
    {"DRAFT": ("draft", "It is being written."), "PUBLISHED": ("published", "It holds, and never changes.")},
)
SETTLEMENT_STATE = EnumKind(
    "SettlementState",
    "How far a settlement is.",
    {
        "CALCULATING": ("calculating", "A job works it out; ask again in a while."),
        "FAILED": ("failed", "It could not be worked out; `settlementProblems` tells why."),
        "CALCULATED": ("calculated", "A draft that can be worked out again."),
        "IN_REVIEW": ("in_review", "Somebody looks at it."),
        "APPROVED": ("approved", "Somebody else than its calculator agreed."),
        "LOCKED": ("locked", "Closed for good (封账)."),
    },
)
POOL_STATE = EnumKind(
    "PoolRunState",
    "How far a bonus pool is.",
    {"CALCULATED": ("calculated", "Divided."), "APPROVED": ("approved", "Its parts wait for the next settlement.")},
)
ACCRUAL_KIND = EnumKind(
    "AccrualKind",
    "Why a line is there.",
    {
        "EARNED": ("earned", "The event itself earned it."),
        "PART_PAYABLE": ("released", "A receipt or stage made a part payable of what was fixed at signing."),
        "CLAWED_BACK": ("clawed_back", "A refund took it back (追回)."),
        "CAPPED": ("capped", "It is above a cap (封顶)."),
        "GUARANTEED": ("guaranteed", "It was missing to a guarantee (保底)."),
        "ADJUSTED": ("adjusted", "A late fact changes a settled line."),
        "POOL": ("pool", "A part of a bonus pool (奖金池)."),
    },
)
ACCRUAL_AWARD = EnumKind(
    "AccrualAward",
    "What a line is called.",
    {"COMMISSION": ("commission", "Commission (提成)."), "BONUS": ("bonus", "Bonus (奖金), on top.")},
)

_FIRST = "The first day of the period."
_UNTIL = "The first day after the period."
_HASH = "SHA-256 of what it comes to, with all reasons: what approval names."

incentive_plan = ReadType(
    name="IncentivePlan",
    table="incentive_plan",
    prefix="pln",
    doc="What is paid for deals (激励方案): terms that hold for all its time, and dated versions with rules.",
    scopes=PLAN_SCOPES,
    fields=(
        Column("code", ScalarKind.STRING, "code", "Short name, unique in the company.", filters=EXACT, orderable=True),
        Column("title", ScalarKind.STRING, "title", "Name."),
        Column("cycle", PLAN_CYCLE, "cycle", "How long a period is.", structural=True),
        Column("measure", PLAN_MEASURE, "measure", "What is paid for.", structural=True),
        Column("withVat", ScalarKind.BOOLEAN, "with_vat", "Whether amounts count with VAT.", structural=True),
        Column("anchor", DEAL_MOMENT, "anchor", "Whose day decides period, version and rate.", structural=True),
        Column("payability", PAYABILITY, "payability", "When what was earned is payable.", structural=True),
        Column("tierWindow", TIER_WINDOW, "tier_window", "Over what tiers add up.", structural=True),
        ToMany("versions", "IncentivePlanVersion", "plan_id", "NUMBER_ASC", "Its versions, the oldest first."),
        ToMany(
            "participants", "IncentiveParticipant", "plan_id", "VALID_FROM_ASC", "For whom it is; for all without any."
        ),
        ToMany("settlements", "Settlement", "plan_id", "PERIOD_FIRST_DESC", "What it paid, the newest first."),
        ToMany("accruals", "Accrual", "plan_id", "HAPPENED_ON_DESC", "Its lines, the newest first."),
        ToMany("poolRuns", "BonusPoolRun", "plan_id", "PERIOD_FIRST_DESC", "Its bonus pools, the newest first."),
    ),
)

plan_version = ReadType(
    name="IncentivePlanVersion",
    table="incentive_plan_version",
    prefix="plv",
    doc="The rules of a plan for some time (方案版本); a published one never changes.",
    scopes=VERSION_SCOPES,
    fields=(
        ToOne("plan", "IncentivePlan", "plan_id", "The plan.", filters=EXACT),
        Column("number", ScalarKind.INT, "number", "Counted from 1.", structural=True, orderable=True),
        Column("state", VERSION_STATE, "state", "Whether it holds.", structural=True),
        Column("validFrom", ScalarKind.DATE, "valid_from", "The first day it is in force.", structural=True),
        Column("validTo", ScalarKind.DATE, "valid_to", "The first day it is not; null for an open end."),
        Column("contentHash", ScalarKind.STRING, "content_hash", "SHA-256 of its canonical text.", structural=True),
        Expression("content", ScalarKind.STRING, "{t}.content::text", "The plan with this version alone, as JSON."),
        Column("reason", ScalarKind.STRING, "reason", "Why it begins in the past, where it does."),
        ToOne("author", "Employee", "author_id", "Who wrote it; null for an outsider."),
        ToOne("publisher", "Employee", "publisher_id", "Who published it; null for an outsider, and of a draft."),
        Column("savedAt", ScalarKind.DATETIME, "saved_at", "When it was saved last."),
        Column("knownAt", ScalarKind.DATETIME, "known_at", "When it was published."),
    ),
)

participant = ReadType(
    name="IncentiveParticipant",
    table="incentive_participant",
    prefix="par",
    doc="A person, or a department with all below it, in a plan for some time (方案参与者).",
    scopes=PARTICIPANT_SCOPES,
    fields=(
        ToOne("plan", "IncentivePlan", "plan_id", "The plan.", filters=EXACT),
        ToOne("employee", "Employee", "employee_id", "The person; null for a department.", filters=EXACT),
        ToOne("department", "Department", "department_id", "The department; null for a person.", filters=EXACT),
        Column("validFrom", ScalarKind.DATE, "valid_from", "The first day.", structural=True, orderable=True),
        Column("validTo", ScalarKind.DATE, "valid_to", "The first day after; null for an open end."),
    ),
)

deal_stage = ReadType(
    name="DealStage",
    table="deal_stage",
    prefix="dst",
    doc="A stage of its contract that a deal reached, or that a collection of it was asked for (合同阶段).",
    scopes=STAGE_SCOPES,
    fields=(
        ToOne("deal", "Deal", "deal_id", "The deal.", filters=EXACT),
        ToOne("collection", "Collection", "collection_id", "The collection; null for a stage of the contract."),
        Column("stage", ScalarKind.STRING, "stage", "Its name, as plans have it."),
        Column("reachedOn", ScalarKind.DATE, "reached_on", "The day.", structural=True, orderable=True),
    ),
)

accrual = ReadType(
    name="Accrual",
    table="accrual",
    prefix="acl",
    doc="One line of what somebody gets (计提), with all it rests on.",
    scopes=ACCRUAL_SCOPES,
    fields=(
        ToOne("plan", "IncentivePlan", "plan_id", "The plan.", filters=EXACT),
        ToOne("employee", "Employee", "employee_id", "Whose it is.", filters=EXACT),
        ToOne("deal", "Deal", "deal_id", "The deal; null for limits of periods and parts of pools.", filters=EXACT),
        ToOne("collection", "Collection", "collection_id", "The receipt or refund it comes of, where it does."),
        ToOne("poolRun", "BonusPoolRun", "pool_run_id", "The pool it is a part of."),
        ToOne(
            "settlement",
            "Settlement",
            "settlement_id",
            "The settlement that takes it; null while it waits.",
            filters=EXACT,
        ),
        Column("kind", ACCRUAL_KIND, "kind", "Why it is there.", structural=True, filters=EXACT),
        Column("award", ACCRUAL_AWARD, "award", "Commission or bonus.", structural=True),
        Column("rule", ScalarKind.STRING, "rule", "The code of the rule that was chosen."),
        Column("versionNumber", ScalarKind.INT, "version_number", "The version of the plan; null for parts of pools."),
        Column(
            "happenedOn",
            ScalarKind.DATE,
            "happened_on",
            "The day of what it comes of.",
            structural=True,
            filters=RANGE,
            orderable=True,
        ),
        Column(
            "periodFirst", ScalarKind.DATE, "period_first", "The first day of the period it counts to.", structural=True
        ),
        Column(
            "base", ScalarKind.AMOUNT, "base_minor", "The measure credited to the person.", data_class=DataClass.PAY
        ),
        Column(
            "amount",
            ScalarKind.AMOUNT,
            "amount_minor",
            "What the person gets; negative for what is taken back.",
            data_class=DataClass.PAY,
        ),
    ),
)

settlement = ReadType(
    name="Settlement",
    table="settlement",
    prefix="stl",
    doc="What a plan pays for a period (结算).",
    scopes=SETTLEMENT_SCOPES,
    fields=(
        ToOne("plan", "IncentivePlan", "plan_id", "The plan.", filters=EXACT),
        Column("periodFirst", ScalarKind.DATE, "period_first", _FIRST, structural=True, filters=RANGE, orderable=True),
        Column("periodUntil", ScalarKind.DATE, "period_until", _UNTIL, structural=True),
        Column("state", SETTLEMENT_STATE, "state", "How far it is.", structural=True, filters=EXACT),
        Column("planHash", ScalarKind.STRING, "plan_hash", f"{_HASH} Null before it is calculated."),
        Column("peopleCount", ScalarKind.INT, "people_count", "How many people it is for."),
        Column("lineCount", ScalarKind.INT, "line_count", "How many lines it takes."),
        Column("adjustmentCount", ScalarKind.INT, "adjustment_count", "How many of them change settled ones."),
        Column(
            "earned", ScalarKind.AMOUNT, "earned_minor", "What all lines add up to; null for fewer than five people."
        ),
        Column(
            "payable", ScalarKind.AMOUNT, "payable_minor", "What is paid out in all; null for fewer than five people."
        ),
        ToOne("calculator", "Employee", "calculator_id", "Who calculated it; null for an outsider."),
        ToOne("approver", "Employee", "approver_id", "Who approved it; null for an outsider, and before."),
        Column("calculatedAt", ScalarKind.DATETIME, "calculated_at", "When it was calculated; null before."),
        Column("approvedAt", ScalarKind.DATETIME, "approved_at", "When it was approved."),
        Column("lockedAt", ScalarKind.DATETIME, "locked_at", "When it was closed for good."),
        ToMany("statements", "Statement", "settlement_id", "CREATED_AT_ASC", "A statement for each person."),
        ToMany("accruals", "Accrual", "settlement_id", "HAPPENED_ON_ASC", "The lines it takes."),
    ),
)


def _sealed(name: str, doc: str) -> Sealed:
    return Sealed(name, "SealedAmount", f"{name}_sealed", "amounts_masked", doc, data_class=DataClass.PAY)


statement = ReadType(
    name="Statement",
    table="settlement_line",
    prefix="stm",
    doc="What one person gets in a settlement (结算单): earned + brought = payable + carried. Sealed.",
    scopes=STATEMENT_SCOPES,
    fields=(
        ToOne("settlement", "Settlement", "settlement_id", "The settlement.", filters=EXACT),
        ToOne("employee", "Employee", "employee_id", "Whose it is.", filters=EXACT),
        ToOne("legalEntity", "LegalEntity", "legal_entity_id", "The company in law that employed the person."),
        Column("lineCount", ScalarKind.INT, "line_count", "How many lines it takes."),
        _sealed("earned", "What its lines add up to, a decimal text."),
        _sealed("brought", "What was owed from earlier periods, 0 or below, a decimal text."),
        _sealed("payable", "What is paid out, never below 0, a decimal text."),
        _sealed("carried", "What is owed to the next period, 0 or below, a decimal text."),
        Expression(
            "isInPayroll",
            ScalarKind.BOOLEAN,
            "({t}.payroll_run_id IS NOT NULL)",
            "Whether a payroll run pays it.",
            structural=True,
        ),
        Column(
            "createdAt", ScalarKind.DATETIME, "created_at", "When it was calculated.", structural=True, orderable=True
        ),
    ),
)

pool_run = ReadType(
    name="BonusPoolRun",
    table="bonus_pool_run",
    prefix="bpr",
    doc="A bonus pool (奖金池) that was divided by keys; its parts are accruals once it is approved.",
    scopes=POOL_RUN_SCOPES,
    fields=(
        ToOne("plan", "IncentivePlan", "plan_id", "The plan that pays it.", filters=EXACT),
        ToOne("department", "Department", "department_id", "Whose result it is of; null for the company's."),
        Column("title", ScalarKind.STRING, "title", "Name."),
        Column("periodFirst", ScalarKind.DATE, "period_first", _FIRST, structural=True, orderable=True),
        Column("periodUntil", ScalarKind.DATE, "period_until", _UNTIL, structural=True),
        Column("state", POOL_STATE, "state", "How far it is.", structural=True),
        Column("planHash", ScalarKind.STRING, "plan_hash", _HASH),
        Column("result", ScalarKind.AMOUNT, "result_minor", "What was achieved."),
        Column("pool", ScalarKind.AMOUNT, "pool_minor", "What the pool holds."),
        Column("reserve", ScalarKind.AMOUNT, "reserve_minor", "What of it is kept back."),
        Column("toCompany", ScalarKind.AMOUNT, "to_company_minor", "Parts of people who left that are not paid out."),
        ToOne("calculator", "Employee", "calculator_id", "Who divided it; null for an outsider."),
        ToOne("approver", "Employee", "approver_id", "Who approved it; null for an outsider, and before."),
    ),
)

reads = RoomReads(
    types=(incentive_plan, plan_version, participant, deal_stage, accrual, settlement, statement, pool_run),
    roots=(
        OneRoot("incentivePlan", "IncentivePlan", "A plan by id."),
        ListRoot("incentivePlans", "IncentivePlan", "CODE_ASC", "The plans the caller may see."),
        OneRoot("accrual", "Accrual", "An accrual by id."),
        ListRoot("accruals", "Accrual", "HAPPENED_ON_DESC", "The accruals the caller may see, the newest first."),
        OneRoot("settlement", "Settlement", "A settlement by id."),
        ListRoot(
            "settlements", "Settlement", "PERIOD_FIRST_DESC", "The settlements the caller may see, the newest first."
        ),
        OneRoot("statement", "Statement", "A statement by id."),
        ListRoot("statements", "Statement", "CREATED_AT_DESC", "The statements the caller may see, the newest first."),
        OneRoot("bonusPoolRun", "BonusPoolRun", "A bonus pool by id."),
        ListRoot("bonusPoolRuns", "BonusPoolRun", "PERIOD_FIRST_DESC", "The bonus pools, the newest first."),
    ),
    extends={
        "Employee": (
            ToMany(
                "accruals", "Accrual", "employee_id", "HAPPENED_ON_DESC", "What the person earned, the newest first."
            ),
            ToMany(
                "statements",
                "Statement",
                "employee_id",
                "CREATED_AT_DESC",
                "The person's statements, the newest first.",
            ),
        ),
        "Deal": (
            ToMany("accruals", "Accrual", "deal_id", "HAPPENED_ON_DESC", "What was earned by it, the newest first."),
            ToMany("stages", "DealStage", "deal_id", "REACHED_ON_ASC", "The stages it reached."),
        ),
    },
)
