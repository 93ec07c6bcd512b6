"""How pools are read: their settings, the public ledger, the warnings before recycling, and allocations."""

from __future__ import annotations

from saas.customers.allocation_reads import ALLOCATION_ROOTS, ALLOCATION_TYPES
from saas.customers.options import Option, OptionKind
from saas.customers.policies import (
    NOTICE_SCOPES,
    POOL_EVENT_SCOPES,
    POOL_SCOPES,
)
from saas.customers.proposal_reads import PROPOSAL_ROOT, pool_proposal
from saas.customers.settings import OPTIONS
from saas.reads.mapping import (
    EXACT,
    EXACT_OR_NULL,
    RANGE,
    Column,
    EnumKind,
    Expression,
    ListRoot,
    ReadType,
    ScalarKind,
    ToMany,
    ToOne,
)

RECYCLE_RULE = EnumKind(
    "RecycleRule",
    "A rule that takes a customer back to the pool (回收).",
    {
        "NO_FOLLOW_UP": ("no_follow_up", "Too many days without a follow-up (P18)."),
        "NO_OPPORTUNITY": ("no_opportunity", "Too many days without an open opportunity (P19)."),
        "NO_DEAL": ("no_deal", "Too many days without a deal (P20)."),
        "DEALT_FOLLOW_UP": ("dealt_follow_up", "Too many days without a follow-up of a customer with a deal (L15)."),
        "DECLINE": ("decline", "Falling performance that did not recover in time."),
        "CONDITION": ("condition", "The pool's conditions hold (P21)."),
        "CONTRACT_END": ("contract_end", "Too many days after the last contract ended, without a new one (P52)."),
        "PROTECTION_ENDED": ("protection_ended", "The protection by its rep is over (P16)."),
        "ASSESSMENT": ("assessment", "The periodic assessment of what reps hold (docs/circulation.md)."),
    },
)
POOL_STATUS = EnumKind(
    "CustomerPoolStatus",
    "Whether a pool is in use (P03).",
    {
        "OPEN": ("open", "In use."),
        "DISABLED": ("disabled", "Keeps its customers; nobody claims from it."),
        "CLOSED": ("closed", "Closed for ever; its history stays."),
    },
)


def _setting(of: Option) -> Expression:
    """A setting in force; of a pool older than the option, the product's own value. A list is read as JSON."""
    doc = f"{of.declared.doc[:-1]} ({of.declared.number})."
    if of.kind in _PLAIN:
        kind, cast = _PLAIN[of.kind]
        read = f"({{t}}.settings ->> '{of.name}')::{cast}"
        default = "" if of.default is None else str(of.default).lower()
        is_null_meant = of.may_be_off and of.default is None
        return Expression(of.api_name, kind, read if is_null_meant else _or_default(of, read, default), doc)
    read = f"{{t}}.settings ->> '{of.name}'"
    if of.kind is OptionKind.CHOICE:
        return Expression(of.api_name, of.choices, f"coalesce({read}, '{of.default}')", doc)
    if of.kind is OptionKind.REFERENCE:
        return Expression(
            of.api_name, ScalarKind.STRING, f"'{of.declared.reference}_' || replace({read}, '-', '')", doc
        )
    default = of.default if of.kind is OptionKind.TIME else of.default_text
    doc = doc if of.kind is OptionKind.TIME else f"{doc[:-1]}, as JSON."
    if default is None or of.default is None:
        return Expression(of.api_name, ScalarKind.STRING, read, doc)
    return Expression(of.api_name, ScalarKind.STRING, f"coalesce({read}, '{default}')", doc)


def _members(name: str, table: str, column: str, prefix: str, doc: str) -> Expression:
    """The ids of who is a member, as JSON; in the order of ids."""
    ids = f"json_agg('{prefix}_' || replace(m.{column}::text, '-', '') ORDER BY m.{column})"
    found = f"(SELECT {ids}::text FROM {table} m WHERE m.tenant_id = {{tenant}} AND m.pool_id = {{t}}.id)"
    return Expression(name, ScalarKind.STRING, f"coalesce({found}, '[]')", f"{doc}, as JSON.")


def _or_default(of: Option, read: str, default: str) -> str:
    """What is read, and the default of a pool from before the option; null where that is a value of its own."""
    if of.may_be_off:
        return f"CASE WHEN {{t}}.settings ? '{of.name}' THEN {read} ELSE {default} END"
    return f"coalesce({read}, {default})"


