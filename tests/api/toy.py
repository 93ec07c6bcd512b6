"""A small API over two tables of its own, to try the door with: harbours and their boats."""

from __future__ import annotations

from saas.reads.mapping import (
    Column,
    DataClass,
    EnumKind,
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

EQ_IN = frozenset({FilterOp.EQ, FilterOp.IN})
STATE = EnumKind("BoatState", "Where a boat is", {"ASHORE": ("ashore", "On land"), "AFLOAT": ("afloat", "In water")})

HARBOUR = ReadType(
    name="Harbour",
    table="harbour",
    prefix="har",
    doc="A place where boats lie",
    fields=(
        Column("name", ScalarKind.STRING, "name", "Its name", structural=True, orderable=True, filters=EQ_IN),
        ToMany("boats", "Boat", "harbour_id", "NAME_ASC", "The boats that lie there"),
    ),
    scopes={"all": "true"},
)
BOAT = ReadType(
    name="Boat",
    table="boat",
    prefix="boa",
    doc="A boat",
    fields=(
        Column("name", ScalarKind.STRING, "name", "Its name", orderable=True, filters=EQ_IN),
        Column("state", STATE, "state", "Where it is", filters=EQ_IN, groupable=True),
        Column("price", ScalarKind.DECIMAL, "price", "Its price, in yuan", data_class=DataClass.PAY, summed=True),
        Column("launchedOn", ScalarKind.DATE, "launched_on", "When it was launched", orderable=True),
        ToOne("harbour", "Harbour", "harbour_id", "Where it lies", filters=EQ_IN, groupable=True),
    ),
    scopes={"all": "true"},
)
READS = RoomReads(
    types=(HARBOUR, BOAT),
    roots=(
        ListRoot("harbours", "Harbour", "NAME_ASC", "All harbours"),
        OneRoot("boat", "Boat", "One boat"),
        ListRoot("boats", "Boat", "NAME_ASC", "All boats"),
        GroupRoot("boatGroups", "Boat", "Boats by something they share"),
    ),
)
