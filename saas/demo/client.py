"""A GraphQL client of the demonstration: the public API over HTTP, nothing of the product imported."""

from __future__ import annotations

import asyncio
import http.client
import json
from dataclasses import dataclass
from typing import Any


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
        return await asyncio.to_thread(self._post, document, variables)

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

    def _post(self, document: str, variables: dict[str, object]) -> Answer:
        connection = http.client.HTTPConnection(self._host, self._port, timeout=30)
        headers = {"Content-Type": "application/json", "Accept-Language": self._locale}
        if self._token:
            headers["Authorization"] = f"Bearer {self._token}"
        try:
            connection.request("POST", "/graphql", json.dumps({"query": document, "variables": variables}), headers)
            body = json.loads(connection.getresponse().read())
        finally:
            connection.close()
        return Answer(body.get("data") or {}, body.get("errors") or [])
