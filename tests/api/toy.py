"""A small API over two tables of its own, to try the door with: harbours and their boats."""

from __future__ import annotations

import asyncio
import hashlib
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from types import ModuleType
from typing import Annotated, Any, cast
from uuid import UUID

import asyncpg
import orjson
import strawberry

from saas.access.table import ALLOWED, AccessTable
from saas.extensions import TenantPlugins
from saas.graphql.fields import Info, RootField, mutation, query
from saas.graphql.payloads import IdempotentPayload, Payload, Ref, mapped
from saas.kernel import (
    Actor,
    AppError,
    AppErrors,
    BadUserInput,
    Conflict,
    IdempotencyKeyReused,
    NotFound,
    RuleRefused,
    new_id,
    parse_public_id,
)
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
from tenants import BOUND, Companion, Database, current_tenant_id, current_transaction
from tenants.schema import READ_WRITE, grant, row_security

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
        Column(
            "launchedOn",
            ScalarKind.DATE,
            "launched_on",
            "When it was launched",
            orderable=True,
            filters=frozenset({FilterOp.GTE, FilterOp.LT}),
        ),
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
STAMP_FUNCTION = "public.toy_stamp"
SESSION_VIEW = "public.toy_presented_session"
_TABLES = {
    "harbour": 'name text COLLATE "C" NOT NULL, id uuid NOT NULL, PRIMARY KEY (tenant_id, id)',
    "boat": 'name text COLLATE "C" NOT NULL, state text COLLATE "C" NOT NULL, price numeric(12,2),'
    " launched_on date, harbour_id uuid, id uuid NOT NULL, PRIMARY KEY (tenant_id, id)",
    "toy_outcome": "key text NOT NULL, operation text NOT NULL, body_hash bytea NOT NULL, outcome text NOT NULL,"
    " PRIMARY KEY (tenant_id, key)",
}
_SESSIONS = """
CREATE TABLE toy_session (token_hash bytea PRIMARY KEY, stamp text);
GRANT SELECT, UPDATE ON toy_session TO saas_app, saas_platform;
CREATE FUNCTION public.toy_stamp(token_hash bytea) RETURNS text STABLE LANGUAGE sql
    AS 'SELECT stamp FROM toy_session s WHERE s.token_hash = $1';
CREATE VIEW public.toy_presented_session AS
    SELECT stamp FROM toy_session s WHERE s.token_hash = decode(current_setting('app.session', true), 'hex');
GRANT SELECT ON toy_presented_session TO saas_app, saas_platform;
"""

READER = frozenset({"all"})
STOPPED: list[int] = []
"""Seconds of the slow calls that were stopped."""

FIELDS = ("Harbour.boats", "Boat.name", "Boat.state", "Boat.launchedOn", "Boat.harbour")
CAPTAIN = AccessTable(
    fingerprint="captain",
    fields={**dict.fromkeys((*FIELDS, "Boat.price"), ALLOWED), "Harbour.name": ALLOWED},
    usable=frozenset((*FIELDS, "Harbour.name")),
    aggregable=frozenset({"Boat.price"}),
    permissions=frozenset({"boat:launch", "boat:inspect"}),
    scopes={"Harbour": READER, "Boat": READER},
)
SAILOR = AccessTable(
    fingerprint="sailor",
    fields={**dict.fromkeys(FIELDS, ALLOWED), "Harbour.name": ALLOWED},
    usable=frozenset({"Boat.name"}),
    scopes={"Boat": READER, "Harbour": READER},
    grantors={"boat:launch": ("captain",), "Boat.price": ("captain",)},
)
BOSUN = AccessTable(
    fingerprint="bosun",
    fields=SAILOR.fields,
    permissions=frozenset({"boat:launch"}),
    scopes=SAILOR.scopes,
)
STRANGER = AccessTable(fingerprint="stranger", grantors={"Boat": ("captain",)})
TABLES_BY_ROLE = {"captain": CAPTAIN, "sailor": SAILOR, "bosun": BOSUN, "stranger": STRANGER}


@dataclass(frozen=True)
class ToySession:
    """What the toy authenticator found."""

    actor: Actor
    session_hash: bytes
    stamp: str
    time_zone: str = "Asia/Shanghai"
    currency: str = "CNY"


