"""A GraphQL client of the demonstration: the public API over HTTP, nothing of the product imported."""

from __future__ import annotations

import asyncio
import http.client
import json
from collections.abc import Callable, Container
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Any

_THREADS = ThreadPoolExecutor(max_workers=32, thread_name_prefix="demo-client")
"""Not the loop's own threads: the server that answers runs in this process, and hashes passwords in those."""

_POLL_SECONDS = 0.1


class DemoFailed(Exception):
    """The API answered what the demonstration did not expect."""


@dataclass(frozen=True, slots=True)
class Answer:
    """Data and errors of one operation."""

    data: dict[str, Any]
    errors: list[dict[str, Any]]


class Client:
    """Speaks to one server as nobody, or as whoever `signed_in` names."""

    def __init__(self, host: str, port: int, *, token: str = "", locale: str = "zh-CN") -> None:
        self._host, self._port, self._token, self._locale = host, port, token, locale

    def signed_in(self, token: str, *, locale: str | None = None) -> Client:
        """The same server, as the session of `token`."""
        return Client(self._host, self._port, token=token, locale=locale or self._locale)

    async def ask(self, document: str, **variables: object) -> Answer:
        """Run one operation, whatever it answers."""
        return await asyncio.get_running_loop().run_in_executor(_THREADS, self._post, document, variables)

    async def do(self, document: str, **variables: object) -> dict[str, Any]:
        """Run one operation that must succeed: its data.

        :raises DemoFailed: it has errors, or a payload has user errors.
        """
        answer = await self.ask(document, **variables)
        payloads = [part for part in answer.data.values() if isinstance(part, dict)]
        refused = [error for payload in payloads for error in payload.get("userErrors", ())]
        if answer.errors or refused:
            raise DemoFailed(json.dumps([*answer.errors, *refused], ensure_ascii=False))
        return answer.data

    async def upload(self, content: bytes) -> str:
        """Send a file; its id.

        :raises DemoFailed: it was not taken in.
        """
        send = partial(self._send, "/files", content, "application/octet-stream")
        body = await asyncio.get_running_loop().run_in_executor(_THREADS, send)
        if "file" not in body:
            raise DemoFailed(json.dumps(body, ensure_ascii=False))
        return str(body["file"]["id"])

    async def until(
        self, document: str, *, done: Container[str], told: Callable[[dict[str, Any]], None], **variables: object
    ) -> dict[str, Any]:
        """Ask for one object again and again until its state is one of `done`; `told` hears of each answer.

        :raises DemoFailed: it ended otherwise.
        """
        while True:
            (found,) = (await self.do(document, **variables)).values()
            told(found)
            if found["state"] in done:
                return dict(found)
            if found["state"] in {"FAILED", "CANCELLED"}:
                raise DemoFailed(json.dumps(found, ensure_ascii=False))
            await asyncio.sleep(_POLL_SECONDS)

    def _post(self, document: str, variables: dict[str, object]) -> Answer:
        content = json.dumps({"query": document, "variables": variables}).encode()
        body = self._send("/graphql", content, "application/json")
        return Answer(body.get("data") or {}, body.get("errors") or [])

    def _send(self, path: str, content: bytes, content_type: str) -> dict[str, Any]:
        connection = http.client.HTTPConnection(self._host, self._port, timeout=30)
        headers = {"Content-Type": content_type, "Accept-Language": self._locale}
        if self._token:
            headers["Authorization"] = f"Bearer {self._token}"
        try:
            connection.request("POST", path, content, headers)
            body: dict[str, Any] = json.loads(connection.getresponse().read())
        finally:
            connection.close()
        return body
