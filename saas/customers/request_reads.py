"""How claims and assignments that are asked for are read."""

from __future__ import annotations

from saas.customers.policies import REQUEST_SCOPES
from saas.reads.mapping import EXACT, RANGE, Column, EnumKind, Expression, ListRoot, ReadType, ScalarKind, ToOne

REQUEST_KIND = EnumKind(
    "OwnershipRequestKind",
    "What was asked for.",
    {
        "CLAIM": ("claim", "A claim by the person who would own the customer (领取申请)."),
        "ASSIGN": ("assign", "An assignment by somebody who may assign (分配申请)."),
    },
)
REQUEST_STATE = EnumKind(
    "OwnershipRequestState",
    "What became of a request.",
    {
        "REQUESTED": ("requested", "It waits for a decision."),
        "GRANTED": ("granted", "The person owns the customer since."),
        "REFUSED": ("refused", "It was refused."),
        "WITHDRAWN": ("withdrawn", "Who asked took it back."),
        "LAPSED": ("lapsed", "Another request for the customer was granted."),
    },
)

ownership_request = ReadType(
    name="OwnershipRequest",
    table="ownership_request",
    prefix="orq",
    doc="A claim or an assignment that was asked for (P49); the customer stays in the pool until it is granted.",
    scopes=REQUEST_SCOPES,
    fields=(
        Column("kind", REQUEST_KIND, "kind", "What was asked for.", structural=True),
        Column("state", REQUEST_STATE, "state", "What became of it.", structural=True, filters=EXACT),
        ToOne("pool", "CustomerPool", "pool_id", "The pool in which the customer was then."),
        ToOne(
            "customer", "Customer", "customer_id", "The customer; null where the caller may not see it.", filters=EXACT
        ),
        ToOne("employee", "Employee", "employee_id", "Who would own it.", filters=EXACT),
        ToOne("requester", "Employee", "requester_id", "Who asked; null for somebody who is not on the staff."),
        Expression(
            "isTaken",
            ScalarKind.BOOLEAN,
            "({t}.state = 'requested' AND EXISTS (SELECT FROM customer c WHERE c.tenant_id = {tenant}"
            " AND c.id = {t}.customer_id AND c.owner_id IS NOT NULL))",
            "Whether somebody got the customer while the request waits; it can't be granted then.",
        ),
        Column("reason", ScalarKind.STRING, "reason", "Why it was asked for."),
        Column(
            "requestedAt",
            ScalarKind.DATETIME,
            "requested_at",
            "When it was asked for.",
            structural=True,
            filters=RANGE,
            orderable=True,
        ),
        Column("decidedAt", ScalarKind.DATETIME, "decided_at", "When it was closed; null while it waits."),
        Column("decisionReason", ScalarKind.STRING, "decision_reason", "Why it was granted, refused or taken back."),
    ),
)
REQUEST_ROOT = ListRoot(
    "ownershipRequests",
    "OwnershipRequest",
    "REQUESTED_AT_DESC",
    "Claims and assignments that were asked for: one's own, and those for the team.",
)