class ToySessions:
    """Tokens with fixed roles; the present stamp stands in a table, as in the product."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._actors: dict[str, Actor] = {}
        self.asked = 0

    async def add(self, owner_url: str, token: str, tenant_id: UUID, role: str, *, locale: str = "en") -> None:
        self._actors[token] = Actor(tenant_id, new_id(), None, frozenset({role}), locale=locale)
        connection = await asyncpg.connect(owner_url)
        await connection.execute("INSERT INTO toy_session VALUES ($1, $2)", digest(token), "first")
        await connection.close()

    def change_role(self, token: str, role: str) -> None:
        self._actors[token] = replace(self._actors[token], roles=frozenset({role}))

    async def authenticate(self, token: str, *, address: str, request_id: str, client: str) -> ToySession | None:
        self.asked += 1
        row = await self._database.fetchrow("SELECT toy_stamp($1)", digest(token))
        stamp = row[0] if row is not None else None
        actor = self._actors.get(token)
        return None if stamp is None or actor is None else ToySession(actor, digest(token), stamp)


class ToyAccess:
    """The access table of the actor's one role."""

    async def table(self, actor: Actor) -> AccessTable:
        return TABLES_BY_ROLE[next(iter(actor.roles))]


class ToyPlugins:
    """No plugin is enabled."""

    async def enabled(self, tenant_id: UUID) -> TenantPlugins:
        return TenantPlugins()


class ToyOutcomes:
    """Outcomes by key, in the current transaction."""

    async def lookup(self, actor: Actor, operation: str, key: str, body_hash: bytes) -> dict[str, Any] | None:
        row = await current_transaction().fetchrow(
            "SELECT operation, body_hash, outcome FROM toy_outcome WHERE tenant_id = $1 AND key = $2",
            current_tenant_id(),
            key,
        )
        return None if row is None else self.outcome_in(row, operation, key, body_hash)

    def lookup_sql(self, *, client: str, key: str) -> str:
        return (
            "SELECT operation, body_hash, outcome FROM toy_outcome"
            f" WHERE tenant_id = $1 AND {BOUND} AND {client} = 'toy' AND key = {key}"
        )

    def lookup_values(self, actor: Actor, key: str) -> tuple[str, str]:
        return "toy", key

    def outcome_in(self, row: Any, operation: str, key: str, body_hash: bytes) -> dict[str, Any] | None:
        if row["operation"] is None:
            return None
        if (row["operation"], row["body_hash"]) != (operation, body_hash):
            raise IdempotencyKeyReused("toy.key_reused", {"key": key}, field=("input", "idempotencyKey"))
        found: dict[str, Any] = orjson.loads(row["outcome"])
        return found

    def recording(self, actor: Actor, operation: str, key: str, body_hash: bytes, outcome: Any) -> Companion:
        return Companion(
            "INSERT INTO toy_outcome (tenant_id, key, operation, body_hash, outcome) VALUES ($1, $2, $3, $4, $5)",
            (current_tenant_id(), key, operation, body_hash, orjson.dumps(outcome).decode()),
            taken=Conflict("toy.key_taken", {"key": key}),
        )


@strawberry.input(description="A boat to launch. Since 0.1.")
class BoatLaunchInput:
    """A boat to launch."""

    idempotency_key: str = strawberry.field(description="Repeats give the first result. Since 0.1.")
    name: str = strawberry.field(description="Its name. Since 0.1.")
    harbour_id: strawberry.ID | None = strawberry.field(default=None, description="Where it shall lie. Since 0.1.")


@strawberry.type(description="What came of launching. Since 0.1.")
class BoatLaunchPayload(IdempotentPayload):
    """What came of launching."""

    boat: Ref | None = mapped("Boat", description="The boat. Since 0.1.")


@strawberry.type(description="What came of signing on. Since 0.1.")
class SignOnPayload(Payload):
    """What came of signing on."""

    token: str | None = strawberry.field(default=None, description="The token. Since 0.1.")
    boat: Ref | None = mapped("Boat", description="The boat signed on to. Since 0.1.")


@strawberry.type(description="What an inspection found. Since 0.1.")
class Inspection:
    """What an inspection found."""

    boats: list[Ref] = mapped("Boat", many=True, description="The boats that were looked at, at most 3. Since 0.1.")
    grade: int = strawberry.field(default=1, description="From 1 (good) to 5. Since 0.1.")


Password = Annotated[str, strawberry.argument(description="The watchword. Since 0.1.")]
Lost = Annotated[bool, strawberry.argument(description="Whether the depth is lost. Since 0.1.")]
Seconds = Annotated[int, strawberry.argument(description="How long, in seconds. Since 0.1.")]


