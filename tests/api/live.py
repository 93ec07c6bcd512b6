"""Clients of subscriptions: over a WebSocket, and by server-sent events."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx2
import orjson
from websockets.asyncio.client import ClientConnection, connect
from websockets.typing import Origin, Subprotocol

PATIENCE = 20.0
PROTOCOL = Subprotocol("graphql-transport-ws")


class Socket:
    """A WebSocket that speaks graphql-transport-ws; what does not come in time fails the test."""

    def __init__(self, connection: ClientConnection) -> None:
        self.connection = connection

    async def say(self, kind: str, **members: Any) -> None:
        """Send a message."""
        await self.connection.send(orjson.dumps({"type": kind, **members}).decode())

    async def hear(self) -> dict[str, Any]:
        """The next message."""
        async with asyncio.timeout(PATIENCE):
            found: dict[str, Any] = orjson.loads(await self.connection.recv())
            return found

    async def closed(self) -> tuple[int | None, str | None]:
        """Code and reason, once the server has closed."""
        async with asyncio.timeout(PATIENCE):
            await self.connection.wait_closed()
        return self.connection.close_code, self.connection.close_reason

    async def init(self, token: str | None) -> None:
        """Sign in."""
        await self.say("connection_init", payload={"authorization": f"Bearer {token}"})
        assert await self.hear() == {"type": "connection_ack"}

    async def subscribe(self, query: str, *, name: str = "1", **variables: Any) -> None:
        """Begin a subscription."""
        await self.say("subscribe", id=name, payload={"query": query, "variables": variables})

    async def data(self, *, name: str = "1") -> Any:
        """The data of the next event, which has no errors."""
        message = await self.hear()
        assert (message["type"], message["id"]) == ("next", name), message
        assert "errors" not in message["payload"], message
        return message["payload"]["data"]

    async def errors(self, *, name: str = "1") -> list[dict[str, Any]]:
        """What a subscription ends with."""
        message = await self.hear()
        assert (message["type"], message["id"]) == ("error", name), message
        found: list[dict[str, Any]] = message["payload"]
        return found


@asynccontextmanager
async def socket_to(
    client: httpx2.AsyncClient, *, protocol: Subprotocol | None = PROTOCOL, origin: str | None = None
) -> AsyncIterator[Socket]:
    """A socket to the server that `client` speaks to."""
    url = str(client.base_url).replace("http", "ws", 1).rstrip("/") + "/graphql"
    async with connect(
        url,
        subprotocols=None if protocol is None else [protocol],
        origin=None if origin is None else Origin(origin),
        compression=None,
        open_timeout=PATIENCE,
    ) as connection:
        yield Socket(connection)


@asynccontextmanager
async def events_of(
    client: httpx2.AsyncClient, token: str | None, query: str, **variables: Any
) -> AsyncIterator[AsyncIterator[tuple[str, Any]]]:
    """The events of a subscription: names and data."""
    headers = {"Content-Type": "application/json", "Accept": "text/event-stream"}
    if token is not None:
        headers["Authorization"] = f"Bearer {token}"
    body = orjson.dumps({"query": query, "variables": variables})
    async with client.stream("POST", "/graphql", content=body, headers=headers) as response:
        assert (response.status_code, response.headers["content-type"]) == (200, "text/event-stream; charset=utf-8")
        yield _events(response)


async def _events(response: httpx2.Response) -> AsyncIterator[tuple[str, Any]]:
    name = ""
    async for line in response.aiter_lines():
        if line.startswith("event: "):
            name = line.removeprefix("event: ")
        elif line.startswith("data:"):
            text = line.removeprefix("data:").strip()
            yield name, orjson.loads(text) if text else None
