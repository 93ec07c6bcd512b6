"""Whom a change of the rules reaches (P27): everybody, new holdings alone, or everybody with clocks that begin anew."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from saas.customers import PoolSettings, RecycleCondition, Subject
from saas.customers.options.keeping import KEPT_MAX
from saas.customers.recycling import (
    Comparison,
    FollowUpFacts,
    Held,
    OwnershipFacts,
    RecycleFacts,
    Restart,
    Start,
    recycle_verdict,
    rules_for,
)
from saas.customers.settings import settings_of
from saas.kernel import AppErrors, Catalogue
from tests.rules.change_oracle import PlainOwnership, PlainVersion, plain_due, plain_version

LI, NORTH = UUID(int=1), UUID(int=11)
DAY = date(2026, 3, 2)
CATALOGUE = Catalogue.of(["saas.customers"])
PLAIN = PoolSettings(protection_days=0, recycle_deal_days=None, reminder_days=(), grace_days=1)
NEW: dict[str, Any] = {"change_effect": "new_ownerships"}
RESTART: dict[str, Any] = {"change_effect": "restart"}
ALL: dict[str, Any] = {"change_effect": "all"}


def on(day: int) -> date:
    return DAY + timedelta(days=day)


def at(day: int, hour: int = 0) -> datetime:
    return datetime.combine(on(day), time(hour), UTC)


def held(day: int, hour: int = 9) -> RecycleFacts:
    return RecycleFacts((OwnershipFacts(LI, NORTH, on(day), began_at=at(day, hour)),))


def due(facts: RecycleFacts, pool: PoolSettings, today: date = DAY) -> int | None:
    found = recycle_verdict(facts, pool.recycle_rules(), today).due_on
    return None if found is None else (found - DAY).days


def version_of(facts: RecycleFacts, pool: PoolSettings) -> int | None:
    left = rules_for(facts, pool.recycle_rules()).left
    return None if left is None else left.version


def followed(pool: PoolSettings, days: int, day: int, version: int, hour: int = 12, **more: Any) -> PoolSettings:
    """Another limit without follow-ups, decided and begun on a day."""
    return pool.changed({"recycle_follow_up_days": days, **more}, valid_from=on(day), version=version, at=at(day, hour))


def test_a_change_reaches_everybody_new_holdings_or_everybody_from_its_day() -> None:
    old, fresh = held(0), held(11)
    for effect, of_old, of_fresh in ((ALL, 11, 17), (NEW, 31, 17), (RESTART, 16, 17)):
        after = followed(PLAIN, 5, 10, 1, **effect)
        assert (due(old, after), due(fresh, after)) == (of_old, of_fresh)


@pytest.mark.parametrize(
    ("day", "hour", "earlier"),
    [(9, 23, 1), (10, 9, 1), (10, 11, 1), (10, 12, None), (10, 13, None), (11, 0, None)],
)
def test_a_change_of_today_begins_when_it_is_decided(day: int, hour: int, earlier: int | None) -> None:
    """Who had a customer when the rules changed keeps the rules that were in force that morning."""
    assert version_of(held(day, hour), followed(PLAIN, 5, 10, 1, **NEW)) == earlier


def test_a_change_of_a_later_day_begins_with_that_day() -> None:
    after = PLAIN.changed({"recycle_follow_up_days": 5, **NEW}, valid_from=on(10), version=1, at=at(3, 12))
    assert [version_of(held(day, 0), after) for day in (2, 3, 9, 10, 11)] == [1, 1, 1, None, None]


def test_a_change_that_is_tried_leaves_all_who_hold_something() -> None:
    tried = PLAIN.changed({"recycle_follow_up_days": 5, **NEW}, valid_from=on(10))
    assert [version_of(held(day, 23), tried) for day in (9, 10)] == [1, 1]
    found = Comparison(PLAIN.recycle_rules(), tried.recycle_rules(), on(40))
    found.add([Held(UUID(int=5), LI, held(0)), Held(UUID(int=6), LI, held(10, 23))])
    assert (found.effects[LI].gone_before, found.effects[LI].gone_after, found.taken) == (1, 1, [])


def test_several_in_a_row_and_each_holding_keeps_what_it_began_with() -> None:
    second = followed(PLAIN, 20, 10, 1, **NEW)
    unmoved = second.changed({"claim_limit": 3}, valid_from=on(12), version=2, at=at(12))
    fourth = followed(unmoved, 10, 20, 3)
    fifth = followed(fourth, 40, 20, 4, hour=13)
    begun = [(0, 9), (10, 13), (19, 9), (20, 9), (20, 12), (20, 13), (21, 0)]
    assert [version_of(held(*each), fifth) for each in begun] == [1, 3, 3, 3, 4, None, None]
    assert [due(held(*each), fifth) for each in begun] == [31, 31, 40, 41, 31, 61, 62]
    assert settings_of(fifth.text()) == fifth


def test_a_later_change_for_all_reaches_the_old_ones_and_its_grace_keeps_them() -> None:
    second = followed(PLAIN, 20, 10, 1, **NEW)
    third = followed(second, 5, 15, 2, grace_days=7, **ALL)
    assert [version_of(held(day), third) for day in (0, 12)] == [None, None]
    assert [due(held(day), third) for day in (0, 12, 20)] == [22, 22, 26]
    assert third.kept == ()


def test_what_moves_no_due_date_has_no_effect() -> None:
    second = followed(PLAIN, 20, 10, 1, **NEW)
    for unmoving in ({"claim_limit": 3}, {"reminder_days": (5,)}, ALL, RESTART):
        after = second.changed(unmoving, valid_from=on(15), version=2, at=at(15))
        assert (after.kept, after.restart, after.not_before) == (second.kept, None, second.not_before)
        assert recycle_verdict(held(0), after.recycle_rules(), DAY).due_on == on(31)
    warned = second.changed({"reminder_days": (25,)}, valid_from=on(15), version=2, at=at(15))
    assert recycle_verdict(held(0), warned.recycle_rules(), on(10)).is_warned


def test_a_new_beginning_is_for_every_clock_and_stays() -> None:
    conditions = (RecycleCondition(Subject.HELD, 8), RecycleCondition(Subject.CREATED, 90))
    busy = replace(
        held(0),
        created_on=on(-200),
        follow_ups=(FollowUpFacts(on(3), LI, "visit", has_check_in=True),),
        declined_on=on(1),
        contract_ended_on=on(-50),
    )
    rules: dict[str, Any] = {
        "recycle_decline_days": 6,
        "recycle_contract_end_days": 7,
        "recycle_conditions": conditions,
    }
    after = followed(PLAIN, 5, 10, 1, **rules, recycle_conditions_join="any", **RESTART)
    verdict = recycle_verdict(busy, after.recycle_rules(), on(10))
    assert (verdict.due_on, verdict.clock and verdict.clock.start) == (on(16), Start.RESTART)
    told = [text for depth, text, _ in verdict.explanation.lines(CATALOGUE, "en")]
    assert told[1] == "Version 2 of the rules let all clocks begin anew: none counts from before 2026-03-12."
    assert sum("2026-03-12: 0 days" in each or "since 2026-03-12, 0 days" in each for each in told) == 4
    later = followed(after, 4, 12, 2, **ALL)
    assert (due(busy, later), later.restart) == (15, Restart(2, on(10)))
    called = replace(busy, follow_ups=(FollowUpFacts(on(11), LI, "visit", has_check_in=True),))
    assert due(called, followed(PLAIN, 5, 10, 1, **RESTART), on(12)) == 17


def test_each_version_says_itself_what_a_holding_is() -> None:
    """A transfer that continues a holding by the new rules does not make it new; one that begins a holding does."""
    moved = RecycleFacts(
        (
            OwnershipFacts(LI, NORTH, on(0), on(15), ended_by_transfer=True, began_at=at(0)),
            OwnershipFacts(UUID(int=2), NORTH, on(15), start_kind="transfer", began_at=at(15)),
        )
    )
    breaking = followed(PLAIN, 5, 10, 1, transfer_keeps_clock=False, **NEW)
    assert (version_of(moved, breaking), due(moved, breaking)) == (None, 21)
    joining = followed(replace(PLAIN, transfer_keeps_clock=False), 5, 10, 1, transfer_keeps_clock=True, **NEW)
    assert (version_of(moved, joining), due(moved, joining)) == (1, 46)


def test_the_explanation_names_the_version_and_why() -> None:
    after = followed(PLAIN, 5, 10, 1, **NEW)
    held_already = "it was held already when version 2 began on 2026-03-12, which is for customers received later"
    assert lines(held(0), after)[1] == f"It goes by version 1 of the rules: {held_already}."
    received_later = "It goes by the rules since version 2, which began on 2026-03-12: it was received later."
    assert lines(held(11), after)[1] == received_later
    assert lines(held(0), after, "zh-CN")[1].startswith("按第 1 版规则执行：第 2 版自 2026-03-12 起生效")
    assert not any("version" in each for each in lines(held(0), followed(PLAIN, 5, 10, 1)))


def lines(facts: RecycleFacts, pool: PoolSettings, language: str = "en") -> list[str]:
    told = recycle_verdict(facts, pool.recycle_rules(), on(12)).explanation
    return [text for _, text, _ in told.lines(CATALOGUE, language)]


def test_more_than_a_pool_keeps_apart_is_refused_and_one_for_all_begins_anew() -> None:
    pool = PLAIN
    for number in range(1, KEPT_MAX + 1):
        pool = followed(pool, 30 + number, number, number, **NEW)
    assert due(held(25), pool) == 25 + 55
    with pytest.raises(AppErrors) as refused:
        followed(pool, 5, 60, 51)
    (fault,) = refused.value.errors
    assert (fault.key, fault.field, fault.values) == ("customers.pool_changes_kept", ("changeEffect",), {"most": 50})
    assert followed(followed(pool, 5, 60, 51, **ALL), 6, 61, 52, **NEW).kept[0].version == 52


changes = st.lists(
    st.tuples(
        st.integers(0, 12),  # days after the change before
        st.integers(0, 5),  # days that it is decided before it begins
        st.integers(0, 23),
        st.sampled_from(("all", "new_ownerships", "new_ownerships", "restart")),
        st.none() | st.integers(1, 40),
        st.none() | st.integers(1, 60),
        st.integers(0, 10),
        st.booleans(),
        st.integers(1, 10),
        st.booleans(),
    ),
    max_size=6,
)
ownerships = st.lists(st.tuples(st.integers(0, 25), st.integers(0, 23), st.booleans()), min_size=1, max_size=4)


def histories(drawn: Sequence[tuple[Any, ...]]) -> tuple[PoolSettings, list[PlainVersion]]:
    """The settings after all changes, each of the one before, and the same as a plain list."""
    pool = PoolSettings(reminder_days=(), protection_days=0, recycle_follow_up_days=30, recycle_deal_days=40)
    versions = [PlainVersion(on(-99), at(-99), "all", 30, 40, 0, True, 7, moves=False)]
    first, decided = on(0), at(0)
    for gap, ahead, hour, effect, *said, grace, unmoved in drawn:
        first += timedelta(days=gap)
        decided = max(decided, datetime.combine(first - timedelta(days=ahead), time(hour), UTC))
        last = versions[-1]
        before = (last.follow_up_days, last.deal_days, last.protection_days, last.keeps_clock)
        after = before if unmoved else _agreeing(*said)
        names = ("recycle_follow_up_days", "recycle_deal_days", "protection_days", "transfer_keeps_clock")
        wanted = {**dict(zip(names, after, strict=True)), "grace_days": grace, "change_effect": effect}
        pool = pool.changed(wanted, valid_from=first, version=len(versions), at=decided)
        versions.append(PlainVersion(first, decided, effect, *after, grace_days=grace, moves=after != before))
    return pool, versions


def _agreeing(
    follow_up_days: int | None, deal_days: int | None, protection_days: int, keeps_clock: bool
) -> tuple[int | None, int | None, int, bool]:
    """What a change may say: no protection longer than a rule."""
    shortest = min((days for days in (follow_up_days, deal_days) if days is not None), default=99)
    return follow_up_days, deal_days, min(protection_days, shortest), keeps_clock


def owned_by(drawn: Sequence[tuple[int, int, bool]]) -> tuple[RecycleFacts, list[PlainOwnership]]:
    """A customer with a history of owners, each from some days after the one before."""
    plain: list[PlainOwnership] = []
    day = 0
    for place, (gap, hour, is_transfer) in enumerate(drawn):
        day += gap + (1 if place else 0)
        plain.append(PlainOwnership(on(day), at(day, hour), is_transfer and place > 0))
    facts = [
        OwnershipFacts(
            LI, NORTH, each.began_on, began_at=each.began_at, start_kind="transfer" if each.is_transfer else "claim"
        )
        for each in plain
    ]
    for place, following in enumerate(plain[1:]):
        facts[place] = replace(facts[place], ended_on=following.began_on, ended_by_transfer=following.is_transfer)
    return RecycleFacts(tuple(facts)), plain


@settings(max_examples=60)
@given(changes, ownerships, st.lists(st.integers(0, 100), max_size=3))
def test_of_any_history_the_verdict_is_what_a_plain_reading_says(
    drawn: list[tuple[Any, ...]], owners: list[tuple[int, int, bool]], calls: list[int]
) -> None:
    pool, versions = histories(drawn)
    facts, plain = owned_by(owners)
    visits = tuple(FollowUpFacts(on(day), LI, "visit", f"拜访{day}", has_check_in=True) for day in sorted(set(calls)))
    facts = replace(facts, follow_ups=visits)
    stored = settings_of(pool.text())
    assert stored == pool
    verdict = recycle_verdict(facts, stored.recycle_rules(), on(150))
    assert verdict.due_on == plain_due(versions, plain, [each.on for each in visits])
    left = rules_for(facts, stored.recycle_rules()).left
    chosen = plain_version(versions, plain)
    if left is not None:  # of versions that say the same, the last is named
        assert left.version - 1 >= chosen
        assert not any(each.moves for each in versions[chosen + 1 : left.version])
    else:
        assert not any(each.moves for each in versions[chosen + 1 :])
