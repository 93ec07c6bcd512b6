"""How follow-ups are read, and what the room adds to customers, people and departments."""

from __future__ import annotations

from dataclasses import replace

from saas.reads.mapping import (
    EXACT,
    EXACT_OR_NULL,
    RANGE,
    Column,
    EnumKind,
    Expression,
    FilterOp,
    GroupRoot,
    ListRoot,
    OneRoot,
    ReadType,
    RoomReads,
    ScalarKind,
    ToMany,
    ToOne,
)
from saas.sales.policies import (
    COLLECTION_SCOPES,
    CREDIT_SCOPES,
    DEAL_SCOPES,
    FOLLOW_UP_SCOPES,
    OPPORTUNITY_SCOPES,
    PERFORMANCE_SCOPES,
    STAGE_SCOPES,
    TARGET_SCOPES,
)

FOLLOW_UP_KIND = EnumKind(
    "FollowUpKind",
    "How a customer was followed up.",
    {
        "CALL": ("call", "A telephone call (电话)."),
        "VISIT": ("visit", "A visit (拜访)."),
        "MEETING": ("meeting", "A meeting (会议)."),
        "MESSAGE": ("message", "A written message (消息)."),
        "NOTE": ("note", "A note for the record (备注)."),
    },
)

follow_up = ReadType(
    name="FollowUp",
    table="follow_up",
    prefix="fup",
    doc="What a person did for a customer (跟进).",
    scopes=FOLLOW_UP_SCOPES,
    fields=(
        ToOne(
            "customer", "Customer", "customer_id", "The customer that was followed up.", filters=EXACT, groupable=True
        ),
        ToOne("author", "Employee", "author_id", "Who did it.", filters=EXACT, groupable=True),
        Column("kind", FOLLOW_UP_KIND, "kind", "How.", structural=True, groupable=True),
        Column("content", ScalarKind.STRING, "content", "What was said and agreed."),
        Column(
            "callSeconds", ScalarKind.INT, "call_seconds", "Length of the call's record in seconds, where there is."
        ),
        Column("hasCheckIn", ScalarKind.BOOLEAN, "has_check_in", "Whether there is a check-in on the spot."),
        Column(
            "occurredAt",
            ScalarKind.DATETIME,
            "occurred_at",
            "When it happened.",
            structural=True,
            filters=RANGE,
            orderable=True,
        ),
        Column(
            "occurredOn",
            ScalarKind.DATE,
            "occurred_on",
            "The day it happened, in the company's calendar.",
            structural=True,
            filters=RANGE,
        ),
    ),
)

STAGE_KIND = EnumKind(
    "OpportunityStageKind",
    "What a stage means for the sale.",
    {
        "OPEN": ("open", "Nothing is decided yet."),
        "WON": ("won", "It was won (赢单)."),
        "LOST": ("lost", "It was lost (输单)."),
    },
)
DEAL_STATUS = EnumKind(
    "DealStatus",
    "Whether a deal stands.",
    {"SIGNED": ("signed", "Signed, and it stands."), "CANCELLED": ("cancelled", "It came to nothing (已取消).")},
)
COLLECTION_KIND = EnumKind(
    "CollectionKind",
    "Which way money went.",
    {
        "COLLECTION": ("collection", "It came in for the deal (回款)."),
        "REFUND": ("refund", "It was paid back to the customer (退款)."),
    },
)
_SIGNED = ("signed", "Signed deals (签约).")
_COLLECTED = ("collected", "Money that came in (回款).")
PERFORMANCE_METRIC = EnumKind(
    "PerformanceMetric",
    "What performance is measured by.",
    {"SIGNED": _SIGNED, "COLLECTED": _COLLECTED, "REFUNDED": ("refunded", "Money paid back, below 0 (退款).")},
)
TARGET_METRIC = EnumKind("TargetMetric", "What a target is measured by.", {"SIGNED": _SIGNED, "COLLECTED": _COLLECTED})
_EQUAL = frozenset({FilterOp.EQ})
_RANGE_OR_NULL = RANGE | {FilterOp.IS_NULL}
_TEXT, _DAY, _AMOUNT = ScalarKind.STRING, ScalarKind.DATE, ScalarKind.AMOUNT


