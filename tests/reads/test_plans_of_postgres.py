"""What PostgreSQL does with the statements: the tenant is set first, and indexes answer."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import asyncpg
import orjson
import pytest

from saas.reads.arguments import Binding
from saas.reads.explain import missing_indexes
from tests.reads.conftest import Toys
from tests.reads.toys import REGISTRY, data_of, document, full_access, row_id

SHOP_ID, KEEPER_ID = f"sho_{row_id(1, 0).hex}", f"kee_{row_id(2, 0).hex}"
EVERYTHING = """{
  shops(first: 2, filter: {status: {eq: OPEN}}) {
    nodes { name keeper { name } notes(first: 2) { totalCount nodes { text about { __typename } } } }
    pageInfo { hasNextPage } totalCount summary { rank { sum } }
  }
  keepers(last: 1) { edges { node { shops(first: 1) { totalCount } } } }
  shopGroups(groupBy: STATUS, first: 5) { totalCount nodes { count status } }
  shop(id: "SHOP") { name }
  node(id: "SHOP") { id }
  nodes(ids: ["SHOP", "KEEPER"]) { id }
}""".replace("SHOP", SHOP_ID).replace("KEEPER", KEEPER_ID)


def nodes_of(plan: dict[str, Any], above: tuple[dict[str, Any], ...] = ()) -> Iterator[tuple[dict[str, Any], ...]]:
    """Every node with those above it, outermost first."""
    path = (*above, plan)
    yield path
    for child in plan.get("Plans", []):
        yield from nodes_of(child, path)


async def test_no_scan_can_start_before_the_tenant_is_set(toys: Toys) -> None:
    """Every table scan lies in a sub-plan of the row that sets the tenant, gated by its value."""
    parsed = document(EVERYTHING)
    caller = toys.caller()
    plan = toys.reader.plan_fields(parsed.key, parsed.fragments, parsed.roots, {}, caller)
    scans = 0
    async with toys.database.transaction(toys.tenant_id) as transaction:
        for settings in ("SET LOCAL enable_seqscan = off", "SET LOCAL enable_seqscan = on"):
            await transaction.execute(settings)
            for key, sql in plan.statements.items():
                text = await explained(transaction, sql, toys, key)
                top = orjson.loads(text)[0]["Plan"]
                for path in nodes_of(top):
                    if "Relation Name" not in path[-1]:
                        continue
                    scans += 1
                    assert any(node.get("Parent Relationship") == "SubPlan" for node in path[1:]), (key, path[-1])
                    gates = [node.get("One-Time Filter", "") + node.get("Filter", "") for node in path]
                    assert any("IS NOT NULL" in gate for gate in gates) or inside_row(path), (key, gates)
    assert scans >= 20


def inside_row(path: tuple[dict[str, Any], ...]) -> bool:
    """Whether the scan runs once per row of another scan, which is gated itself."""
    subplans = [node for node in path[1:] if node.get("Parent Relationship") in ("SubPlan", "InitPlan")]
    return len(subplans) > 1


async def explained(transaction: Any, sql: str, toys: Toys, key: str) -> str:
    parsed = document(EVERYTHING)
    caller = toys.caller()
    plan = toys.reader.plan_fields(parsed.key, parsed.fragments, parsed.roots, {}, caller)
    values = plan.steps[key].bind(Binding({}, caller, None))
    return str(await transaction.fetchval(f"EXPLAIN (FORMAT JSON) {sql}", *values))


async def test_statement_ignores_a_tenant_left_on_the_connection(toys: Toys) -> None:
    connection = await asyncpg.connect(toys.app_url)
    try:
        for left in (str(toys.other_tenant_id), ""):
            await connection.execute("SELECT set_config('app.tenant_id', $1, false)", left)
            result = await toys.result("{ shops(first: 50) { totalCount nodes { id } } }", fetchrow=connection.fetchrow)
            ids = [node["id"] for node in orjson.loads(result.values["shops"])["nodes"]]
            assert len(ids) == 10
            assert f"sho_{row_id(1, 100).hex}" not in ids
            assert await connection.fetchval("SELECT current_setting('app.tenant_id', true)") == left
    finally:
        await connection.close()


async def test_sub_selects_of_a_row_scope_see_the_tenant_too(toys: Toys) -> None:
    """They may become semi-joins and init plans, which run no earlier: a fresh connection finds the caller's rows."""
    full = full_access()
    caller = toys.caller(
        full_access(scopes={**full.scopes, "Shop": frozenset({"circle", "open"})}), employee_id=row_id(2, 1)
    )
    text = "{ shops(first: 50) { totalCount } keepers(first: 9) { nodes { shops(first: 9) { totalCount } } } }"
    connection = await asyncpg.connect(toys.app_url)
    try:
        result = await toys.result(text, caller=caller, fetchrow=connection.fetchrow)
    finally:
        await connection.close()
    assert data_of(result) == {
        "shops": {"totalCount": 9},
        "keepers": {"nodes": [{"shops": {"totalCount": 3}}, {"shops": {"totalCount": 4}}]},
    }


@pytest.mark.parametrize("type_name", ["Keeper", "Note"])
async def test_every_filter_and_order_has_an_index(toys: Toys, type_name: str) -> None:
    async with toys.database.transaction(toys.tenant_id) as transaction:
        assert await missing_indexes(REGISTRY, type_name, transaction) == []


async def test_what_no_index_can_answer_is_named(toys: Toys) -> None:
    """Numeric comparisons are not leakproof; a column without an index is one; the rest of the type is fine."""
    async with toys.database.transaction(toys.tenant_id) as transaction:
        assert await missing_indexes(REGISTRY, "Shop", transaction) == [
            "Shop.area eq: no index begins with (tenant_id, area)",
            "Shop.area gte: no index begins with (tenant_id, area)",
            "Shop.area in: no index begins with (tenant_id, area)",
            "Shop.area lt: no index begins with (tenant_id, area)",
            "Shop.rent eq: no index begins with (tenant_id, rent)",
            "Shop.rent gte: no index begins with (tenant_id, rent)",
            "Shop.rent in: no index begins with (tenant_id, rent)",
            "Shop.rent lt: no index begins with (tenant_id, rent)",
        ]
