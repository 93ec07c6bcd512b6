"""May this person claim this customer: limits, cooldown by calendar days, the order of the checks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from saas.customers.errors import (
    BacklogFull,
    ClaimLimitReached,
    ClaimTooSoon,
    CooldownRunning,
    CustomerAlreadyOwned,
    FairWindowRuns,
    HoldingLimitReached,
    NotAPoolMember,
    PoolDisabled,
    WayClosed,
)
from saas.customers.rules import (
    ClaimMoment,
    ClaimSituation,
    DepartmentLoad,
    FairWindow,
    NewCustomer,
    PoolRules,
    RareClaimRules,
    claim_limit_reached,
    cooldown_ends,
    match_key,
    may_claim,
    may_hold_one_more,
)
from saas.kernel import BadUserInput, local_date

TODAY = date(2026, 11, 23)
NOW = datetime(2026, 11, 23, 15, tzinfo=ZoneInfo("Asia/Shanghai"))
POOL = PoolRules(name="公海", claim_limit=10, holding_limit=200, cooldown_days=7)
FREE = ClaimSituation(is_pooled=True, claims_today=0, holding=0, last_ended_on=None)
days = st.dates(date(2000, 1, 1), date(2100, 1, 1))
counts = st.integers(0, 300)
hours = st.integers(1, 720)
instants = st.integers(0, 60_000).map(lambda minutes: NOW - timedelta(minutes=minutes))
windows = st.builds(FairWindow, hours) | st.builds(FairWindow, st.none(), st.integers(0, 9)) | st.just(FairWindow())
rare = st.builds(
    RareClaimRules, st.booleans(), st.integers(0, 99), st.none() | hours, st.booleans(), windows, st.none() | counts
)
pools = st.builds(
    PoolRules, st.just("公海"), st.none() | st.integers(0, 200), st.none() | counts, st.integers(0, 400), rare
)
loads = st.lists(st.builds(DepartmentLoad, st.just("华东"), counts, counts), max_size=2).map(tuple)
moments = st.builds(
    ClaimMoment,
    st.just(NOW),
    st.just(ZoneInfo("Asia/Shanghai")),
    instants,
    st.none() | instants,
    st.none() | instants,
    counts,
    loads,
)
situations = st.builds(
    ClaimSituation,
    st.booleans(),
    counts,
    counts,
    st.none() | days,
    st.booleans(),
    st.booleans(),
    st.none() | moments,
    st.booleans(),
)


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


def refusals(situation: ClaimSituation, pool: PoolRules, today: date) -> Iterator[type]:
    """Every reason there is, in the order in which it is told (3.2)."""
    moment, rules = situation.moment, pool.rare
    if not situation.is_enabled:
        yield PoolDisabled
    if not situation.is_pooled:
        yield CustomerAlreadyOwned
    if not rules.allows_claims:
        yield WayClosed
    if not situation.is_member:
        yield NotAPoolMember
    if moment and moment.now < rules.fair_window.ends_at(moment.pooled_at, moment.zone):
        yield FairWindowRuns
    if not situation.is_exempt:
        yield from own_refusals(situation, pool, today)
    if moment and rules.first_follow_up_limit is not None and moment.awaiting_first >= rules.first_follow_up_limit:
        yield BacklogFull
    if pool.holding_limit is not None and situation.holding >= pool.holding_limit:
        yield HoldingLimitReached
    if moment and any(each.holding >= each.limit for each in moment.departments):
        yield HoldingLimitReached


def own_refusals(situation: ClaimSituation, pool: PoolRules, today: date) -> Iterator[type]:
    """Those that an administrator may be exempt from (P07)."""
    moment, rules = situation.moment, pool.rare
    free_from = cooldown_ends(situation.last_ended_on, pool.cooldown_days)
    if free_from and today < free_from:
        yield CooldownRunning
    ended_at = moment.last_ended_at if moment else None
    if moment and ended_at and rules.cooldown_hours and moment.now - ended_at < timedelta(hours=rules.cooldown_hours):
        yield CooldownRunning
    if pool.claim_limit is not None and situation.claims_today >= pool.claim_limit:
        yield ClaimLimitReached
    claimed_at = moment.last_claimed_at if moment else None
    if moment and claimed_at and moment.now - claimed_at < timedelta(minutes=rules.interval_minutes):
        yield ClaimTooSoon


@given(situations, pools, days)
def test_checks_keep_their_order(situation: ClaimSituation, pool: PoolRules, today: date) -> None:
    refusal = may_claim(situation, pool, today=today)
    assert (type(refusal) if refusal else None) == next(refusals(situation, pool, today), None)


@given(situations, pools, days, st.integers(1, 50))
def test_more_room_never_refuses(situation: ClaimSituation, pool: PoolRules, today: date, more: int) -> None:
    if may_claim(situation, pool, today=today) is None:
        claims, holding = pool.claim_limit, pool.holding_limit
        wider = replace(
            pool,
            claim_limit=None if claims is None else claims + more,
            holding_limit=None if holding is None else holding + more,
        )
        assert may_claim(situation, wider, today=today) is None
        assert may_claim(situation, pool, today=today + timedelta(days=more)) is None


@pytest.mark.parametrize(
    ("window", "pooled_at", "ends_at"),
    [
        (FairWindow(hours=4), "2026-11-23T22:30", "2026-11-24T02:30"),
        (FairWindow(days=0), "2026-11-23T22:30", "2026-11-24T00:00"),
        (FairWindow(days=2), "2026-11-23T00:30", "2026-11-26T00:00"),
        (FairWindow(opens_at=time(9)), "2026-11-23T00:30", "2026-11-24T09:00"),
        (FairWindow(opens_at=time(9)), "2026-11-23T23:59", "2026-11-24T09:00"),
    ],
)
def test_a_fair_window_ends_for_everybody_at_once(window: FairWindow, pooled_at: str, ends_at: str) -> None:
    zone = ZoneInfo("Asia/Shanghai")
    came, free = (datetime.fromisoformat(each).replace(tzinfo=zone) for each in (pooled_at, ends_at))
    assert window.ends_at(came.astimezone(UTC), zone) == free
    pool = replace(POOL, rare=RareClaimRules(fair_window=window))
    early = replace(FREE, moment=ClaimMoment(free - timedelta(seconds=1), zone, came))
    refusal = may_claim(early, pool, today=TODAY)
    assert isinstance(refusal, FairWindowRuns)
    assert refusal.values == {"pool": "公海", "free_at": f"{ends_at}+08:00"}
    assert may_claim(replace(FREE, moment=ClaimMoment(free, zone, came)), pool, today=TODAY) is None


@pytest.mark.parametrize(
    ("zone", "pooled_at", "opens_at", "ends_at"),
    [
        ("America/New_York", "2026-03-07T12:00", time(9), "2026-03-08T13:00+00:00"),
        ("America/New_York", "2026-03-07T12:00", time(2, 30), "2026-03-08T07:30+00:00"),
        ("America/New_York", "2026-10-31T12:00", time(1, 30), "2026-11-01T05:30+00:00"),
        ("America/New_York", "2026-10-31T12:00", time(9), "2026-11-01T14:00+00:00"),
        ("Australia/Lord_Howe", "2026-10-03T12:00", time(9), "2026-10-03T22:00+00:00"),
    ],
)
def test_a_window_opens_by_the_company_s_clocks(zone: str, pooled_at: str, opens_at: time, ends_at: str) -> None:
    """On days on which clocks are changed the time of day counts; one that the day skips is half past the gap."""
    came = datetime.fromisoformat(pooled_at).replace(tzinfo=ZoneInfo(zone))
    opens = FairWindow(opens_at=opens_at).ends_at(came, ZoneInfo(zone))
    assert opens.astimezone(UTC) == datetime.fromisoformat(ends_at)


def test_hours_and_days_of_a_cooldown_are_not_the_same() -> None:
    """Released at 23:00: two hours are over at one in the morning, a day of the calendar only a day later."""
    zone = ZoneInfo("Asia/Shanghai")
    ended_at = datetime(2026, 11, 23, 23, tzinfo=zone)
    pool = replace(POOL, cooldown_days=0, rare=RareClaimRules(cooldown_hours=2))
    moment = ClaimMoment(ended_at + timedelta(hours=2, seconds=-1), zone, ended_at, last_ended_at=ended_at)
    refusal = may_claim(replace(FREE, last_ended_on=TODAY, moment=moment), pool, today=date(2026, 11, 24))
    assert isinstance(refusal, CooldownRunning)
    assert refusal.values == {"pool": "公海", "hours": 2, "free_at": "2026-11-24T01:00+08:00"}
    later = replace(moment, now=ended_at + timedelta(hours=2))
    assert may_claim(replace(FREE, moment=later), pool, today=date(2026, 11, 24)) is None


def test_pool_without_claims_says_so_without_a_date() -> None:
    refusal = claim_limit_reached(POOL, 0, today=TODAY)
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