def _label(name: str, doc: str) -> Column:
    """A short text of the company's own, by which records are told apart and grouped."""
    return Column(name, _TEXT, name, doc, filters=EXACT_OR_NULL, groupable=True)


def _day(name: str, column: str, doc: str, *, is_structural: bool = True, is_orderable: bool = True) -> Column:
    filters = RANGE if is_structural else _RANGE_OR_NULL
    return Column(name, _DAY, column, doc, structural=is_structural, filters=filters, orderable=is_orderable)


_CREATED_AT = Column(
    "createdAt", ScalarKind.DATETIME, "created_at", "When it was entered.", filters=RANGE, orderable=True
)
_ENTERED_AT = Column("createdAt", ScalarKind.DATETIME, "created_at", "When it was entered.")
_CUSTOMER = ToOne("customer", "Customer", "customer_id", "The customer.", filters=EXACT, groupable=True)
_OWNER = ToOne("owner", "Employee", "owner_id", "Whose it is (负责人).", filters=EXACT, groupable=True)
_DEAL = ToOne("deal", "Deal", "deal_id", "The deal.", filters=EXACT)
_EMPLOYEE = ToOne("employee", "Employee", "employee_id", "The person.", filters=EXACT, groupable=True)
_DEPARTMENT = ToOne("department", "Department", "department_id", "The department.", filters=EXACT, groupable=True)

stage = ReadType(
    name="OpportunityStage",
    table="opportunity_stage",
    prefix="stg",
    doc="A stage that opportunities pass through (商机阶段).",
    scopes=STAGE_SCOPES,
    fields=(
        Column("code", _TEXT, "key", "Its name for programs, unique in the company.", structural=True, filters=EXACT),
        Column("titleZh", _TEXT, "title_zh", "Title in Chinese.", structural=True),
        Column("titleEn", _TEXT, "title_en", "Title in English.", structural=True),
        Column("kind", STAGE_KIND, "kind", "What it means for the sale.", structural=True),
        Column("position", ScalarKind.INT, "position", "Its place, from 1.", structural=True, orderable=True),
    ),
)

opportunity = ReadType(
    name="Opportunity",
    table="opportunity",
    prefix="opp",
    doc="A sale that may come about (商机).",
    scopes=OPPORTUNITY_SCOPES,
    fields=(
        ToOne(
            "customer",
            "Customer",
            "customer_id",
            "The customer; null while unknown.",
            filters=EXACT_OR_NULL,
            groupable=True,
        ),
        _OWNER,
        ToOne("stage", "OpportunityStage", "stage_id", "Where it stands.", filters=EXACT, groupable=True),
        _label("product", "What would be sold."),
        _day("engagedOn", "engaged_on", "When talks began; null before.", is_structural=False),
        _day("closedOn", "closed_on", "When it was won or lost; null while open.", is_structural=False),
        Column(
            "expected",
            _AMOUNT,
            "expected_minor",
            "What it is expected to bring, or brought; null while unknown.",
            filters=_RANGE_OR_NULL,
            orderable=True,
            summed=True,
        ),
        _CREATED_AT,
        Column("version", ScalarKind.INT, "version", "Rises with every change."),
        ToMany("deals", "Deal", "opportunity_id", "SIGNED_ON_DESC", "What came of it."),
    ),
)

