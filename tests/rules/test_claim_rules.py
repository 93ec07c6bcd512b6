"""May this person claim this customer: limits, cooldown by calendar days, the order of the checks."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from saas.customers.errors import ClaimLimitReached, CooldownRunning, CustomerAlreadyOwned, HoldingLimitReached
from saas.customers.rules import (
    ClaimSituation,
    NewCustomer,
    PoolRules,
    claim_limit_reached,
    cooldown_ends,
    match_key,
    may_claim,
    may_hold_one_more,
)
from saas.kernel import BadUserInput, local_date

TODAY = date(2026, 11, 23)
POOL = PoolRules(name="公海", claim_limit=10, holding_limit=200, cooldown_days=7)
FREE = ClaimSituation(is_pooled=True, claims_today=0, holding=0, last_ended_on=None)
days = st.dates(date(2000, 1, 1), date(2100, 1, 1))
counts = st.integers(0, 300)
pools = st.builds(PoolRules, st.just("公海"), st.integers(0, 200), counts, st.integers(0, 400))
situations = st.builds(ClaimSituation, st.booleans(), counts, counts, st.none() | days)


def test_free_customer_and_free_person() -> None:
    assert may_claim(FREE, POOL, today=TODAY) is None


@pytest.mark.parametrize(
    ("claims", "holding", "kind", "values"),
    [
        (9, 199, None, {}),
        (10, 0, ClaimLimitReached, {"pool": "公海", "limit": 10, "free_from": "2026-11-24"}),
        (0, 200, HoldingLimitReached, {"pool": "公海", "limit": 200, "holding": 200}),
        (0, 201, HoldingLimitReached, {"pool": "公海", "limit": 200, "holding": 201}),
        (10, 200, ClaimLimitReached, {"pool": "公海", "limit": 10, "free_from": "2026-11-24"}),
    ],
)
def test_limits_name_their_values(claims: int, holding: int, kind: type | None, values: dict[str, object]) -> None:
    refusal = may_claim(replace(FREE, claims_today=claims, holding=holding), POOL, today=TODAY)
    assert (type(refusal) if refusal else None) == kind
    assert (refusal.values if refusal else {}) == values


@pytest.mark.parametrize(
    ("ended_on", "cooldown_days", "free_from"),
    [
        (date(2026, 11, 23), 7, date(2026, 12, 1)),
        (date(2026, 2, 27), 1, date(2026, 3, 1)),
        (date(2028, 2, 27), 1, date(2028, 2, 29)),
        (date(2026, 12, 31), 1, date(2027, 1, 2)),
        (date(2026, 11, 23), 0, None),
        (None, 7, None),
    ],
)
def test_former_owner_is_blocked_through_the_last_day(
    ended_on: date | None, cooldown_days: int, free_from: date | None
) -> None:
    assert cooldown_ends(ended_on, cooldown_days) == free_from
    situation, pool = replace(FREE, last_ended_on=ended_on), replace(POOL, cooldown_days=cooldown_days)
    if free_from is None:
        assert may_claim(situation, pool, today=ended_on or TODAY) is None
        return
    refusal = may_claim(situation, pool, today=free_from - timedelta(days=1))
    assert isinstance(refusal, CooldownRunning)
    assert refusal.values == {"pool": "公海", "days": cooldown_days, "free_from": free_from.isoformat()}
    assert may_claim(situation, pool, today=free_from) is None


@given(days, st.integers(0, 86_399), st.integers(0, 86_399))
def test_the_hour_of_release_does_not_move_the_day(day: date, one: int, other: int) -> None:
    midnight = datetime(day.year, day.month, day.day, tzinfo=ZoneInfo("Asia/Shanghai")).astimezone(UTC)
    ends = {local_date(midnight + timedelta(seconds=second), "Asia/Shanghai") for second in (one, other)}
    assert {cooldown_ends(ended_on, 7) for ended_on in ends} == {day + timedelta(days=8)}


@given(situations, pools, days)
def test_checks_keep_their_order(situation: ClaimSituation, pool: PoolRules, today: date) -> None:
    free_from = cooldown_ends(situation.last_ended_on, pool.cooldown_days)
    expected: type | None = None
    if situation.holding >= pool.holding_limit:
        expected = HoldingLimitReached
    if situation.claims_today >= pool.claim_limit:
        expected = ClaimLimitReached
    if free_from and today < free_from:
        expected = CooldownRunning
    if not situation.is_pooled:
        expected = CustomerAlreadyOwned
    refusal = may_claim(situation, pool, today=today)
    assert (type(refusal) if refusal else None) == expected


@given(situations, pools, days, st.integers(1, 50))
def test_more_room_never_refuses(situation: ClaimSituation, pool: PoolRules, today: date, more: int) -> None:
    if may_claim(situation, pool, today=today) is None:
        wider = replace(pool, claim_limit=pool.claim_limit + more, holding_limit=pool.holding_limit + more)
        assert may_claim(situation, wider, today=today) is None
        assert may_claim(situation, pool, today=today + timedelta(days=more)) is None


def test_pool_without_claims_says_so_without_a_date() -> None:
    refusal = claim_limit_reached(replace(POOL, claim_limit=0), today=TODAY)
    assert (refusal.key, refusal.values) == ("customers.claims_off", {"pool": "公海"})


def test_holding_is_checked_alone_for_customers_entered_for_oneself() -> None:
    assert may_hold_one_more(199, POOL) is None
    refusal = may_hold_one_more(200, POOL)
    assert isinstance(refusal, HoldingLimitReached)


@pytest.mark.parametrize(
    ("one", "other", "is_same"),
    [
        ("华为（深圳）有限公司", "华为(深圳) 有限公司", True),
        ("ＡＢＣ贸易", "abc贸易", True),
        ("Straße GmbH", "STRASSE GmbH", True),
        ("晨光", "辰光", False),
        ("上海一厂", "上海二厂", False),
    ],
)
def test_duplicate_check_compares_what_people_take_for_the_same(one: str, other: str, is_same: bool) -> None:
    assert (match_key(one) == match_key(other)) is is_same


def test_new_customer_is_cleaned() -> None:
    cleaned = NewCustomer(name="  晨光   销售 ", industry=" ", district_code=" 310104 ", contact_name="王 芳").cleaned()
    assert cleaned == NewCustomer(name="晨光 销售", district_code="310104", contact_name="王 芳")


@pytest.mark.parametrize(
    ("new", "field", "key"),
    [
        (NewCustomer(name=" \u3000 "), "name", "people.name_empty"),
        (NewCustomer(name="客" * 201), "name", "people.name_too_long"),
        (NewCustomer(name="客", level="A" * 21), "level", "people.name_too_long"),
        (NewCustomer(name="客", district_code="31010"), "districtCode", "customers.district_malformed"),
        (NewCustomer(name="客", district_code="３１０１０４"), "districtCode", "customers.district_malformed"),
        (NewCustomer(name="客", district_code="031010"), "districtCode", "customers.district_malformed"),
    ],
)
def test_values_that_can_not_be_stored_name_their_field(new: NewCustomer, field: str, key: str) -> None:
    with pytest.raises(BadUserInput) as refused:
        new.cleaned()
    assert (refused.value.field, refused.value.key) == (("input", field), key)
