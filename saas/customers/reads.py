"""How customers, pools and ownerships are read."""

from __future__ import annotations

from saas.customers.mark_reads import MARK_ROOT, holding_mark
from saas.customers.policies import (
    ADMINISTERS_POOLS,
    CUSTOMER_HIDDEN,
    CUSTOMER_SCOPES,
    FOREIGN_POOL,
    OWNERSHIP_SCOPES,
)
from saas.customers.pool_reads import POOL_ROOTS, POOL_TYPES, RECYCLE_RULE
from saas.customers.request_reads import REQUEST_ROOT, ownership_request
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
    Sealed,
    ToMany,
    ToOne,
    Veil,
)

CUSTOMER_STATUS = EnumKind(
    "CustomerStatus",
    "Where a customer stands.",
    {"POOLED": ("pooled", "In the pool, without an owner (公海)."), "OWNED": ("owned", "Somebody owns it (私海).")},
)
OWNERSHIP_START = EnumKind(
    "OwnershipStart",
    "How an ownership began.",
    {
        "CREATED": ("created", "Entered by the owner."),
        "IMPORTED": ("imported", "Came with an import."),
        "CLAIM": ("claim", "Claimed from the pool (领取)."),
        "ASSIGN": ("assign", "Assigned by a pool administrator (分配)."),
        "TRANSFER": ("transfer", "Handed over by another owner (转交)."),
    },
)
OWNERSHIP_END = EnumKind(
    "OwnershipEnd",
    "How an ownership ended.",
    {
        "RELEASE": ("release", "The owner gave it back (退回公海)."),
        "RECYCLE": ("recycle", "A rule took it back (回收)."),
        "TRANSFER": ("transfer", "Handed over to another owner (转交)."),
        "MERGE": ("merge", "Merged into a duplicate."),
        "SEPARATION": ("separation", "The owner left the company (离职)."),
    },
)

