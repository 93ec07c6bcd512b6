"""How proposed changes of pools are read."""

from __future__ import annotations

from saas.customers.policies import PROPOSAL_SCOPES
from saas.reads.mapping import EXACT, RANGE, Column, EnumKind, Expression, ListRoot, ReadType, ScalarKind, ToOne

PROPOSAL_STATE = EnumKind(
    "PoolProposalState",
    "What became of a proposed change.",
    {
        "PROPOSED": ("proposed", "It waits for a decision."),
        "APPROVED": ("approved", "The pool's settings were changed by it."),
        "REFUSED": ("refused", "It was refused."),
        "WITHDRAWN": ("withdrawn", "Who proposed it took it back."),
        "LAPSED": ("lapsed", "The settings that it was of were changed otherwise, or the pool was closed."),
    },
)

pool_proposal = ReadType(
    name="PoolProposal",
    table="pool_proposal",
    prefix="ppo",
    doc="A change of a pool's settings that a second person decides about (P49); nothing changes until it is approved.",
    scopes=PROPOSAL_SCOPES,
    fields=(
        ToOne("pool", "CustomerPool", "pool_id", "The pool.", filters=EXACT),
        Column("state", PROPOSAL_STATE, "state", "What became of it.", structural=True, filters=EXACT),
        Expression("settings", ScalarKind.STRING, "{t}.settings::text", "The settings that would change, as JSON."),
        Column("validFrom", ScalarKind.DATE, "valid_from", "First day; null, or one that is past: that of approval."),
        Column("settingsVersion", ScalarKind.INT, "settings_version", "The settings that it is a change of."),
        Column("reason", ScalarKind.STRING, "reason", "Why it was proposed."),
        ToOne("proposer", "Employee", "proposer_id", "Who proposed it; null for somebody who is not on the staff."),
        Column(
            "proposedAt",
            ScalarKind.DATETIME,
            "proposed_at",
            "When it was proposed.",
            structural=True,
            filters=RANGE,
            orderable=True,
        ),
        ToOne("decider", "Employee", "decider_id", "Who approved or refused it; null for somebody not on the staff."),
        Column("decidedAt", ScalarKind.DATETIME, "decided_at", "When it was closed; null while it waits."),
        Column("decisionReason", ScalarKind.STRING, "decision_reason", "Why it was approved, refused or taken back."),
        Column("approvedVersion", ScalarKind.INT, "approved_version", "The settings that it became; null for none."),
    ),
)
PROPOSAL_ROOT = ListRoot(
    "customerPoolProposals",
    "PoolProposal",
    "PROPOSED_AT_DESC",
    "Changes of pools that were proposed, and what a second person decided.",
)
