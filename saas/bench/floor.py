"""The floor: bare Starlette and asyncpg, one hand-written statement per case that returns the finished JSON.

No GraphQL, no sign-in, no rights, no limits: the tenant comes in a header. What it shares with the product is the
role, row-level security and how connections are kept. It is as fast as this stack answers; the product is measured
against it.
"""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import datetime
from uuid import UUID

import asyncpg
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from saas.bench.contenders import POOL_VARIABLE, URL_VARIABLE

Handler = Callable[[Request], Awaitable[Response]]

_BOUND = "(SELECT set_config('app.tenant_id', $1, true) AS v OFFSET 0) t"
"""Sets the tenant and is read before anything else: every scan below depends on ``t.v``."""

_ID = "concat('\"{prefix}_', encode(uuid_send({column}), 'hex'), '\"')"
_INSTANT = "left(to_json({column} AT TIME ZONE 'UTC')::text, -1) || 'Z\"'"


def _id(prefix: str, column: str) -> str:
    return _ID.format(prefix=prefix, column=column)


def _instant(column: str) -> str:
    return _INSTANT.format(column=column)


_OWNER = f"""coalesce((
    SELECT concat('{{"id":', {_id("emp", "e.id")}, ',"name":', to_json(e.name), '}}')
    FROM employee e WHERE e.tenant_id = c.tenant_id AND e.id = c.owner_id), 'null')"""


def _follow_ups(columns: str, size: int) -> str:
    return f"""(
        SELECT string_agg(concat({columns}), ',' ORDER BY f.occurred_at DESC, f.id DESC)
        FROM (SELECT * FROM follow_up f WHERE f.tenant_id = c.tenant_id AND f.customer_id = c.id
              ORDER BY f.occurred_at DESC, f.id DESC LIMIT {size}) f)"""


_FOLLOW_UP = (
    f"""'{{"kind":"', upper(f.kind), '","occurredAt":', {_instant("f.occurred_at")}, """
    "',\"content\":', to_json(f.content), '}'"
)
_FOLLOW_UP_WITH_ID = (
    f"""'{{"id":', {_id("fup", "f.id")}, ',"kind":"', upper(f.kind), '","occurredAt":', {_instant("f.occurred_at")}, """
    "',\"content\":', to_json(f.content), '}'"
)


def _page(where: str, columns: str) -> str:
    return f"""
    SELECT concat('{{"nodes":[', (
        SELECT string_agg(concat({columns}), ',' ORDER BY c.created_at DESC, c.id DESC)
        FROM (SELECT * FROM customer c WHERE t.v IS NOT NULL AND c.tenant_id = $1::text::uuid AND {where}
              ORDER BY c.created_at DESC, c.id DESC LIMIT 50) c), ']}}')
    FROM {_BOUND}"""


LIST_SQL = _page(
    "c.owner_id = $2::uuid AND c.created_at < $3::timestamptz",
    f"""'{{"id":', {_id("cus", "c.id")}, ',"name":', to_json(c.name), ',"level":', to_json(c.level),
        ',"createdAt":', {_instant("c.created_at")}, ',"owner":', {_OWNER},
        ',"followUps":{{"nodes":[', {_follow_ups(_FOLLOW_UP, 3)}, ']}}}}'""",
)

CHILDREN_SQL = _page(
    "c.level = $2 AND c.created_at < $3::timestamptz",
    f"""'{{"id":', {_id("cus", "c.id")}, ',"name":', to_json(c.name),
        ',"followUps":{{"nodes":[', {_follow_ups(_FOLLOW_UP_WITH_ID, 12)}, ']}}}}'""",
)

ONE_SQL = f"""
    SELECT (
        SELECT concat('{{"id":', {_id("cus", "c.id")}, ',"name":', to_json(c.name), ',"level":', to_json(c.level),
            ',"industry":', to_json(c.industry), ',"createdAt":', {_instant("c.created_at")},
            ',"owner":', {_OWNER}, '}}')
        FROM customer c WHERE t.v IS NOT NULL AND c.tenant_id = $1::text::uuid AND c.id = $2::uuid)
    FROM {_BOUND}"""

