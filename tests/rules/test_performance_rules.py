"""Credits, performance lines and targets: everything adds up, and what is put right comes to what is due."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from saas.kernel import Period, new_id
from saas.sales.errors import AmountRefused, SharesRefused
from saas.sales.rules.collections import CollectionKind
from saas.sales.rules.credits import Credit, CreditPart, check_parts, shares_of, split
from saas.sales.rules.performance import CreditedDeal, LineKey, Receipt, corrections, lines_due
from saas.sales.rules.targets import (
    NewTarget,
    attainment,
    clean_target,
    prorated,
    shown_attainment,
)

DAY = date(2026, 11, 20)
PEOPLE = [new_id() for _ in range(5)]
TEAM = new_id()


def decimals(*texts: str) -> list[Decimal]:
    return [Decimal(text) for text in texts]


@pytest.mark.parametrize(
    ("given", "shares"),
    [
        (["1"], ["1.00000000"]),
        (["0.6", "0.4"], ["0.60000000", "0.40000000"]),
        (["1", "1", "1"], ["0.33333334", "0.33333333", "0.33333333"]),
        (["60", "40"], ["0.60000000", "0.40000000"]),
        (["2", "1"], ["0.66666667", "0.33333333"]),
        (["0.33333334", "0.33333333", "0.33333333"], ["0.33333334", "0.33333333", "0.33333333"]),
    ],
)
def test_shares_are_decimals_or_whole_parts(given: list[str], shares: list[str]) -> None:
    assert [str(share) for share in shares_of(decimals(*given))] == shares


@pytest.mark.parametrize(
    ("given", "key", "values"),
    [
        (["0.6", "0.399"], "sales.shares_short", {"sum": "99.9 %", "missing": "0.1 %"}),
        (["0.6", "0.401"], "sales.shares_over", {"sum": "100.1 %", "excess": "0.1 %"}),
        (["0.5", "1"], "sales.shares_over", {"sum": "150 %", "excess": "50 %"}),
        (["0.99999999"], "sales.shares_short", {"sum": "99.999999 %", "missing": "0.000001 %"}),
        (["0.333333333", "0.666666667"], "sales.share_too_precise", {"share": "0.333333333", "digits": 8}),
        (["0", "1"], "sales.share_out_of_range", {"share": "0", "most": 1_000_000}),
        (["-1", "2"], "sales.share_out_of_range", {"share": "-1", "most": 1_000_000}),
        (["NaN"], "sales.share_out_of_range", {"share": "NaN", "most": 1_000_000}),
        (["1000001", "1"], "sales.share_out_of_range", {"share": "1000001", "most": 1_000_000}),
    ],
)
def test_shares_that_do_not_make_the_whole(given: list[str], key: str, values: dict[str, object]) -> None:
    with pytest.raises(SharesRefused) as refused:
        shares_of(decimals(*given))
    assert (refused.value.key, refused.value.values, refused.value.field) == (key, values, ("credits",))


def test_each_person_is_credited_once() -> None:
    one, two = PEOPLE[:2]
    parts = [CreditPart(one, Decimal(1)), CreditPart(two, Decimal(1)), CreditPart(one, Decimal(1))]
    with pytest.raises(SharesRefused) as refused:
        check_parts(parts)
    assert (refused.value.key, refused.value.values) == ("sales.credited_twice", {"place": 3})
    for count in (0, 21):
        with pytest.raises(SharesRefused, match=r"sales\.credits_count"):
            check_parts([CreditPart(new_id(), Decimal(1)) for _ in range(count)])


@given(st.lists(st.integers(1, 1_000_000), min_size=1, max_size=20))
def test_whole_parts_always_make_one_and_nobody_gets_nothing(parts: list[int]) -> None:
    shares = shares_of([Decimal(part) for part in parts])
    assert sum(shares) == 1
    assert min(shares) > 0
    for part, share in zip(parts, shares, strict=True):
        assert abs(Fraction(share) - Fraction(part, sum(parts))) < Fraction(1, 10**8)


def test_ties_go_by_position() -> None:
    thirds = shares_of(decimals("1", "1", "1"))
    assert split(10_000, thirds) == (3334, 3333, 3333)
    assert split(-10_000, thirds) == (-3334, -3333, -3333)
    assert split(2, shares_of(decimals(*("1",) * 5))) == (1, 1, 0, 0, 0)


@st.composite
def deals(draw: st.DrawFn) -> CreditedDeal:
    parts = draw(st.lists(st.integers(1, 50), min_size=1, max_size=4))
    shares = shares_of([Decimal(part) for part in parts])
    people = draw(st.permutations(PEOPLE))
    amount = draw(st.integers(1, 10**9))
    receipts = []
    for number in range(draw(st.integers(0, 3))):
        kind: CollectionKind = draw(st.sampled_from(["collection", "refund"]))
        day = DAY + timedelta(days=draw(st.integers(0, 2)))
        receipts.append(Receipt(UUID(int=number + 1), kind, day, draw(st.integers(1, 10**9))))
    return CreditedDeal(
        amount_minor=amount,
        signed_on=DAY,
        cancelled_on=draw(st.sampled_from([None, DAY, DAY + timedelta(days=3)])),
        is_new_customer=draw(st.booleans()),
        credits=[Credit(person, TEAM, share) for person, share in zip(people, shares, strict=False)],
        receipts=receipts,
    )


def totals(lines: Iterable[tuple[LineKey, int]]) -> dict[LineKey, int]:
    found: dict[LineKey, int] = defaultdict(int)
    for key, amount in lines:
        found[key] += amount
    return {key: amount for key, amount in found.items() if amount}


@given(deals())
def test_lines_add_up_to_what_happened(deal: CreditedDeal) -> None:
    sums: dict[tuple[str, UUID | None], int] = defaultdict(int)
    for key, amount in lines_due(deal).items():
        sums[key.metric, key.collection_id] += amount
    assert sums.pop(("signed", None)) == (deal.amount_minor if deal.cancelled_on is None else 0)
    assert dict(sums) == {
        ("refunded" if each.kind == "refund" else "collected", each.id): each.amount_minor
        * (-1 if each.kind == "refund" else 1)
        for each in deal.receipts
    }


@given(st.lists(deals(), min_size=1, max_size=4))
def test_after_any_changes_the_lines_come_to_what_is_due(states: list[CreditedDeal]) -> None:
    written: list[tuple[LineKey, int]] = []
    for deal in states:
        due = lines_due(deal)
        before = list(written)
        fresh = list(corrections(totals(written), due))
        written += fresh
        assert written[: len(before)] == before
        assert totals(written) == totals(due.items())
        assert all(amount for _, amount in fresh)
        assert list(corrections(totals(written), due)) == []


def test_a_change_of_credits_reverses_whole_lines() -> None:
    one, two = PEOPLE[:2]
    whole = CreditedDeal(10_001, DAY, None, False, [Credit(one, TEAM, Decimal(1))])
    halves = [Credit(one, TEAM, Decimal("0.5")), Credit(two, TEAM, Decimal("0.5"))]
    shared = CreditedDeal(10_001, DAY, None, False, halves)
    found = [(key.employee_id, amount) for key, amount in corrections(lines_due(whole), lines_due(shared))]
    assert found == [(one, -10_001), (one, 5001), (two, 5000)]


def test_a_cancellation_counts_on_its_own_day() -> None:
    deal = CreditedDeal(500, DAY, DAY + timedelta(days=9), True, [Credit(PEOPLE[0], TEAM, Decimal(1))])
    lines = {(key.metric, key.happened_on): amount for key, amount in lines_due(deal).items()}
    assert lines == {("signed", DAY): 500, ("signed", DAY + timedelta(days=9)): -500}


def test_attainment_is_not_rounded_before_it_is_shown() -> None:
    value = attainment(Decimal("191328.49"), Decimal(165_000))
    assert shown_attainment(value) == Decimal("1.1596")
    assert value > Decimal("1.15956660")
    assert shown_attainment(attainment(Decimal(1), Decimal(3))) == Decimal("0.3333")
    assert shown_attainment(attainment(Decimal("0.99995"), Decimal(1))) == Decimal("1.0000")
    assert attainment(Decimal("0.99995"), Decimal(1)) < 1


@pytest.mark.parametrize("target", ["0", "-1"])
def test_against_no_target_nothing_is_measured(target: str) -> None:
    with pytest.raises(AmountRefused, match=r"sales\.target_not_positive"):
        attainment(Decimal(5), Decimal(target))
    new = NewTarget(PEOPLE[0], None, "signed", DAY, DAY + timedelta(days=1), Decimal(target))
    with pytest.raises(AmountRefused, match=r"sales\.amount_not_positive"):
        clean_target(new, currency="CNY")


NOVEMBER = Period.of_month("2026-11")


@pytest.mark.parametrize(
    ("active", "part"),
    [
        (Period(date(2026, 11, 1)), "100000.00"),
        (Period(date(2026, 11, 16)), "50000.00"),
        (Period(date(2026, 11, 30)), "3333.33"),
        (Period(date(2026, 1, 1), date(2026, 11, 21)), "66666.67"),
        (Period(date(2026, 12, 1)), "0.00"),
    ],
)
def test_a_target_is_due_for_the_days_of_work(active: Period, part: str) -> None:
    assert prorated(Decimal(100_000), NOVEMBER, active) == Decimal(part)


@given(st.integers(1, 10**12), st.integers(1, 29))
def test_two_parts_of_a_month_make_the_whole_but_for_a_fen(minor: int, day: int) -> None:
    target, cut = Decimal(minor).scaleb(-2), NOVEMBER.first + timedelta(days=day)
    parts = [prorated(target, NOVEMBER, Period(NOVEMBER.first, cut)), prorated(target, NOVEMBER, Period(cut))]
    assert abs(sum(parts) - target) <= Decimal("0.01")


@pytest.mark.parametrize(
    ("changes", "key"),
    [
        ({"employee_id": None}, "sales.target_subject"),
        ({"department_id": TEAM}, "sales.target_subject"),
        ({"metric": "margin"}, "sales.unknown_metric"),
        ({"metric": "refunded"}, "sales.unknown_metric"),
        ({"until": DAY}, "sales.target_period_empty"),
        ({"until": DAY - timedelta(days=1)}, "sales.target_period_empty"),
        ({"amount": Decimal("0.001")}, "sales.amount_too_precise"),
    ],
)
def test_targets_that_can_not_be(changes: dict[str, object], key: str) -> None:
    values: dict[str, object] = {
        "employee_id": PEOPLE[0],
        "department_id": None,
        "metric": "signed",
        "first": DAY,
        "until": DAY + timedelta(days=30),
        "amount": Decimal(100),
        **changes,
    }
    with pytest.raises(Exception, match=key.replace(".", r"\.")):
        clean_target(NewTarget(**values), currency="CNY")  # type: ignore[arg-type]
