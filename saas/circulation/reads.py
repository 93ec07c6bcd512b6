"""How policies, declines and assessments are read. Explanations are sentences, which no statement makes: queries of
their own tell them (`declineExplanation`, `assessmentExplanation`).
"""

from __future__ import annotations

from saas.circulation.policies import (
    ASSESSMENT_SCOPES,
    DECLINE_SCOPES,
    LINE_SCOPES,
    PERSON_SCOPES,
    POLICY_SCOPES,
)
from saas.reads.mapping import (
    EXACT,
    RANGE,
    Column,
    EnumKind,
    Expression,
    ListRoot,
    OneRoot,
    ReadType,
    RoomReads,
    ScalarKind,
    ToMany,
    ToOne,
)

POLICY_KIND = EnumKind(
    "CirculationPolicyKind",
    "What a policy is about.",
    {
        "DECLINE": ("decline", "Falling performance of old customers."),
        "ASSESSMENT": ("assessment", "The periodic assessment of what reps hold."),
    },
)
DECLINE_MEASURE = EnumKind(
    "DeclineMeasure",
    "By what a customer's performance is measured, against its own history.",
    {
        "DEALS": ("deals", "Deals signed a month (成交)."),
        "COLLECTIONS": ("collections", "Money received a month, less refunds (回款)."),
        "FOLLOW_UPS": ("follow_ups", "The rhythm of effective follow-ups (跟进)."),
    },
)
DECLINE_STATE = EnumKind(
    "CustomerDeclineState",
    "What became of a finding.",
    {
        "OPEN": ("open", "The customer declines."),
        "RECOVERED": ("recovered", "The figure is back, or the policy asks for it no more."),
        "RECYCLED": ("recycled", "The customer went back to the pool by it."),
        "ENDED": ("ended", "The holding ended otherwise."),
    },
)
ASSESSMENT_CYCLE = EnumKind(
    "AssessmentCycle",
    "How long a period of an assessment is.",
    {"QUARTER": ("quarter", "A calendar quarter."), "YEAR": ("year", "A calendar year.")},
)
ASSESSMENT_ROTATION = EnumKind(
    "AssessmentRotation",
    "Where reclaimed customers go.",
    {
        "POOL": ("pool", "They wait in the pool."),
        "FLEXIBLE": ("flexible", "The flexible round robin gives them to others."),
    },
)
ASSESSMENT_STATE = EnumKind(
    "AssessmentState",
    "How far an assessment is.",
    {
        "DRAFTING": ("drafting", "It is being worked out."),
        "DRAFT": ("draft", "A preview: nobody is told, nothing moves."),
        "ANNOUNCED": ("announced", "Owners and their managers were told; the notice runs, or customers move."),
        "CLOSED": ("closed", "Carried out: every customer moved or stayed."),
        "CANCELLED": ("cancelled", "Dropped."),
        "FAILED": ("failed", "It could not be worked out."),
    },
)
LINE_STATE = EnumKind(
    "AssessmentCustomerState",
    "What became of a customer of an assessment.",
    {
        "PLANNED": ("planned", "It would be reclaimed; nobody is told yet."),
        "ANNOUNCED": ("announced", "It will be reclaimed."),
        "APPEALED": ("appealed", "Its owner appeals; it stays until that is decided."),
        "GRANTED": ("granted", "The appeal was granted: it stays."),
        "REFUSED": ("refused", "The appeal was refused: it will be reclaimed."),
        "SPARED": ("spared", "It stays after all; spared says why."),
        "RECLAIMED": ("reclaimed", "Back in the pool, about to be given to somebody else."),
        "POOLED": ("pooled", "Back in the pool."),
        "ROTATED": ("rotated", "Given to somebody else."),
    },
)
LINE_SPARED = EnumKind(
    "AssessmentSpared",
    "Why a customer stayed after all.",
    {
        "OWNER_CHANGED": ("owner_changed", "It has another owner, or none, since."),
        "MARKED": ("marked", "It was locked, protected or extended before the announcement."),
        "FOLLOWED_UP": ("followed_up", "It was followed up since, and the policy lets that count."),
    },
)


