"""Deals, collections and opportunities as they are entered: exact amounts, and refusals that name fact and value."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from saas.kernel import AppError, BadUserInput, minor_digits, new_id
from saas.sales.errors import (
    AmountRefused,
    CollectionExceedsDeal,
    CollectionStays,
    DealBeforeCustomer,
    DealCancelled,
    DealHasCollections,
    DealWithoutOwner,
    RefundExceedsCollected,
    ValueOutOfRange,
)
from saas.sales.rules.amounts import LARGEST_MINOR, minor_of, shown
from saas.sales.rules.collections import (
    Balance,
    CleanCollection,
    CollectionKind,
    NewCollection,
    after,
    clean_collection,
    without,
)
from saas.sales.rules.credits import CreditPart
from saas.sales.rules.deals import (
    CleanDeal,
    NewDeal,
    StoredDeal,
    check_customer_was_there,
    clean_deal,
    may_change,
)
from saas.sales.rules.opportunities import NewOpportunity, Stage, clean_opportunity, closing_day

TODAY = date(2026, 11, 23)
OWNER = new_id()
DEAL = NewDeal(new_id(), " D-1 ", date(2026, 11, 20), Decimal("1234.50"), owner_id=OWNER)


def refusal_of(attempt: Callable[[], object]) -> AppError:
    with pytest.raises(AppError) as refused:
        attempt()
    return refused.value


def clean(**changes: object) -> CleanDeal:
    return clean_deal(replace(DEAL, **changes), currency="CNY", today=TODAY)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("amount", "currency", "minor"),
    [("0.01", "CNY", 1), ("1234.50", "CNY", 123450), ("1234.5", "CNY", 123450), ("7", "JPY", 7), ("0.005", "KWD", 5)],
)
def test_amounts_become_smallest_units(amount: str, currency: str, minor: int) -> None:
    assert minor_of(Decimal(amount), currency=currency) == minor


@pytest.mark.parametrize(
    ("amount", "currency", "key"),
    [
        ("0", "CNY", "sales.amount_not_positive"),
        ("-1", "CNY", "sales.amount_not_positive"),
        ("NaN", "CNY", "sales.amount_not_positive"),
        ("Infinity", "CNY", "sales.amount_not_positive"),
        ("0.001", "CNY", "sales.amount_too_precise"),
        ("0.5", "JPY", "sales.amount_too_precise"),
        ("10000000000000.01", "CNY", "sales.amount_too_large"),
        ("1E+60", "CNY", "sales.amount_too_large"),
    ],
)
def test_amounts_that_can_not_be(amount: str, currency: str, key: str) -> None:
    refusal = refusal_of(lambda: minor_of(Decimal(amount), currency=currency, field="expected"))
    assert isinstance(refusal, AmountRefused)
    assert (refusal.key, refusal.field) == (key, ("expected",))


@given(st.integers(1, LARGEST_MINOR), st.sampled_from(["CNY", "JPY", "KWD"]))
def test_an_amount_is_shown_as_it_was_entered(minor: int, currency: str) -> None:
    text = shown(minor, currency)
    assert minor_of(Decimal(text), currency=currency) == minor
    assert len(text.partition(".")[2]) == minor_digits(currency)


def test_a_deal_is_kept_with_clean_texts_and_the_owners_credit() -> None:
    made = clean(product="  GTX   Pro ", category="", vat_rate=Decimal("0.13")).owned_by(None)
    assert (made.values.number, made.values.product, made.values.category) == ("D-1", "GTX Pro", None)
    assert (made.values.amount_minor, made.values.vat_rate) == (123450, Decimal("0.1300"))
    assert made.values.owner_id == OWNER
    assert made.credits == (CreditPart(OWNER, Decimal(1)),)


def test_the_owner_of_the_day_stands_in_for_one_not_named() -> None:
    history = new_id()
    made = clean(owner_id=None).owned_by(history)
    assert (made.values.owner_id, made.credits) == (history, (CreditPart(history, Decimal(1)),))
    assert clean().owned_by(history).values.owner_id == OWNER
    refusal = refusal_of(lambda: clean(owner_id=None).owned_by(None))
    assert isinstance(refusal, DealWithoutOwner)
    assert refusal.values == {"day": "2026-11-20"}


def test_given_credits_are_kept_beside_the_owner() -> None:
    one, two = new_id(), new_id()
    parts = (CreditPart(one, Decimal(1)), CreditPart(two, Decimal(1)))
    made = clean(credits=parts).owned_by(None)
    assert made.credits == (CreditPart(one, Decimal("0.5")), CreditPart(two, Decimal("0.5")))
    assert made.values.owner_id == OWNER


@pytest.mark.parametrize(
    ("changes", "key", "field"),
    [
        ({"number": " "}, "people.name_empty", ("input", "number")),
        ({"number": "x" * 61}, "people.name_too_long", ("input", "number")),
        ({"amount": Decimal(0)}, "sales.amount_not_positive", ("amount",)),
        ({"signed_on": date(2026, 11, 24)}, "sales.day_in_the_future", ("signedOn",)),
        ({"vat_rate": Decimal(1)}, "sales.vat_rate_out_of_range", ("vatRate",)),
        ({"vat_rate": Decimal(13)}, "sales.vat_rate_out_of_range", ("vatRate",)),
        ({"vat_rate": Decimal("0.00001")}, "sales.vat_rate_out_of_range", ("vatRate",)),
        ({"vat_rate": Decimal("NaN")}, "sales.vat_rate_out_of_range", ("vatRate",)),
    ],
)
def test_deals_that_can_not_be(changes: dict[str, object], key: str, field: tuple[str, ...]) -> None:
    refusal = refusal_of(lambda: clean(**changes))
    assert isinstance(refusal, BadUserInput)
    assert (refusal.key, refusal.field) == (key, field)


def test_a_deal_before_its_customer_names_both_days() -> None:
    since = date(2026, 11, 21)
    check_customer_was_there(since, since=since)
    refusal = refusal_of(lambda: check_customer_was_there(date(2026, 11, 20), since=since))
    assert isinstance(refusal, DealBeforeCustomer)
    assert refusal.values == {"signed_on": "2026-11-20", "since": "2026-11-21"}


def stored(collected: int = 0, *, cancelled_on: date | None = None) -> StoredDeal:
    made = clean().owned_by(None)
    return StoredDeal(new_id(), made.values, collected, cancelled_on, 1, made.credits)


def test_a_deal_never_becomes_smaller_than_what_was_received() -> None:
    smaller = clean(amount=Decimal("1000.00")).owned_by(None)
    assert may_change(stored(100_000), smaller, currency="CNY") is None
    refusal = may_change(stored(100_001), smaller, currency="CNY")
    assert isinstance(refusal, DealHasCollections)
    assert refusal.values == {"number": "D-1", "collected": "1000.01"}


def test_a_cancelled_deal_does_not_change() -> None:
    refusal = may_change(stored(cancelled_on=TODAY), clean(product="x").owned_by(None), currency="CNY")
    assert isinstance(refusal, DealCancelled)
    assert refusal.values == {"number": "D-1", "day": "2026-11-23"}


def receipt(kind: CollectionKind, amount: str) -> CleanCollection:
    new = NewCollection(new_id(), kind, TODAY, Decimal(amount))
    return clean_collection(new, currency="CNY", today=TODAY)


@pytest.mark.parametrize(
    ("kind", "amount", "collected", "expected"),
    [
        ("collection", "1000.00", 0, 100_000),
        ("collection", "0.01", 99_999, 100_000),
        ("refund", "0.01", 1, 0),
        ("refund", "300.00", 100_000, 70_000),
    ],
)
def test_what_was_received_goes_up_and_down(kind: CollectionKind, amount: str, collected: int, expected: int) -> None:
    balance = Balance("D-1", 100_000, collected, None)
    assert after(receipt(kind, amount), balance, currency="CNY") == expected


def test_no_more_is_received_than_the_deal_is_worth() -> None:
    refusal = after(receipt("collection", "0.02"), Balance("D-1", 100_000, 99_999, None), currency="CNY")
    assert isinstance(refusal, CollectionExceedsDeal)
    assert refusal.values == {"amount": "0.02", "open": "0.01", "deal_amount": "1000.00"}


def test_no_more_is_paid_back_than_was_received() -> None:
    refusal = after(receipt("refund", "500.01"), Balance("D-1", 100_000, 50_000, None), currency="CNY")
    assert isinstance(refusal, RefundExceedsCollected)
    assert refusal.values == {"amount": "500.01", "collected": "500.00"}


def test_a_cancelled_deal_receives_nothing() -> None:
    assert isinstance(after(receipt("collection", "1"), Balance("D-1", 9, 0, TODAY), currency="CNY"), DealCancelled)


@given(
    kind=st.sampled_from(["collection", "refund"]),
    ends=st.lists(st.integers(0, 200), min_size=2, max_size=2, unique=True).map(sorted),
    now=st.integers(0, 200),
)
def test_what_counts_no_more_is_as_if_it_had_never_been(kind: CollectionKind, ends: list[int], now: int) -> None:
    """An entry between two balances of a deal of 200 fen; `now` is the balance to which others have moved it since."""
    low, high = ends
    before, entered = (high, low) if kind == "refund" else (low, high)
    entry = receipt(kind, str(Decimal(high - low).scaleb(-2)))
    assert after(entry, Balance("D-1", 200, before, None), currency="CNY") == entered
    left, others = without(entry, Balance("D-1", 200, now, None), currency="CNY"), now - entered
    if 0 <= before + others <= 200:
        assert left == before + others
    else:
        assert isinstance(left, CollectionStays)
        assert left.key == ("sales.collection_rested_on" if kind == "collection" else "sales.refund_rested_on")


def test_nothing_of_a_cancelled_deal_is_reversed() -> None:
    assert isinstance(without(receipt("refund", "1"), Balance("D-1", 900, 0, TODAY), currency="CNY"), DealCancelled)


def test_money_is_not_received_tomorrow() -> None:
    new = NewCollection(new_id(), "collection", date(2026, 11, 24), Decimal(1))
    refusal = refusal_of(lambda: clean_collection(new, currency="CNY", today=TODAY))
    assert isinstance(refusal, ValueOutOfRange)
    assert refusal.values == {"day": "2026-11-24", "today": "2026-11-23"}


ENGAGING, WON = Stage(new_id(), "engaging", "open"), Stage(new_id(), "won", "won")


@pytest.mark.parametrize(
    ("stage", "closed_on", "engaged_on", "key"),
    [
        (ENGAGING, TODAY, None, "sales.open_stage_has_no_end"),
        (WON, None, None, "sales.closed_stage_needs_day"),
        (WON, date(2026, 11, 24), None, "sales.day_in_the_future"),
        (WON, date(2026, 11, 1), date(2026, 11, 2), "sales.closed_before_engaged"),
    ],
)
def test_the_end_of_an_opportunity_fits_its_stage(
    stage: Stage, closed_on: date | None, engaged_on: date | None, key: str
) -> None:
    refusal = refusal_of(lambda: closing_day(stage, closed_on, engaged_on=engaged_on, today=TODAY))
    assert (refusal.key, refusal.field) == (key, ("closedOn",))


def test_what_an_opportunity_is_worth_may_be_unknown() -> None:
    for expected, minor in ((None, None), (Decimal(0), None), (Decimal("12.5"), 1250)):
        new = NewOpportunity("engaging", expected=expected)
        values = clean_opportunity(new, ENGAGING, owner_id=OWNER, currency="CNY", today=TODAY)
        assert (values.expected_minor, values.customer_id, values.stage_id) == (minor, None, ENGAGING.id)
    future = NewOpportunity("engaging", engaged_on=date(2026, 11, 24))
    refusal = refusal_of(lambda: clean_opportunity(future, ENGAGING, owner_id=OWNER, currency="CNY", today=TODAY))
    assert (refusal.key, refusal.field) == ("sales.day_in_the_future", ("engagedOn",))
