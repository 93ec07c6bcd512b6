"""Sealed documents: opened for who may alone; only what is selected leaves, told in the caller's language."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import orjson
import pytest

from saas.access.table import ALLOWED, DENIED, AccessTable, FieldAccess, FieldRight
from saas.kernel import Catalogue, ErrorCode, LimitExceeded
from saas.reads import Opened, Reader, Registry
from saas.reads.compilation import MOST_FIELDS
from saas.reads.mapping import (
    Column,
    DataClass,
    EnumKind,
    ListRoot,
    Member,
    Members,
    ReadType,
    RoomReads,
    ScalarKind,
    SealedDocument,
    Told,
)
from tests.reads.conftest import Toys
from tests.reads.toys import read, row_id, seal

KIND = EnumKind("SheetLineKind", "What a line is.", {"EARNING": ("earning", "Earned."), "TAX": ("tax", "Tax.")})
LINES = Members(
    "lines",
    "SheetLine",
    "lines",
    (
        Member("code", ScalarKind.STRING, "code", "Its code."),
        Member("title", Told.TITLE, "titles", "Its title."),
        Member("kind", KIND, "kind", "What it is."),
        Member("amount", ScalarKind.DECIMAL, "amount", "How much."),
        Member("explanation", Told.EXPLANATION, "explanation", "Why."),
    ),
    10,
    "A line.",
)
NOTES = Members("notes", "SheetNote", "notes", (Member("text", Told.SENTENCE, "", "What it says."),), 10, "A note.")
SHEET = ReadType(
    name="Sheet",
    table="toy_shop",
    prefix="she",
    doc="A shop's sheet.",
    scopes={"all": "true", "self": "{t}.keeper_id = {employee}"},
    fields=(
        Column("name", ScalarKind.STRING, "name", "Name.", orderable=True),
        SealedDocument(
            "sheet",
            "SheetDocument",
            "phone_sealed",
            (Member("net", ScalarKind.DECIMAL, "net", "What is left."), LINES, NOTES),
            "The sheet.",
            DataClass.PERSONAL,
        ),
    ),
)
REGISTRY = Registry([RoomReads(types=(SHEET,), roots=(ListRoot("sheets", "Sheet", "NAME_ASC", "Sheets."),))])
CATALOGUE = Catalogue(
    {
        "en": {"toy.sum": "Sum of {parts} parts", "toy.part": "{title}", "toy.note": "{days} days are missing"},
        "zh-CN": {"toy.sum": "{parts} 项之和", "toy.part": "{title}", "toy.note": "缺 {days} 天"},
    }
)
DOCUMENT = {
    "net": "90.00",
    "secret": "not mapped",
    "lines": [
        {
            "code": "basic",
            "titles": {"en": "Basic pay", "zh-CN": "基本工资"},
            "kind": "earning",
            "amount": "100.00",
            "explanation": {
                "key": "toy.sum",
                "args": {"parts": 1},
                "amount": "100.00",
                "parts": [{"key": "toy.part", "args": {"title": {"en": "Base", "zh-CN": "底薪"}}, "source": "row/1"}],
            },
        },
        {"code": "tax", "titles": {"zh-CN": "个税"}, "kind": "tax", "amount": "10.00", "explanation": None},
    ],
    "notes": [{"key": "toy.note", "args": {"days": 2}}],
}
WHOLE = """{ sheets(first: 1) { nodes { sheet {
  net lines { code title kind amount explanation { depth text amount source } } notes { text }
} } } }"""


def access(right: FieldRight = ALLOWED) -> AccessTable:
    fields = {"Sheet.name": ALLOWED, "Sheet.sheet": right}
    return AccessTable(repr(right), fields=fields, usable=frozenset(fields), scopes={"Sheet": frozenset({"all"})})


@asynccontextmanager
async def sheets(toys: Toys, documents: dict[int, Any]) -> AsyncIterator[Any]:
    """Shops with these sealed documents, and no others, in a transaction whose changes are taken back."""
    async with toys.database.transaction(toys.tenant_id) as transaction:
        await transaction.execute("SAVEPOINT untouched")
        await transaction.execute("DELETE FROM toy_shop WHERE id <> ALL($1)", [row_id(1, n) for n in documents])
        for number, document in documents.items():
            sealed = None if document is None else seal(row_id(1, number), orjson.dumps(document).decode())
            await transaction.execute(
                "UPDATE toy_shop SET phone_sealed = $2, name = $3 WHERE id = $1",
                row_id(1, number),
                sealed,
                str(number),
            )
        yield transaction
        await transaction.execute("ROLLBACK TO untouched")


async def ask(
    toys: Toys, transaction: Any, text: str, *, locale: str = "en", right: FieldRight = ALLOWED, **more: Any
) -> Any:
    reader = Reader(REGISTRY, "1", opener=toys.opener, catalogue=CATALOGUE)
    caller = toys.caller(access(right), **more)
    caller = caller._replace(actor=replace(caller.actor, locale=locale))
    return await read(reader, caller, transaction.fetchrow, text)


@pytest.mark.parametrize(
    ("locale", "title", "sentence", "part", "note"),
    [
        ("en", "Basic pay", "Sum of 1 parts", "Base", "2 days are missing"),
        ("zh-CN", "基本工资", "1 项之和", "底薪", "缺 2 天"),
    ],
)
async def test_a_document_is_told_in_the_callers_language(
    toys: Toys, locale: str, title: str, sentence: str, part: str, note: str
) -> None:
    async with sheets(toys, {0: DOCUMENT}) as transaction:
        result = await ask(toys, transaction, WHOLE, locale=locale)
    (node,) = orjson.loads(result.values["sheets"])["nodes"]
    lines = [
        {"depth": 0, "text": sentence, "amount": "100.00", "source": None},
        {"depth": 1, "text": part, "amount": None, "source": "row/1"},
    ]
    basic, tax = node["sheet"]["lines"]
    assert basic == {"code": "basic", "title": title, "kind": "EARNING", "amount": "100.00", "explanation": lines}
    assert tax == {"code": "tax", "title": "个税", "kind": "TAX", "amount": "10.00", "explanation": None}
    assert (node["sheet"]["net"], node["sheet"]["notes"]) == ("90.00", [{"text": note}])
    assert result.opened == [Opened("Sheet", "sheet", row_id(1, 0))]


async def test_aliases_fragments_and_directives_choose_what_leaves_the_document(toys: Toys) -> None:
    text = """{ sheets(first: 1) { nodes { s: sheet {
      left: net ...L lines @include(if: true) { amount } net @skip(if: true) __typename
    } } } } fragment L on SheetDocument { lines { of: code ...K } } fragment K on SheetLine { __typename }"""
    async with sheets(toys, {0: DOCUMENT}) as transaction:
        result = await ask(toys, transaction, text)
    (node,) = orjson.loads(result.values["sheets"])["nodes"]
    assert node["s"]["left"] == "90.00"
    assert node["s"]["lines"][0] == {"of": "basic", "__typename": "SheetLine", "amount": "100.00"}
    assert node["s"]["__typename"] == "SheetDocument"
    assert b"not mapped" not in result.values["sheets"]


async def test_what_a_document_lacks_is_null(toys: Toys) -> None:
    async with sheets(toys, {0: None, 1: {"net": None}, 2: {"lines": []}}) as transaction:
        result = await ask(toys, transaction, "{ sheets(first: 9) { nodes { sheet { net lines { code } } } } }")
    found = [node["sheet"] for node in orjson.loads(result.values["sheets"])["nodes"]]
    assert found == [None, {"net": None, "lines": None}, {"net": None, "lines": []}]


async def test_without_the_right_nothing_is_opened(toys: Toys) -> None:
    async with sheets(toys, {0: DOCUMENT}) as transaction:
        toys.opener.prepared.clear()
        result = await ask(toys, transaction, WHOLE, right=DENIED)
    assert orjson.loads(result.values["sheets"])["nodes"] == [{"sheet": None}]
    assert [(error.code, error.field) for error in result.errors] == [(ErrorCode.FIELD_FORBIDDEN, "Sheet.sheet")]
    assert (result.opened, toys.opener.prepared) == ([], [])


async def test_only_rows_of_the_right_are_opened(toys: Toys) -> None:
    own = FieldRight(FieldAccess.ROWS, frozenset({"self"}))
    async with sheets(toys, {0: DOCUMENT, 1: DOCUMENT}) as transaction:
        await transaction.execute("UPDATE toy_shop SET keeper_id = NULL WHERE id = $1", row_id(1, 0))
        await transaction.execute("UPDATE toy_shop SET keeper_id = $2 WHERE id = $1", row_id(1, 1), row_id(2, 1))
        text = "{ sheets(first: 9) { nodes { sheet { net } } } }"
        result = await ask(toys, transaction, text, right=own, employee_id=row_id(2, 1))
    assert orjson.loads(result.values["sheets"])["nodes"] == [{"sheet": None}, {"sheet": {"net": "90.00"}}]
    assert [error.path for error in result.errors] == [("sheets", "nodes", 0, "sheet")]
    assert result.opened == [Opened("Sheet", "sheet", row_id(1, 1))]


async def test_a_document_of_another_row_does_not_open(toys: Toys) -> None:
    async with sheets(toys, {0: DOCUMENT}) as transaction:
        await transaction.execute(
            "UPDATE toy_shop SET phone_sealed = $2 WHERE id = $1", row_id(1, 0), seal(row_id(1, 5), "{}")
        )
        result = await ask(toys, transaction, "{ sheets(first: 1) { nodes { sheet { net } } } }")
    assert orjson.loads(result.values["sheets"])["nodes"] == [{"sheet": None}]
    assert [error.key for error in result.errors] == ["reads.value_unopenable"]


async def test_members_count_against_the_size_of_a_statement(toys: Toys) -> None:
    many = " ".join(f"a{number}: net" for number in range(MOST_FIELDS + 1))
    async with sheets(toys, {0: DOCUMENT}) as transaction:
        with pytest.raises(LimitExceeded):
            await ask(toys, transaction, f"{{ sheets(first: 1) {{ nodes {{ sheet {{ {many} }} }} }} }}")
