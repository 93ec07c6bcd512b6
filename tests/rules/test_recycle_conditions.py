"""The condition rule (P21): from when on conditions hold, by AND and OR, for customers that came one way or another."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from uuid import UUID

import pytest

from saas.customers import PoolSettings, RecycleCondition, Subject
from saas.customers.recycling import (
    Action,
    ConditionRule,
    InactivityRule,
    OpportunityFacts,
    OwnershipFacts,
    Records,
    RecycleFacts,
    RecycleRule,
    RecycleRules,
    Start,
    recycle_verdict,
)
from saas.customers.settings import settings_of
from saas.kernel import AppErrors, Catalogue

LI, NORTH, SOUTH = UUID(int=1), UUID(int=11), UUID(int=12)
RECEIVED = date(2026, 3, 1)
OFF = InactivityRule(None)
HELD, OLD = RecycleCondition(Subject.HELD, 40), RecycleCondition(Subject.CREATED, 100)
STUCK = RecycleCondition(Subject.STAGE, 20, ("prospecting", "engaging"))
CLAIMED, ENTERED = Records.CLAIMED, Records.ENTERED
CATALOGUE = Catalogue.of(["saas.customers"])


def on(day: int) -> date:
    return RECEIVED + timedelta(days=day)


OWNED = RecycleFacts(ownerships=(OwnershipFacts(LI, NORTH, RECEIVED),), created_on=on(-30))
ENGAGING = OpportunityFacts(LI, on(35), on(2), is_whole=False, stage="engaging", position=2)


def rules(*conditions: RecycleCondition, asks_all: bool = True, records: Records = Records.ALL) -> RecycleRules:
    rule = ConditionRule(conditions, asks_all, records)
    return RecycleRules(no_follow_up=OFF, no_deal=OFF, protection_days=0, reminder_days=(), condition=rule)


@pytest.mark.parametrize(
    ("conditions", "asks_all", "facts", "start", "due"),
    [
        ((HELD,), True, OWNED, Start.RECEIVED, 41),
        ((OLD,), True, OWNED, Start.CREATED, 71),
        ((OLD,), True, replace(OWNED, created_on=None), Start.RECEIVED, 101),
        ((HELD, OLD), True, OWNED, Start.CREATED, 71),
        ((HELD, OLD), False, OWNED, Start.RECEIVED, 41),
        ((HELD, STUCK), True, replace(OWNED, opportunities=(ENGAGING,)), Start.STAGE, 56),
        ((HELD, STUCK), False, replace(OWNED, opportunities=(ENGAGING,)), Start.RECEIVED, 41),
        ((HELD, STUCK), True, OWNED, None, None),
        ((HELD, STUCK), False, OWNED, Start.RECEIVED, 41),
        ((STUCK,), False, replace(OWNED, opportunities=(replace(ENGAGING, stage="closing"),)), None, None),
        ((STUCK,), False, replace(OWNED, opportunities=(replace(ENGAGING, owner_id=NORTH),)), None, None),
        ((STUCK,), False, replace(OWNED, opportunities=(replace(ENGAGING, on=on(-1)),)), None, None),
    ],
)
def test_and_is_the_latest_day_and_or_the_earliest(
    conditions: tuple[RecycleCondition, ...],
    asks_all: bool,
    facts: RecycleFacts,
    start: Start | None,
    due: int | None,
) -> None:
    """A condition that nothing is known of never matches, today or later (L19)."""
    judging = rules(*conditions, asks_all=asks_all)
    verdict = recycle_verdict(facts, judging, on(40))
    assert (verdict.clock and verdict.clock.start, verdict.due_on) == (start, None if due is None else on(due))
    assert verdict.clock is None or verdict.clock.rule is RecycleRule.CONDITION
    if due is not None:
        assert [recycle_verdict(facts, judging, on(day)).action for day in (due - 1, due)] == [
            Action.KEEP,
            Action.RECYCLE,
        ]


def test_the_opportunity_that_has_come_furthest_is_the_one_that_counts() -> None:
    closing = replace(ENGAGING, stage="closing", position=3, advanced_on=on(5))
    several = replace(OWNED, opportunities=(ENGAGING, closing, replace(ENGAGING, stage="prospecting", position=1)))
    assert recycle_verdict(several, rules(STUCK), on(90)).due_on is None
    assert recycle_verdict(replace(several, opportunities=(ENGAGING,)), rules(STUCK), on(90)).due_on == on(56)


@pytest.mark.parametrize(
    ("kinds", "origin"),
    [
        (("claim",), CLAIMED),
        (("assign",), CLAIMED),
        (("created",), ENTERED),
        (("imported",), ENTERED),
        (("created", "transfer"), ENTERED),
        (("created", "claim", "transfer", "transfer"), CLAIMED),
    ],
)
def test_conditions_are_about_customers_that_came_one_way(kinds: tuple[str, ...], origin: Records) -> None:
    """A transfer, even to another team, changes nothing of how a customer came."""
    ownerships = tuple(
        OwnershipFacts(LI, SOUTH, on(place - len(kinds)), on(place + 1 - len(kinds)), start_kind=kind)
        for place, kind in enumerate(kinds)
    )
    facts = replace(OWNED, ownerships=(*ownerships[:-1], replace(ownerships[-1], began_on=RECEIVED, ended_on=None)))
    about = {name: recycle_verdict(facts, rules(HELD, records=name), on(50)).due_on for name in (CLAIMED, ENTERED)}
    assert about == {CLAIMED: None, ENTERED: None, origin: on(41)}
    assert recycle_verdict(facts, rules(HELD), on(50)).due_on == on(41)


def test_it_stands_beside_the_other_rules_and_ties_go_to_them() -> None:
    both = replace(rules(HELD), no_deal=InactivityRule(40))
    verdict = recycle_verdict(OWNED, both, on(3))
    assert verdict.clock is not None
    assert (verdict.clock.rule, verdict.due_on) == (RecycleRule.NO_DEAL, on(41))
    assert recycle_verdict(replace(OWNED, locked_until=on(60)), both, on(3)).due_on == on(61)


def test_an_empty_list_of_conditions_is_refused_at_save() -> None:
    """L21: no conditions at all would match everything; and the rule by itself matches nobody then."""
    with pytest.raises(AppErrors) as refused:
        PoolSettings().changed({"recycle_conditions": ()}, valid_from=RECEIVED)
    (fault,) = refused.value.errors
    assert (fault.key, fault.field) == ("customers.pool_conditions_empty", ("recycleConditions",))
    for asks_all in (True, False):
        assert recycle_verdict(OWNED, rules(asks_all=asks_all), on(3650)).due_on is None


@pytest.mark.parametrize(
    ("condition", "field", "key"),
    [
        (RecycleCondition(Subject.HELD, 0), "days", "customers.pool_rule_out_of_range"),
        (RecycleCondition(Subject.CREATED, 3651), "days", "customers.pool_rule_out_of_range"),
        (RecycleCondition(Subject.STAGE, 5), "stages", "customers.pool_condition_stages"),
        (RecycleCondition(Subject.HELD, 5, ("won",)), "stages", "customers.pool_condition_stages"),
        (
            RecycleCondition(Subject.STAGE, 5, tuple(str(each) for each in range(21))),
            "stages",
            "customers.pool_condition_stages",
        ),
    ],
)
def test_conditions_that_make_no_sense_are_named(condition: RecycleCondition, field: str, key: str) -> None:
    with pytest.raises(AppErrors) as refused:
        PoolSettings().changed({"recycle_conditions": (HELD, condition)}, valid_from=RECEIVED)
    (fault,) = refused.value.errors
    assert (fault.key, fault.field) == (key, ("recycleConditions", "1", field))


def test_conditions_come_back_as_they_were_stored_and_decide() -> None:
    wanted = {"recycle_conditions": (HELD, STUCK), "recycle_conditions_join": "any"}
    kept = settings_of(PoolSettings().changed(wanted, valid_from=RECEIVED).text())
    assert kept.recycle_conditions == (HELD, STUCK)
    assert kept.recycle_rules().condition == ConditionRule((HELD, STUCK), asks_all=False)
    assert PoolSettings().recycle_rules().condition is None


def test_every_condition_is_explained() -> None:
    told = recycle_verdict(OWNED, rules(HELD, OLD, STUCK, asks_all=False), on(40)).explanation
    assert [text for _, text, _ in told.lines(CATALOGUE, "en")][1:] == [
        "Back to the pool once one of the pool's conditions holds.",
        "Held for more than 40 days: since 2026-03-01, 40 days; true from 2026-04-11.",
        "Entered more than 100 days ago: on 2026-01-30, 70 days; true from 2026-05-11.",
        (
            "In prospecting, engaging without progress for more than 20 days: no open opportunity of this holding is "
            "there."
        ),
    ]
    others = recycle_verdict(OWNED, rules(HELD, records=ENTERED), on(40)).explanation
    assert [text for _, text, _ in others.lines(CATALOGUE, "zh-CN")] == [
        "没有规则会回收该客户。",
        "公海的全部条件成立时回收。",
        "不适用：该规则针对以其他方式获得的客户。",
    ]
