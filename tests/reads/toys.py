"""A toy company to read: shops with a keeper, notes, a rank by number, a pay; two tenants' rows; several callers."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

import orjson
from graphql import FieldNode, FragmentDefinitionNode, OperationDefinitionNode, parse

from saas.access.table import ALLOWED, AccessTable, FieldRight
from saas.kernel import Actor, AppError, BadUserInput, uuid7_from
from saas.reads import Caller, Reader, ReadResult, Registry
from saas.reads.mapping import (
    Column,
    DataClass,
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
    ToUnion,
)

ALL_OPS = frozenset({FilterOp.EQ, FilterOp.IN, FilterOp.GTE, FilterOp.LT, FilterOp.IS_NULL})
STATUS = EnumKind("ShopStatus", "Where it stands.", {"OPEN": ("open", "Open."), "SHUT": ("shut", "Shut.")})
LEVEL = EnumKind("ShopLevel", "How large.", {"A": ("A", "Large."), "B": ("B", "Small.")})

SHOP = ReadType(
    name="Shop",
    table="toy_shop",
    prefix="sho",
    doc="A shop.",
    scopes={
        "all": "true",
        "self": "{t}.keeper_id = {employee}",
        "open": "{t}.status = 'open'",
        "circle": "{t}.keeper_id IN (SELECT k.id FROM toy_keeper k WHERE k.tenant_id = {tenant} AND k.id ="
        " (SELECT e.id FROM toy_keeper e WHERE e.tenant_id = {tenant} AND e.id = {employee}))",
    },
    fields=(
        Column(
            "name",
            ScalarKind.STRING,
            "name",
            "Its name.",
            structural=True,
            orderable=True,
            filters=frozenset({FilterOp.EQ, FilterOp.IN, FilterOp.STARTS_WITH}),
        ),
        Column("nick", ScalarKind.STRING, "nick", "Its other name.", orderable=True, filters=ALL_OPS),
        Column("status", STATUS, "status", "Its state.", filters=ALL_OPS, groupable=True, orderable=True),
        Column("level", LEVEL, "level", "Its size.", filters=ALL_OPS, groupable=True),
        Column(
            "rank", ScalarKind.INT, "rank", "Its rank.", filters=ALL_OPS, orderable=True, summed=True, groupable=True
        ),
        Column("area", ScalarKind.DECIMAL, "area", "Square metres.", filters=ALL_OPS, orderable=True, summed=True),
        Column(
            "rent", ScalarKind.DECIMAL, "rent", "Yuan.", DataClass.PAY, filters=ALL_OPS, orderable=True, summed=True
        ),
        Column(
            "price",
            ScalarKind.AMOUNT,
            "price_minor",
            "What it costs.",
            filters=ALL_OPS,
            orderable=True,
            summed=True,
        ),
        Column(
            "listed", ScalarKind.BOOLEAN, "listed", "Whether listed.", filters=ALL_OPS, groupable=True, orderable=True
        ),
        Column("openedOn", ScalarKind.DATE, "opened_on", "Since.", filters=ALL_OPS, orderable=True),
        Column("seenAt", ScalarKind.DATETIME, "seen_at", "Last seen.", filters=ALL_OPS, orderable=True),
        Expression("daysOpen", ScalarKind.INT, "{today} - {t}.opened_on", "Days since."),
        Sealed("phone", "MaskedPhone", "phone_sealed", "phone_masked", "Its phone.", index_column="phone_index"),
        ToOne(
            "keeper",
            "Keeper",
            "keeper_id",
            "Who keeps it.",
            groupable=True,
            filters=frozenset({FilterOp.EQ, FilterOp.IN, FilterOp.IS_NULL}),
        ),
        ToMany("notes", "Note", "shop_id", "WRITTEN_AT_DESC", "Notes on it."),
    ),
)
KEEPER = ReadType(
    name="Keeper",
    table="toy_keeper",
    prefix="kee",
    doc="A person.",
    scopes={"all": "true", "self": "{t}.id = {employee}"},
    fields=(
        Column(
            "name",
            ScalarKind.STRING,
            "name",
            "Name.",
            structural=True,
            orderable=True,
            filters=frozenset({FilterOp.EQ}),
        ),
        ToMany("shops", "Shop", "keeper_id", "NAME_ASC", "Shops kept."),
    ),
)
NOTE = ReadType(
    name="Note",
    table="toy_note",
    prefix="not",
    doc="A note.",
    scopes={"all": "true"},
    fields=(
        Column("text", ScalarKind.STRING, "text", "What it says.", structural=True),
        Column(
            "writtenAt",
            ScalarKind.DATETIME,
            "written_at",
            "When.",
            structural=True,
            orderable=True,
            filters=frozenset({FilterOp.GTE, FilterOp.LT}),
        ),
        ToOne("shop", "Shop", "shop_id", "Of which shop."),
        ToUnion("about", "ShopOrKeeper", ("Shop", "Keeper"), "about_type", "about_id", "What it is about."),
    ),
)
ROOMS = (
    RoomReads(
        types=(SHOP, KEEPER, NOTE),
        roots=(
            OneRoot("shop", "Shop", "One shop."),
            ListRoot("shops", "Shop", "NAME_ASC", "Shops."),
            ListRoot("keepers", "Keeper", "ID_ASC", "Keepers."),
            GroupRoot("shopGroups", "Shop", "Shops, grouped."),
        ),
    ),
)
REGISTRY = Registry(ROOMS)

TABLES = """
CREATE TABLE toy_keeper (id uuid NOT NULL, tenant_id uuid NOT NULL, name text COLLATE "C" NOT NULL);
CREATE TABLE toy_shop (id uuid NOT NULL, tenant_id uuid NOT NULL, name text COLLATE "C" NOT NULL,
    nick text COLLATE "C", status text, level text, rank int, area numeric(12,2), rent numeric(12,2), listed boolean,
    opened_on date, seen_at timestamptz, phone_sealed bytea, phone_masked text, phone_index bytea, keeper_id uuid,
    price_minor bigint);
