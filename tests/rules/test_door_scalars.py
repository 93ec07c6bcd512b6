"""Scalars and texts: what is taken, exactly as it is stored; what is refused."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from graphql import parse
from hypothesis import given
from hypothesis import strategies as st

from saas.graphql.scalars import (
    ScalarRefused,
    check_document_texts,
    check_texts,
    parse_date,
    parse_decimal,
    parse_instant,
    print_decimal,
    print_instant,
)
from saas.kernel import BadUserInput


def test_date() -> None:
    assert parse_date("2024-02-29") == date(2024, 2, 29)


@pytest.mark.parametrize(
    "value", ["2026-02-30", "2026-2-3", "20260203", "2026-02-03T00:00:00Z", "２０２６-02-03", "0000-01-01", 5, None]
)
def test_date_refused(value: object) -> None:
    with pytest.raises(ScalarRefused, match="Date must be a day of the calendar as YYYY-MM-DD"):
        parse_date(value)


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("2026-11-23T10:00:00+08:00", datetime(2026, 11, 23, 2, tzinfo=UTC)),
        ("2026-11-23T10:00:00Z", datetime(2026, 11, 23, 10, tzinfo=UTC)),
        ("2026-11-23T10:00:00.25Z", datetime(2026, 11, 23, 10, 0, 0, 250_000, tzinfo=UTC)),
    ],
)
def test_instant(text: str, instant: datetime) -> None:
    assert parse_instant(text) == instant


@pytest.mark.parametrize(
    "value",
    [
        "2026-11-23T10:00:00",
        "2026-11-23",
        "2026-11-23T24:00:01Z",
        "2026-02-30T00:00:00Z",
        "0001-01-01T00:00:00+23:59",
        "now",
        1.5,
    ],
)
def test_instant_refused(value: object) -> None:
    with pytest.raises(ScalarRefused, match="DateTime must be RFC 3339 with an offset"):
        parse_instant(value)


@pytest.mark.parametrize(
    "value", ["NaN", "Infinity", "1e3", "1_000", "١٢٣", " 1", "1.", ".5", "", "1" * 25, 1, 1.5, True]
)
def test_decimal_refused(value: object) -> None:
    with pytest.raises(ScalarRefused, match="Decimal must be a text of digits"):
        parse_decimal(value)


@given(st.decimals(min_value=-(10**20), max_value=10**20, places=4))
def test_decimal_survives_both_ways(value: Decimal) -> None:
    assert parse_decimal(print_decimal(value)) == value


@given(st.datetimes(timezones=st.just(UTC)))
def test_instant_survives_both_ways(value: datetime) -> None:
    assert parse_instant(print_instant(value)) == value


def test_texts_that_can_be_stored() -> None:
    check_texts({"a": ["tab\t line\n return\r", "漢字 🙂", 1, None, True, {"b": "\x80"}]})


@pytest.mark.parametrize(
    ("text", "shown"), [("a\x00", "U+0000"), ("\x1b[0m", "U+001B"), ("\ud83d", "U+D83D"), ("\x7f", "U+007F")]
)
def test_texts_that_can_not(text: str, shown: str) -> None:
    for values in ({"a": [{"b": text}]}, {"a": [{text: "b"}]}):
        with pytest.raises(BadUserInput) as refused:
            check_texts(values)
        assert refused.value.values == {"character": shown}
        assert refused.value.field[:2] == ("a", "0")


def test_texts_nested_very_deep_are_walked_without_recursion() -> None:
    deep: object = "\x00"
    for _ in range(10_000):
        deep = [deep]
    with pytest.raises(BadUserInput):
        check_texts(deep)


def test_texts_of_a_document() -> None:
    check_document_texts(parse(r'{a(b: "\t\n") c(d: """block""")}'))
    with pytest.raises(BadUserInput):
        check_document_texts(parse(r'query($v: T = {x: ["\u0007"]}) {a(b: $v)}'))
