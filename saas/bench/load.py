"""The load: raw keep-alive connections that send prepared requests back to back, in a process of their own.

A closed loop: each connection sends its next request when the answer to the last has arrived. The client parses no
more of an answer than its status and length, so that it takes little of the machine from those it measures.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

CONNECTIONS = 16
PATIENCE_SECONDS = 30.0
"""How long after the end of a run the last answers may take."""

_HEAD_END = b"\r\n\r\n"


@dataclass(frozen=True, slots=True)
class Plan:
    """What to send to `port`: `requests` in their order, for `seconds`; cycled, or once over where `is_finite`."""

    port: int
    requests: Sequence[bytes]
    seconds: float
    is_finite: bool = False
    limit: int | None = None
    connections: int = CONNECTIONS


@dataclass(slots=True)
class Outcome:
    """What came back: how many answers in how many seconds, each one's latency, and what they were.

    `won` holds the numbers of the requests whose answer holds a claimed customer; `failed` the first wrong answers.
    """

    seconds: float = 0.0
    latencies_ns: list[int] = field(default_factory=list)
    won: list[int] = field(default_factory=list)
    failed: list[bytes] = field(default_factory=list)
    failures: int = 0

    @property
    def requests(self) -> int:
        """How many were answered."""
        return len(self.latencies_ns)

    def latency_ms(self, quantile: float) -> float:
        """The latency that `quantile` of the answers stayed within, in milliseconds."""
        ordered = sorted(self.latencies_ns)
        return ordered[min(len(ordered) - 1, int(quantile * len(ordered)))] / 1e6


def request_bytes(path: str, body: bytes, headers: dict[str, str]) -> bytes:
    """An HTTP/1.1 POST of JSON."""
    fixed = {"host": "127.0.0.1", "content-type": "application/json", "content-length": str(len(body))}
    lines = [f"POST {path} HTTP/1.1", *(f"{name}: {value}" for name, value in {**fixed, **headers}.items())]
    return "\r\n".join(lines).encode() + _HEAD_END + body


def run_load(plan: Plan) -> Outcome:
    """Carry the plan out; called in a process of its own."""
    return _run(_Run(plan).drive())


def _run(work: Coroutine[Any, Any, Outcome]) -> Outcome:
    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        return runner.run(work)


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    try:
        import uvloop
    except ImportError:
        return None
    factory: Callable[[], asyncio.AbstractEventLoop] = uvloop.new_event_loop
    return factory


class _Run:
    """One run of a plan: hands out requests, gathers answers."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._next = 0
        self._deadline = 0.0
        self.outcome = Outcome()

    async def drive(self) -> Outcome:
        loop = asyncio.get_running_loop()
        done: list[asyncio.Future[None]] = [loop.create_future() for _ in range(self._plan.connections)]
        clients = [_Client(self, future) for future in done]
        for client in clients:
            await loop.create_connection(lambda client=client: client, "127.0.0.1", self._plan.port)  # type: ignore[misc]
        started = time.perf_counter()
        self._deadline = started + self._plan.seconds
        for client in clients:
            client.send()
        async with asyncio.timeout(self._plan.seconds + PATIENCE_SECONDS):
            await asyncio.gather(*done)
        self.outcome.seconds = time.perf_counter() - started
        for client in clients:
            client.close()
        return self.outcome

    def take(self) -> tuple[int, bytes] | None:
        """The next request and its number; None when the run is over."""
        number, requests = self._next, self._plan.requests
        if number == self._plan.limit or (self._plan.is_finite and number >= len(requests)):
            return None
        if time.perf_counter() >= self._deadline:
            return None
        self._next += 1
        return number, requests[number % len(requests)]

    def answered(self, number: int, status_is_ok: bool, body: bytes, latency_ns: int) -> None:
        """Count an answer."""
        self.outcome.latencies_ns.append(latency_ns)
        if not status_is_ok or b'"errors"' in body:
            self.fail(body)
        elif self._plan.is_finite and b'"customer":{' in body.replace(b": ", b":"):
            self.outcome.won.append(number)

    def fail(self, body: bytes) -> None:
        """Count a wrong answer; the first few are kept to be shown."""
        self.outcome.failures += 1
        if len(self.outcome.failed) < 3:
            self.outcome.failed.append(body[:500])


class _Client(asyncio.Protocol):
    """One connection."""

    def __init__(self, run: _Run, done: asyncio.Future[None]) -> None:
        self._run, self._done = run, done
        self._transport: asyncio.Transport | None = None
        self._received = bytearray()
        self._body_at = self._total = 0
        self._number = self._sent_ns = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def send(self) -> None:
        """Send the next request, or stop."""
        taken = self._run.take()
        if taken is None or self._transport is None:
            self._stop()
            return
        self._number, request = taken
        self._sent_ns = time.perf_counter_ns()
        self._transport.write(request)

    def data_received(self, data: bytes) -> None:
        self._received += data
        if not self._total:
            self._read_head()
        if self._total and len(self._received) >= self._total:
            self._finish()

    def connection_lost(self, error: Exception | None) -> None:
        self._transport = None
        if not self._done.done():
            self._run.fail(f"connection lost: {error}".encode())
            self._stop()

    def close(self) -> None:
        """Hang up."""
        if self._transport is not None:
            self._transport.close()

    def _read_head(self) -> None:
        end = self._received.find(_HEAD_END)
        if end < 0:
            return
        head = bytes(self._received[:end]).lower()
        at = head.find(b"content-length:")
        length = int(head[at + 15 :].split(b"\r\n", 1)[0]) if at >= 0 else 0
        self._body_at = end + len(_HEAD_END)
        self._total = self._body_at + length

    def _finish(self) -> None:
        latency = time.perf_counter_ns() - self._sent_ns
        body = bytes(self._received[self._body_at : self._total])
        self._run.answered(self._number, self._received.startswith(b"HTTP/1.1 200"), body, latency)
        self._received.clear()
        self._total = 0
        self.send()

    def _stop(self) -> None:
        if not self._done.done():
            self._done.set_result(None)
