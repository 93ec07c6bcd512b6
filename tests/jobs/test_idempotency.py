"""Idempotency records: the first outcome stands for a key, a client and a company; other bodies are refused."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from saas.events import IdempotencyKeyMalformed, IdempotencyKeyTaken, IdempotencyStore, purge_idempotency
from saas.kernel import Actor, FrozenClock, IdempotencyKeyReused, new_id
from tenants import Database

OPERATION, BODY = "customerClaim", b"\x01" * 32
STORE = IdempotencyStore()


@pytest.fixture
def actor(tenant_id: UUID) -> Actor:
    return Actor(tenant_id=tenant_id, account_id=new_id(), employee_id=None, roles=frozenset())


async def recorded(database: Database, actor: Actor, key: str = "k-1") -> None:
    async with database.transaction(actor.tenant_id):
        await STORE.recording(actor, OPERATION, key, BODY, {"customer": "cus_1"}).send()


async def looked_up(database: Database, actor: Actor, key: str = "k-1", body: bytes = BODY) -> object:
    async with database.transaction(actor.tenant_id):
        return await STORE.lookup(actor, OPERATION, key, body)


async def test_outcome_stands_for_its_own_client_and_company_only(
    database: Database, actor: Actor, other_tenant_id: UUID
) -> None:
    assert await looked_up(database, actor) is None
    await recorded(database, actor)
    assert await looked_up(database, actor) == {"customer": "cus_1"}
    assert await looked_up(database, actor, key="k-2") is None
    assert await looked_up(database, replace(actor, account_id=new_id())) is None
    assert await looked_up(database, replace(actor, client="payroll-app")) is None
    assert await looked_up(database, replace(actor, tenant_id=other_tenant_id)) is None


async def test_key_of_another_body_or_operation_is_refused(database: Database, actor: Actor) -> None:
    await recorded(database, actor)
    with pytest.raises(IdempotencyKeyReused) as refused:
        await looked_up(database, actor, body=b"\x02" * 32)
    assert refused.value.values == {"key": "k-1", "operation": OPERATION}
    assert refused.value.field == ("input", "idempotencyKey")
    with pytest.raises(IdempotencyKeyReused):
        async with database.transaction(actor.tenant_id):
            await STORE.lookup(actor, "customerRelease", "k-1", BODY)
    assert await looked_up(database, actor) == {"customer": "cus_1"}


@pytest.mark.parametrize("key", ["", "x" * 101, "a\x00b", "a\nb", "a\u200bb", "\ud800"])
async def test_malformed_key_is_refused(database: Database, actor: Actor, key: str) -> None:
    with pytest.raises(IdempotencyKeyMalformed):
        await looked_up(database, actor, key)
    with pytest.raises(IdempotencyKeyMalformed):
        await recorded(database, actor, key)


@pytest.mark.parametrize("key", ["x", "x" * 100, "客户-1 二"])
async def test_any_printable_key_will_do(database: Database, actor: Actor, key: str) -> None:
    await recorded(database, actor, key)
    assert await looked_up(database, actor, key) == {"customer": "cus_1"}


async def test_of_twenty_calls_at_once_one_records(database: Database, actor: Actor) -> None:
    async def call(number: int) -> int | None:
        try:
            async with database.transaction(actor.tenant_id):
                await STORE.recording(actor, OPERATION, "race", BODY, {"call": number}).send()
        except IdempotencyKeyTaken:
            return None
        return number

    winners = [number for number in await asyncio.gather(*map(call, range(20))) if number is not None]
    assert len(winners) == 1
    assert await looked_up(database, actor, "race") == {"call": winners[0]}


async def test_record_of_a_rolled_back_effect_is_gone(database: Database, actor: Actor) -> None:
    with pytest.raises(RuntimeError):
        async with database.transaction(actor.tenant_id):
            await STORE.recording(actor, OPERATION, "k-1", BODY, {}).send()
            raise RuntimeError
    assert await looked_up(database, actor) is None


async def test_records_are_kept_for_seven_days(database: Database, actor: Actor, other_tenant_id: UUID) -> None:
    await recorded(database, actor)
    foreign = replace(actor, tenant_id=other_tenant_id)
    await recorded(database, foreign)
    for days, removed in ((6.9, 0), (7.1, 1), (7.1, 0)):
        clock = FrozenClock(datetime.now(UTC) + timedelta(days=days))
        async with database.transaction(actor.tenant_id):
            assert await purge_idempotency(clock=clock) == removed
    assert await looked_up(database, actor) is None
    assert await looked_up(database, foreign) == {"customer": "cus_1"}
