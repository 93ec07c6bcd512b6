"""How follow-ups are read, and what they add to customers and people."""

from __future__ import annotations

from saas.reads.mapping import (
    EXACT,
    RANGE,
    Column,
    EnumKind,
    GroupRoot,
    ListRoot,
    OneRoot,
    ReadType,
    RoomReads,
    ScalarKind,
    ToMany,
    ToOne,
)
from saas.sales.policies import FOLLOW_UP_SCOPES

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

_HISTORY = "What was done for the customer, the newest first."

reads = RoomReads(
    types=(follow_up,),
    roots=(
        OneRoot("followUp", "FollowUp", "A follow-up by id."),
        ListRoot("followUps", "FollowUp", "OCCURRED_AT_DESC", "The follow-ups the caller may see."),
        GroupRoot(
            "followUpGroups", "FollowUp", "Follow-ups counted by author, customer or kind: a rank table of diligence."
        ),
    ),
    extends={
        "Customer": (ToMany("followUps", "FollowUp", "customer_id", "OCCURRED_AT_DESC", _HISTORY),),
        "Employee": (
            ToMany("followUps", "FollowUp", "author_id", "OCCURRED_AT_DESC", "What the person did, the newest first."),
        ),
    },
)
