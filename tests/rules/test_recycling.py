"""When does a rule take a customer back: start of each clock, strict due dates, holds, reminders, exemptions."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from saas.customers.errors import PoolRuleOutOfRange
from saas.customers.recycling import (
    Action,
    FollowUpFacts,
    Hold,
    InactivityRule,
    OpportunityFacts,
    OwnershipFacts,
    RecycleFacts,
    RecycleRule,
    RecycleRules,
    ReminderFacts,
    Start,
    effective_follow_up,
    holding,
    is_effective,
    recycle_verdict,
)
from saas.kernel import Catalogue

LI, WANG, NORTH, SOUTH = UUID(int=1), UUID(int=2), UUID(int=11), UUID(int=12)
RECEIVED = date(2026, 3, 1)
OFF = InactivityRule(None)
INACTIVITY = tuple(each for each in RecycleRule if each is not RecycleRule.CONDITION)
RULES = RecycleRules(
    no_follow_up=InactivityRule(30), no_opportunity=OFF, no_deal=OFF, protection_days=0, reminder_days=()
)
OWNED = RecycleFacts(ownerships=(OwnershipFacts(LI, NORTH, RECEIVED),))
DEALT = replace(OWNED, last_deal_on=date(2025, 7, 1))
"""The deal is of an earlier holding."""

OPEN = OpportunityFacts(LI, RECEIVED + timedelta(days=3), RECEIVED)

CATALOGUE = Catalogue.of(["saas.customers"])


def on(day: int) -> date:
    return RECEIVED + timedelta(days=day)


def only(rule: RecycleRule, settings: InactivityRule) -> RecycleRules:
    chosen: dict[str, Any] = {each.value: settings if each is rule else OFF for each in INACTIVITY}
    return replace(RULES, **chosen)


def call(day: int, *, by: UUID = LI, content: str = "", seconds: int | None = 60) -> FollowUpFacts:
    return FollowUpFacts(on(day), by, "call", content, seconds)


@pytest.mark.parametrize(
    ("elapsed", "days_left", "action"),
    [
        (0, 30, Action.KEEP),
        (29, 1, Action.KEEP),
        (30, 0, Action.KEEP),
        (31, -1, Action.RECYCLE),
        (32, -2, Action.RECYCLE),
    ],
)
def test_due_when_more_than_n_days_elapsed(elapsed: int, days_left: int, action: Action) -> None:
    verdict = recycle_verdict(OWNED, RULES, on(elapsed))
    assert (verdict.action, verdict.days_left, verdict.due_on) == (action, days_left, date(2026, 4, 1))


def test_days_are_of_the_calendar_over_a_leap_day_and_a_year() -> None:
    owned = replace(OWNED, ownerships=(OwnershipFacts(LI, NORTH, date(2027, 12, 31)),))
    rules = replace(RULES, no_follow_up=InactivityRule(60))
    assert recycle_verdict(owned, rules, date(2028, 2, 29)).days_left == 0
    assert recycle_verdict(owned, rules, date(2028, 3, 1)).action is Action.RECYCLE


@pytest.mark.parametrize(
    ("rule", "facts", "start_on", "start"),
    [
        (RecycleRule.NO_FOLLOW_UP, OWNED, on(0), Start.RECEIVED),
        (RecycleRule.NO_FOLLOW_UP, replace(OWNED, created_on=on(-400)), on(0), Start.RECEIVED),
        (RecycleRule.NO_FOLLOW_UP, replace(OWNED, created_on=on(2)), on(2), Start.CREATED),
        (RecycleRule.NO_FOLLOW_UP, replace(OWNED, follow_ups=(call(5),)), on(5), Start.FOLLOW_UP),
        (RecycleRule.NO_FOLLOW_UP, replace(OWNED, follow_ups=(call(-5),)), on(0), Start.RECEIVED),
        (RecycleRule.NO_FOLLOW_UP, replace(OWNED, follow_ups=(call(9), call(5))), on(9), Start.FOLLOW_UP),
        (RecycleRule.NO_OPPORTUNITY, replace(OWNED, follow_ups=(call(5),)), on(0), Start.RECEIVED),
        (RecycleRule.NO_DEAL, replace(OWNED, follow_ups=(call(5),), created_on=on(2)), on(0), Start.RECEIVED),
        (RecycleRule.DEALT_FOLLOW_UP, replace(DEALT, follow_ups=(call(5),)), on(5), Start.FOLLOW_UP),
        (RecycleRule.DEALT_FOLLOW_UP, DEALT, on(0), Start.RECEIVED),
        (RecycleRule.DEALT_FOLLOW_UP, replace(DEALT, last_deal_on=on(8)), on(8), Start.DEAL),
        (RecycleRule.DECLINE, replace(OWNED, declined_on=on(7), follow_ups=(call(9),)), on(7), Start.DECLINE),
        (RecycleRule.DECLINE, replace(OWNED, declined_on=on(-70)), on(0), Start.RECEIVED),
        (RecycleRule.CONTRACT_END, replace(DEALT, contract_ended_on=on(6)), on(6), Start.CONTRACT_END),
        (RecycleRule.CONTRACT_END, replace(DEALT, contract_ended_on=on(-60)), on(0), Start.RECEIVED),
        (RecycleRule.CONTRACT_END, replace(DEALT, contract_ended_on=on(400)), on(400), Start.CONTRACT_END),
    ],
)
def test_what_each_clock_counts_from(rule: RecycleRule, facts: RecycleFacts, start_on: date, start: Start) -> None:
    clock = recycle_verdict(facts, only(rule, InactivityRule(10, exempts_dealt=False)), on(10)).clock
    assert clock is not None
    assert (clock.rule, clock.start_on, clock.start, clock.due_on) == (rule, start_on, start, start_on + timedelta(11))


def test_earliest_due_date_wins_and_ties_go_by_the_order_of_the_rules() -> None:
    rules = replace(
        RULES, no_follow_up=InactivityRule(20), no_opportunity=InactivityRule(20), no_deal=InactivityRule(25)
    )
    followed = replace(OWNED, follow_ups=(call(10),))
    for facts, expected, due in ((OWNED, RecycleRule.NO_FOLLOW_UP, 21), (followed, RecycleRule.NO_OPPORTUNITY, 21)):
        verdict = recycle_verdict(facts, rules, on(12))
        assert verdict.clock is not None
        assert (verdict.clock.rule, verdict.due_on) == (expected, on(due))
    busy = recycle_verdict(replace(followed, opportunities=(OPEN,)), rules, on(12))
    assert busy.clock is not None
    assert (busy.clock.rule, busy.due_on) == (RecycleRule.NO_DEAL, on(26))


@pytest.mark.parametrize(
    ("rule", "settings", "facts", "runs"),
    [
        ("no_follow_up", InactivityRule(10), replace(OWNED, last_deal_on=on(-90)), False),
        ("no_opportunity", InactivityRule(10), replace(OWNED, last_deal_on=on(-90)), False),
        ("no_deal", InactivityRule(10), replace(OWNED, last_deal_on=on(-90)), False),
        ("no_follow_up", InactivityRule(10, exempts_dealt=False), replace(OWNED, last_deal_on=on(3)), True),
        ("no_deal", InactivityRule(10, exempts_dealt=False), replace(OWNED, last_deal_on=on(-1)), True),
        ("no_deal", InactivityRule(10, exempts_dealt=False), replace(OWNED, last_deal_on=on(0)), False),
        ("no_follow_up", InactivityRule(None), OWNED, False),
    ],
)
def test_exemptions(rule: str, settings: InactivityRule, facts: RecycleFacts, runs: bool) -> None:
    verdict = recycle_verdict(facts, only(RecycleRule(rule), settings), on(100))
    assert verdict.action is (Action.RECYCLE if runs else Action.KEEP)
    assert (verdict.due_on, verdict.days_left) == ((on(11), -90) if runs else (None, None))


@pytest.mark.parametrize(
    ("rule", "exempts", "opportunity", "due"),
    [
        (RecycleRule.NO_OPPORTUNITY, False, OPEN, 64),
        (RecycleRule.NO_OPPORTUNITY, True, OPEN, 64),
        (RecycleRule.NO_FOLLOW_UP, False, OPEN, 11),
        (RecycleRule.NO_FOLLOW_UP, True, OPEN, 64),
        (RecycleRule.NO_DEAL, False, OPEN, 11),
        (RecycleRule.NO_DEAL, True, OPEN, 64),
        (RecycleRule.NO_OPPORTUNITY, False, replace(OPEN, on=None), 64),
        (RecycleRule.NO_OPPORTUNITY, False, replace(OPEN, is_whole=False), 11),
        (RecycleRule.NO_OPPORTUNITY, False, replace(OPEN, owner_id=WANG), 11),
        (RecycleRule.NO_OPPORTUNITY, False, replace(OPEN, on=on(-1)), 11),
        (RecycleRule.NO_OPPORTUNITY, False, replace(OPEN, advanced_on=on(-55)), 11),
    ],
)
def test_an_open_opportunity_keeps_a_customer_as_long_as_it_advances(
    rule: RecycleRule, exempts: bool, opportunity: OpportunityFacts, due: int
) -> None:
    """P19, P23 and L12: of this holding, with its minimum fields, and its stage advanced within 60 days."""
    rules = only(rule, InactivityRule(10, exempts_open_opportunity=exempts))
    facts = replace(OWNED, opportunities=(opportunity,))
    for day, action in ((due - 1, Action.KEEP), (due, Action.RECYCLE)):
        verdict = recycle_verdict(facts, rules, on(day))
        assert (verdict.action, verdict.due_on, verdict.hold) == (action, on(due), None)


def test_the_opportunity_that_advanced_last_decides() -> None:
    rules = replace(only(RecycleRule.NO_OPPORTUNITY, InactivityRule(10)), opportunity_days=30)
    several = replace(OWNED, opportunities=(OPEN, replace(OPEN, advanced_on=on(20)), replace(OPEN, advanced_on=on(9))))
    assert recycle_verdict(several, rules, on(20)).due_on == on(51)
    assert recycle_verdict(replace(several, opportunities=()), rules, on(20)).due_on == on(11)


def test_an_opportunity_of_the_holding_counts_after_a_transfer_within_the_team() -> None:
    first = OwnershipFacts(WANG, NORTH, on(-20), on(0), ended_by_transfer=True)
    opened = replace(OPEN, owner_id=WANG, on=on(-10), advanced_on=on(-10))
    facts = replace(OWNED, ownerships=(first, *OWNED.ownerships), opportunities=(opened,))
    rules = only(RecycleRule.NO_OPPORTUNITY, InactivityRule(10))
    assert recycle_verdict(facts, rules, on(0)).due_on == on(51)
    assert recycle_verdict(facts, replace(rules, transfer_keeps_clock=False), on(0)).due_on == on(11)


@pytest.mark.parametrize(
    ("rule", "facts", "told"),
    [
        (RecycleRule.DEALT_FOLLOW_UP, OWNED, "Does not run: there is no deal."),
        (RecycleRule.DECLINE, DEALT, "Does not run: its performance is not falling."),
        (RecycleRule.CONTRACT_END, DEALT, "Does not run: no contract is known to end."),
    ],
)
def test_a_missing_date_never_counts_as_long_ago(rule: RecycleRule, facts: RecycleFacts, told: str) -> None:
    """L19: null is never infinitely old, whichever clock lacks its date."""
    verdict = recycle_verdict(facts, only(rule, InactivityRule(0, exempts_dealt=False)), on(3650))
    assert (verdict.action, verdict.due_on) == (Action.KEEP, None)
    assert [text for _, text, _ in verdict.explanation.lines(CATALOGUE, "en")][2:] == [told]


def test_dealt_customers_that_are_not_followed_up_go_by_their_own_rule() -> None:
    """L15: P18 leaves a dealt customer alone; its own N does not, and a deal of the holding is service too."""
    rules = replace(RULES, dealt_follow_up=InactivityRule(60, exempts_dealt=False))
    assert recycle_verdict(DEALT, RULES, on(500)).due_on is None
    left_alone = recycle_verdict(DEALT, rules, on(60))
    assert (left_alone.action, left_alone.due_on, left_alone.days_left) == (Action.KEEP, on(61), 0)
    assert recycle_verdict(DEALT, rules, on(61)).action is Action.RECYCLE
    assert recycle_verdict(replace(DEALT, follow_ups=(call(50),)), rules, on(61)).due_on == on(111)
    assert recycle_verdict(replace(DEALT, last_deal_on=on(55)), rules, on(61)).due_on == on(116)


def test_falling_performance_takes_old_customers_and_recovery_stops_it() -> None:
    rules = only(RecycleRule.DECLINE, InactivityRule(30, exempts_dealt=False))
    falling = replace(DEALT, declined_on=on(100))
    assert recycle_verdict(falling, rules, on(130)).days_left == 0
    assert recycle_verdict(falling, rules, on(131)).action is Action.RECYCLE
    assert recycle_verdict(replace(falling, declined_on=None), rules, on(131)).due_on is None
    assert recycle_verdict(replace(falling, locked_until=on(140)), rules, on(131)).due_on == on(141)


def test_a_customer_goes_on_the_first_day_after_n_full_days_from_the_end_of_its_contract() -> None:
    """P52; a new contract moves the date."""
    rules = only(RecycleRule.CONTRACT_END, InactivityRule(90, exempts_dealt=False))
    ended = replace(DEALT, contract_ended_on=on(10))
    assert [recycle_verdict(ended, rules, on(day)).action for day in (100, 101)] == [Action.KEEP, Action.RECYCLE]
    assert recycle_verdict(replace(ended, contract_ended_on=on(375)), rules, on(101)).due_on == on(375 + 91)
    told = recycle_verdict(ended, rules, on(5)).explanation.lines(CATALOGUE, "zh-CN")
    assert [text for _, text, _ in told][1:] == [
        "最后一份合同到期后超过 90 天未签新合同则回收。",
        "自最后一份合同的到期日 2026-03-11 起算，已 0 天，到期日 2026-06-10。",
    ]


def test_no_deal_runs_on_whatever_the_follow_ups() -> None:
    rules = replace(RULES, no_deal=InactivityRule(40))
    busy = replace(OWNED, follow_ups=tuple(call(day, seconds=60 + day) for day in range(41)))
    assert recycle_verdict(busy, rules, on(40)).action is Action.KEEP
    assert recycle_verdict(busy, rules, on(41)).action is Action.RECYCLE


def test_levels_have_their_own_n() -> None:
    rules = replace(RULES, no_follow_up=InactivityRule(30, days_by_level={"A": 60}))
    assert recycle_verdict(replace(OWNED, level="A"), rules, on(1)).due_on == on(61)
    assert recycle_verdict(replace(OWNED, level="B"), rules, on(1)).due_on == on(31)


def test_follow_ups_of_a_former_holding_count_neither_for_nor_against() -> None:
    former = OwnershipFacts(LI, NORTH, on(-200), on(0))
    claimed_again = replace(OWNED, ownerships=(former, *OWNED.ownerships), follow_ups=(call(-100), call(-1)))
    assert recycle_verdict(claimed_again, RULES, on(0)).days_left == 30
    assert effective_follow_up(claimed_again, RULES, today=on(0)) is None


def test_transfer_within_the_team_keeps_the_clock() -> None:
    first = OwnershipFacts(WANG, NORTH, on(-20), on(0), ended_by_transfer=True)
    facts = replace(OWNED, ownerships=(first, *OWNED.ownerships), follow_ups=(call(-15, by=WANG),))
    assert holding(facts, RULES) == facts.ownerships
    assert recycle_verdict(facts, RULES, on(0)).due_on == on(-15 + 31)
    fresh = recycle_verdict(facts, replace(RULES, transfer_keeps_clock=False), on(0))
    assert fresh.due_on == on(31)


@pytest.mark.parametrize(
    "former",
    [
        OwnershipFacts(WANG, SOUTH, on(-20), on(0), ended_by_transfer=True),
        OwnershipFacts(WANG, NORTH, on(-20), on(0), ended_by_transfer=False),
        OwnershipFacts(WANG, NORTH, on(-20), on(-1), ended_by_transfer=True),
    ],
    ids=["another team", "released", "pooled in between"],
)
def test_anything_else_begins_a_new_holding(former: OwnershipFacts) -> None:
    facts = replace(OWNED, ownerships=(former, *OWNED.ownerships))
    assert holding(facts, RULES) == OWNED.ownerships
    assert recycle_verdict(facts, RULES, on(0)).due_on == on(31)


def test_passing_to_and_fro_renews_no_protection() -> None:
    chain = tuple(
        OwnershipFacts((LI, WANG)[step % 2], NORTH, on(3 * step), on(3 * step + 3), ended_by_transfer=True)
        for step in range(12)
    )
    facts = replace(OWNED, ownerships=(*chain, OwnershipFacts(LI, NORTH, on(36))))
    verdict = recycle_verdict(facts, replace(RULES, protection_days=3), on(36))
    assert (verdict.action, verdict.due_on, verdict.hold) == (Action.RECYCLE, on(31), None)


@pytest.mark.parametrize(
    ("entry", "counts"),
    [
        (FollowUpFacts(on(1), LI, "call", seconds=30), True),
        (FollowUpFacts(on(1), LI, "call", seconds=29), False),
        (FollowUpFacts(on(1), LI, "call", content="talked for an hour, they say"), False),
        (FollowUpFacts(on(1), LI, "note", content="客户希望下周三上门看样品并确认付款方式与交货期限"), True),
        (FollowUpFacts(on(1), LI, "note", content="x" * 20), True),
        (FollowUpFacts(on(1), LI, "note", content="x" * 19), False),
        (FollowUpFacts(on(1), LI, "note", content="x" + " " * 40 + "x"), False),
        (FollowUpFacts(on(1), LI, "visit", content="看样"), True),
        (FollowUpFacts(on(1), LI, "visit", has_check_in=True), True),
        (FollowUpFacts(on(1), LI, "visit"), False),
        (FollowUpFacts(on(1), LI, "message", content="x" * 50), False),
        (FollowUpFacts(on(1), LI, "call", seconds=60, is_planned=True), False),
        (FollowUpFacts(on(1), LI, "call", seconds=60, is_deleted=True), False),
        (FollowUpFacts(on(1), LI, "call", seconds=60, is_automatic=True), False),
    ],
)
def test_which_entries_are_follow_ups(entry: FollowUpFacts, counts: bool) -> None:
    assert is_effective(entry, RULES) is counts
    expected = entry if counts else None
    assert effective_follow_up(replace(OWNED, follow_ups=(entry,)), RULES, today=on(2)) == expected


def test_a_check_in_is_asked_where_the_kind_asks_it() -> None:
    kinds = tuple(replace(kind, needs_check_in=kind.kind == "visit") for kind in RULES.follow_up_kinds)
    rules = replace(RULES, follow_up_kinds=kinds)
    assert not is_effective(FollowUpFacts(on(1), LI, "visit", content="看样"), rules)
    assert is_effective(FollowUpFacts(on(1), LI, "visit", has_check_in=True), rules)


def test_a_copied_text_does_not_count_again() -> None:
    text = "Spoke about delivery, price and terms"
    facts = replace(
        OWNED, follow_ups=(call(1, content=text), call(9, content="  spoke about delivery,price and TERMS"))
    )
    last = effective_follow_up(facts, RULES, today=on(9))
    assert last is not None
    assert last.on == on(1)


def test_only_owners_of_that_day_count_unless_collaborators_do() -> None:
    facts = replace(OWNED, follow_ups=(call(4, by=WANG),))
    assert effective_follow_up(facts, RULES, today=on(5)) is None
    counted = effective_follow_up(facts, replace(RULES, collaborators_count=True), today=on(5))
    assert counted == facts.follow_ups[0]


def test_an_entry_dated_ahead_postpones_nothing_before_its_day() -> None:
    facts = replace(OWNED, follow_ups=(call(3650),))
    assert recycle_verdict(facts, RULES, on(31)).action is Action.RECYCLE


@pytest.mark.parametrize(
    ("facts", "rules", "due_on", "hold"),
    [
        (OWNED, replace(RULES, no_follow_up=InactivityRule(1), protection_days=3), on(4), Hold.PROTECTION),
        (OWNED, replace(RULES, no_follow_up=InactivityRule(3), protection_days=3), on(4), None),
        (replace(OWNED, locked_until=on(50)), RULES, on(51), Hold.LOCK),
        (replace(OWNED, locked_until=on(30)), RULES, on(31), None),
        (replace(OWNED, protected_until=on(40)), RULES, on(41), Hold.REP_PROTECTION),
        (replace(OWNED, locked_until=on(50), protected_until=on(60)), RULES, on(61), Hold.REP_PROTECTION),
        (replace(OWNED, extended_until=on(45)), RULES, on(46), Hold.EXTENSION),
        (OWNED, replace(RULES, not_before=on(38)), on(38), Hold.GRACE),
    ],
)
def test_holds(facts: RecycleFacts, rules: RecycleRules, due_on: date, hold: Hold | None) -> None:
    for today, action in ((due_on - timedelta(1), Action.KEEP), (due_on, Action.RECYCLE)):
        verdict = recycle_verdict(facts, rules, today)
        assert (verdict.action, verdict.due_on, verdict.hold) == (action, due_on, hold)
    assert recycle_verdict(facts, rules, due_on - timedelta(1)).days_left == 0


REMINDING = replace(RULES, reminder_days=(7, 3, 1))


@pytest.mark.parametrize(
    ("elapsed", "sent", "reminder", "is_warned"),
    [
        (22, (), None, False),
        (23, (), 7, True),
        (23, (7,), None, True),
        (26, (7,), None, True),
        (27, (7,), 3, True),
        (28, (), 3, True),
        (29, (7, 3), 1, True),
        (30, (7, 3), 1, True),
        (30, (7, 3, 1), None, True),
        (31, (7, 3, 1), None, False),
    ],
)
def test_each_reminder_is_sent_once(elapsed: int, sent: tuple[int, ...], reminder: int | None, is_warned: bool) -> None:
    of_clock = tuple(ReminderFacts(RecycleRule.NO_FOLLOW_UP, RECEIVED, days, is_delivered=True) for days in sent)
    verdict = recycle_verdict(replace(OWNED, reminders=of_clock), REMINDING, on(elapsed))
    assert (verdict.reminder, verdict.is_warned) == (reminder, is_warned)


def test_reminders_of_an_earlier_clock_do_not_count() -> None:
    earlier = ReminderFacts(RecycleRule.NO_FOLLOW_UP, RECEIVED, 7, is_delivered=True)
    facts = replace(OWNED, follow_ups=(call(25),), reminders=(earlier,))
    assert recycle_verdict(facts, REMINDING, on(48)).reminder == 7
    assert recycle_verdict(facts, REMINDING, on(56)).action is Action.POSTPONE


def test_whoever_was_warned_before_an_opportunity_is_warned_again_after_it() -> None:
    rules = replace(only(RecycleRule.NO_OPPORTUNITY, InactivityRule(10)), reminder_days=(3,), opportunity_days=30)
    sent = ReminderFacts(RecycleRule.NO_OPPORTUNITY, RECEIVED, 3, is_delivered=True)
    warned = replace(OWNED, reminders=(sent,))
    assert recycle_verdict(warned, rules, on(8)).reminder is None
    kept = replace(warned, opportunities=(replace(OPEN, advanced_on=on(9)),))
    assert [recycle_verdict(kept, rules, on(day)).reminder for day in (9, 35, 36)] == [None, None, 3]
    assert recycle_verdict(kept, rules, on(40)).action is Action.POSTPONE
    again = replace(kept, reminders=(sent, replace(sent, start_on=on(29))))
    assert recycle_verdict(again, rules, on(40)).action is Action.RECYCLE


def test_without_a_delivered_reminder_it_waits_a_day_at_most_three_times() -> None:
    lost = ReminderFacts(RecycleRule.NO_FOLLOW_UP, RECEIVED, 7, is_delivered=False)
    facts = replace(OWNED, reminders=(lost,))
    actions = []
    for day in range(30, 36):
        verdict = recycle_verdict(facts, REMINDING, on(day))
        actions.append(verdict.action)
        if verdict.action is Action.POSTPONE:
            facts = replace(facts, postponed_on=(*facts.postponed_on, on(day)))
            again = recycle_verdict(facts, REMINDING, on(day))
            assert (again.action, again.due_on, again.hold) == (Action.KEEP, on(day + 1), Hold.POSTPONED)
    assert actions == [Action.KEEP, *[Action.POSTPONE] * 3, Action.RECYCLE, Action.RECYCLE]
    delivered = replace(OWNED, reminders=(replace(lost, is_delivered=True),))
    assert recycle_verdict(delivered, REMINDING, on(31)).action is Action.RECYCLE


@pytest.mark.parametrize(
    ("rules", "given"),
    [
        (replace(RULES, no_deal=InactivityRule(-1)), -1),
        (replace(RULES, no_follow_up=InactivityRule(30, days_by_level={"A": 3651})), 3651),
        (replace(RULES, protection_days=-3), -3),
        (replace(RULES, reminder_days=(7, -1)), -1),
    ],
)
def test_days_out_of_range_are_refused(rules: RecycleRules, given: int) -> None:
    with pytest.raises(PoolRuleOutOfRange) as refused:
        rules.check()
    assert refused.value.values == {"given": given, "least": 0, "most": 3650}
    RecycleRules().check()


def test_explanation_names_the_rule_its_start_and_the_hold() -> None:
    facts = replace(OWNED, follow_ups=(call(5),), last_deal_on=None, locked_until=on(50), opportunities=(OPEN,))
    rules = replace(RULES, no_opportunity=InactivityRule(20))
    told = recycle_verdict(facts, rules, on(40)).explanation
    first, *rest = [(depth, text) for depth, text, _ in told.lines(CATALOGUE, "en")]
    later = "The customer goes back to the pool on 2026-04-21 unless something happens"
    opened = "an opportunity is open whose stage last advanced"
    assert first == (0, f"{later}: 10 days are left after 2026-04-10.")
    assert rest == [
        (1, "Back to the pool after more than 30 days without a follow-up."),
        (2, "Counted from the last follow-up that counts, 2026-03-06: 35 days; due on 2026-04-06."),
        (1, "Back to the pool after more than 20 days without an open opportunity."),
        (2, "Counted from the day the owner received it, 2026-03-01: 40 days; due on 2026-03-22."),
        (2, f"Kept through 2026-05-03: {opened} on 2026-03-04, and it counts for 60 days."),
        (1, "Kept through 2026-04-20: the customer is locked."),
    ]
    never = recycle_verdict(replace(OWNED, last_deal_on=on(-3)), RULES, on(40)).explanation
    assert [text for _, text, _ in never.lines(CATALOGUE, "zh-CN")] == [
        "没有规则会回收该客户。",
        "超过 30 天未跟进则回收。",
        "不适用：2026-02-26 已有成交。",
    ]


days = st.integers(-40, 200)
some_rules = st.builds(
    lambda n, deal, protection: replace(
        RULES, no_follow_up=InactivityRule(n), no_deal=InactivityRule(deal), protection_days=protection
    ),
    st.integers(0, 90),
    st.integers(0, 90) | st.none(),
    st.integers(0, 10),
)
some_facts = st.builds(
    lambda calls, created, locked: replace(
        OWNED,
        follow_ups=tuple(call(day, seconds=45) for day in calls),
        created_on=None if created is None else on(created),
        locked_until=None if locked is None else on(locked),
    ),
    st.lists(days, max_size=5),
    st.none() | st.integers(-400, 0),
    st.none() | st.integers(0, 120),
)


@given(some_facts, some_rules, days)
def test_due_date_and_days_left_say_the_same(facts: RecycleFacts, rules: RecycleRules, day: int) -> None:
    verdict = recycle_verdict(facts, rules, on(day))
    assert verdict.due_on is not None
    assert verdict.days_left == (verdict.due_on - on(day)).days - 1
    assert (verdict.action is Action.RECYCLE) == (on(day) >= verdict.due_on) == (verdict.days_left < 0)
    if verdict.hold is None and verdict.clock is not None:
        assert verdict.days_left == verdict.clock.days - (on(day) - verdict.clock.start_on).days


@given(some_facts, some_rules, st.integers(1, 60), days)
def test_a_larger_n_is_never_due_earlier(facts: RecycleFacts, rules: RecycleRules, more: int, day: int) -> None:
    longer = replace(rules, no_follow_up=InactivityRule((rules.no_follow_up.days or 0) + more))
    before, after = (recycle_verdict(facts, each, on(day)).due_on for each in (rules, longer))
    assert before is not None
    assert after is not None
    assert before <= after


@given(some_facts, some_rules, days, days)
def test_one_more_follow_up_never_makes_it_due_earlier(
    facts: RecycleFacts, rules: RecycleRules, entered: int, day: int
) -> None:
    more = replace(facts, follow_ups=(*facts.follow_ups, call(entered)))
    before, after = (recycle_verdict(each, rules, on(day)).due_on for each in (facts, more))
    assert before is not None
    assert after is not None
    assert before <= after


@given(some_facts, some_rules)
def test_a_customer_left_alone_goes_on_exactly_one_day(facts: RecycleFacts, rules: RecycleRules) -> None:
    quiet = replace(facts, follow_ups=())
    actions = [recycle_verdict(quiet, rules, on(day)).action for day in range(-1, 220)]
    due_on = recycle_verdict(quiet, rules, on(0)).due_on
    assert due_on is not None
    assert actions.index(Action.RECYCLE) - 1 == (due_on - RECEIVED).days
    assert Action.KEEP not in actions[actions.index(Action.RECYCLE) :]
