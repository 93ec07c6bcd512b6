"""The one byte form: the quick way gives what the plain one gives, and refuses what no amount may be."""

from __future__ import annotations

import json
from decimal import Decimal
from enum import StrEnum
from types import MappingProxyType
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from saas.payroll.rules.canonical import canonical_text

LEAVES = st.none() | st.booleans() | st.integers() | st.text()
VALUES = st.recursive(LEAVES, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=30)


class City(StrEnum):
    HERE = "here"


def by_the_book(value: Any) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


@settings(max_examples=60)
@given(VALUES)
def test_it_is_what_the_standard_library_writes(value: Any) -> None:
    assert canonical_text(value) == by_the_book(value)


@pytest.mark.parametrize(
    "value",
    [
        {"\x00\x1f\x7f\u2028": '"\\/\b\f\n\r\t'},
        {"𠮷": 1, "￿": 2, "é": 3, "e": 4},
        {"large": [2**63 - 1, 2**63, 2**64, -(2**63) - 1, 10**40]},
        {"city": City.HERE, "both": (1, (2,))},
        {1: "a", 2: "b"},
        [],
    ],
)
def test_corners_are_written_alike(value: Any) -> None:
    assert canonical_text(value) == by_the_book(value)


@pytest.mark.parametrize("float_", [1.0, 0.1, float("nan"), float("inf")])
@pytest.mark.parametrize("place", [lambda x: x, lambda x: [x], lambda x: {"a": ({"b": x},)}])
def test_a_float_is_refused_wherever_it_stands(float_: float, place: Any) -> None:
    with pytest.raises(TypeError, match="float"):
        canonical_text(place(float_))


@pytest.mark.parametrize("value", [Decimal(1), {1, 2}, b"a", MappingProxyType({})])
def test_what_json_lacks_is_refused(value: Any) -> None:
    with pytest.raises(TypeError):
        canonical_text({"a": [value]})
