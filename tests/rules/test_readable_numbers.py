"""Numbers in explanations as people read them: at most six digits behind the point, and a sign where more were."""

from __future__ import annotations

from decimal import ROUND_DOWN, Context, Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from saas.kernel import Catalogue, Explanation, readable


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("5885.05747126436781609195402", "5885.057471…"),
        ("-0.00000049", "-0.000000…"),
        ("1500.00", "1500.00"),
        ("0.123456", "0.123456"),
        ("21.7500000000", "21.750000"),
        ("8000.00 * 16 / 21.75 = 5885.0574712643678", "8000.00 * 16 / 21.75 = 5885.057471…"),
        ("max(1.1234567, 2.7654321)", "max(1.123456…, 2.765432…)"),
        ("底薪1.12345678元。", "底薪1.123456…元。"),
        ("It is 1.12345678.", "It is 1.123456…."),
        ("3.14159265.4", "3.14159265.4"),
        ("v1.12345678", "v1.12345678"),
        ("1.12345678x", "1.12345678x"),
        ("12345678", "12345678"),
        ("", ""),
    ],
)
def test_what_is_cut_is_told(text: str, expected: str) -> None:
    assert readable(text) == expected
    assert readable(expected) == expected


@given(st.decimals(allow_nan=False, allow_infinity=False, places=30, min_value=-(10**20), max_value=10**20))
def test_what_is_shown_is_the_number_cut_to_six_digits(number: Decimal) -> None:
    told = readable(format(number, "f"))
    kept = Decimal(told.removesuffix("…"))
    assert kept == number.quantize(Decimal("0.000001"), ROUND_DOWN, Context(prec=60))
    assert told.endswith("…") == (kept != number)


def test_sentences_are_readable_in_both_languages_and_what_is_stored_stays() -> None:
    catalogue = Catalogue({"en": {"room.part": "{title} is {value}"}, "zh-CN": {"room.part": "{title}为{value}"}})
    title = {"en": "Base pay", "zh-CN": "底薪"}
    args: dict[str, Any] = {"title": title, "value": "5885.05747126436781609195402", "days": 21}
    why = Explanation("room.part", args, amount="5885.05747126436781609195402")
    before = why.plain()
    assert why.sentence(catalogue, "en") == "Base pay is 5885.057471…"
    assert why.sentence(catalogue, "zh-CN") == "底薪为5885.057471…"
    assert [*why.lines(catalogue, "en")] == [(0, "Base pay is 5885.057471…", "5885.05747126436781609195402")]
    assert why.plain() == before
    assert before["args"]["value"] == "5885.05747126436781609195402"
