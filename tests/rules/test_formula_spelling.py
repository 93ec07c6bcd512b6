"""Which known words are suggested for one that is not known."""

from __future__ import annotations

from functools import cache

import pytest
from hypothesis import given
from hypothesis import strategies as st

from saas.formulas.spelling import edits_between, nearest

_WORDS = st.text(alphabet="ab底薪", max_size=9)


def aligned(left: str, right: str) -> int:
    """The definition of optimal string alignment, written out."""

    @cache
    def edits(rows: int, columns: int) -> int:
        if not rows or not columns:
            return rows + columns
        changed = edits(rows - 1, columns - 1) + (left[rows - 1] != right[columns - 1])
        least = min(edits(rows - 1, columns) + 1, edits(rows, columns - 1) + 1, changed)
        if rows > 1 and columns > 1 and left[rows - 2 : rows] == right[columns - 1] + right[columns - 2]:
            least = min(least, edits(rows - 2, columns - 2) + 1)
        return least

    return edits(len(left), len(right))


@given(left=_WORDS, right=_WORDS)
def test_edits_are_those_of_the_definition(left: str, right: str) -> None:
    assert edits_between(left, right) == aligned(left, right)


@pytest.mark.parametrize(
    ("word", "known", "found"),
    [
        ("salry", ("salary", "salry_2", "base", "celery"), ("salary", "salry_2")),
        ("salary", ("base_salary", "a_very_long_name_of_a_salary"), ("base_salary",)),
        ("新", ("底薪", "薪"), ()),
        ("底新", ("底薪", "工龄", "底薪总额"), ("底薪",)),
        ("ab", ("ba", "abc", "ac", "bb"), ("ba", "abc", "ac")),
        ("x" * 61, ("x" * 60,), ()),
        ("", ("a",), ()),
    ],
)
def test_the_nearest_come_first_and_the_far_not_at_all(
    word: str, known: tuple[str, ...], found: tuple[str, ...]
) -> None:
    assert nearest(word, known) == found
