"""From what is recorded to what a settlement takes: the plan's time, late facts, and one hash whatever the order."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from saas.incentives import Accrual, Measure, Moment, Plan, PlanVersion, Release, Rule, Tiers, accrue_each
from saas.incentives.errors import SettlementRefused
from saas.incentives.rules.recorded import Recorded, RecordedCollection, RecordedDeal, as_if_always, facts_of
from saas.incentives.rules.settlements import Carried
from saas.incentives.rules.settling import (
    Waiting,
    check_totals,
    differences,
    draft,
    due_lines,
    periods_through,
)
from saas.kernel import Period
from tests.incentive_samples import APRIL, MARCH, amounts, d

LADDER = Rule("ladder", "阶梯", Tiers((d("100"), d("300")), (d("0.03"), d("0.05"), d("0.08"))))
SINCE_MARCH = Period(date(2026, 3, 1))


def a_plan(since: Period = SINCE_MARCH, **terms: object) -> Plan:
    """Collected with VAT, by a ladder."""
    version = PlanVersion(1, since, (LADDER,))
    return Plan("sales", "提成", (version,), **({"with_vat": True} | terms))  # type: ignore[arg-type]


def a_deal(name: str = "dea_1", *, signed_on: date = date(2026, 1, 5), **members: object) -> RecordedDeal:
    """A deal of 1,000 yuan, all Mei's."""
    whole = RecordedDeal(
        id=name,
        signed_on=signed_on,
        amount_minor=100_000,
        vat_rate=d("0.13"),
        customer="cus_1",
        customer_level=None,
        first_order_on=signed_on,
        product=None,
        category=None,
        channel=None,
        cancelled_on=None,
        credits=(("mei", d("1")),),
    )
    return replace(whole, **members)  # type: ignore[arg-type]


def money(name: str, minor: int, on: date, *, deal: str = "dea_1", back: bool = False) -> RecordedCollection:
    """Money that came in, or went back."""
    return RecordedCollection(name, deal, back, on, minor, None)


def test_what_was_collected_before_the_plan_is_none_of_it() -> None:
    recorded = Recorded(
        deals=[a_deal()],
        collections=[
            money("col_1", 30_000, date(2026, 2, 10)),
            money("col_2", 20_000, date(2026, 3, 10)),
            money("col_3", 35_000, date(2026, 3, 20), back=True),
        ],
    )
    facts = facts_of(recorded, a_plan())
    assert [receipt.id for receipt in facts.receipts] == ["col_2"]
    assert [(refund.id, refund.amount) for refund in facts.refunds] == [("col_3", d("200.00"))]
    lines = accrue_each(facts, a_plan(), periods=[MARCH])[MARCH]
    assert amounts(lines) == [("mei", "col_2", "8.00"), ("mei", "col_3", "-8.00")]
    only_before = facts_of(replace(recorded, collections=recorded.collections[:1]), a_plan())
    assert (only_before.deals, only_before.receipts) == ((), ())


def test_what_is_collected_after_the_plan_has_ended_is_none_of_it() -> None:
    ended = a_plan(Period(date(2026, 3, 1), date(2026, 4, 1)))
    recorded = Recorded(
        deals=[a_deal()],
        collections=[money("col_1", 100, date(2026, 3, 31)), money("col_2", 100, date(2026, 4, 1))],
    )
    assert [receipt.id for receipt in facts_of(recorded, ended).receipts] == ["col_1"]


def test_on_one_day_signing_comes_first_and_refunds_last() -> None:
    on = date(2026, 3, 5)
    recorded = Recorded(
        deals=[a_deal(signed_on=on)],
        collections=[money("col_1", 500, on, back=True), money("col_2", 500, on)],
    )
    facts = facts_of(recorded, a_plan())
    assert facts.deals[0].at < facts.receipts[0].at < facts.refunds[0].at
    assert amounts(accrue_each(facts, a_plan(), periods=[MARCH])[MARCH]) == [
        ("mei", "col_2", "0.15"),
        ("mei", "col_1", "-0.15"),
    ]