def _term(name: str, kind: ScalarKind | EnumKind, doc: str) -> Expression:
    """A term of a policy, by its name in the API; null in policies of the other kind."""
    stored = "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name)
    cast = {ScalarKind.INT: "int", ScalarKind.BOOLEAN: "boolean"}.get(kind) if isinstance(kind, ScalarKind) else None
    return Expression(name, kind, f"({{t}}.terms ->> '{stored}')::{cast or 'text'}", doc)


policy = ReadType(
    name="CirculationPolicy",
    table="circulation_policy",
    prefix="cpo",
    doc="A version of a pool's policy, for everybody to read.",
    scopes=POLICY_SCOPES,
    fields=(
        ToOne("pool", "CustomerPool", "pool_id", "The pool.", filters=EXACT),
        Column("kind", POLICY_KIND, "kind", "What it is about.", structural=True, filters=EXACT),
        Column("version", ScalarKind.INT, "version", "Counts from 1 for each pool and kind.", structural=True),
        Column("validFrom", ScalarKind.DATE, "valid_from", "First day."),
        Column(
            "createdAt",
            ScalarKind.DATETIME,
            "created_at",
            "When it was decided.",
            structural=True,
            filters=RANGE,
            orderable=True,
        ),
        ToOne("author", "Employee", "author_id", "Who decided it."),
        _term("isEnabled", ScalarKind.BOOLEAN, "Whether it is applied."),
        _term("noticeDays", ScalarKind.INT, "Days between the warning and what follows."),
        _term("measures", ScalarKind.STRING, "Of declines: the measures, as JSON."),
        _term("recentMonths", ScalarKind.INT, "Of declines: closed months that are looked at."),
        _term("historyMonths", ScalarKind.INT, "Of declines: the months before them that they stand against."),
        _term("fallPercent", ScalarKind.INT, "Of declines: how far below its history a figure falls, in percent."),
        _term("leastHistoryMonths", ScalarKind.INT, "Of declines: months of history without which none is found."),
        _term("leastEvents", ScalarKind.INT, "Of declines: deals, receipts or gaps in it without which none is found."),
        _term("cycle", ASSESSMENT_CYCLE, "Of assessments: how long a period is."),
        _term("weights", ScalarKind.STRING, "Of assessments: the weights of the measures in percent, as JSON."),
        _term("quota", ScalarKind.INT, "Of assessments: customers that a rep keeps in any case."),
        _term("reclaimPercent", ScalarKind.INT, "Of assessments: how many of those above are reclaimed, in percent."),
        _term("cap", ScalarKind.INT, "Of assessments: how many a rep loses at most; null: no bound."),
        _term("keepsFromPercent", ScalarKind.INT, "Of assessments: utilisation from which a rep keeps all."),
        _term("newcomerDays", ScalarKind.INT, "Of assessments: days after hiring in which a rep keeps all."),
        _term("leastHeldDays", ScalarKind.INT, "Of assessments: days held without which a customer is not judged."),
        _term("openOpportunityExempts", ScalarKind.BOOLEAN, "Of assessments: whether an open opportunity keeps one."),
        _term("appealDays", ScalarKind.INT, "Of assessments: days in which an owner may appeal."),
        _term("followUpSaves", ScalarKind.BOOLEAN, "Of assessments: whether a follow-up after the notice keeps one."),
        _term("rotation", ASSESSMENT_ROTATION, "Of assessments: where reclaimed customers go."),
    ),
)

_MONEY = "(CASE WHEN {{t}}.measure <> 'follow_ups' THEN round({{t}}.{column})::bigint END)"
_DAYS = "(CASE WHEN {{t}}.measure = 'follow_ups' THEN {{t}}.{column} END)"