GROUPS_SQL = f"""
    SELECT concat('{{"nodes":[', (
        SELECT string_agg(concat('{{"count":', g.n, ',"author":', (
                SELECT concat('{{"id":', {_id("emp", "e.id")}, ',"name":', to_json(e.name), '}}')
                FROM employee e WHERE e.tenant_id = $1::text::uuid AND e.id = g.author_id), '}}'),
            ',' ORDER BY g.n DESC, g.author_id)
        FROM (SELECT f.author_id, count(*) AS n FROM follow_up f
              WHERE t.v IS NOT NULL AND f.tenant_id = $1::text::uuid AND f.occurred_at >= $2::timestamptz
              GROUP BY f.author_id ORDER BY n DESC, f.author_id LIMIT 20) g), ']}}')
    FROM {_BOUND}"""

CLAIM_SQL = f"""
    UPDATE customer c SET owner_id = e.id, owner_department_id = e.department_id, status = 'owned',
        received_on = current_date, version = c.version + 1
    FROM employee e
    WHERE c.tenant_id = $1 AND c.id = $2 AND c.owner_id IS NULL AND e.tenant_id = $1 AND e.id = $3
    RETURNING concat('{{"customer":{{"id":', {_id("cus", "c.id")}, ',"name":', to_json(c.name), ',"owner":{{"id":',
        {_id("emp", "e.id")}, ',"name":', to_json(e.name), '}}}},"userErrors":[]}}')"""

_TAKEN = '{"customer":null,"userErrors":[{"code":"CONFLICT"}]}'


class Floor:
    """The handlers over a stack of connections, the one used last taken first; nothing is reset on return."""

    def __init__(self) -> None:
        self._idle: asyncio.LifoQueue[asyncpg.Connection[asyncpg.Record]] = asyncio.LifoQueue()

    async def connect(self, url: str, *, size: int) -> None:
        """Open the connections, with the settings that the product's have."""
        settings = {"plan_cache_mode": "force_generic_plan", "jit": "off"}
        for _ in range(size):
            self._idle.put_nowait(await asyncpg.connect(url, statement_cache_size=1000, server_settings=settings))

    async def close(self) -> None:
        """Close them."""
        while not self._idle.empty():
            await self._idle.get_nowait().close()

    async def list(self, request: Request) -> Response:
        values = json.loads(await request.body())
        return await self._read(request, LIST_SQL, _uuid(values["owner"]), datetime.fromisoformat(values["before"]))

    async def children(self, request: Request) -> Response:
        values = json.loads(await request.body())
        return await self._read(request, CHILDREN_SQL, values["level"], datetime.fromisoformat(values["before"]))

    async def one(self, request: Request) -> Response:
        values = json.loads(await request.body())
        return await self._read(request, ONE_SQL, _uuid(values["id"]))

    async def groups(self, request: Request) -> Response:
        values = json.loads(await request.body())
        return await self._read(request, GROUPS_SQL, datetime.fromisoformat(values["since"]))

    async def claim(self, request: Request) -> Response:
        """A transaction, since an UPDATE can't depend on the setting of its own statement: set, update, commit."""
        values = json.loads(await request.body())
        tenant, customer, claimant = request.headers["tenant"], _uuid(values["customerId"]), _uuid(values["claimant"])
        connection = await self._idle.get()
        try:
            await connection.execute(f"BEGIN; SELECT set_config('app.tenant_id', '{UUID(tenant)}', true)")
            text = await connection.fetchval(CLAIM_SQL, UUID(tenant), customer, claimant)
            await connection.execute("COMMIT")
        finally:
            self._idle.put_nowait(connection)
        return _json(text or _TAKEN)

    async def _read(self, request: Request, sql: str, *values: object) -> Response:
        connection = await self._idle.get()
        try:
            text: str | None = await connection.fetchval(sql, request.headers["tenant"], *values)
        finally:
            self._idle.put_nowait(connection)
        return _json(text or "null")


def _json(text: str) -> Response:
    return Response(text, media_type="application/json")


def _uuid(public: str) -> UUID:
    return UUID(public[4:])


def create_app() -> Starlette:
    """The floor as an ASGI application; its database and pool size come from the environment."""
    floor = Floor()

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        await floor.connect(os.environ[URL_VARIABLE], size=int(os.environ[POOL_VARIABLE]))
        yield
        await floor.close()

    handlers: list[Handler] = [floor.list, floor.children, floor.one, floor.groups, floor.claim]
    routes = [Route(f"/{handler.__name__}", handler, methods=["POST"]) for handler in handlers]
    return Starlette(routes=routes, lifespan=lifespan)
