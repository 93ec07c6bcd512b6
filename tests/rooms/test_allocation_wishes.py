"""What waits for a job as JSON is what was asked for, whatever was."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from saas.customers import AllocationWish, Method, OnChange, Participant, PerformancePlan
from saas.customers.actions.wishes import CommitOrder
from saas.kernel import Actor, Period

TENANT = UUID(int=1)
NUMBERS = st.decimals(min_value=0, max_value=10**6, places=6)
PEOPLE = st.builds(
    Participant,
    st.uuids(),
    weight=st.integers(-5, 10**7),
    attainment=st.none() | NUMBERS,
    most=st.none() | st.integers(0, 10**6),
    is_absent=st.booleans(),
)
PLANS = st.builds(
    PerformancePlan,
    st.builds(
        lambda first, days: Period(first, None if days is None else first + timedelta(days=days)),
        st.dates(date(2020, 1, 1), date(2030, 1, 1)),
        st.none() | st.integers(1, 400),
    ),
    curve=st.lists(st.tuples(NUMBERS, NUMBERS), max_size=4).map(tuple),
    cap=NUMBERS,
    floor_rate=NUMBERS,
    newcomer_days=st.integers(0, 1000),
    newcomer_rate=NUMBERS,
)
WISHES = st.builds(
    AllocationWish,
    st.uuids(),
    st.sampled_from(Method),
    st.lists(PEOPLE, max_size=4),
    customer_ids=st.none() | st.lists(st.uuids(), max_size=4),
    take=st.integers(0, 10**6),
    plan=st.none() | PLANS,
    seed_source=st.none() | st.text(max_size=20),
)


@given(WISHES)
def test_a_wish_comes_back_as_it_was(wish: AllocationWish) -> None:
    assert AllocationWish.of_plain(json.loads(json.dumps(wish.plain()))) == wish


@given(st.sampled_from(OnChange), st.none() | st.text(max_size=20), st.integers(0, 10**9))
def test_an_order_comes_back_to_the_microsecond(on_change: OnChange, seed_value: str | None, since: int) -> None:
    at = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(microseconds=since)
    actor = Actor(TENANT, account_id=UUID(int=2), employee_id=None, roles=frozenset({"owner"}))
    order = CommitOrder(actor, at, on_change, seed_value)
    assert CommitOrder.of_plain(json.loads(json.dumps(order.plain())), tenant_id=TENANT) == order


def test_decimals_keep_their_digits() -> None:
    wish = AllocationWish(UUID(int=3), Method.WEIGHTED, [Participant(UUID(int=4), attainment=Decimal("1.50"))])
    assert str(AllocationWish.of_plain(wish.plain()).people[0].attainment) == "1.50"