customer_decline = ReadType(
    name="CustomerDecline",
    table="customer_decline",
    prefix="cde",
    doc="A figure of an owned customer that fell below its own history.",
    scopes=DECLINE_SCOPES,
    fields=(
        ToOne("customer", "Customer", "customer_id", "The customer.", filters=EXACT),
        ToOne("pool", "CustomerPool", "pool_id", "Its pool, whose policy it is.", filters=EXACT),
        ToOne("owner", "Employee", "owner_id", "Who owned it when it was found.", filters=EXACT),
        Column("measure", DECLINE_MEASURE, "measure", "What fell.", structural=True),
        Column("state", DECLINE_STATE, "state", "What became of it.", structural=True, filters=EXACT),
        Column("sinceOn", ScalarKind.DATE, "since_on", "The first day on which it stood so."),
        Column("foundOn", ScalarKind.DATE, "found_on", "The day it was found, and owner and manager were warned."),
        Column(
            "foundAt",
            ScalarKind.DATETIME,
            "found_at",
            "When it was found.",
            structural=True,
            filters=RANGE,
            orderable=True,
        ),
        Column("countsFrom", ScalarKind.DATE, "counts_from", "From this day on recycling counts it, if it lasts."),
        Expression("beforeAmount", ScalarKind.AMOUNT, _MONEY.format(column="before"), "Money: a month, before."),
        Expression("afterAmount", ScalarKind.AMOUNT, _MONEY.format(column="after"), "Money: a month, lately."),
        Expression("beforeDays", ScalarKind.DECIMAL, _DAYS.format(column="before"), "Rhythm: the median gap, in days."),
        Expression("afterDays", ScalarKind.DECIMAL, _DAYS.format(column="after"), "Rhythm: the silence, in days."),
        Column("policyVersion", ScalarKind.INT, "policy_version", "The policy that found it."),
        Column("closedOn", ScalarKind.DATE, "closed_on", "The day it was over; null while it lasts."),
    ),
)

assessment = ReadType(
    name="Assessment",
    table="assessment",
    prefix="asm",
    doc="An assessment of how well a pool's customers are used, over a closed period.",
    scopes=ASSESSMENT_SCOPES,
    fields=(
        ToOne("pool", "CustomerPool", "pool_id", "The pool.", filters=EXACT),
        Column("state", ASSESSMENT_STATE, "state", "How far it is.", structural=True, filters=EXACT),
        Column("policyVersion", ScalarKind.INT, "policy_version", "The version of the policy that it goes by."),
        Column("periodFirst", ScalarKind.DATE, "period_first", "First day of the period."),
        Expression("periodLast", ScalarKind.DATE, "({t}.period_until - 1)", "Last day of the period."),
        Column("planHash", ScalarKind.STRING, "plan_hash", "Stands for all that was previewed; announcing names it."),
        Column("people", ScalarKind.INT, "people", "How many reps were judged; null before the draft."),
        Column("customers", ScalarKind.INT, "customers", "How many customers it reclaims; null before the draft."),
        Column(
            "createdAt",
            ScalarKind.DATETIME,
            "created_at",
            "When it was asked for.",
            structural=True,
            filters=RANGE,
            orderable=True,
        ),
        ToOne("author", "Employee", "author_id", "Who asked for it."),
        Column("announcedOn", ScalarKind.DATE, "announced_on", "The day it was announced."),
        Column("appealUntil", ScalarKind.DATE, "appeal_until", "The last day of appeals."),
        Column("dueOn", ScalarKind.DATE, "due_on", "The day from which on customers move."),
        Column("closedAt", ScalarKind.DATETIME, "closed_at", "When it was over."),
        ToMany("persons", "AssessmentPerson", "assessment_id", "MOVING_DESC", "What it says of each rep."),
        ToMany("lines", "AssessmentCustomer", "assessment_id", "CREATED_AT_ASC", "The customers that it reclaims."),
    ),
)

