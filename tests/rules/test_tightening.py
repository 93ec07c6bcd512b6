"""Which changes of rules can take a customer sooner (L28): no harmless one ever does, and each way is found."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from saas.customers import OPTIONS, FollowUpKind, LevelDays, PoolSettings, RecycleCondition, Subject
from saas.customers.recycling import (
    Action,
    EarlierRules,
    RecycleFacts,
    RecycleRules,
    Restart,
    can_take_sooner,
    recycle_verdict,
)
from tests.rules.test_recycle_oracle import on, some_facts, some_rules

TODAY = date(2026, 11, 23)
HELD, OLD = RecycleCondition(Subject.HELD, 30), RecycleCondition(Subject.CREATED, 30)
kinds = st.sampled_from(
    [(FollowUpKind(kind, seconds),) for kind in ("call", "visit") for seconds in (0, 60, 61)]
    + [(FollowUpKind("visit"), FollowUpKind("call", 61), FollowUpKind("call"))]
)
older_rules = st.lists(some_rules, max_size=2).map(
    lambda rules: tuple(EarlierRules(at, on(20 * at), None, each) for at, each in enumerate(rules, start=1))
)
whole_rules = st.builds(
    lambda rules, **more: replace(rules, **more),
    some_rules,
    restart=st.none() | st.integers(0, 60).map(lambda day: Restart(1, on(day))),
    earlier=older_rules,
    follow_up_kinds=kinds,
    collaborators_count=st.booleans(),
    reminder_days=st.sampled_from([(), (3,)]),
)
RULES = ("no_follow_up", "no_opportunity", "no_deal", "dealt_follow_up", "decline", "contract_end", "protection_ended")
PARTS = (
    *RULES,
    "condition",
    "opportunity_days",
    "protection_days",
    "not_before",
    "protection_ends_from",
    "restart",
    "earlier",
    "follow_up_kinds",
    "collaborators_count",
    "reminder_days",
)


@settings(max_examples=300, deadline=None)
@given(
    whole_rules, whole_rules, some_facts, st.integers(0, 150), st.sets(st.sampled_from(PARTS), min_size=1, max_size=3)
)
def test_l28_what_is_harmless_takes_nobody_sooner(
    one: RecycleRules, other: RecycleRules, facts: RecycleFacts, day: int, parts: set[str]
) -> None:
    """Whatever parts of the rules change, and whatever the customer: what is no tightening takes nobody sooner."""
    two = replace(one, **{name: getattr(other, name) for name in parts})
    for before, after in ((one, two), (two, one)):
        if not can_take_sooner(before, after):
            old, new = (recycle_verdict(facts, rules, on(day)) for rules in (before, after))
            assert new.due_on is None or (old.due_on is not None and old.due_on <= new.due_on)
            assert new.action is not Action.RECYCLE or old.action is Action.RECYCLE


def by_level(**days: int) -> tuple[LevelDays, ...]:
    return tuple(LevelDays(level, each) for level, each in days.items())


@pytest.mark.parametrize(
    ("is_from", "to"),
    [
        ({"recycle_follow_up_days": 30}, {"recycle_follow_up_days": 29}),
        ({"recycle_deal_days": None}, {"recycle_deal_days": 3_650}),
        ({"recycle_opportunity_days": None}, {"recycle_opportunity_days": 90}),
        ({"recycle_dealt_follow_up_days": 60}, {"recycle_dealt_follow_up_days": 59}),
        ({"recycle_decline_days": None}, {"recycle_decline_days": 30}),
        ({"recycle_contract_end_days": 31}, {"recycle_contract_end_days": 30}),
        ({"recycle_follow_up_days_by_level": ()}, {"recycle_follow_up_days_by_level": by_level(A=29)}),
        ({"recycle_deal_days_by_level": by_level(A=200)}, {"recycle_deal_days_by_level": ()}),
        ({"protection_days": 3}, {"protection_days": 2}),
        ({"rep_protection_end": "unprotect"}, {"rep_protection_end": "recycle"}),
        ({"opportunity_moves_within_days": 60}, {"opportunity_moves_within_days": 59}),
        ({"dealt_exempt": True}, {"dealt_exempt": False}),
        ({"follow_up_opportunity_exempt": True}, {"follow_up_opportunity_exempt": False}),
        ({"deal_opportunity_exempt": True}, {"deal_opportunity_exempt": False}),
        ({"collaborators_count": True}, {"collaborators_count": False}),
        ({"recycle_conditions": None}, {"recycle_conditions": (HELD,)}),
        ({"recycle_conditions": (HELD,)}, {"recycle_conditions": (replace(HELD, days=29),)}),
        ({"reminder_days": (1,)}, {"reminder_days": ()}),
        ({"grace_days": 7}, {"grace_days": 6}),
        ({"tightening_needs_approval": True}, {"tightening_needs_approval": False}),
    ],
)
def test_l28_each_way_is_found_by_its_name_and_the_way_back_is_none(
    is_from: dict[str, Any], to: dict[str, Any]
) -> None:
    before, after = replace(PoolSettings(), **is_from), replace(PoolSettings(), **to)
    assert after.tightened(before) == tuple(to)
    assert before.tightened(after) == ()


@pytest.mark.parametrize(
    ("is_from", "to", "names"),
    [
        ({"transfer_keeps_clock": True}, {"transfer_keeps_clock": False}, ("transfer_keeps_clock",)),
        ({"transfer_keeps_clock": False}, {"transfer_keeps_clock": True}, ("transfer_keeps_clock",)),
        (
            {"recycle_conditions": (HELD, OLD), "recycle_conditions_join": "all"},
            {"recycle_conditions": (HELD, OLD), "recycle_conditions_join": "any"},
            ("recycle_conditions_join",),
        ),
        (
            {"recycle_conditions": (HELD,), "recycle_conditions_records": "claimed"},
            {"recycle_conditions": (HELD,), "recycle_conditions_records": "entered"},
            ("recycle_conditions_records",),
        ),
        (
            {"recycle_conditions": (HELD,), "recycle_conditions_records": "all"},
            {"recycle_conditions": (HELD,), "recycle_conditions_records": "entered"},
            (),
        ),
        ({"recycle_conditions": (HELD,)}, {"recycle_conditions": (OLD,)}, ("recycle_conditions",)),
        ({"recycle_conditions": (HELD, OLD)}, {"recycle_conditions": (HELD,)}, ("recycle_conditions",)),
        ({"recycle_deal_days": 100}, {"recycle_deal_days": 200, "protection_days": 1}, ("protection_days",)),
        (
            {"recycle_deal_days": None},
            {"recycle_deal_days": 100, "recycle_deal_days_by_level": by_level(A=50)},
            ("recycle_deal_days",),
        ),
        ({}, {"claim_limit": 1, "holding_limit": 1, "extension_times": 0, "notify_former_owner": False}, ()),
    ],
)
def test_l28_what_can_not_be_told_apart_counts(
    is_from: dict[str, Any], to: dict[str, Any], names: tuple[str, ...]
) -> None:
    before, after = replace(PoolSettings(), **is_from), replace(PoolSettings(), **to)
    assert after.tightened(before) == names


def test_l28_a_shorter_grace_does_not_shorten_one_that_runs() -> None:
    """Lowering the grace first, then changing anything at all, would bring a day that is promised forward."""
    promised = replace(PoolSettings(grace_days=30), not_before=TODAY + timedelta(days=30))
    shorter = promised.changed({"grace_days": 1}, valid_from=TODAY)
    assert shorter.tightened(promised) == ("grace_days",)
    longer = shorter.changed({"recycle_deal_days": 365}, valid_from=TODAY + timedelta(days=1))
    assert longer.not_before == TODAY + timedelta(days=2)
    assert longer.tightened(shorter) == ("recycle_deal_days",)


def test_l28_what_was_tightened_for_new_holdings_alone_reaches_no_older_one_by_the_way() -> None:
    """Tightening for new holdings, then loosening a little for all, would seize what the older ones hold."""
    promised = PoolSettings()
    new_alone = promised.changed(
        {"recycle_deal_days": 10, "change_effect": "new_ownerships"}, valid_from=TODAY, version=1
    )
    assert new_alone.tightened(promised) == ("recycle_deal_days",)
    later = TODAY + timedelta(days=30)
    for_all = new_alone.changed({"recycle_deal_days": 11, "change_effect": "all"}, valid_from=later, version=2)
    assert for_all.tightened(new_alone) == ("recycle_deal_days",)
    again = new_alone.changed({"recycle_deal_days": 11}, valid_from=later, version=2)
    assert again.tightened(new_alone) == ()
    told = replace(new_alone, reminder_days=(5, 1))
    assert told.tightened(new_alone) == ()


def test_l28_clocks_that_began_anew_go_back_to_no_earlier_beginning() -> None:
    anew = PoolSettings().changed({"recycle_deal_days": 200, "change_effect": "restart"}, valid_from=TODAY, version=1)
    assert anew.tightened(PoolSettings()) == ()
    assert replace(anew, restart=None).tightened(anew) != ()


def test_l28_every_part_of_the_rules_but_one_has_its_own_comparison() -> None:
    """A part that is new may not change without approval until somebody has thought about its direction."""
    rules = RecycleRules()
    named = {
        each
        for each in rules.__dataclass_fields__
        if not can_take_sooner(rules, replace(rules, **{each: _other(each)}))
    }
    assert set(PARTS) | {"transfer_keeps_clock"} == set(rules.__dataclass_fields__)
    assert named == set(PARTS)


def _other(part: str) -> Any:
    """A value of a part that is laxer than the product's own."""
    laxer: dict[str, Any] = {name: replace(getattr(RecycleRules(), name), days=None) for name in RULES}
    laxer |= {"opportunity_days": 61, "protection_days": 4, "not_before": TODAY, "collaborators_count": True}
    laxer |= {"condition": None, "reminder_days": (1,), "transfer_keeps_clock": False}
    laxer |= {"follow_up_kinds": (*RecycleRules().follow_up_kinds, FollowUpKind("letter"))}
    laxer |= {"protection_ends_from": TODAY, "restart": Restart(2, TODAY)}
    laxer |= {"earlier": (EarlierRules(1, TODAY, None, RecycleRules()),)}
    return laxer[part]


def test_two_decide_about_whether_two_decide() -> None:
    plain = PoolSettings()
    asked = replace(plain, tightening_needs_approval=True)
    tight: dict[str, Any] = {"recycle_follow_up_days": 10}
    assert replace(plain, **tight).decided_by_two(plain) == ()
    assert replace(asked, **tight).decided_by_two(plain) == ("tightening_needs_approval",)
    assert asked.decided_by_two(asked) == ()
    assert replace(asked, **tight).decided_by_two(asked) == ("recycle_follow_up_days",)
    assert replace(plain, **tight).decided_by_two(asked) == ("recycle_follow_up_days", "tightening_needs_approval")
    assert OPTIONS["tightening_needs_approval"].default is False
