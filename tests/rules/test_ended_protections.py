"""Protections by reps that run out and bring their customer back (P16), and what giving one up changes."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from uuid import UUID

import pytest

from saas.customers import PoolSettings
from saas.customers.recycling import (
    Action,
    FollowUpFacts,
    Hold,
    OwnershipFacts,
    ProtectionFacts,
    RecycleFacts,
    RecycleRule,
    ReminderFacts,
    Start,
    recycle_verdict,
)
from saas.kernel import AppErrors, Catalogue

LI, WANG, NORTH, SOUTH = (UUID(int=number) for number in (1, 2, 11, 12))
DAY = date(2026, 3, 2)
CATALOGUE = Catalogue.of(["saas.customers"])
POOL = PoolSettings(rep_protection_end="recycle", recycle_deal_days=None)


def on(day: int) -> date:
    return DAY + timedelta(days=day)


def protection(began: int, until: int, given_up: int | None = None) -> ProtectionFacts:
    return ProtectionFacts(on(began), on(until), None if given_up is None else on(given_up))


def held(*protections: ProtectionFacts) -> RecycleFacts:
    running = [each.until_on for each in protections if each.given_up_on is None]
    owned = OwnershipFacts(LI, NORTH, DAY, protections=protections)
    return RecycleFacts((owned,), protected_until=max(running, default=None))


def due(facts: RecycleFacts, pool: PoolSettings = POOL) -> int | None:
    found = recycle_verdict(facts, pool.recycle_rules(), DAY).due_on
    return None if found is None else (found - DAY).days


def test_it_is_due_on_the_day_after_its_last_day_whatever_is_done() -> None:
    busy = replace(held(protection(2, 12)), follow_ups=(FollowUpFacts(on(11), LI, "visit", has_check_in=True),))
    last = recycle_verdict(busy, POOL.recycle_rules(), on(12))
    assert (last.action, last.due_on, last.days_left, last.hold) == (Action.KEEP, on(13), 0, None)
    assert last.clock is not None
    assert (last.clock.rule, last.clock.start, last.reminder) == (RecycleRule.PROTECTION_ENDED, Start.PROTECTION, 1)
    told = replace(busy, reminders=(ReminderFacts(RecycleRule.PROTECTION_ENDED, on(12), 7, is_delivered=True),))
    assert recycle_verdict(told, POOL.recycle_rules(), on(13)).action is Action.RECYCLE
    assert recycle_verdict(busy, POOL.recycle_rules(), on(13)).action is Action.POSTPONE
    plain = replace(POOL, rep_protection_end="unprotect")
    assert recycle_verdict(busy, plain.recycle_rules(), on(12)).due_on == on(42)


def test_another_rule_that_is_due_meanwhile_is_held_until_then() -> None:
    verdict = recycle_verdict(held(protection(2, 50)), POOL.recycle_rules(), on(40))
    assert verdict.clock is not None
    assert (verdict.clock.rule, verdict.hold, verdict.due_on) == (
        RecycleRule.NO_FOLLOW_UP,
        Hold.REP_PROTECTION,
        on(51),
    )


@pytest.mark.parametrize(
    ("given_up", "expected"),
    [(2, 31), (7, 31), (8, 13), (11, 13), (12, 13)],
)
def test_given_up_in_its_first_half_it_is_as_if_it_had_never_been(given_up: int, expected: int) -> None:
    """Later the day stands, but never comes sooner: neither a way round the rule nor a trap."""
    assert due(held(protection(2, 12, given_up))) == expected


def test_given_up_late_another_rule_may_still_be_sooner() -> None:
    """A protection that was given up holds nothing: only its day stands."""
    assert due(held(protection(2, 50, 40))) == 31


def test_one_set_anew_moves_the_day() -> None:
    assert due(held(protection(2, 6), protection(20, 25))) == 26
    assert due(held(protection(2, 6), protection(20, 25, 21))) == 7


def test_dealt_locked_extended_and_new_customers_are_kept() -> None:
    facts = held(protection(2, 12))
    assert due(replace(facts, last_deal_on=on(-5))) is None
    assert due(replace(facts, last_deal_on=on(-5)), replace(POOL, dealt_exempt=False)) == 13
    assert due(replace(facts, locked_until=on(20))) == 21
    assert due(replace(facts, extended_until=on(18))) == 19
    assert due(held(protection(0, 1))) == 4


def test_handing_it_on_within_a_holding_is_giving_it_up_and_a_new_holding_begins_without() -> None:
    def handed(day: int, team: UUID = NORTH) -> RecycleFacts:
        first = OwnershipFacts(LI, NORTH, DAY, on(day), ended_by_transfer=True, protections=(protection(2, 12),))
        return RecycleFacts((first, OwnershipFacts(WANG, team, on(day), start_kind="transfer")))

    assert [due(handed(day)) for day in (4, 7, 8, 12, 15)] == [31, 31, 13, 13, 13]
    assert [due(handed(day, SOUTH)) for day in (4, 12)] == [35, 43]
    assert due(handed(12), replace(POOL, transfer_keeps_clock=False)) == 43
    back = handed(9)
    home = OwnershipFacts(LI, NORTH, on(10), start_kind="transfer")
    away = replace(back.ownerships[1], ended_on=on(10), ended_by_transfer=True)
    assert due(replace(back, ownerships=(back.ownerships[0], away, home))) == 13


def test_switched_on_it_brings_nothing_back_that_was_over_and_the_grace_holds() -> None:
    before = PoolSettings(recycle_deal_days=None, recycle_follow_up_days=90)
    after = before.changed({"rep_protection_end": "recycle"}, valid_from=on(10), version=1)
    assert after.protection_ends_from == on(10)
    for protections, expected in (
        ([protection(2, 9)], 91),  # over before
        ([protection(2, 10)], 17),  # its last day is the first of the rule; seven days of grace
        ([protection(2, 14)], 17),
        ([protection(2, 30)], 31),
        ([protection(0, 14, 9)], 91),  # given up late, but before there was a price
        ([protection(0, 14, 10)], 17),
    ):
        assert due(held(*protections), after) == expected
    spared = before.changed(
        {"rep_protection_end": "recycle", "change_effect": "new_ownerships"}, valid_from=on(10), version=1
    )
    assert due(held(protection(2, 30)), spared) == 91
    back = after.changed({"rep_protection_end": "unprotect", "grace_days": 1}, valid_from=on(20), version=2)
    assert due(held(protection(2, 30)), back) == 91


def test_clocks_that_begin_anew_leave_a_protection_its_end() -> None:
    anew = {"rep_protection_end": "recycle", "change_effect": "restart", "grace_days": 1}
    after = PoolSettings(recycle_deal_days=None).changed(anew, valid_from=on(10), version=1)
    assert due(held(protection(2, 30)), after) == 31


def test_the_explanation_tells_of_it() -> None:
    def told(facts: RecycleFacts, language: str) -> list[str]:
        verdict = recycle_verdict(facts, POOL.recycle_rules(), on(5))
        return [text for _, text, _ in verdict.explanation.lines(CATALOGUE, language)]

    assert told(held(protection(2, 12)), "en")[3:] == [
        "Back to the pool on the day after the last day of a protection by its rep.",
        "Counted from the last day that the protection was set for, 2026-03-14: 0 days; due on 2026-03-15.",
    ]
    assert told(held(), "zh-CN")[3:] == [
        "业务员自行保护的最后一天过后，次日回收。",
        "不适用：本次持有期内没有会引起回收的保护。",
    ]


def test_an_end_of_protections_where_nobody_may_protect_is_refused() -> None:
    with pytest.raises(AppErrors) as refused:
        PoolSettings().changed({"rep_protection_end": "recycle", "rep_protection_limit": 0}, valid_from=DAY)
    assert [(fault.key, fault.field) for fault in refused.value.errors] == [
        ("customers.pool_protection_of_nobody", ("repProtectionEnd",))
    ]