deal = ReadType(
    name="Deal",
    table="deal",
    prefix="dea",
    doc="A sale that came about (成交).",
    scopes=DEAL_SCOPES,
    fields=(
        Column("number", _TEXT, "number", "Its number, unique in the company.", structural=True, filters=EXACT),
        _CUSTOMER,
        ToOne("opportunity", "Opportunity", "opportunity_id", "What it came of.", filters=EXACT_OR_NULL),
        _OWNER,
        _label("product", "What was sold."),
        _label("category", "Kind of product."),
        _label("channel", "By which way it was sold."),
        _day("signedOn", "signed_on", "When it was signed."),
        Column("contractEndsOn", _DAY, "contract_ends_on", "Last day of its contract; null where none is known."),
        Column("status", DEAL_STATUS, "status", "Whether it stands.", structural=True, filters=EXACT, groupable=True),
        Column("cancelledOn", _DAY, "cancelled_on", "When it came to nothing; null while it stands."),
        Column(
            "amount",
            _AMOUNT,
            "amount_minor",
            "What it is worth, VAT included.",
            filters=RANGE,
            orderable=True,
            summed=True,
        ),
        Column("vatRate", ScalarKind.DECIMAL, "vat_rate", "Rate of VAT at signing, a fraction."),
        Column("collected", _AMOUNT, "collected_minor", "What came in, less what was paid back.", summed=True),
        Expression("open", _AMOUNT, "({t}.amount_minor - {t}.collected_minor)", "What has not come in yet."),
        _ENTERED_AT,
        Column("version", ScalarKind.INT, "version", "Rises with every change of its values, credits or status."),
        ToMany("credits", "PerformanceCredit", "deal_id", "POSITION_ASC", "Whose performance it is, in their order."),
        ToMany("collections", "Collection", "deal_id", "RECEIVED_ON_DESC", "What came in and was paid back."),
        ToMany(
            "performanceLines",
            "PerformanceLine",
            "deal_id",
            "HAPPENED_ON_DESC",
            "What it brought to whom, with reversals.",
        ),
    ),
)

collection = ReadType(
    name="Collection",
    table="collection",
    prefix="col",
    doc="Money received for a deal, or paid back (回款、退款).",
    scopes=COLLECTION_SCOPES,
    fields=(
        _DEAL,
        Column("kind", COLLECTION_KIND, "kind", "Which way.", structural=True, filters=EXACT, groupable=True),
        _day("receivedOn", "received_on", "When."),
        Column(
            "amount",
            _AMOUNT,
            "amount_minor",
            "How much; above 0 for refunds as well, below 0 for counter entries.",
            filters=RANGE,
            orderable=True,
            summed=True,
        ),
        Column("method", _TEXT, "method", "How it was paid."),
        Expression(
            "counts",
            ScalarKind.BOOLEAN,
            "({t}.reverses_id IS NULL AND {t}.reversed_by_id IS NULL)",
            "Whether it counts: it is not reversed, nor a counter entry.",
            structural=True,
        ),
        ToOne("reverses", "Collection", "reverses_id", "Of a counter entry: what counts no more by it."),
        ToOne("reversedBy", "Collection", "reversed_by_id", "The counter entry by which it counts no more."),
        ToOne("importBatch", "ImportBatch", "batch_id", "Of a counter entry: the import that was undone."),
        _ENTERED_AT,
    ),
)

credit = ReadType(
    name="PerformanceCredit",
    table="performance_credit",
    prefix="cre",
    doc="Whose performance a deal is, and to which share (业绩归属).",
    scopes=CREDIT_SCOPES,
    fields=(
        _DEAL,
        _EMPLOYEE,
        replace(_DEPARTMENT, doc="The department the person worked in on the day of signing."),
        Column("share", ScalarKind.DECIMAL, "share", "A fraction; the shares of a deal add up to 1."),
        Column(
            "position",
            ScalarKind.INT,
            "position",
            "Its place, from 0: who gets a unit left over.",
            structural=True,
            orderable=True,
        ),
    ),
)

performance_line = ReadType(
    name="PerformanceLine",
    table="performance_line",
    prefix="pfl",
    doc="One person's part in what was signed, collected or refunded; reversed, never edited (业绩).",
    scopes=PERFORMANCE_SCOPES,
    fields=(
        Column(
            "metric",
            PERFORMANCE_METRIC,
            "metric",
            "What it measures.",
            structural=True,
            filters=EXACT,
            groupable=True,
        ),
        _DEAL,
        ToOne("collection", "Collection", "collection_id", "The collection or refund; null for what was signed."),
        _EMPLOYEE,
        replace(_DEPARTMENT, doc="The department it counts for."),
        _day("happenedOn", "happened_on", "The day it counts on."),
        Column("amount", _AMOUNT, "amount_minor", "How much; below 0 for refunds and reversals.", summed=True),
        Column(
            "isNewCustomer",
            ScalarKind.BOOLEAN,
            "is_new_customer",
            "Whether the deal is of the customer's first day of signing (新客户).",
            structural=True,
            filters=_EQUAL,
            groupable=True,
        ),
        replace(_CREATED_AT, doc="When it was written."),
    ),
)