customer = ReadType(
    name="Customer",
    table="customer",
    prefix="cus",
    doc="A company or person that is sold to (客户).",
    scopes=CUSTOMER_SCOPES,
    veil=Veil(
        "customers.hidden_in_pool",
        CUSTOMER_HIDDEN,
        lifted_by=ADMINISTERS_POOLS,
        but_in=FOREIGN_POOL,
        counted="{t}.owner_id IS NULL",
    ),
    fields=(
        Column(
            "name",
            ScalarKind.STRING,
            "name",
            "Full name; ordered by pinyin.",
            filters=frozenset({FilterOp.EQ, FilterOp.STARTS_WITH}),
            orderable=True,
            order_column="name_key",
        ),
        Column("shortName", ScalarKind.STRING, "short_name", "Short name."),
        Column("status", CUSTOMER_STATUS, "status", "Pooled or owned.", structural=True, filters=EXACT, groupable=True),
        Column("industry", ScalarKind.STRING, "industry", "Industry.", filters=EXACT_OR_NULL, groupable=True),
        Column(
            "level",
            ScalarKind.STRING,
            "level",
            "The company's own grade, e.g. A, B, C.",
            filters=EXACT_OR_NULL,
            groupable=True,
        ),
        Column(
            "source",
            ScalarKind.STRING,
            "source",
            "Where the customer came from.",
            filters=EXACT_OR_NULL,
            groupable=True,
        ),
        Column(
            "districtCode",
            ScalarKind.STRING,
            "district_code",
            "Administrative division, GB/T 2260 code of six digits.",
            filters=EXACT_OR_NULL,
            groupable=True,
        ),
        Column("districtName", ScalarKind.STRING, "district_name", "Name of the administrative division."),
        Column("language", ScalarKind.STRING, "language", "The language it speaks, for matching (P43)."),
        Column("requiredSkill", ScalarKind.STRING, "required_skill", "The skill it needs, for matching (P43)."),
        Column("wantedProduct", ScalarKind.STRING, "wanted_product", "The product it wants, for matching (P43)."),
        Column("contactName", ScalarKind.STRING, "contact_name", "Name of the contact (联系人)."),
        Sealed(
            "phone",
            "MaskedPhone",
            "phone_sealed",
            "phone_masked",
            "Phone number: sealed, with its masked form.",
            index_column="phone_index",
        ),
        ToOne(
            "owner",
            "Employee",
            "owner_id",
            "Who owns it (负责人); null in the pool.",
            filters=EXACT_OR_NULL,
            groupable=True,
        ),
        ToOne(
            "pool", "CustomerPool", "pool_id", "The pool it belongs to, or returns to.", filters=EXACT, groupable=False
        ),
        Column(
            "receivedOn",
            ScalarKind.DATE,
            "received_on",
            "Day the present holding began; null in the pool.",
            filters=RANGE | {FilterOp.IS_NULL},
            orderable=True,
        ),
        Expression(
            "heldDays",
            ScalarKind.INT,
            "({today} - {t}.received_on)",
            "Whole days since the present holding began, in the company's calendar; null in the pool.",
        ),
        Column(
            "lastFollowUpAt",
            ScalarKind.DATETIME,
            "last_follow_up_at",
            "When it was last followed up.",
            filters=RANGE | {FilterOp.IS_NULL},
            orderable=True,
        ),
        Column("createdAt", ScalarKind.DATETIME, "created_at", "When it was entered.", filters=RANGE, orderable=True),
        Column(
            "dueOn",
            ScalarKind.DATE,
            "due_on",
            "The day it goes back to the pool unless something happens; null in the pool, and where no rule runs.",
            filters=RANGE | {FilterOp.IS_NULL},
            orderable=True,
        ),
        Expression(
            "daysLeft",
            ScalarKind.INT,
            "({t}.due_on - {today} - 1)",
            "Whole days left after today: on the day with 0 left the customer is still owned; below 0 it is overdue. "
            "Filter and order by dueOn.",
        ),
        Column("dueRule", RECYCLE_RULE, "due_rule", "The rule by which it goes back."),
        Column(
            "effectiveFollowUpOn",
            ScalarKind.DATE,
            "effective_follow_up_on",
            "Day of the last follow-up of this holding that counts; null where none does.",
        ),
        Expression(
            "settingsVersion",
            ScalarKind.INT,
            "CASE WHEN {t}.settings_version IS NOT NULL THEN coalesce({t}.earlier_version, {t}.settings_version) END",
            "The version of the pool's settings whose rules dueOn goes by.",
        ),
        Column("version", ScalarKind.INT, "version", "Rises with every change of owner."),
        ToMany("ownerships", "Ownership", "customer_id", "STARTED_AT_DESC", "Who owned it, from when to when."),
        ToMany("marks", "HoldingMark", "customer_id", "REQUESTED_AT_DESC", "Locks, protections and extensions of it."),
    ),
)


ownership = ReadType(
    name="Ownership",
    table="ownership",
    prefix="own",
    doc="One holding of a customer by one owner.",
    scopes=OWNERSHIP_SCOPES,
    fields=(
        ToOne("customer", "Customer", "customer_id", "The customer.", filters=EXACT),
        ToOne("owner", "Employee", "owner_id", "The owner.", filters=EXACT, groupable=True),
        Column("startedAt", ScalarKind.DATETIME, "started_at", "Beginning.", filters=RANGE, orderable=True),
        Column("endedAt", ScalarKind.DATETIME, "ended_at", "End; null while it runs."),
        Column("startKind", OWNERSHIP_START, "start_kind", "How it began."),
        Column("endKind", OWNERSHIP_END, "end_kind", "How it ended; null while it runs."),
        Column("reason", ScalarKind.STRING, "reason", "The reason given for its end."),
    ),
)

reads = RoomReads(
    types=(customer, ownership, holding_mark, ownership_request, *POOL_TYPES),
    roots=(
        OneRoot("customer", "Customer", "A customer by id."),
        ListRoot(
            "customers", "Customer", "CREATED_AT_DESC", "The customers the caller may see: own, the team's, the pool's."
        ),
        GroupRoot(
            "customerGroups", "Customer", "Customers counted by owner, status, industry, level, source or district."
        ),
        MARK_ROOT,
        REQUEST_ROOT,
        *POOL_ROOTS,
    ),
)
