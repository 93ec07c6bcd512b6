"""Sealed values: opened only when selected, noted for the audit, null with an error where they can't be opened."""

from __future__ import annotations

from saas.access.table import FieldAccess, FieldRight
from saas.kernel import ErrorCode
from saas.reads import Opened
from tests.reads.conftest import Toys
from tests.reads.toys import data_of, row_id, seal, with_field

SHOPS = "{ shops(first: 4, orderBy: ID_ASC) { nodes { phone { value } } } }"


async def test_opened_values_are_noted(toys: Toys) -> None:
    result = await toys.result(SHOPS)
    phones = [{"value": f"1380013{number:04}"} for number in range(3)]
    assert data_of(result)["shops"]["nodes"] == [{"phone": item} for item in (*phones, None)]
    assert result.opened == [Opened("Shop", "phone", row_id(1, number)) for number in range(3)]


async def test_nothing_is_opened_that_is_not_selected(toys: Toys) -> None:
    result = await toys.result("{ shops(first: 4) { nodes { name phone { masked } } } }")
    assert (result.opened, result.errors, toys.opener.prepared) == ([], [], [])


async def test_a_moved_value_is_null_with_an_error_at_its_place(toys: Toys) -> None:
    """Shop 2 carries the sealed bytes of shop 1: only that field fails, and nothing tells why."""
    statement = "UPDATE toy_shop SET phone_sealed = $2 WHERE id = $1"
    async with toys.database.transaction(toys.tenant_id) as transaction:
        await transaction.execute(statement, row_id(1, 2), seal(row_id(1, 1), "13800130001"))
        result = await toys.result(SHOPS, fetchrow=transaction.fetchrow)
        await transaction.execute(statement, row_id(1, 2), seal(row_id(1, 2), "13800130002"))
    assert data_of(result)["shops"]["nodes"][1:3] == [{"phone": {"value": "13800130001"}}, {"phone": {"value": None}}]
    assert [(error.code, error.key, error.path, error.field) for error in result.errors] == [
        (ErrorCode.INTERNAL, "reads.value_unopenable", ("shops", "nodes", 2, "phone", "value"), "Shop.phone")
    ]
    assert result.errors[0].args == {"field": "Shop.phone"}
    assert result.opened == [Opened("Shop", "phone", row_id(1, number)) for number in (0, 1)]


async def test_stored_text_can_forge_no_hole(toys: Toys) -> None:
    """A raw \\x01 in a name is escaped by to_json, so that it never looks like a hole."""
    forged = f"\x010:{row_id(1, 1).hex}:00\x01"
    async with toys.database.transaction(toys.tenant_id) as transaction:
        await transaction.execute("UPDATE toy_shop SET nick = $2 WHERE id = $1", row_id(1, 3), forged)
        text = "{ shops(first: 4, orderBy: ID_ASC) { nodes { nick phone { value } } } }"
        result = await toys.result(text, fetchrow=transaction.fetchrow)
        await transaction.execute("UPDATE toy_shop SET nick = NULL WHERE id = $1", row_id(1, 3))
    assert (data_of(result)["shops"]["nodes"][3], result.errors) == ({"nick": forged, "phone": None}, [])


async def test_sealed_values_by_rows(toys: Toys) -> None:
    access = with_field("Shop.phone", FieldRight(FieldAccess.ROWS, frozenset({"self"})))
    result = await toys.result(SHOPS, caller=toys.caller(access, employee_id=row_id(2, 1)))
    phones = [node["phone"] for node in data_of(result)["shops"]["nodes"]]
    assert phones == [None, {"value": "13800130001"}, None, None]
    assert [error.path for error in result.errors] == [("shops", "nodes", n, "phone") for n in (0, 2)]
    assert result.opened == [Opened("Shop", "phone", row_id(1, 1))]
