"""The outbox: an event is delivered if and only if its transaction committed, and takes effect once."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from datetime import timedelta
from uuid import UUID

import pytest

from saas.events import (
    DELIVER,
    DeadEventNotFound,
    Delivery,
    Event,
    Handlers,
    Relay,
    emit,
    list_dead_events,
    purge_outbox,
    retry_dead_event,
)
from saas.jobs import RetryPolicy
from saas.kernel import FrozenClock, Scalar, Unavailable, new_id
from tenants import Database
from tenants.pool import ConnectionPool
from tests.jobs.cast import BROKEN, NOTED, Cast, Tray, notes, outbox_row


async def emitted(database: Database, tenant_id: UUID, clock: FrozenClock, text: str = "a", topic: str = NOTED) -> UUID:
    async with database.transaction(tenant_id):
        return await emit(topic, {"text": text}, due_at=clock.now())


async def test_event_of_a_rolled_back_transaction_is_gone(
    database: Database, tenant_id: UUID, relay: Relay, tray: Tray, clock: FrozenClock
) -> None:
    with pytest.raises(RuntimeError):
        async with database.transaction(tenant_id) as transaction:
            await emit(NOTED, {"text": "a"}, due_at=clock.now())
            assert await transaction.fetchval("SELECT count(*) FROM outbox") == 1
            raise RuntimeError
    assert await relay.send_due() == 0
    async with database.transaction(tenant_id) as transaction:
        assert await transaction.fetchval("SELECT count(*) FROM outbox") == 0


async def test_event_is_sent_run_and_done(
    database: Database, tenant_id: UUID, relay: Relay, delivery: Delivery, tray: Tray, cast: Cast, clock: FrozenClock
) -> None:
    event_id = await emitted(database, tenant_id, clock)
    assert await relay.send_due() == 1
    assert tray.messages == [(DELIVER, (str(tenant_id), str(event_id), 0), f"outbox:{event_id}:0")]
    await delivery(str(tenant_id), str(event_id), 0)
    assert await notes(database, tenant_id) == ["a/1"]
    assert (cast.runs[0].id, cast.runs[0].tenant_id, cast.runs[0].attempt) == (event_id, tenant_id, 1)
    row = await outbox_row(database, tenant_id, event_id)
    assert (row["done_at"], row["sent_at"], row["due_at"], row["attempts"]) == (clock.now(), clock.now(), None, 1)
    clock.advance(timedelta(days=1))
    assert await relay.send_due() == 0


async def test_event_waits_for_its_due_instant(
    database: Database, tenant_id: UUID, relay: Relay, clock: FrozenClock
) -> None:
    async with database.transaction(tenant_id):
        await emit(NOTED, {"text": "later"}, due_at=clock.now() + timedelta(minutes=5))
    assert await relay.send_due() == 0
    clock.advance(timedelta(minutes=5))
    assert await relay.send_due() == 1


async def test_message_that_comes_twice_or_late_takes_effect_once(
    database: Database, tenant_id: UUID, relay: Relay, delivery: Delivery, tray: Tray, clock: FrozenClock
) -> None:
    event_id = await emitted(database, tenant_id, clock)
    await relay.send_due()
    message = (str(tenant_id), str(event_id), 0)
    await asyncio.gather(*(delivery(*message) for _ in range(10)))
    await delivery(*message)
    assert await notes(database, tenant_id) == ["a/1"]
    assert (await outbox_row(database, tenant_id, event_id))["attempts"] == 1


async def test_lost_message_is_sent_again_after_the_lease(
    database: Database, tenant_id: UUID, relay: Relay, delivery: Delivery, tray: Tray, clock: FrozenClock
) -> None:
    event_id = await emitted(database, tenant_id, clock)
    await relay.send_due()
    lost = tray.drain()
    clock.advance(timedelta(seconds=59))
    assert await relay.send_due() == 0
    clock.advance(timedelta(seconds=1))
    assert await relay.send_due() == 1
    assert tray.drain() == lost == [(str(tenant_id), str(event_id), 0)]


async def test_four_relays_send_each_of_a_hundred_events_once(
    database: Database, tenant_id: UUID, other_tenant_id: UUID, relay: Relay, tray: Tray, clock: FrozenClock
) -> None:
    ids = [await emitted(database, owner, clock) for owner in (tenant_id, other_tenant_id) for _ in range(50)]
    sent = await asyncio.gather(*(relay.send_due() for _ in range(4)))
    assert sum(sent) == 100
    assert sorted(str(args[1]) for args in tray.drain()) == sorted(str(event_id) for event_id in ids)


async def test_company_with_a_backlog_holds_up_no_other(
    database: Database, tenant_id: UUID, other_tenant_id: UUID, relay: Relay, tray: Tray, clock: FrozenClock
) -> None:
    first, second = sorted((tenant_id, other_tenant_id))
    for owner, count in ((first, 250), (second, 130)):
        async with database.transaction(owner):
            for _ in range(count):
                await emit(NOTED, {"text": "a"}, due_at=clock.now())
    batches = []
    while await relay.send_due():
        owners = [UUID(args[0]) for args in tray.drain()]
        batches.append((owners.count(first), owners.count(second)))
    assert batches == [(100, 0), (0, 100), (100, 0), (50, 30)]


async def test_failing_event_waits_longer_each_time_then_is_dead_and_others_go_on(
    database: Database, tenant_id: UUID, relay: Relay, delivery: Delivery, tray: Tray, cast: Cast, clock: FrozenClock
) -> None:
    bad = await emitted(database, tenant_id, clock, "bad", BROKEN)
    await emitted(database, tenant_id, clock, "good")
    started = clock.now()
    ran_after: list[float] = []
    while await relay.send_due() or len(ran_after) < 3:
        for args in tray.drain():
            await delivery(*args)
            if args[1] == str(bad):
                ran_after.append((clock.now() - started).total_seconds())
        clock.advance(timedelta(seconds=1))
    assert ran_after == [0, 5, 5 + 20]
    assert await notes(database, tenant_id) == [
        f"good/{number}" for number, run in enumerate(cast.runs, 1) if run.topic == NOTED
    ]
    async with database.transaction(tenant_id):
        (dead,) = await list_dead_events(first=10)
    assert (dead.id, dead.topic, dead.attempts) == (bad, BROKEN, 3)
    assert dead.last_error.startswith("RuntimeError at cast.py:")
    clock.advance(timedelta(days=30))
    assert await relay.send_due() == 0


async def test_event_whose_runs_all_kill_their_worker_is_dead_without_another_run(
    database: Database, tenant_id: UUID, relay: Relay, delivery: Delivery, tray: Tray, cast: Cast, clock: FrozenClock
) -> None:
    event_id = await emitted(database, tenant_id, clock)

    async def die(_: object) -> None:
        raise asyncio.CancelledError  # as at a kill: nothing is written down

    cast.before = die
    for attempt in range(3):
        assert await relay.send_due() == 1
        assert tray.drain() == [(str(tenant_id), str(event_id), attempt)]
        with pytest.raises(asyncio.CancelledError):
            await delivery(str(tenant_id), str(event_id), attempt)
        clock.advance(timedelta(seconds=60))
    await relay.send_due()
    await delivery(str(tenant_id), str(event_id), 3)
    assert len(cast.runs) == 3
    assert await notes(database, tenant_id) == []
    row = await outbox_row(database, tenant_id, event_id)
    assert row["last_error"] == "Each of 3 runs ended with its worker, without a word."
    assert row["dead_at"] == clock.now()


@pytest.mark.parametrize("is_killed", [False, True])
async def test_what_is_to_be_done_when_all_attempts_have_failed_is_done_once(
    database: Database, tenant_id: UUID, cast: Cast, retry: RetryPolicy, clock: FrozenClock, *, is_killed: bool
) -> None:
    async def die(_: object) -> None:
        raise asyncio.CancelledError if is_killed else RuntimeError

    handlers = Handlers([NOTED])
    handlers.on(NOTED, name="testing.die", handler=die, given_up=cast.note)
    delivery = Delivery(database, handlers, retry=retry, clock=clock)
    event_id = await emitted(database, tenant_id, clock)
    for attempt in range(3):
        assert await notes(database, tenant_id) == []
        with suppress(asyncio.CancelledError):
            await delivery(str(tenant_id), str(event_id), attempt)
    for attempt in (3, 3, 4):
        await delivery(str(tenant_id), str(event_id), attempt)
    assert await notes(database, tenant_id) == ["a/1"]
    assert (await outbox_row(database, tenant_id, event_id))["dead_at"] == clock.now()


async def test_dead_event_may_be_retried_by_its_company_only(
    database: Database,
    tenant_id: UUID,
    other_tenant_id: UUID,
    relay: Relay,
    delivery: Delivery,
    tray: Tray,
    clock: FrozenClock,
) -> None:
    event_id = await emitted(database, tenant_id, clock, "bad", BROKEN)
    for attempt in range(3):
        await delivery(str(tenant_id), str(event_id), attempt)
    with pytest.raises(DeadEventNotFound):
        async with database.transaction(other_tenant_id):
            await retry_dead_event(event_id=event_id, clock=clock)
    with pytest.raises(DeadEventNotFound):
        async with database.transaction(tenant_id):
            await retry_dead_event(event_id=new_id(), clock=clock)
    assert await relay.send_due() == 0
    async with database.transaction(tenant_id):
        await retry_dead_event(event_id=event_id, clock=clock)
    assert await relay.send_due() == 1
    assert tray.drain() == [(str(tenant_id), str(event_id), 0)]


async def test_run_in_progress_is_not_sent_again_even_past_its_lease(
    database: Database, tenant_id: UUID, relay: Relay, delivery: Delivery, tray: Tray, cast: Cast, clock: FrozenClock
) -> None:
    event_id = await emitted(database, tenant_id, clock)
    sent_meanwhile: list[int] = []

    async def look(_: object) -> None:
        clock.advance(timedelta(minutes=10))
        sent_meanwhile.append(await relay.send_due())

    cast.before = look
    await delivery(str(tenant_id), str(event_id), 0)
    assert sent_meanwhile == [0]
    assert await notes(database, tenant_id) == ["a/1"]
    assert await relay.send_due() == 0


async def test_each_handler_of_an_event_succeeds_or_fails_by_itself(
    database: Database, tenant_id: UUID, relay: Relay, tray: Tray, cast: Cast, retry: RetryPolicy, clock: FrozenClock
) -> None:
    handlers = Handlers([NOTED])
    handlers.on(NOTED, name="testing.note", handler=cast.note)
    handlers.on(NOTED, name="testing.fail", handler=cast.fail)
    delivery = Delivery(database, handlers, retry=retry, clock=clock)
    parent = await emitted(database, tenant_id, clock)
    await delivery(str(tenant_id), str(parent), 0)
    assert cast.runs == []
    assert await relay.send_due() == 2
    for args in tray.drain():
        await delivery(*args)
    assert len(cast.runs) == 2
    assert len(await notes(database, tenant_id)) == 1
    async with database.transaction(tenant_id) as transaction:
        rows = await transaction.fetch("SELECT handler, done_at, last_error FROM outbox WHERE id <> $1", parent)
    found = {row["handler"]: (row["done_at"] is not None, row["last_error"] is not None) for row in rows}
    assert found == {"testing.note": (True, False), "testing.fail": (False, True)}


async def test_event_of_a_topic_that_nobody_handles_is_done_and_of_an_unknown_one_waits(
    database: Database, tenant_id: UUID, retry: RetryPolicy, clock: FrozenClock
) -> None:
    delivery = Delivery(database, Handlers([NOTED]), retry=retry, clock=clock)
    unhandled = await emitted(database, tenant_id, clock)
    unknown = await emitted(database, tenant_id, clock, topic=BROKEN)
    for event_id in (unhandled, unknown):
        await delivery(str(tenant_id), str(event_id), 0)
    assert (await outbox_row(database, tenant_id, unhandled))["done_at"] == clock.now()
    waiting = await outbox_row(database, tenant_id, unknown)
    assert (waiting["done_at"], waiting["due_at"]) == (None, clock.now() + timedelta(seconds=5))
    assert str(waiting["last_error"]).startswith("KeyError at topics.py:")


async def test_queue_that_is_away_leaves_events_due(
    database: Database, tenant_id: UUID, relay_pool: ConnectionPool, relay: Relay, clock: FrozenClock
) -> None:
    class Away(Tray):
        async def enqueue(self, job_name: str, *args: Scalar, job_id: str, defer: object = None) -> None:
            raise Unavailable("jobs.queue_unreachable", {"reason": "ConnectionError"})

    event_id = await emitted(database, tenant_id, clock)
    broken = Relay(relay_pool, Away(), retry=RetryPolicy(), clock=clock)
    with pytest.raises(Unavailable):
        await broken.send_due()
    await broken.send_all_due()
    assert (await outbox_row(database, tenant_id, event_id))["sent_at"] is None
    assert await relay.send_due() == 1


async def test_handler_that_takes_too_long_is_cut_off_and_its_writes_are_gone(
    database: Database, tenant_id: UUID, cast: Cast, clock: FrozenClock
) -> None:
    async def linger(_: object) -> None:
        await asyncio.Event().wait()

    cast.before = linger
    event_id = await emitted(database, tenant_id, clock)
    quick = RetryPolicy(run_for=timedelta(milliseconds=50))
    await Delivery(database, cast.handlers(), retry=quick, clock=clock)(str(tenant_id), str(event_id), 0)
    assert await notes(database, tenant_id) == []
    assert str((await outbox_row(database, tenant_id, event_id))["last_error"]).startswith("TimeoutError")


async def test_a_long_run_holds_up_no_other_and_a_second_one_is_handed_back(
    database: Database, tenant_id: UUID, relay: Relay, tray: Tray, cast: Cast, retry: RetryPolicy, clock: FrozenClock
) -> None:
    begun, may_end = asyncio.Event(), asyncio.Event()

    async def linger(_: object) -> None:
        begun.set()
        await may_end.wait()

    async def slow(event: Event) -> None:
        await cast.note(event)
        await linger(event)

    handlers = Handlers([NOTED, BROKEN])
    handlers.on(NOTED, name="testing.note", handler=cast.note)
    handlers.on(BROKEN, name="testing.slow", handler=slow, longest=timedelta(minutes=1))
    delivery = Delivery(database, handlers, retry=retry, clock=clock)
    first, second = [await emitted(database, tenant_id, clock, text, BROKEN) for text in ("first", "second")]
    await delivery(str(tenant_id), str(first), 0)
    await begun.wait()
    await delivery(str(tenant_id), str(second), 0)
    other = await emitted(database, tenant_id, clock, "other")
    await delivery(str(tenant_id), str(other), 0)
    assert await notes(database, tenant_id) == ["other/2"]
    waiting = await outbox_row(database, tenant_id, second)
    assert (waiting["attempts"], waiting["due_at"]) == (0, clock.now() + timedelta(seconds=5))
    clock.advance(timedelta(minutes=10))
    await relay.send_due()
    assert tray.drain() == [(str(tenant_id), str(second), 0)]
    may_end.set()
    assert delivery.long_run is not None
    await delivery.long_run
    await delivery(str(tenant_id), str(second), 0)
    assert delivery.long_run is not None
    await delivery.long_run
    assert await notes(database, tenant_id) == ["first/1", "other/2", "second/3"]
    assert [(await outbox_row(database, tenant_id, each))["done_at"] for each in (first, second)] == [clock.now()] * 2


async def test_a_long_run_is_bounded_by_what_its_handler_may_take(
    database: Database, tenant_id: UUID, cast: Cast, retry: RetryPolicy, clock: FrozenClock
) -> None:
    async def linger(_: object) -> None:
        await asyncio.Event().wait()

    cast.before = linger
    handlers = Handlers([NOTED])
    handlers.on(NOTED, name="testing.note", handler=cast.note, longest=timedelta(milliseconds=50))
    delivery = Delivery(database, handlers, retry=retry, clock=clock)
    event_id = await emitted(database, tenant_id, clock)
    await delivery(str(tenant_id), str(event_id), 0)
    assert delivery.long_run is not None
    await delivery.long_run
    assert await notes(database, tenant_id) == []
    row = await outbox_row(database, tenant_id, event_id)
    assert (str(row["last_error"])[:12], row["due_at"]) == ("TimeoutError", clock.now() + timedelta(seconds=5))


async def test_done_events_are_kept_for_seven_days_and_dead_ones_for_good(
    database: Database, tenant_id: UUID, delivery: Delivery, clock: FrozenClock
) -> None:
    done = await emitted(database, tenant_id, clock)
    dead = await emitted(database, tenant_id, clock, "bad", BROKEN)
    await delivery(str(tenant_id), str(done), 0)
    for attempt in range(3):
        await delivery(str(tenant_id), str(dead), attempt)
    removed = []
    for wait in (timedelta(days=7), timedelta(seconds=1), timedelta(days=365)):
        clock.advance(wait)
        async with database.transaction(tenant_id):
            removed.append(await purge_outbox(clock=clock))
    assert removed == [0, 1, 0]
    async with database.transaction(tenant_id):
        assert [event.id for event in await list_dead_events(first=10)] == [dead]
