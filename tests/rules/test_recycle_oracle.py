"""The verdict against a plain reading of the rule book: is this customer to go today, looked at rule by rule."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from hypothesis import given, settings
from hypothesis import strategies as st

from saas.customers import RecycleCondition, Subject
from saas.customers.recycling import (
    Action,
    ConditionRule,
    FollowUpFacts,
    InactivityRule,
    OpportunityFacts,
    OwnershipFacts,
    ProtectionFacts,
    RecycleFacts,
    RecycleRules,
    recycle_verdict,
)

LI, WANG, NORTH = UUID(int=1), UUID(int=2), UUID(int=11)
RECEIVED = date(2026, 3, 1)
LAST = 150
"""The last day that is looked at."""


def on(day: int) -> date:
    return RECEIVED + timedelta(days=day)


def plainly_goes(facts: RecycleFacts, rules: RecycleRules, today: date) -> bool:
    """Whether the customer goes today: a rule says so, and nothing keeps it."""
    return any(_say_so(facts, rules, today)) and not any(_keep(facts, rules, today))


def _passed(since: date, today: date, days: int | None) -> bool:
    return days is not None and (today - since).days > days


def _keep(facts: RecycleFacts, rules: RecycleRules, today: date) -> Iterator[bool]:
    for until in (facts.locked_until, facts.protected_until, facts.extended_until):
        yield until is not None and today <= until
    yield (today - RECEIVED).days <= rules.protection_days and rules.protection_days > 0
    yield rules.not_before is not None and today < rules.not_before


def _say_so(facts: RecycleFacts, rules: RecycleRules, today: date) -> Iterator[bool]:
    has_deal, level = facts.last_deal_on is not None, facts.level
    calls = [each.on for each in facts.follow_ups if each.author_id == LI and RECEIVED <= each.on <= today]
    touched = max([RECEIVED, *calls, *([facts.created_on] if facts.created_on else [])])
    own = [each for each in facts.opportunities if each.owner_id == LI and (each.on is None or each.on >= RECEIVED)]
    is_promising = any(each.is_whole and (today - each.advanced_on).days <= rules.opportunity_days for each in own)
    for rule, since, is_opportunity in (
        (rules.no_follow_up, touched, rules.no_follow_up.exempts_open_opportunity),
        (rules.no_opportunity, RECEIVED, True),
        (rules.no_deal, RECEIVED, rules.no_deal.exempts_open_opportunity),
    ):
        days = rule.days if level is None or rule.days is None else rule.days_by_level.get(level, rule.days)
        spared = (has_deal and rule.exempts_dealt) or (is_opportunity and is_promising)
        if rule is rules.no_deal and facts.last_deal_on is not None and facts.last_deal_on >= RECEIVED:
            spared = True
        yield not spared and _passed(since, today, days)
    if rules.protection_ended.days is not None and not (has_deal and rules.protection_ended.exempts_dealt):
        yield _is_brought_back(facts.ownerships[0].protections, rules.protection_ends_from, today)
    if facts.last_deal_on is not None:
        yield _passed(max(touched, facts.last_deal_on), today, rules.dealt_follow_up.days)
    if facts.declined_on is not None:
        yield _passed(max(RECEIVED, facts.declined_on), today, rules.decline.days)
    if facts.contract_ended_on is not None:
        yield _passed(max(RECEIVED, facts.contract_ended_on), today, rules.contract_end.days)
    if rules.condition is not None:
        yield (all if rules.condition.asks_all else any)(
            _holds(each, facts, own, today) for each in rules.condition.conditions
        )


def _is_brought_back(protections: Sequence[ProtectionFacts], since: date | None, today: date) -> bool:
    """All of the protections that were not given up in the first half of their days are over, and there was one."""
    last_days = []
    for each in protections:
        early = each.given_up_on is not None and each.given_up_on - each.began_on <= each.until_on - each.given_up_on
        ended = each.given_up_on or each.until_on
        if not early and (since is None or since <= ended):
            last_days.append(each.until_on)
    return bool(last_days) and all(day < today for day in last_days)


def _holds(condition: RecycleCondition, facts: RecycleFacts, own: list[OpportunityFacts], today: date) -> bool:
    if condition.subject is Subject.HELD:
        return _passed(RECEIVED, today, condition.days)
    if condition.subject is Subject.CREATED:
        return _passed(facts.created_on or RECEIVED, today, condition.days)
    furthest = sorted(own, key=lambda each: (each.position, each.advanced_on))[-1:]
    return any(each.stage in condition.stages and _passed(each.advanced_on, today, condition.days) for each in furthest)


days = st.integers(0, 90)
before = st.none() | st.integers(-200, 0).map(on)
some_days = st.none() | days


def inactivity(**more: Any) -> st.SearchStrategy[InactivityRule]:
    by_level = st.dictionaries(st.sampled_from("AB"), days, max_size=2)
    return st.builds(InactivityRule, some_days, by_level, **more)


flags = st.booleans()
plain_rule = st.builds(InactivityRule, some_days, exempts_dealt=st.just(False))
conditions = st.builds(
    ConditionRule,
    st.lists(
        st.builds(RecycleCondition, st.sampled_from((Subject.HELD, Subject.CREATED)), days)
        | st.builds(RecycleCondition, st.just(Subject.STAGE), days, st.sampled_from((("a",), ("a", "b"), ("c",)))),
        min_size=1,
        max_size=3,
    ).map(tuple),
    flags,
)
some_rules = st.builds(
    RecycleRules,
    no_follow_up=inactivity(exempts_dealt=flags, exempts_open_opportunity=flags),
    no_opportunity=inactivity(exempts_dealt=flags, exempts_open_opportunity=flags),
    no_deal=inactivity(exempts_dealt=flags, exempts_open_opportunity=flags),
    dealt_follow_up=plain_rule,
    decline=plain_rule,
    contract_end=plain_rule,
    protection_ended=st.builds(InactivityRule, st.sampled_from((None, 0)), exempts_dealt=flags),
    protection_ends_from=st.none() | st.integers(-10, 60).map(on),
    condition=st.none() | conditions,
    opportunity_days=st.integers(1, 60),
    protection_days=st.integers(0, 10),
    reminder_days=st.just(()),
    not_before=st.none() | st.integers(0, 60).map(on),
)
opportunities = st.builds(
    lambda owner, began, later, is_whole, stage: OpportunityFacts(
        owner, on(max(began or 0, 0) + later), None if began is None else on(began), is_whole, "abc"[stage], stage
    ),
    st.sampled_from((LI, LI, WANG)),
    st.none() | st.integers(-20, 60),
    st.integers(0, 60),
    flags,
    st.integers(0, 2),
)
protections = st.builds(
    lambda began, days, held: ProtectionFacts(on(began), on(began + days), None if held > days else on(began + held)),
    st.integers(0, 60),
    st.integers(1, 30),
    st.integers(0, 40),
)
some_facts = st.builds(
    RecycleFacts,
    ownerships=st.lists(protections, max_size=2).map(
        lambda some: (OwnershipFacts(LI, NORTH, RECEIVED, protections=tuple(some)),)
    ),
    created_on=before,
    follow_ups=st.lists(
        st.builds(
            lambda day, who: FollowUpFacts(on(day), who, "call", seconds=60),
            st.integers(-40, LAST),
            st.sampled_from((LI, LI, WANG)),
        ),
        max_size=3,
    ).map(tuple),
    level=st.none() | st.sampled_from("ABC"),
    opportunities=st.lists(opportunities, max_size=3).map(tuple),
    last_deal_on=st.none() | st.integers(-200, LAST).map(on),
    contract_ended_on=st.none() | st.integers(-200, LAST).map(on),
    declined_on=st.none() | st.integers(-60, LAST).map(on),
    locked_until=st.none() | st.integers(0, 120).map(on),
    protected_until=st.none() | st.integers(0, 120).map(on),
    extended_until=st.none() | st.integers(0, 120).map(on),
)


def known_on(facts: RecycleFacts, today: date) -> RecycleFacts:
    """What is known on a day: nothing that happens later."""
    return replace(
        facts,
        opportunities=tuple(each for each in facts.opportunities if each.advanced_on <= today),
        last_deal_on=facts.last_deal_on if facts.last_deal_on and facts.last_deal_on <= today else None,
        declined_on=facts.declined_on if facts.declined_on and facts.declined_on <= today else None,
    )


@settings(max_examples=150)
@given(some_facts, some_rules, st.integers(0, LAST).map(on))
def test_a_customer_goes_when_the_rule_book_says_so(facts: RecycleFacts, rules: RecycleRules, today: date) -> None:
    known = known_on(facts, today)
    verdict = recycle_verdict(known, rules, today)
    assert (verdict.action is Action.RECYCLE) == plainly_goes(known, rules, today)


@settings(max_examples=50)
@given(some_facts, some_rules, st.integers(0, LAST).map(on))
def test_the_due_date_is_the_first_day_on_which_it_would_go(
    facts: RecycleFacts, rules: RecycleRules, today: date
) -> None:
    """L22: the day that lists show is the day that the job acts on, if nothing happens until then."""
    known = replace(known_on(facts, today), follow_ups=())
    due_on = recycle_verdict(known, rules, today).due_on
    ahead = (today + timedelta(days=day) for day in range(400))
    first = next((day for day in ahead if plainly_goes(known, rules, day)), None)
    if due_on is None or due_on > today:
        assert first == due_on
    else:
        assert first == today