_PLAIN = {OptionKind.NUMBER: (ScalarKind.INT, "int"), OptionKind.SWITCH: (ScalarKind.BOOLEAN, "boolean")}
_IN_COLUMNS = frozenset({"claim_limit", "holding_limit", "cooldown_days"})
POOL_SETTINGS = tuple(_setting(each) for name, each in OPTIONS.items() if name not in _IN_COLUMNS)

pool = ReadType(
    name="CustomerPool",
    table="customer_pool",
    prefix="poo",
    doc="A pool and its public rules (公海).",
    scopes=POOL_SCOPES,
    fields=(
        Column("name", ScalarKind.STRING, "name", "Name.", orderable=True),
        Column("claimLimit", ScalarKind.INT, "claim_limit", "Claims per person and local day (P05); 0 = no claiming."),
        Column("holdingLimit", ScalarKind.INT, "holding_limit", "Customers a person may hold (P09)."),
        Column(
            "cooldownDays", ScalarKind.INT, "cooldown_days", "Whole days before a former owner may claim again (P34)."
        ),
        Column("status", POOL_STATUS, "status", "Whether it is in use.", structural=True, filters=EXACT),
        Column("isDefault", ScalarKind.BOOLEAN, "is_default", "Whether new customers belong to it."),
        _members("departments", "pool_department", "department_id", "dep", "Departments that are members (P01)"),
        _members("members", "pool_member", "employee_id", "emp", "People who are members beside those (P01)"),
        _members("administrators", "pool_administrator", "employee_id", "emp", "People who administer it (P01)"),
        Expression(
            "lacksAdministrators",
            ScalarKind.BOOLEAN,
            "(EXISTS (SELECT FROM pool_administrator a WHERE a.tenant_id = {tenant} AND a.pool_id = {t}.id)"
            " AND NOT EXISTS (SELECT FROM pool_administrator a JOIN employee e ON e.tenant_id = {tenant}"
            " AND e.id = a.employee_id AND e.status = 'active' WHERE a.tenant_id = {tenant} AND a.pool_id = {t}.id))",
            "Whether all whom it names have left: whoever may assign customers administers it then.",
        ),
        *POOL_SETTINGS,
        Column("version", ScalarKind.INT, "version", "Rises with every change of the pool."),
        ToMany("settingsHistory", "PoolSetting", "pool_id", "VERSION_DESC", "Its settings, the newest version first."),
    ),
)

pool_setting = ReadType(
    name="PoolSetting",
    table="pool_setting",
    prefix="pse",
    doc="What a pool's settings were from a day on.",
    scopes=POOL_SCOPES,
    fields=(
        ToOne("pool", "CustomerPool", "pool_id", "The pool."),
        Column("version", ScalarKind.INT, "version", "Counts from 1.", structural=True, orderable=True),
        Column("validFrom", ScalarKind.DATE, "valid_from", "First day."),
        Column("createdAt", ScalarKind.DATETIME, "created_at", "When it was decided."),
        Expression("settings", ScalarKind.STRING, "{t}.settings::text", "All settings, as JSON."),
        ToOne("proposal", "PoolProposal", "proposal_id", "With whose approval; null where nobody's was needed."),
    ),
)

