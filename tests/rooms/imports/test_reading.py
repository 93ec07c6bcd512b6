"""Imports as the compiled reader gives them: counts, sheets, mappings, remarks, differences; own ones or all."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import Any
from uuid import UUID

import pytest

from saas.access import DEFAULT_POLICY, AccessTable
from saas.access.compiler import Compiler
from saas.exchange import reads
from saas.kernel import local_date, public_id
from saas.main import installed_product
from saas.reads import Caller, Reader, Registry
from tests.reads.toys import ToyOpener, data_of, read
from tests.rooms.imports.conftest import person
from tests.rooms.imports.toy import Imports, csv_of

REGISTRY = Registry([reads])
BATCH = """
query ($id: ID!) { importBatch(id: $id) {
  filename state encoding rowCount newCount changedCount failedCount repeats { filename }
  parts(first: 5) { nodes {
    kind sheet headerRow rowCount
    headers(first: 9) { nodes { letters header columnKey matchedBy } }
    differences(first: 9) { nodes { rowNumber columnKey before after } }
  } }
  remarks(first: 9) { nodes { rowNumber columnTitle severity messageKey message part { sheet } } }
} }
"""


@cache
def table_of(*roles: str) -> AccessTable:
    """What a role may do in a company without a policy of its own."""
    return Compiler(installed_product().rights).compile(DEFAULT_POLICY, roles=frozenset(roles), domain="x")


async def answer(imports: Imports, text: str, *, role: str = "owner", **variables: object) -> Any:
    now = imports.clock.now()
    caller = Caller(imports.actor, table_of(role), now, local_date(now, "Asia/Shanghai"))
    result = await read(Reader(REGISTRY, "1", opener=ToyOpener()), caller, imports.database.fetchrow, text, **variables)
    assert result.errors == []
    return data_of(result)


def id_of(batch_id: UUID) -> str:
    return public_id("imp", batch_id)


@pytest.mark.parametrize("role", ["owner", "hr_admin", "sales_manager"])
async def test_a_batch_is_read_with_all_that_a_preview_shows(imports: Imports, role: str) -> None:
    await imports.commit(await imports.preview(csv_of([["A1", "华信", "", "5"]])))
    batch = await imports.preview(csv_of([["A1", "华信", "", "6"], ["A2", "", "", "5"]]))
    data = await answer(imports, BATCH, role=role, id=id_of(batch["id"]))
    assert data["importBatch"] == {
        "filename": "客户.csv",
        "state": "PREVIEWED",
        "encoding": "UTF-8",
        "rowCount": 2,
        "newCount": 0,
        "changedCount": 1,
        "failedCount": 1,
        "repeats": None,
        "parts": {
            "nodes": [
                {
                    "kind": "accounts",
                    "sheet": "客户",
                    "headerRow": 1,
                    "rowCount": 2,
                    "headers": {
                        "nodes": [
                            {"letters": "A", "header": "编号", "columnKey": "ref", "matchedBy": "MEMORY"},
                            {"letters": "B", "header": "名称", "columnKey": "name", "matchedBy": "MEMORY"},
                            {"letters": "C", "header": "手机", "columnKey": "phone", "matchedBy": "MEMORY"},
                            {"letters": "D", "header": "金额", "columnKey": "amount", "matchedBy": "MEMORY"},
                        ]
                    },
                    "differences": {
                        "nodes": [{"rowNumber": 2, "columnKey": "amount", "before": "5.00", "after": "6.00"}]
                    },
                }
            ]
        },
        "remarks": {
            "nodes": [
                {
                    "rowNumber": 3,
                    "columnTitle": "名称",
                    "severity": "ERROR",
                    "messageKey": "exchange.value_missing",
                    "message": "第 3 行“名称”：必填，但没有填写。",
                    "part": {"sheet": "客户"},
                }
            ]
        },
    }


async def test_others_imports_are_seen_by_the_owner_alone(imports: Imports, other_imports: Imports) -> None:
    batch_id = await imports.stage(csv_of([["A1", "华信", "", "5"]]))
    colleague = replace(imports, actor=person(imports.tenant_id))
    many = "{ importBatches(first: 9) { totalCount nodes { id } } }"
    seen = {"importBatches": {"totalCount": 1, "nodes": [{"id": id_of(batch_id)}]}}
    nothing = {"importBatches": {"totalCount": 0, "nodes": []}}
    assert await answer(imports, many, role="hr_admin") == seen
    assert await answer(colleague, many, role="owner") == seen
    for door, role in ((colleague, "hr_admin"), (colleague, "sales_manager"), (other_imports, "owner")):
        assert await answer(door, many, role=role) == nothing
        assert await answer(door, BATCH, role=role, id=id_of(batch_id)) == {"importBatch": None}