@pytest.mark.parametrize(
    ("release", "back"),
    [(Release.AT_SIGNING, "dea_1/cancelled"), (Release.BY_STAGE, "dea_1/cancelled"), (Release.AT_COLLECTION, "col_2")],
)
def test_signed_amounts_go_back_as_they_became_payable(release: Release, back: str) -> None:
    """By cancellation where they are payable without money, by refunds where money makes them payable; never both."""
    terms = a_plan(measure=Measure.SIGNED, anchor=Moment.SIGNING, release=release)
    on = date(2026, 3, 5)
    recorded = Recorded(
        deals=[a_deal(signed_on=on, cancelled_on=date(2026, 4, 9))],
        collections=[money("col_1", 100_000, on), money("col_2", 100_000, date(2026, 4, 8), back=True)],
    )
    assert [(refund.id, refund.amount) for refund in facts_of(recorded, terms).refunds] == [(back, d("1000.00"))]


def test_a_deal_signed_before_the_plan_is_none_of_a_signed_plan() -> None:
    terms = a_plan(measure=Measure.SIGNED, anchor=Moment.SIGNING, release=Release.AT_COLLECTION)
    recorded = Recorded(deals=[a_deal()], collections=[money("col_1", 100, date(2026, 3, 5))])
    facts = facts_of(recorded, terms)
    assert (facts.deals, facts.receipts, facts.refunds) == ((), (), ())


def test_the_first_order_is_never_after_the_deal() -> None:
    """A first deal that was cancelled stands no longer; for itself it was the first."""
    cancelled = a_deal(signed_on=date(2026, 3, 5), first_order_on=date(2026, 5, 1), cancelled_on=date(2026, 3, 6))
    recorded = Recorded(deals=[cancelled, a_deal("dea_2", first_order_on=None)])
    terms = a_plan(Period(date(2026, 1, 1)), measure=Measure.SIGNED, anchor=Moment.SIGNING, release=Release.AT_SIGNING)
    assert [deal.customer.first_order_on for deal in facts_of(recorded, terms).deals] == [
        date(2026, 3, 5),
        date(2026, 1, 5),
    ]


def test_periods_run_from_the_plans_first_to_the_one_asked_for() -> None:
    assert periods_through(a_plan(Period(date(2026, 2, 15))), APRIL) == [Period.of_month("2026-02"), MARCH, APRIL]
    assert periods_through(a_plan(), MARCH) == [MARCH]
    assert periods_through(a_plan(), Period.of_month("2026-02")) == []


def test_a_trial_holds_for_all_time_and_everybody() -> None:
    tried = as_if_always(a_plan(), since=date(2020, 1, 1))
    assert tried.versions[0].effective == Period(date(2020, 1, 1))
    assert tried.versions[0].rules == (LADDER,)


EVENTS = st.lists(
    st.tuples(
        st.sampled_from(("mei", "bo")),
        st.integers(1, 40_000),  # fen
        st.integers(1, 28),  # day
        st.integers(1, 3),  # month in which it happened
        st.integers(0, 3),  # months after which it was entered
        st.booleans(),  # whether it went back in the next month
    ),
    max_size=12,
)
MONTHS = [Period.of_month(f"2026-0{month}") for month in range(1, 9)]


@settings(max_examples=60, deadline=None)
@given(events=EVENTS)
def test_whenever_facts_arrive_all_lines_add_up_to_what_everything_at_once_earns(
    events: list[tuple[str, int, int, int, int, bool]],
) -> None:
    terms = a_plan(Period(date(2026, 1, 1)))
    settled: list[Accrual] = []
    for place, period in enumerate(MONTHS):
        known = _recorded(events, entered_by=place + 1, before=period.until)
        recomputed = accrue_each(facts_of(known, terms), terms, periods=periods_through(terms, period))
        closed = MONTHS[place - 1].last if place else None
        lines = [line for each in recomputed.values() for line in each]
        taken = due_lines(lines, settled, closed_through=closed, period=period)
        assert all(line.on in period for line in taken)
        settled += taken
    keys = [line.key for line in settled]
    assert len(set(keys)) == len(keys)
    at_once = accrue_each(facts_of(_recorded(events, 12, MONTHS[-1].until), terms), terms, periods=MONTHS)
    assert _sums(settled) == _sums([line for each in at_once.values() for line in each])
    last = due_lines(
        [line for each in at_once.values() for line in each],
        settled,
        closed_through=MONTHS[-1].last,
        period=Period.of_month("2026-09"),
    )
    assert last == []


