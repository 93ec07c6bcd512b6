"""The toy API behind a real HTTP server on the loopback interface, over a database of its own for the whole run."""

from __future__ import annotations

import asyncio
import secrets
import socket
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import asyncpg
import httpx2
import orjson
import pytest_asyncio
import uvicorn

from saas.graphql.limits import Limits
from saas.graphql.schema import build_schema
from saas.graphql.services import Services
from saas.kernel import Catalogue, SystemClock, new_id
from saas.reads import Opener, OpenRow, Reader, Registry
from saas.web import SPOKEN, create_app
from tenants.database import Database, DatabaseUrls
from tenants.roles import ensure_database
from tenants.schema import APP, OWNER, PLATFORM
from tests.api import toy
from tests.conftest import drop_database, make_tenant, role_url

JSON = "application/json"
STRICT = "application/graphql-response+json"


class NoOpener(Opener):
    """The toy seals nothing."""

    async def prepare(self, tenant_id: UUID) -> OpenRow:
        raise LookupError("nothing is sealed here")


@dataclass
class Api:
    """A running server and how to talk to it.

    Tokens: one per role of the first tenant, ``foreign`` of the other, ``chinese``, and ``yard`` of a third tenant,
    the only one that boats are launched in.
    """

    client: httpx2.AsyncClient
    services: Services
    sessions: toy.ToySessions
    owner_url: str
    tenant_id: UUID
    other_tenant_id: UUID
    yard_id: UUID
    harbours: dict[str, str]

    async def post(
        self, query: str | None = None, token: str | None = "captain", accept: str = STRICT, **body: Any
    ) -> httpx2.Response:
        """One GraphQL request; `token` is a role of the first tenant, a token, or None."""
        headers = {"Content-Type": JSON, "Accept": accept}
        if token is not None:
            headers["Authorization"] = f"Bearer {token}-token"
        members = body if query is None else {"query": query, **body}
        return await self.client.post("/graphql", content=orjson.dumps(members), headers=headers)

    async def data(self, query: str, token: str | None = "captain", **body: Any) -> Any:
        """The data of a request that must succeed."""
        answer = (await self.post(query, token, **body)).json()
        assert "errors" not in answer, answer
        return answer["data"]

    async def send(self, content: bytes, **headers: str) -> httpx2.Response:
        """A body as it is."""
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        return await self.client.post("/graphql", content=content, headers=given)

    async def boat_count(self) -> int:
        """How many boats there are, of all tenants."""
        connection = await asyncpg.connect(self.owner_url)
        try:
            await connection.execute("SET row_security = off; ALTER TABLE boat NO FORCE ROW LEVEL SECURITY")
            found = await connection.fetchval("SELECT count(*) FROM boat")
            await connection.execute("ALTER TABLE boat FORCE ROW LEVEL SECURITY")
            return int(found)
        finally:
            await connection.close()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def api(superuser_url: str, template: str) -> AsyncIterator[Api]:
    """The toy API, filled with two tenants' harbours and boats."""
    name = f"test_{secrets.token_hex(6)}"
    await ensure_database(superuser_url, name, template=template)
    owner_url = role_url(superuser_url, OWNER, name)
    await toy.create_tables(owner_url)
    urls = DatabaseUrls(app=role_url(superuser_url, APP, name), platform=role_url(superuser_url, PLATFORM, name))
    database = Database(urls, size=8)
    async with serve(make_services(database)) as client:
        yield await _filled(client, database, owner_url)
    await database.close()
    await drop_database(superuser_url, name)


def make_services(database: Database, **changes: Any) -> Services:
    """The toy's services over a database."""
    registry = Registry([toy.READS])
    schema = build_schema(registry, [toy.module()])
    sessions = toy.ToySessions(database)
    given: dict[str, Any] = {
        "database": database,
        "reader": Reader(registry, "toy", opener=NoOpener(), presented_session=toy.SESSION_VIEW),
        "schema": schema,
        "catalogue": Catalogue.of(["saas.kernel", "saas.reads", "saas.graphql", "saas.web", "tenants"]),
        "clock": SystemClock(),
        "sessions": sessions,
        "access": toy.ToyAccess(),
        "plugins": toy.ToyPlugins(),
        "idempotency": toy.ToyOutcomes(),
        "limits": Limits(seconds=1.0, bucket=10_000_000),
        "rooms": {toy.ToySessions: sessions, Database: database},
        "session_stamp": toy.STAMP_FUNCTION,
    }
    return Services(**{**given, **changes})


class serve:  # noqa: N801 (reads as a verb: async with serve(…))
    """A uvicorn server on a free loopback port, and a client for it."""

    def __init__(self, services: Services) -> None:
        config = uvicorn.Config(
            create_app(services),
            **SPOKEN,
            log_config=None,
            access_log=False,
            lifespan="off",
            timeout_graceful_shutdown=2,
        )
        self._server = uvicorn.Server(config)
        self._socket = socket.create_server(("127.0.0.1", 0))
        self._services = services

    async def __aenter__(self) -> httpx2.AsyncClient:
        self._task = asyncio.create_task(self._server.serve([self._socket]))
        while not self._server.started:  # noqa: ASYNC110 (uvicorn offers no event)
            await asyncio.sleep(0.005)
        port = self._socket.getsockname()[1]
        self.client = httpx2.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=20)
        self.client.services = self._services  # type: ignore[attr-defined]
        return self.client

    async def __aexit__(self, *_: object) -> None:
        await self.client.aclose()
        self._server.should_exit = True
        await self._task
        self._socket.close()


async def _filled(client: httpx2.AsyncClient, database: Database, owner_url: str) -> Api:
    services: Services = client.services  # type: ignore[attr-defined]
    sessions = services.sessions
    assert isinstance(sessions, toy.ToySessions)
    tenant_id, other_tenant_id = await make_tenant(database, "晨光销售"), await make_tenant(database, "远山贸易")
    for role in ("captain", "sailor", "stranger"):
        await sessions.add(owner_url, f"{role}-token", tenant_id, role)
    await sessions.add(owner_url, "foreign-token", other_tenant_id, "captain")
    await sessions.add(owner_url, "chinese-token", tenant_id, "captain", locale="zh-CN")
    yard_id = await make_tenant(database, "造船厂")
    await sessions.add(owner_url, "yard-token", yard_id, "captain")
    await sessions.add(owner_url, "bosun-token", yard_id, "bosun")
    harbours = {}
    for tenant, names in (
        (tenant_id, ("Bremen", "Cuxhaven", "厦门")),
        (other_tenant_id, ("Dover",)),
        (yard_id, ("上海",)),
    ):
        for harbour in names:
            harbours[harbour] = await _harbour(database, tenant, harbour)
    return Api(client, services, sessions, owner_url, tenant_id, other_tenant_id, yard_id, harbours)


async def _harbour(database: Database, tenant_id: UUID, name: str) -> str:
    harbour_id = new_id()
    async with database.transaction(tenant_id) as transaction:
        await transaction.execute(
            "INSERT INTO harbour (name, tenant_id, id) VALUES ($1, $2, $3)", name, tenant_id, harbour_id
        )
        for number in range(3):
            await transaction.execute(
                "INSERT INTO boat (name, state, price, launched_on, harbour_id, tenant_id, id)"
                " VALUES ($1, 'ashore', 100.50, '2026-01-01', $2, $3, $4)",
                f"{name} {number}",
                harbour_id,
                tenant_id,
                new_id(),
            )
    return f"har_{harbour_id.hex}"