@mutation(requires="boat:launch", idempotent=True, description="Launch a boat")
async def boat_launch(info: Info, input: BoatLaunchInput) -> BoatLaunchPayload:  # noqa: A002 (its GraphQL name)
    errors: list[AppError] = []
    if not input.name.strip():
        errors.append(BadUserInput("toy.name_missing", field=("input", "name")))
    if len(input.name) > 20:
        errors.append(BadUserInput("toy.name_long", {"most": 20}, field=("input", "name")))
    if input.harbour_id is not None and not input.harbour_id.startswith("har_"):
        errors.append(NotFound("toy.harbour_missing", {"id": input.harbour_id}, field=("input", "harbourId")))
    if errors:
        raise AppErrors(errors)
    harbour = parse_public_id(input.harbour_id, prefix="har") if input.harbour_id else None
    boat_id = new_id()
    await current_transaction().execute(
        "INSERT INTO boat (tenant_id, id, name, state, harbour_id) VALUES ($1, $2, $3, 'afloat', $4)",
        info.actor.tenant_id,
        boat_id,
        input.name,
        harbour,
    )
    if input.name == "Titanic":
        raise Conflict("toy.sunk", {"name": input.name})
    if input.name == "Vasa":
        raise RuntimeError(f"secret of {input.name}")
    return BoatLaunchPayload(boat=Ref("Boat", boat_id))


@mutation(public=True, alone=True, database=None, description="Sign on")
async def sign_on(info: Info, password: Password) -> SignOnPayload:
    if password != "ahoy":
        raise BadUserInput("toy.password", field=("password",))
    found = await info.room(ToySessions).authenticate("captain-token", address="", request_id="", client="")
    assert found is not None
    info.act_as(found.actor, time_zone=found.time_zone, currency=found.currency)
    async with info.room(Database).transaction(found.actor.tenant_id) as transaction:
        boat_id = await transaction.fetchval("SELECT id FROM boat ORDER BY name LIMIT 1")
    return SignOnPayload(token="captain-token", boat=Ref("Boat", boat_id))


@query(requires="boat:inspect", description="The three first boats by name")
async def inspection(info: Info) -> Inspection:
    rows = await current_transaction().fetch(
        "SELECT id FROM boat WHERE tenant_id = $1 ORDER BY name, id LIMIT 3", current_tenant_id()
    )
    return Inspection(boats=[Ref("Boat", row["id"]) for row in rows])


@strawberry.interface(description="Something afloat or on land. Since 0.1.")
class Sighting:
    """Something that was seen."""

    what: str = strawberry.field(description="What it was. Since 0.1.")


@strawberry.type(description="A whale. Since 0.1.")
class Whale(Sighting):
    """A whale."""

    length: Decimal | None = strawberry.field(default=None, description="In metres. Since 0.1.")
    seen_on: date | None = strawberry.field(default=None, description="The day. Since 0.1.")


@strawberry.type(description="A wreck. Since 0.1.")
class Wreck(Sighting):
    """A wreck."""

    depth: int = strawberry.field(description="In metres. Since 0.1.")


@strawberry.type(description="What a watch saw. Since 0.1.")
class Watch:
    """What a watch saw."""

    sure: list[Sighting] = strawberry.field(description="Certain, at most 2. Since 0.1.")
    doubtful: list[Sighting | None] = strawberry.field(description="Uncertain, at most 2. Since 0.1.")


@query(public=True, database=None, description="What the last watch saw")
async def watch(info: Info, lost: Lost = False) -> Watch:
    whale = Whale(what="whale", length=Decimal("12.50"), seen_on=date(2026, 2, 28))
    wreck = Wreck(what="wreck", depth=cast("int", None) if lost else 40)
    return Watch(sure=[whale], doubtful=[wreck, whale])


@query(public=True, plugin="sonar", database=None, description="Depth below the keel")
async def sonar_depth(info: Info) -> int:
    return 7


@query(signed_in=True, description="A watch that can't be kept")
async def fog(info: Info) -> Watch:
    if "captain" in info.actor.roles:
        raise RuntimeError("secret reason")
    raise RuleRefused("toy.fog", {"until": info.today.isoformat()})


@query(public=True, database=None, description="How long a call takes, for trying time-outs")
async def slow(info: Info, seconds: Seconds) -> int:
    try:
        await asyncio.sleep(seconds)
    except asyncio.CancelledError:
        STOPPED.append(seconds)
        raise
    return seconds


@query(public=True, database=None, description="The present day of the clock")
async def today(info: Info) -> str:
    return info.now.date().isoformat()


def module() -> ModuleType:
    """The toy's root fields as a room's module of the API."""
    made = ModuleType("toy")
    vars(made).update({name: value for name, value in globals().items() if isinstance(value, RootField)})
    vars(made).update(Whale=Whale, Wreck=Wreck)
    return made


async def create_tables(owner_url: str) -> None:
    """The toy's tables, made by the owner."""
    connection = await asyncpg.connect(owner_url)
    try:
        await connection.execute(_SESSIONS)
        for table, columns in _TABLES.items():
            await connection.execute(f"CREATE TABLE {table} (tenant_id uuid NOT NULL, {columns})")
            for statement in (*row_security(table), *grant(table, READ_WRITE)):
                await connection.execute(statement)
    finally:
        await connection.close()


def digest(token: str) -> bytes:
    """The hash under which a toy session stands."""
    return hashlib.sha256(token.encode()).digest()
