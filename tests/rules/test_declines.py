"""Declines of old customers: against their own history, never against too little of it, and back above it no more."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from saas.circulation.errors import TermsRefused
from saas.circulation.rules.declines import CustomerHistory, Decline, MonthFigure, find_declines, months_before
from saas.circulation.rules.terms import DeclineMeasure, DeclineTerms, changed
from saas.customers.recycling import FollowUpFacts, RecycleRules, effective_days
from saas.kernel import AppErrors

TODAY = date(2026, 11, 23)
MONTH = date(2026, 11, 1)
TERMS = DeclineTerms(is_enabled=True)
LONG_AGO = date(2024, 1, 1)
"""By the product's own terms: August to October against the twelve months before."""


def figures(recent: Sequence[int], before: Sequence[int]) -> dict[date, MonthFigure]:
    """Amounts by month: `recent` ends with October 2026, `before` lies directly before it; 0 is a month without one."""
    whole = [*before, *recent]
    months = [months_before(MONTH, len(whole) - place) for place in range(len(whole))]
    return {month: MonthFigure(1, minor) for month, minor in zip(months, whole, strict=True) if minor}


def history(deals: Mapping[date, MonthFigure] | None = None, **more: object) -> CustomerHistory:
    known = min(deals) if deals else LONG_AGO
    of = CustomerHistory(UUID(int=1), received_on=LONG_AGO, known_from=known, deals=deals or {})
    return replace(of, **more)  # type: ignore[arg-type]


def found(of: CustomerHistory, terms: DeclineTerms = TERMS, **more: object) -> tuple[Decline, ...]:
    return find_declines(of, terms, today=TODAY, currency="CNY", **more)  # type: ignore[arg-type]


def every(days: int, count: int, *, last: date) -> tuple[date, ...]:
    return tuple(last - timedelta(days=days * number) for number in reversed(range(count)))


def test_half_of_the_own_average_is_a_fall_and_a_cent_above_is_none() -> None:
    before = [120_000] * 12
    (decline,) = found(history(figures([60_000] * 3, before)))
    assert (decline.measure, decline.since_on) == (DeclineMeasure.DEALS, MONTH)
    assert (decline.before, decline.after) == (Decimal(120_000), Decimal(60_000))
    assert found(history(figures([60_000, 60_000, 60_001], before))) == ()


def test_the_explanation_holds_both_figures() -> None:
    (decline,) = found(history(figures([0, 0, 30_000], [90_000] * 12)))
    assert decline.explanation.plain() == {
        "key": "circulation.declining_since",
        "args": {"since": "2026-11-01"},
        "parts": [
            {
                "key": "circulation.decline_deals",
                "args": {"before": "900.00", "after": "100.00", "recent": "3", "percent": "50"},
            }
        ],
    }


@pytest.mark.parametrize(
    "too_little",
    [
        history(figures([0, 0, 0], [100_000] * 5)),  # five months where six are asked for
        history(figures([0, 0, 0], [0, 100_000, 0, 0, 0, 0, 0, 0, 0, 0, 0, 100_000])),  # two deals of three
        history({}),
        history(figures([0, 0, 0], [100_000] * 12), known_from=None),
        history(figures([0, 0, 0], [100_000] * 12), received_on=date(2026, 8, 2)),  # not all recent months are its own
    ],
)
def test_too_little_history_is_no_decline(too_little: CustomerHistory) -> None:
    assert found(too_little) == ()


def test_a_younger_customer_is_measured_by_the_months_it_has() -> None:
    (decline,) = found(history(figures([0, 0, 0], [60_000] * 6)))
    assert decline.before == Decimal(60_000)


def test_receipts_count_by_themselves_and_refunds_lower_them() -> None:
    of = history(collections=figures([100_000, -90_000, 0], [50_000] * 12))
    (decline,) = found(of)
    assert decline.measure is DeclineMeasure.COLLECTIONS
    assert decline.after == Decimal("3333.333333")


def test_a_silence_of_twice_the_median_gap_breaks_the_rhythm() -> None:
    last = TODAY - timedelta(days=20)
    days = every(10, 30, last=last)
    (decline,) = found(history(follow_up_days=days))
    assert (decline.measure, decline.since_on) == (DeclineMeasure.FOLLOW_UPS, TODAY)
    assert (decline.before, decline.after) == (Decimal(10), Decimal(20))
    assert found(history(follow_up_days=every(10, 30, last=last + timedelta(days=1)))) == ()


def test_an_odd_gap_breaks_on_the_next_whole_day() -> None:
    days = (*every(7, 20, last=date(2026, 10, 1)), date(2026, 10, 9))  # 19 gaps of 7, one of 8
    (decline,) = found(history(follow_up_days=days), replace(TERMS, fall_percent=33))
    assert decline.before == Decimal(7)
    assert decline.since_on == date(2026, 10, 9) + timedelta(days=11)  # 7 / 0.67 = 10.4…


def test_a_new_owner_does_not_answer_for_the_silence_before() -> None:
    days = every(10, 30, last=TODAY - timedelta(days=60))
    assert len(found(history(follow_up_days=days))) == 1
    assert found(history(follow_up_days=days, received_on=TODAY - timedelta(days=19))) == ()
    (decline,) = found(history(follow_up_days=days, received_on=TODAY - timedelta(days=20)))
    assert (decline.since_on, decline.after) == (TODAY, Decimal(20))