POOL_EVENT_KIND = EnumKind(
    "PoolEventKind",
    "What a line of the ledger tells.",
    {
        "CLAIMED": ("claimed", "Somebody took it out of the pool (领取)."),
        "RELEASED": ("released", "Its owner gave it back (退回公海)."),
        "ASSIGNED": ("assigned", "An administrator gave it to somebody (分配)."),
        "TRANSFERRED": ("transferred", "Handed over from owner to owner (转交)."),
        "ALLOCATED": ("allocated", "A method gave it to somebody (自动分配)."),
        "RECYCLED": ("recycled", "A rule took it back (回收)."),
        "WARNED": ("warned", "Its owner was warned of recycling."),
        "POSTPONED": ("postponed", "Due, but no reminder was delivered: it stays a day longer."),
        "MOVED": ("moved", "It belongs to this pool from now on."),
        "LOCKED": ("locked", "Its owner locked it (锁定); the reason says why."),
        "PROTECTED": ("protected", "Its owner protects it (保护)."),
        "EXTENDED": ("extended", "The day it is due was moved (延期)."),
        "FREED": ("freed", "Its owner took a lock, a protection or an extension back."),
        "CREDITED": ("credited", "It no longer counts as assigned to somebody; the reason says why (P47)."),
        "DRAW_COMMITTED": ("draw_committed", "A draw was committed to; the reason is the commitment's digest."),
    },
)
NOTICE_KIND = EnumKind(
    "PoolNoticeKind",
    "What a notice is.",
    {
        "REMINDER": ("reminder", "A warning before recycling."),
        "POSTPONED": ("postponed", "A day that recycling waited for a delivered reminder."),
    },
)
pool_event = ReadType(
    name="PoolEvent",
    table="pool_event",
    prefix="pev",
    doc="A line of a pool's public ledger (公示): who claimed, was given or lost what, when and why.",
    scopes=POOL_EVENT_SCOPES,
    fields=(
        ToOne("pool", "CustomerPool", "pool_id", "The pool.", filters=EXACT),
        ToOne("customer", "Customer", "customer_id", "The customer, where the caller may see it.", filters=EXACT),
        Expression(
            "customerLabel",
            ScalarKind.STRING,
            "(SELECT left(c.name, 2) || '＊＊' FROM customer c"
            " WHERE c.tenant_id = {tenant} AND c.id = {t}.customer_id)",
            "The beginning of the customer's name, for everybody.",
        ),
        Column("kind", POOL_EVENT_KIND, "kind", "What happened.", structural=True, filters=EXACT),
        ToOne("employee", "Employee", "employee_id", "Who owns it now, or was told.", filters=EXACT_OR_NULL),
        ToOne("formerOwner", "Employee", "former_owner_id", "Who owned it before.", filters=EXACT_OR_NULL),
        Expression("isByJob", ScalarKind.BOOLEAN, "({t}.operator_id IS NULL)", "Whether a rule did it, and no person."),
        Column(
            "happenedAt",
            ScalarKind.DATETIME,
            "happened_at",
            "When.",
            structural=True,
            filters=RANGE,
            orderable=True,
        ),
        Column("happenedOn", ScalarKind.DATE, "happened_on", "The day, in the company's calendar.", filters=RANGE),
        Column("reason", ScalarKind.STRING, "reason", "The reason that was given."),
        Column("rule", RECYCLE_RULE, "rule", "The rule of a recycling or a warning."),
        ToOne("allocation", "Allocation", "allocation_id", "The allocation it was given by.", filters=EXACT_OR_NULL),
        Column("settingsVersion", ScalarKind.INT, "settings_version", "The pool's settings that decided."),
    ),
)

pool_notice = ReadType(
    name="PoolNotice",
    table="pool_notice",
    prefix="pno",
    doc="A warning before recycling, or a day that recycling waited for one.",
    scopes=NOTICE_SCOPES,
    fields=(
        ToOne("customer", "Customer", "customer_id", "The customer.", filters=EXACT),
        ToOne("owner", "Employee", "owner_id", "Who is warned.", filters=EXACT),
        Column("kind", NOTICE_KIND, "kind", "What it is.", structural=True),
        Column("rule", RECYCLE_RULE, "rule", "The rule that takes the customer back."),
        Column("dueOn", ScalarKind.DATE, "due_on", "The day it was due when the notice was given."),
        Column("days", ScalarKind.INT, "days", "The reminder, in days before."),
        Column("noticedAt", ScalarKind.DATETIME, "noticed_at", "When.", structural=True, filters=RANGE, orderable=True),
        Column("deliveredAt", ScalarKind.DATETIME, "delivered_at", "When it reached the owner; null until then."),
    ),
)

POOL_TYPES = (pool, pool_setting, pool_proposal, pool_event, pool_notice, *ALLOCATION_TYPES)
POOL_ROOTS = (
    PROPOSAL_ROOT,
    *ALLOCATION_ROOTS,
    ListRoot("customerPools", "CustomerPool", "NAME_ASC", "The company's pools and their rules."),
    ListRoot(
        "poolLedger",
        "PoolEvent",
        "HAPPENED_AT_DESC",
        "The public ledger of pools (公示): who got and lost what, and why.",
    ),
    ListRoot("poolNotices", "PoolNotice", "NOTICED_AT_DESC", "Warnings before recycling: one's own, and the team's."),
)
