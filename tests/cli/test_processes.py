"""`saas serve` and `saas worker` as installed: they start, answer, and stop in order."""

from __future__ import annotations

import asyncio
import json
import re
import signal
import socket
import urllib.request
from pathlib import Path
from uuid import UUID

import pytest

from tests.cli.conftest import Administrator, Ended, Operator, Running

LISTENING = re.compile(r"Fairlead listens on (http://127\.0\.0\.1:\d+)/graphql, with GraphiQL on /graphiql\. ")


def address_of(process: Running) -> str:
    """Where the process says that it listens; it says so when it does."""
    told = LISTENING.match(process.stderr.readline())
    assert told is not None
    return told[1]


def answer(address: str, path: str, body: dict[str, str] | None = None) -> dict[str, object]:
    """The JSON that the process answers."""
    content = json.dumps(body).encode() if body else None
    request = urllib.request.Request(f"{address}{path}", content, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=60) as reply:
        found: dict[str, object] = json.load(reply)
        return found


@pytest.mark.parametrize(("processes", "ended_by"), [("1", signal.SIGINT), ("2", signal.SIGTERM)])
def test_serves_until_it_is_told_to_stop(
    operator: Operator, tmp_path: Path, processes: str, ended_by: signal.Signals
) -> None:
    options = ("--port", "0", "--workers", processes, "--no-worker")
    with operator.started("serve", *options, pipe=tmp_path / "told", is_installed=processes == "2") as process:
        check_served(operator, address_of(process))
        assert process.stopped(ended_by) == 0


def check_served(operator: Operator, address: str) -> None:
    """It answers, and keeps its port."""
    assert answer(address, "/healthz") == {"status": "alive"}
    assert answer(address, "/readyz") == {
        "status": "ready",
        "parts": {"database": "ready", "redis": "ready", "migrations": "ready"},
    }
    assert answer(address, "/graphql", {"query": "{__typename}"})["data"] == {"__typename": "Query"}
    port = address.rpartition(":")[2]
    assert operator.saas("serve", "--port", port) == Ended(
        1,
        "",
        f"saas: Port {port} on 127.0.0.1 is taken by another program. "
        "Stop that program, or choose a port with --port.\n",
    )


def test_an_address_of_another_machine(operator: Operator) -> None:
    ended = operator.saas("serve", "--host", "192.0.2.1", "--port", "0")
    assert (ended.status, ended.out) == (1, "")
    assert ended.err.startswith("saas: 192.0.2.1 can't be listened on: ")
    assert ended.err.endswith(" Choose an address of this machine with --host.\n")


def test_worker_is_alive_until_it_is_told_to_stop(operator: Operator, tmp_path: Path) -> None:
    dead = "saas: No worker has reported itself within the last 16 seconds. Start one with `saas worker`.\n"
    assert operator.saas("worker", "--check") == Ended(1, "", dead)
    with operator.started("worker", pipe=tmp_path / "told") as process:
        assert process.stderr.readline() == "The worker waits for jobs. Ctrl-C stops it.\n"
        until_alive(operator)
        assert process.stopped(signal.SIGTERM) == 0
    assert operator.saas("worker", "--check") == Ended(1, "", dead)


def until_alive(operator: Operator) -> None:
    """Ask the probe until it says yes; the worker reports itself once its queue is open."""
    for _ in range(100):
        if operator.saas("worker", "--check") == Ended(0, "A worker is alive.\n", ""):
            return
    pytest.fail("no worker came to life")


def test_probe_without_a_queue(operator: Operator) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    ended = operator.saas("worker", "--check", REDIS_URL=f"redis://127.0.0.1:{port}")
    assert (ended.status, ended.out, ended.err.count("\n")) == (1, "", 1)


async def test_one_process_serves_a_small_company(
    operator: Operator, company: str, administrator: Administrator, tmp_path: Path
) -> None:
    links = "SELECT count(*) FROM audit_link WHERE tenant_id = $1"
    assert await administrator.fetchval(links, UUID(company)) == 0
    with operator.started("serve", "--port", "0", pipe=tmp_path / "told") as process:
        address_of(process)
        async with asyncio.timeout(20):
            while await administrator.fetchval(links, UUID(company)) < 3:  # noqa: ASYNC110 - another process writes
                await asyncio.sleep(0.05)
        assert process.stopped(signal.SIGTERM) == 0
