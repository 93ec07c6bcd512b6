"""How locks, protections and extensions of owned customers are read."""

from __future__ import annotations

from saas.customers.policies import MARK_SCOPES
from saas.reads.mapping import (
    EXACT,
    RANGE,
    Column,
    EnumKind,
    Expression,
    ListRoot,
    ReadType,
    ScalarKind,
    ToOne,
)

MARK_KIND = EnumKind(
    "HoldingMarkKind",
    "What a mark does to an owned customer.",
    {
        "LOCK": ("lock", "It is not recycled while the lock holds (锁定, P15)."),
        "PROTECTION": ("protection", "Its rep protects it from being recycled (保护, P16)."),
        "EXTENSION": ("extension", "The day it is due is moved (延期, P33)."),
    },
)
MARK_STATE = EnumKind(
    "HoldingMarkState",
    "What became of a mark.",
    {
        "REQUESTED": ("requested", "An extension that waits for a decision."),
        "IN_FORCE": ("in_force", "It holds through its last day, while its owner owns the customer."),
        "REFUSED": ("refused", "The extension was refused."),
        "ENDED": ("ended", "Its owner took it back."),
    },
)

holding_mark = ReadType(
    name="HoldingMark",
    table="holding_mark",
    prefix="hmk",
    doc="A lock, a protection or an extension of an ownership; a new owner has none.",
    scopes=MARK_SCOPES,
    fields=(
        ToOne("customer", "Customer", "customer_id", "The customer.", filters=EXACT),
        ToOne("owner", "Employee", "owner_id", "Who owned it and asked for the mark.", filters=EXACT),
        Column("kind", MARK_KIND, "kind", "What it does.", structural=True, filters=EXACT),
        Column("state", MARK_STATE, "state", "What became of it.", structural=True, filters=EXACT),
        Column("days", ScalarKind.INT, "days", "Its length in days."),
        Column("reason", ScalarKind.STRING, "reason", "Why it was asked for."),
        Column("untilOn", ScalarKind.DATE, "until_on", "The last day it holds; null until it is in force."),
        Expression(
            "isRunning",
            ScalarKind.BOOLEAN,
            "({t}.state = 'in_force' AND {t}.until_on >= {today} AND EXISTS (SELECT FROM ownership o"
            " WHERE o.tenant_id = {tenant} AND o.id = {t}.ownership_id AND o.ended_at IS NULL))",
            "Whether it holds today.",
        ),
        Column(
            "requestedAt",
            ScalarKind.DATETIME,
            "requested_at",
            "When it was asked for.",
            structural=True,
            filters=RANGE,
            orderable=True,
        ),
        Column(
            "decidedAt", ScalarKind.DATETIME, "decided_at", "When an extension was decided; null without a decision."
        ),
        Column("decisionReason", ScalarKind.STRING, "decision_reason", "Why it was granted or refused."),
        Column("endedOn", ScalarKind.DATE, "ended_on", "The day its owner took it back."),
    ),
)
MARK_ROOT = ListRoot(
    "holdingMarks", "HoldingMark", "REQUESTED_AT_DESC", "Locks, protections and extensions: one's own, and the team's."
)