def _recorded(events: list[tuple[str, int, int, int, int, bool]], entered_by: int, before: date | None) -> Recorded:
    deals, collections = [], []
    for place, (who, minor, day, month, late, goes_back) in enumerate(events):
        on = date(2026, month, day)
        if before is None or month + late > entered_by or on >= before:
            continue
        name = f"dea_{place}"
        deals.append(a_deal(name, signed_on=on, credits=((who, d("1")),)))
        collections.append(money(f"col_{place}", minor, on, deal=name))
        back_on = date(2026, month + 1, day)
        if goes_back and back_on < before:
            collections.append(money(f"col_{place}_back", minor, back_on, deal=name, back=True))
    return Recorded(deals=deals, collections=collections)


def _sums(lines: list[Accrual]) -> dict[str, Decimal]:
    found: dict[str, Decimal] = defaultdict(Decimal)
    for line in lines:
        found[line.person] += line.amount
    return {person: amount for person, amount in found.items() if amount}


def test_a_draft_is_the_same_whatever_the_order_and_another_one_for_any_change() -> None:
    recorded = Recorded(
        deals=[a_deal(), a_deal("dea_2", credits=(("bo", d("1")),))],
        collections=[
            money("col_1", 30_000, date(2026, 3, 10)),
            money("col_2", 20_000, date(2026, 3, 11), deal="dea_2"),
        ],
    )
    terms = a_plan()
    lines = accrue_each(facts_of(recorded, terms), terms, periods=[MARCH])[MARCH]
    waiting = [Waiting("pool/1", "mei", date(2026, 3, 31), "CNY", d("5.00"))]
    whole = draft(terms, lines, waiting, {}, period=MARCH)
    assert draft(terms, lines[::-1], waiting, {}, period=MARCH) == whole
    changed = [replace(lines[0], amount=lines[0].amount + d("0.01")), *lines[1:]]
    others = (
        draft(terms, changed, waiting, {}, period=MARCH),
        draft(terms, lines, [], {}, period=MARCH),
        draft(terms, lines, waiting, {"bo": [Carried(date(2026, 2, 28), d("-1.00"))]}, period=MARCH),
        draft(terms, lines[:1], waiting, {}, period=MARCH),
    )
    assert len({whole.plan_hash, *(other.plan_hash for other in others)}) == 5
    assert [(each.person, each.earned, each.payout) for each in whole.statements] == [
        ("bo", d("8.00"), d("8.00")),
        ("mei", d("18.00"), d("18.00")),
    ]
    assert (whole.earned, whole.payable) == (None, None), "of two people a sum would tell"
    with pytest.raises(SettlementRefused):
        draft(terms, [*lines, lines[0]], waiting, {}, period=MARCH)


def test_differences_are_counted_by_key() -> None:
    recorded = Recorded(deals=[a_deal()], collections=[money("col_1", 30_000, date(2026, 3, 10))])
    (line,) = accrue_each(facts_of(recorded, a_plan()), a_plan(), periods=[MARCH])[MARCH]
    found = differences([line], {line.key: line.amount + 1, "gone": d("1")})
    assert (found.new, found.changed, found.gone) == (0, 1, 1)
    found = differences([line], {})
    assert (found.new, found.changed, found.gone) == (1, 0, 0)


def test_totals_must_agree_to_the_fen() -> None:
    check_totals(d("10.00"), [(d("12.00"), d("-1.00"), d("11.00"), d("0")), (d("-2.00"), d("0"), d("0"), d("-2.00"))])
    for lines, statement in (
        (d("10.01"), (d("10.00"), d("0"), d("10.00"), d("0"))),
        (d("10.00"), (d("10.00"), d("0"), d("9.99"), d("0"))),
    ):
        with pytest.raises(SettlementRefused):
            check_totals(lines, [statement])
