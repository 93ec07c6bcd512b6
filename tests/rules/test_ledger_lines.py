"""A line of the ledger has one digest, of everything it says; what an entry of the trail holds of lines comes back."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import fields, replace
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from saas.customers.ledger import WrittenLine, packed, unpacked

LINE = WrittenLine(
    id=UUID(int=1),
    pool_id=UUID(int=2),
    customer_id=UUID(int=3),
    kind="released",
    happened_at=datetime(2026, 11, 23, 2, 0, 0, 5, tzinfo=UTC),
    happened_on=date(2026, 11, 23),
    operator_id=None,
    former_owner_id=UUID(int=4),
    reason="号码已停用",
)
CANONICAL = (
    '{"allocation":null,"customer":"00000000-0000-0000-0000-000000000003","employee":null,"explanation":null,'
    '"formerOwner":"00000000-0000-0000-0000-000000000004","happenedAt":"2026-11-23T02:00:00.000005Z",'
    '"happenedOn":"2026-11-23","id":"00000000-0000-0000-0000-000000000001","kind":"released","operator":null,'
    '"pool":"00000000-0000-0000-0000-000000000002","reason":"号码已停用","rule":null,"settingsVersion":null}'
)
OTHER: dict[str, Any] = {
    "id": UUID(int=9),
    "pool_id": UUID(int=9),
    "customer_id": None,
    "kind": "claimed",
    "happened_at": LINE.happened_at + timedelta(microseconds=1),
    "happened_on": date(2026, 11, 24),
    "operator_id": UUID(int=9),
    "employee_id": UUID(int=9),
    "former_owner_id": None,
    "reason": None,
    "rule": "no_deal",
    "allocation_id": UUID(int=9),
    "settings_version": 1,
    "explanation": {"key": "x"},
}


def test_the_digest_is_of_one_text() -> None:
    assert LINE.digest() == hashlib.sha256(CANONICAL.encode()).digest()


def test_where_the_clock_stood_makes_no_difference() -> None:
    shanghai = LINE.happened_at.astimezone(timezone(timedelta(hours=8)))
    assert replace(LINE, happened_at=shanghai).digest() == LINE.digest()


@pytest.mark.parametrize("name", [each.name for each in fields(WrittenLine)])
def test_everything_a_line_says_goes_into_its_digest(name: str) -> None:
    assert replace(LINE, **{name: OTHER[name]}).digest() != LINE.digest()


@settings(max_examples=50)
@given(st.lists(st.uuids(), unique=True, max_size=20))
def test_lines_come_back_from_an_entry(ids: list[UUID]) -> None:
    lines = [replace(LINE, id=each) for each in ids]
    assert list(unpacked(packed(lines))) == [(line.id, line.digest()) for line in lines]


@pytest.mark.parametrize("text", ["!", base64.b64encode(b"x" * 47).decode()])
def test_what_is_no_entry_of_ours_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"not whole lines|base64"):
        list(unpacked(text))