person = ReadType(
    name="AssessmentPerson",
    table="assessment_person",
    prefix="asp",
    doc="What an assessment says of one rep.",
    scopes=PERSON_SCOPES,
    fields=(
        ToOne("assessment", "Assessment", "assessment_id", "The assessment.", filters=EXACT),
        ToOne("employee", "Employee", "employee_id", "The rep.", filters=EXACT),
        Column("held", ScalarKind.INT, "held", "Customers of the pool that they held."),
        Column("judged", ScalarKind.INT, "judged", "Those of them that were held long enough to be judged."),
        Column("aboveQuota", ScalarKind.INT, "above_quota", "How many were above the quota."),
        Column("moving", ScalarKind.INT, "moving", "How many are reclaimed.", structural=True, orderable=True),
        Column("utilisation", ScalarKind.DECIMAL, "utilisation", "In percent; null where nothing could be judged."),
        Column("notifiedAt", ScalarKind.DATETIME, "notified_at", "When the notice reached them."),
    ),
)

line = ReadType(
    name="AssessmentCustomer",
    table="assessment_customer",
    prefix="asc",
    doc="A customer that an assessment reclaims: its use, what it earned, and what became of it.",
    scopes=LINE_SCOPES,
    fields=(
        ToOne("assessment", "Assessment", "assessment_id", "The assessment.", filters=EXACT),
        ToOne("customer", "Customer", "customer_id", "The customer.", filters=EXACT),
        ToOne("employee", "Employee", "employee_id", "Who owned it.", filters=EXACT),
        Column("place", ScalarKind.INT, "place", "Its rank among the rep's, 1 the worst-used."),
        Column("use", ScalarKind.INT, "use", "What it showed in the period, 0 to 100."),
        Column("deals", ScalarKind.AMOUNT, "deals_minor", "What was signed with it in the period."),
        Column("collected", ScalarKind.AMOUNT, "collected_minor", "What it paid in the period, less refunds."),
        Column("lastFollowUpOn", ScalarKind.DATE, "last_follow_up_on", "Day of the last follow-up that counts."),
        Column("state", LINE_STATE, "state", "What became of it.", structural=True, filters=EXACT),
        Column("spared", LINE_SPARED, "spared", "Why it stayed after all."),
        Column("appealReason", ScalarKind.STRING, "appeal_reason", "Why its owner appealed."),
        Column("appealedAt", ScalarKind.DATETIME, "appealed_at", "When its owner appealed."),
        Column("decisionReason", ScalarKind.STRING, "decision_reason", "Why the appeal was granted or refused."),
        Column("decidedAt", ScalarKind.DATETIME, "decided_at", "When that was decided."),
        ToOne("decider", "Employee", "decider_id", "Who decided."),
        ToOne("receiver", "Employee", "receiver_id", "Who has it now, where it was given to somebody else."),
        Column("movedOn", ScalarKind.DATE, "moved_on", "The day it went back to the pool."),
        Column(
            "createdAt",
            ScalarKind.DATETIME,
            "created_at",
            "When it was worked out.",
            structural=True,
            filters=RANGE,
            orderable=True,
        ),
    ),
)

reads = RoomReads(
    types=(policy, customer_decline, assessment, person, line),
    roots=(
        ListRoot("circulationPolicies", "CirculationPolicy", "CREATED_AT_DESC", "The policies of pools, newest first."),
        ListRoot(
            "customerDeclines",
            "CustomerDecline",
            "FOUND_AT_DESC",
            "Customers that decline: one's own, the team's, all.",
        ),
        OneRoot("assessment", "Assessment", "An assessment by id."),
        ListRoot("assessments", "Assessment", "CREATED_AT_DESC", "The assessments of pools, newest first."),
        ListRoot("assessmentPersons", "AssessmentPerson", "MOVING_DESC", "What assessments say of reps."),
        ListRoot(
            "assessmentCustomers",
            "AssessmentCustomer",
            "CREATED_AT_ASC",
            "The customers that assessments reclaim: one's own, the team's, all.",
        ),
    ),
    extends={
        "Customer": (
            ToMany(
                "declines", "CustomerDecline", "customer_id", "FOUND_AT_DESC", "Where its figures fell, newest first."
            ),
        )
    },
)