def test_a_known_decline_lasts_until_the_figure_it_fell_from_is_near_again() -> None:
    """Low months have become history: against them alone nothing would have fallen any more."""
    of = history(figures([20_000] * 3, [20_000] * 12))
    assert found(of) == ()
    assert len(found(of, known={DeclineMeasure.DEALS: Decimal(120_000)})) == 1
    better = history(figures([60_001] * 3, [20_000] * 12))
    assert found(better, known={DeclineMeasure.DEALS: Decimal(120_000)}) == ()


def test_only_the_measures_of_the_policy_count() -> None:
    of = history(figures([0] * 3, [90_000] * 12), collections=figures([0] * 3, [90_000] * 12))
    assert [each.measure for each in found(of)] == [DeclineMeasure.DEALS, DeclineMeasure.COLLECTIONS]
    assert [each.measure for each in found(of, replace(TERMS, measures=(DeclineMeasure.COLLECTIONS,)))] == [
        DeclineMeasure.COLLECTIONS
    ]


AMOUNTS = st.integers(0, 1_000_000)


@given(st.lists(AMOUNTS, min_size=3, max_size=3), st.lists(AMOUNTS, min_size=12, max_size=12), st.integers(1, 99))
def test_money_falls_just_where_exact_fractions_say_so(recent: list[int], before: list[int], fall: int) -> None:
    """An oracle of its own: sums and fractions, over months counted by hand."""
    terms = replace(TERMS, fall_percent=fall, least_events=1)
    of = history(figures(recent, before), known_from=LONG_AGO)
    exact_before, exact_after = Fraction(sum(before), 12), Fraction(sum(recent), 3)
    margin = exact_after - exact_before * (100 - fall) / 100
    if abs(margin) > Fraction(1, 1000):
        assert (len(found(of, terms)) == 1) == (sum(before) > 0 and margin < 0)


@given(st.lists(AMOUNTS, min_size=15, max_size=15), st.integers(1, 500_000))
def test_more_money_in_the_recent_months_never_makes_a_decline(months: list[int], more: int) -> None:
    worse, better = months[12:], [months[12] + more, *months[13:]]
    if not found(history(figures(worse, months[:12]), known_from=LONG_AGO)):
        assert found(history(figures(better, months[:12]), known_from=LONG_AGO)) == ()


@given(st.lists(st.integers(1, 60), min_size=6, max_size=40), st.integers(0, 400))
def test_the_rhythm_breaks_on_its_day_and_stays_broken(gaps: list[int], silence: int) -> None:
    last = TODAY - timedelta(days=silence)
    days = [last]
    for gap in gaps:
        days.insert(0, days[0] - timedelta(days=gap))
    terms = replace(TERMS, history_months=60, recent_months=12, least_history_months=1)
    declines = found(history(follow_up_days=days), terms)
    ordered = sorted(gaps)
    middle = Fraction(ordered[(len(gaps) - 1) // 2] + ordered[len(gaps) // 2], 2)
    assert bool(declines) == (silence >= 2 * middle)
    for decline in declines:
        assert (decline.since_on - last).days == -(-2 * middle // 1)
        assert decline.since_on <= TODAY


@pytest.mark.parametrize(
    ("wanted", "fields", "key"),
    [
        ({"fall_percent": 0}, ("fallPercent",), "circulation.term_out_of_range"),
        ({"fall_percent": 100}, ("fallPercent",), "circulation.term_out_of_range"),
        ({"recent_months": 0}, ("recentMonths",), "circulation.term_out_of_range"),
        ({"measures": ()}, ("measures",), "circulation.measures_refused"),
        ({"least_history_months": 13}, ("leastHistoryMonths",), "circulation.history_too_short"),
        ({"notice_days": 0}, ("noticeDays",), "circulation.notice_needed"),
    ],
)
def test_terms_that_contradict_are_refused(wanted: dict[str, object], fields: tuple[str, ...], key: str) -> None:
    with pytest.raises(AppErrors) as refused:
        changed(TERMS, wanted, warns=True)
    (error,) = refused.value.errors
    assert isinstance(error, TermsRefused)
    assert (error.field, error.key) == (fields, key)


def test_a_pool_that_does_not_warn_needs_no_notice() -> None:
    assert changed(TERMS, {"notice_days": 0}, warns=False) == replace(TERMS, notice_days=0)


def test_terms_come_back_as_they_were_kept() -> None:
    terms = replace(TERMS, measures=(DeclineMeasure.FOLLOW_UPS,), notice_days=3)
    assert DeclineTerms.of_plain(terms.plain()) == terms


def test_days_count_once_and_copied_or_thin_entries_never() -> None:
    """L11, over all holdings: a text that anybody wrote before counts for nobody."""
    one, other = UUID(int=1), UUID(int=2)
    entries = [
        FollowUpFacts(date(2026, 11, 2), one, "visit", "上门拜访"),
        FollowUpFacts(date(2026, 11, 2), one, "visit", "再次拜访"),
        FollowUpFacts(date(2026, 11, 4), other, "visit", "上门 拜访"),  # copied
        FollowUpFacts(date(2026, 11, 5), other, "note", "短"),
        FollowUpFacts(date(2026, 11, 6), other, "call", "通话", seconds=29),
        FollowUpFacts(date(2026, 11, 9), other, "call", "通话纪要", seconds=30),
        FollowUpFacts(TODAY + timedelta(days=1), one, "visit", "明天的拜访"),
    ]
    rules = RecycleRules()
    assert effective_days(entries, rules, today=TODAY) == (date(2026, 11, 2), date(2026, 11, 9))
    assert effective_days(entries, rules, today=TODAY, by=one) == (date(2026, 11, 2),)
    assert effective_days(entries, rules, today=TODAY, by=other) == (date(2026, 11, 9),)
