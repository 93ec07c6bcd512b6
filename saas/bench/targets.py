"""How each contender is asked, and how its answers are made comparable."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Protocol

from saas.bench.cases import CLAIM, Case, Claim, Population, Values
from saas.bench.contenders import Running
from saas.bench.load import request_bytes
from saas.kernel import new_id, public_id

_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|\+00:00)")


class Target(Protocol):
    """A running contender that can be asked."""

    @property
    def running(self) -> Running:
        """The process."""
        ...

    def reading(self, case: Case, values: Values) -> bytes:
        """The request of a reading case."""
        ...

    def claiming(self, claim: Claim) -> bytes:
        """The request of a claim."""
        ...

    def answer(self, case: Case, payload: Any) -> Any:
        """What is inside the envelope."""
        ...


@dataclass(frozen=True, slots=True)
class FloorTarget:
    """The floor: a path per case, the bare values, the bare answer."""

    running: Running
    population: Population
    headers: Mapping[str, str]

    def reading(self, case: Case, values: Values) -> bytes:
        return request_bytes(f"/{case.name}", _encode(values), dict(self.headers))

    def claiming(self, claim: Claim) -> bytes:
        claimant = public_id("emp", self.population.claimants[claim.claimant])
        values = {"customerId": public_id("cus", claim.customer_id), "claimant": claimant}
        return request_bytes(f"/{CLAIM.name}", _encode(values), dict(self.headers))

    def answer(self, case: Case, payload: Any) -> Any:
        return payload


@dataclass(frozen=True, slots=True)
class GraphqlTarget:
    """A GraphQL endpoint; `claimants` are the headers that say who claims."""

    running: Running
    headers: Mapping[str, str]
    claimants: tuple[Mapping[str, str], ...]

    def reading(self, case: Case, values: Values) -> bytes:
        return request_bytes("/graphql", _encode({"query": case.document, "variables": values}), dict(self.headers))

    def claiming(self, claim: Claim) -> bytes:
        values = {"customer": public_id("cus", claim.customer_id), "key": str(new_id())}
        body = _encode({"query": CLAIM.document, "variables": values})
        return request_bytes("/graphql", body, dict(self.claimants[claim.claimant]))

    def answer(self, case: Case, payload: Any) -> Any:
        return payload["data"][case.root] if payload.get("data") else payload


def _encode(values: Mapping[str, object]) -> bytes:
    return json.dumps(values, ensure_ascii=False).encode()


async def ask(target: Target, request: bytes) -> Any:
    """Send one request; the parsed answer."""
    reader, writer = await asyncio.open_connection("127.0.0.1", target.running.port)
    try:
        writer.write(request)
        head = (await reader.readuntil(b"\r\n\r\n")).lower()
        length = int(head.split(b"content-length:")[1].split(b"\r\n", 1)[0])
        return json.loads(await reader.readexactly(length))
    finally:
        writer.close()
        await writer.wait_closed()


def comparable(answer: Any) -> Any:
    """The answer with its instants in one notation: contenders may print the same instant differently."""
    if isinstance(answer, dict):
        return {key: comparable(value) for key, value in answer.items()}
    if isinstance(answer, list):
        return [comparable(item) for item in answer]
    if isinstance(answer, str) and _INSTANT.fullmatch(answer):
        return datetime.fromisoformat(answer).astimezone(UTC).isoformat()
    return answer
