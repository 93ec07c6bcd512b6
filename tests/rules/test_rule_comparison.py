"""What a change of rules does by a day: counted person by person, against the verdict asked one by one."""

from __future__ import annotations

from datetime import date, timedelta
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from saas.customers.recycling import (
    Comparison,
    Effect,
    Held,
    InactivityRule,
    OwnershipFacts,
    RecycleFacts,
    RecycleRules,
    recycle_verdict,
)

TODAY = date(2026, 11, 23)
A, B = UUID(int=1), UUID(int=2)


def held(number: int, owner_id: UUID, days: int, *, locked_until: date | None = None) -> Held:
    ownership = OwnershipFacts(owner_id, None, TODAY - timedelta(days=days))
    return Held(UUID(int=number), owner_id, RecycleFacts(ownerships=(ownership,), locked_until=locked_until))


def rules(days: int | None, *, not_before: date | None = None) -> RecycleRules:
    return RecycleRules(no_follow_up=InactivityRule(days), no_deal=InactivityRule(None), not_before=not_before)


def test_each_persons_part_is_counted() -> None:
    on = TODAY + timedelta(days=7)
    found = Comparison(rules(30), rules(15, not_before=on), on)
    found.add(
        [
            held(1, A, 30),  # gone on the day after today, whatever happens
            held(2, A, 20),  # 27 days by then: only the new rule takes it
            held(3, A, 8),  # 15 days by then: its last day, so warned
            held(4, B, 20, locked_until=on),
            held(5, B, 0),
        ]
    )
    assert found.effects == {
        A: Effect(held=3, gone_before=1, gone_after=2, taken=1, freed=0, warned=1),
        B: Effect(held=2, gone_before=0, gone_after=0, taken=0, freed=0, warned=1),
    }
    assert [(each.customer_id, each.due_before, each.due_after) for each in found.taken] == [
        (UUID(int=2), TODAY + timedelta(days=11), on)
    ]


def test_a_rule_switched_off_frees() -> None:
    found = Comparison(rules(30), rules(None), TODAY + timedelta(days=1))
    found.add([held(1, A, 30), held(2, A, 0)])
    assert found.effects == {A: Effect(held=2, gone_before=1, freed=1)}
    assert found.taken == []


@given(
    customers=st.lists(st.tuples(st.sampled_from([A, B]), st.integers(0, 60)), max_size=12),
    before=st.none() | st.integers(1, 40),
    after=st.none() | st.integers(1, 40),
    later=st.integers(0, 40),
)
def test_it_is_the_verdict_of_each(
    customers: list[tuple[UUID, int]], before: int | None, after: int | None, later: int
) -> None:
    on, all_held = TODAY + timedelta(days=later), [held(at, *each) for at, each in enumerate(customers)]
    found = Comparison(rules(before), rules(after), on)
    found.add(all_held)
    gone = {}
    for name, days in (("before", before), ("after", after)):
        verdicts = {each.customer_id: recycle_verdict(each.facts, rules(days), on) for each in all_held}
        gone[name] = {
            key for key, verdict in verdicts.items() if verdict.days_left is not None and verdict.days_left < 0
        }
    assert sum(each.held for each in found.effects.values()) == len(all_held)
    assert sum(each.gone_before for each in found.effects.values()) == len(gone["before"])
    assert sum(each.gone_after for each in found.effects.values()) == len(gone["after"])
    assert {each.customer_id for each in found.taken} == gone["after"] - gone["before"]
    assert sum(each.freed for each in found.effects.values()) == len(gone["before"] - gone["after"])
