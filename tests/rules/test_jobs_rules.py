"""When to try again, when to run next, what to write down."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from saas.events import EventTopic, Handlers
from saas.jobs import RetryPolicy, describe_failure, next_run_at
from saas.kernel import Unavailable

INSTANTS = st.integers(0, 4 * 10**15).map(lambda us: datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=us))
INTERVALS = st.timedeltas(timedelta(seconds=1), timedelta(days=30))


def test_waits_grow_fourfold_up_to_an_hour() -> None:
    policy = RetryPolicy()
    waits = [policy.wait_after(attempt).total_seconds() for attempt in range(1, 9)]
    assert waits == [5, 20, 80, 320, 1280, 3600, 3600, 3600]
    assert policy.wait_after(10**6) == timedelta(hours=1)


def test_run_must_end_before_its_lease() -> None:
    with pytest.raises(ValueError, match="outlast"):
        RetryPolicy(lease=timedelta(seconds=10), run_for=timedelta(seconds=10))


@given(INSTANTS, INTERVALS)
def test_next_run_is_the_first_on_the_grid(now: datetime, every: timedelta) -> None:
    following = next_run_at(now, every=every)
    assert now < following <= now + every
    assert (following - datetime(1970, 1, 1, tzinfo=UTC)) % every == timedelta(0)


def test_failure_is_described_without_its_values() -> None:
    def refuse() -> None:
        raise Unavailable("jobs.queue_unreachable", {"reason": "13800138000"})

    with pytest.raises(Unavailable) as raised:
        refuse()
    line = refuse.__code__.co_firstlineno + 1
    assert describe_failure(raised.value) == f"Unavailable jobs.queue_unreachable at test_jobs_rules.py:{line}"
    assert describe_failure(KeyError("13800138000")) == "KeyError"


@pytest.mark.parametrize("name", ["signed_up", "Onboarding.signed_up", "onboarding.", "a.b.c", "a.b\n"])
def test_topic_is_named_room_and_fact(name: str) -> None:
    with pytest.raises(ValueError, match=r"room\.fact"):
        EventTopic(name, "Never.")


async def _ignore(_: object) -> None:
    return


def test_handlers_refuse_what_was_not_declared_or_is_there_already() -> None:
    topic = EventTopic("sales.deal_won", "A deal was won.")
    with pytest.raises(ValueError, match="declared twice"):
        Handlers([topic, topic])
    handlers = Handlers([topic])
    with pytest.raises(ValueError, match="not declared"):
        handlers.on(EventTopic("sales.deal_lost", "A deal was lost."), name="sales.mourn", handler=_ignore)
    handlers.on(topic, name="sales.cheer", handler=_ignore)
    with pytest.raises(ValueError, match="two handlers"):
        handlers.on(topic, name="sales.cheer", handler=_ignore)
    assert dict(handlers.of(topic)) == {"sales.cheer": _ignore}
