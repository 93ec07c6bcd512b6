"""The masked form of a sealed field has a right of its own: it may be shown in more rows than the value."""

from __future__ import annotations

from typing import Any

from saas.access.table import ALLOWED, DENIED, FieldAccess, FieldRight
from saas.reads import Opened, ReadResult
from tests.reads.conftest import Toys
from tests.reads.toys import data_of, full_access, row_id

OWN, OPEN = FieldRight(FieldAccess.ROWS, frozenset({"self"})), FieldRight(FieldAccess.ROWS, frozenset({"open"}))
KEEPER = row_id(2, 0)
"""Keeps shop 0 of the first four; shops 0 and 2 are open; shop 3 has no phone."""
SHOPS = "{ shops(first: 4, orderBy: ID_ASC) { nodes { phone { value masked } } } }"


def rights(value: FieldRight, masked: FieldRight) -> Any:
    full = full_access()
    return full_access(fields={**full.fields, "Shop.phone": value, "Shop.phone.masked": masked})


async def phones(toys: Toys, value: FieldRight, masked: FieldRight, text: str = SHOPS) -> tuple[list[Any], ReadResult]:
    result = await toys.result(text, caller=toys.caller(rights(value, masked), employee_id=KEEPER))
    return [node["phone"] for node in data_of(result)["shops"]["nodes"]], result


def errors(result: ReadResult) -> list[tuple[str, tuple[str | int, ...]]]:
    assert {error.field for error in result.errors} <= {"Shop.phone"}
    return [(error.key, error.path[2:]) for error in result.errors]


def whole(number: int, *, value: bool) -> dict[str, str | None]:
    return {"value": f"1380013{number:04}" if value else None, "masked": f"138****{number:04}"}


async def test_masked_in_every_row_and_the_value_in_own_rows(toys: Toys) -> None:
    found, result = await phones(toys, OWN, ALLOWED)
    assert found == [whole(0, value=True), whole(1, value=False), whole(2, value=False), None]
    assert errors(result) == [("reads.field_forbidden_in_row", (row, "phone", "value")) for row in (1, 2)]
    assert result.opened == [Opened("Shop", "phone", row_id(1, 0))]


async def test_masked_in_some_rows_and_the_value_in_fewer(toys: Toys) -> None:
    """Beyond the masked rows the whole field is refused, with a phone or without."""
    found, result = await phones(toys, OWN, OPEN)
    assert found == [whole(0, value=True), None, whole(2, value=False), None]
    refused = "reads.field_forbidden_in_row"
    assert errors(result) == [(refused, (1, "phone")), (refused, (2, "phone", "value")), (refused, (3, "phone"))]


async def test_masked_is_never_less_than_the_value(toys: Toys) -> None:
    """A table that gives the two in separate rows shows both forms where the value may be read."""
    found, result = await phones(toys, OPEN, OWN)
    assert found == [whole(0, value=True), None, whole(2, value=True), None]
    assert errors(result) == [("reads.field_forbidden_in_row", (row, "phone")) for row in (1, 3)]


async def test_masked_without_any_value(toys: Toys) -> None:
    found, result = await phones(toys, DENIED, OPEN)
    assert found == [whole(0, value=False), None, whole(2, value=False), None]
    refused = "reads.field_forbidden_in_row"
    assert errors(result) == [("reads.value_masked", ()), (refused, (1, "phone")), (refused, (3, "phone"))]
    assert (result.opened, toys.opener.prepared) == ([], [])


async def test_the_masked_form_alone_opens_nothing(toys: Toys) -> None:
    found, result = await phones(toys, OWN, ALLOWED, SHOPS.replace("value ", ""))
    assert found == [{"masked": f"138****{number:04}"} for number in range(3)] + [None]
    assert (result.errors, result.opened, toys.opener.prepared) == ([], [], [])


async def test_neither_form_refuses_the_field_once(toys: Toys) -> None:
    found, result = await phones(toys, DENIED, DENIED)
    assert found == [None] * 4
    assert errors(result) == [("reads.field_forbidden", ())]