target = ReadType(
    name="Target",
    table="target",
    prefix="tgt",
    doc="What a person or a department is to achieve in a period (业绩目标).",
    scopes=TARGET_SCOPES,
    fields=(
        replace(_EMPLOYEE, doc="The person; null for a department's.", filters=EXACT_OR_NULL),
        replace(_DEPARTMENT, doc="The department; null for a person's.", filters=EXACT_OR_NULL),
        Column("metric", TARGET_METRIC, "metric", "By what it is met.", structural=True, filters=EXACT),
        _day("periodFirst", "period_first", "The first day."),
        _day("periodUntil", "period_until", "The day after the last one.", is_orderable=False),
        Column("amount", _AMOUNT, "amount_minor", "How much.", summed=True),
        Column("version", ScalarKind.INT, "version", "Rises with every change."),
        _ENTERED_AT,
    ),
)

_HISTORY = "What was done for the customer, the newest first."
_TARGETS = "What is to be achieved, the newest period first."

reads = RoomReads(
    types=(follow_up, stage, opportunity, deal, collection, credit, performance_line, target),
    roots=(
        OneRoot("followUp", "FollowUp", "A follow-up by id."),
        ListRoot("followUps", "FollowUp", "OCCURRED_AT_DESC", "The follow-ups the caller may see."),
        GroupRoot(
            "followUpGroups", "FollowUp", "Follow-ups counted by author, customer or kind: a rank table of diligence."
        ),
        ListRoot("opportunityStages", "OpportunityStage", "POSITION_ASC", "The company's stages, in their order."),
        OneRoot("opportunity", "Opportunity", "An opportunity by id."),
        ListRoot("opportunities", "Opportunity", "CREATED_AT_DESC", "The opportunities the caller may see."),
        GroupRoot("opportunityGroups", "Opportunity", "Opportunities by stage, owner, customer or product."),
        OneRoot("deal", "Deal", "A deal by id."),
        ListRoot("deals", "Deal", "SIGNED_ON_DESC", "The deals the caller may see."),
        GroupRoot("dealGroups", "Deal", "Deals by owner, customer, product, category, channel or status."),
        OneRoot("collection", "Collection", "A collection or refund by id."),
        ListRoot("collections", "Collection", "RECEIVED_ON_DESC", "The collections and refunds the caller may see."),
        OneRoot("performanceLine", "PerformanceLine", "A line of performance by id."),
        ListRoot(
            "performanceLines", "PerformanceLine", "HAPPENED_ON_DESC", "The lines of performance the caller may see."
        ),
        GroupRoot(
            "performanceGroups",
            "PerformanceLine",
            "Performance by person, department, metric or new customers: with metric and period in the filter and"
            " AMOUNT_SUM_DESC, the leaderboard (龙虎榜)",
        ),
        OneRoot("target", "Target", "A target by id."),
        ListRoot("targets", "Target", "PERIOD_FIRST_DESC", "The targets the caller may see."),
    ),
    extends={
        "Customer": (
            ToMany("followUps", "FollowUp", "customer_id", "OCCURRED_AT_DESC", _HISTORY),
            ToMany("opportunities", "Opportunity", "customer_id", "CREATED_AT_DESC", "What may be sold, newest first."),
            ToMany("deals", "Deal", "customer_id", "SIGNED_ON_DESC", "What was sold, the newest first."),
        ),
        "Employee": (
            ToMany("followUps", "FollowUp", "author_id", "OCCURRED_AT_DESC", "What the person did, the newest first."),
            ToMany("deals", "Deal", "owner_id", "SIGNED_ON_DESC", "The person's deals, the newest first."),
            ToMany(
                "performanceLines",
                "PerformanceLine",
                "employee_id",
                "HAPPENED_ON_DESC",
                "The person's performance, the newest first (业绩).",
            ),
            ToMany("targets", "Target", "employee_id", "PERIOD_FIRST_DESC", _TARGETS),
        ),
        "Department": (ToMany("targets", "Target", "department_id", "PERIOD_FIRST_DESC", _TARGETS),),
    },
)