CREATE TABLE toy_note (id uuid NOT NULL, tenant_id uuid NOT NULL, text text NOT NULL, written_at timestamptz NOT NULL,
    shop_id uuid NOT NULL, about_type text, about_id uuid);
CREATE VIEW toy_presented_session AS
    SELECT 'stamp of live' AS stamp WHERE decode(current_setting('app.session', true), 'hex') = 'live'::bytea;
GRANT SELECT ON toy_presented_session TO saas_app;
"""
INDEXES = {
    "toy_shop": (
        "name, id",
        "nick, id",
        'status COLLATE "C", id',
        "status",
        "level",
        "rank, id",
        "area, id",
        "rent, id",
        "listed, id",
        "opened_on, id",
        "seen_at, id",
        "phone_index",
        "keeper_id, name, id",
        "price_minor, id",
    ),
    "toy_keeper": ("name, id",),
    "toy_note": ("shop_id, written_at, id", "written_at, id"),
}


def row_id(kind: int, number: int) -> UUID:
    """A fixed id: 1 for shops, 2 for keepers, 3 for notes."""
    return uuid7_from(1_700_000_000_000 + kind, number)


def full_access(**changes: Any) -> AccessTable:
    """Everything, on all rows."""
    names = {f"{item.name}.{field.name}" for item in (SHOP, KEEPER, NOTE) for field in item.fields}
    table = AccessTable(
        fingerprint="full",
        fields=dict.fromkeys(names, ALLOWED),
        usable=frozenset(names),
        aggregable=frozenset(names),
        scopes=dict.fromkeys(("Shop", "Keeper", "Note"), frozenset({"all"})),
        grantors={"Shop.rent": ("hr_admin", "owner")},
    )
    return replace(table, **{"fingerprint": repr(sorted(changes.items(), key=str)), **changes}) if changes else table


def with_field(name: str, right: FieldRight) -> AccessTable:
    """Full access but for one field."""
    full = full_access()
    return full_access(fields={**full.fields, name: right})


def caller_of(
    tenant_id: UUID, access: AccessTable | None = None, *, employee_id: UUID | None = None, **more: Any
) -> Caller:
    """A caller in a tenant, on 2026-11-23."""
    actor = Actor(tenant_id, row_id(9, 1), employee_id, frozenset({"owner"}))
    now = datetime(2026, 11, 23, 2, tzinfo=UTC)
    return Caller(actor, access or full_access(), now, date(2026, 11, 23), **more)


class ToyOpener:
    """Sealing for toys: the place and the text, reversed."""

    def __init__(self) -> None:
        self.prepared: list[UUID] = []

    async def prepare(self, tenant_id: UUID) -> ToyOpener:
        self.prepared.append(tenant_id)
        return self

    def __call__(self, data_class: str, table: str, column: str, row_id: UUID, sealed: bytes) -> str:
        place, _, text = sealed.decode().partition("|")
        if place != f"{data_class}:{table}:{column}:{row_id.hex}":
            raise AppError("sealing.broken")
        return text[::-1]

    def blind_index(self, data_class: str, field: str, text: str) -> bytes:
        if not text.isdecimal():
            raise BadUserInput("sealing.no_phone", {"value": text})
        return hashlib.sha256(f"{field}|{text}".encode()).digest()[:16]


def seal(shop: UUID, text: str) -> bytes:
    """What `ToyOpener` opens."""
    return f"personal:toy_shop:phone_sealed:{shop.hex}|{text[::-1]}".encode()


@dataclass(frozen=True)
class Document:
    """A parsed document, as the door hands it over."""

    text: str
    fragments: Mapping[str, FragmentDefinitionNode]
    roots: Mapping[str, list[FieldNode]]

    @property
    def key(self) -> str:
        return hashlib.sha256(self.text.encode()).hexdigest()


def document(text: str) -> Document:
    """Parse; the root fields are taken as they stand."""
    parsed = parse(text)
    fragments = {item.name.value: item for item in parsed.definitions if isinstance(item, FragmentDefinitionNode)}
    operation = next(item for item in parsed.definitions if isinstance(item, OperationDefinitionNode))
    roots: dict[str, list[FieldNode]] = {}
    for node in operation.selection_set.selections:
        assert isinstance(node, FieldNode)
        roots.setdefault(node.alias.value if node.alias else node.name.value, []).append(node)
    return Document(text, fragments, roots)


async def read(reader: Reader, caller: Caller, fetchrow: Any, text: str, **variables: object) -> ReadResult:
    """Plan and run one document."""
    parsed = document(text)
    plan = reader.plan_fields(parsed.key, parsed.fragments, parsed.roots, variables, caller)
    return await reader.run(plan, variables, caller, fetchrow)


def data_of(result: ReadResult) -> dict[str, Any]:
    """The answer, parsed."""
    return {key: orjson.loads(value) for key, value in result.values.items()}
