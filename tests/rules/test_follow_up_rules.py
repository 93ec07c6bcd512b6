"""What a follow-up must be to be kept."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from saas.kernel import BadUserInput
from saas.sales.errors import FollowUpInTheFuture
from saas.sales.rules.follow_ups import check_kind, clean_content, happened_at

NOW = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)


def test_without_an_instant_it_happened_now() -> None:
    assert happened_at(None, now=NOW) == NOW


@pytest.mark.parametrize("ahead", [timedelta(seconds=1), timedelta(minutes=5)])
def test_a_clock_a_little_ahead_is_taken_for_now(ahead: timedelta) -> None:
    assert happened_at(NOW + ahead, now=NOW) == NOW


def test_the_future_is_refused() -> None:
    with pytest.raises(FollowUpInTheFuture) as refused:
        happened_at(NOW + timedelta(minutes=5, seconds=1), now=NOW)
    assert refused.value.values == {"at": "2026-11-23T02:05:01+00:00"}
    assert refused.value.field == ("input", "occurredAt")


def test_the_past_is_kept() -> None:
    assert happened_at(NOW - timedelta(days=400), now=NOW) == NOW - timedelta(days=400)


@pytest.mark.parametrize(("content", "length"), [("", 0), (" \n ", 0), ("x" * 4001, 4001)])
def test_content_has_limits(content: str, length: int) -> None:
    with pytest.raises(BadUserInput) as refused:
        clean_content(content)
    assert refused.value.values == {"length": length, "longest": 4000}


def test_content_loses_outer_space_alone() -> None:
    assert clean_content("  拜访\n 已约下周 ") == "拜访\n 已约下周"
    assert clean_content("x" * 4000) == "x" * 4000


def test_unknown_kind_names_the_known() -> None:
    assert check_kind("visit") == "visit"
    with pytest.raises(BadUserInput) as refused:
        check_kind("telepathy")
    assert refused.value.values == {"kind": "telepathy", "known": "call, visit, meeting, message, note"}
