"""Filters: exact rows for every operator and their combinations; two-valued not; bad values refused in place."""

from __future__ import annotations

import pytest

from saas.kernel import ErrorCode
from saas.reads.kinds import next_prefix
from tests.reads.conftest import Toys
from tests.reads.toys import data_of, row_id

ASK = "query($f: ShopFilter) { shops(first: 99, orderBy: ID_ASC, filter: $f) { nodes { id } totalCount } }"
KEEPER_0, KEEPER_1 = f"kee_{row_id(2, 0).hex}", f"kee_{row_id(2, 1).hex}"


def numbers(shops: dict[str, object]) -> list[int]:
    nodes = shops["nodes"]
    assert isinstance(nodes, list)
    assert shops["totalCount"] == len(nodes)
    return [int(node["id"][-4:], 16) for node in nodes]


def nested(levels: int) -> dict[str, object]:
    """``not`` within ``not``."""
    condition: dict[str, object] = {"rank": {"eq": 1}}
    for _ in range(levels):
        condition = {"not": condition}
    return condition


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        (None, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]),
        ({}, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]),
        ({"name": None}, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]),
        ({"name": {"eq": "晨光"}}, [0]),
        ({"name": {"in": ["晨光", "Zeta", "nobody"]}}, [0, 5]),
        ({"name": {"in": []}}, []),
        ({"name": {"startsWith": "晨"}}, [0, 4]),
        ({"name": {"startsWith": "back\\"}}, [2]),
        ({"name": {"startsWith": ""}}, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]),
        ({"name": {"startsWith": "𝄞"}}, [8]),
        ({"name": {"eq": "' OR true --"}}, []),
        ({"nick": {"gte": "n1", "lt": "n2"}}, [1, 4]),
        ({"status": {"eq": "OPEN"}}, [0, 2, 4, 6, 8]),
        ({"status": {"in": ["OPEN", "SHUT"]}}, [0, 1, 2, 4, 5, 6, 8, 9]),
        ({"status": {"isNull": True}}, [3, 7]),
        ({"status": {"isNull": False}}, [0, 1, 2, 4, 5, 6, 8, 9]),
        ({"rank": {"gte": 4, "lt": 8}}, [4, 5, 6]),
        ({"area": {"eq": "5.5"}}, [5]),
        ({"area": {"gte": "8.50"}}, [8, 9]),
        ({"listed": {"eq": True}}, [0, 2, 4, 6, 8]),
        ({"openedOn": {"eq": "2026-01-03"}}, [4, 5]),
        ({"seenAt": {"gte": "2026-05-01T08:00:03+08:00"}}, [6, 8, 9]),
        ({"keeper": {"eq": KEEPER_0}}, [0, 4, 6]),
        ({"keeper": {"in": [KEEPER_0, KEEPER_1]}}, [0, 1, 3, 4, 6, 7, 9]),
        ({"keeper": {"isNull": True}}, [2, 5, 8]),
        ({"phone": {"eq": "13800130004"}}, [4]),
        ({"phone": {"eq": "13800130003"}}, []),
        ({"not": {"rank": {"gte": 2}}}, [0, 1, 3, 7]),
        ({"not": {}}, []),
        ({"or": []}, []),
        ({"and": []}, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]),
        ({"or": [{"rank": {"eq": 1}}, {"name": {"startsWith": "Z"}}]}, [1, 5]),
        ({"or": [{"rank": {"lt": 3}}, {"rank": {"gte": 8}}], "status": {"eq": "OPEN"}}, [0, 2, 8]),
        ({"and": [{"not": {"or": [{"rank": {"lt": 6}}, {"status": {"isNull": True}}]}}]}, [6, 8, 9]),
    ],
)
async def test_filter_finds_exactly(toys: Toys, condition: object, expected: list[int]) -> None:
    assert numbers((await toys.data(ASK, f=condition))["shops"]) == expected


async def test_literal_filter_with_variables_inside(toys: Toys) -> None:
    text = """query($s: ShopStatus, $r: Int, $k: ID!) { shops(first: 99, orderBy: ID_ASC,
      filter: {or: [{status: {eq: $s}, rank: {gte: $r}}, {keeper: {in: [$k]}}]}) { nodes { id } totalCount } }"""
    assert numbers((await toys.data(text, s="SHUT", r=5, k=KEEPER_0))["shops"]) == [0, 4, 5, 6, 9]
    assert numbers((await toys.data(text, s="SHUT", k=KEEPER_0))["shops"]) == [0, 1, 4, 5, 6, 9]


@pytest.mark.parametrize(
    ("condition", "code", "key"),
    [
        ({"name": {"eq": None}}, ErrorCode.BAD_USER_INPUT, "reads.filter_null"),
        ({"name": {"in": ["a", None]}}, ErrorCode.BAD_USER_INPUT, "reads.filter_null"),
        ({"name": {"eq": "a\x00b"}}, ErrorCode.BAD_USER_INPUT, "reads.value_malformed"),
        ({"openedOn": {"eq": "2026-02-30"}}, ErrorCode.BAD_USER_INPUT, "reads.value_malformed"),
        ({"openedOn": {"eq": "20260201"}}, ErrorCode.BAD_USER_INPUT, "reads.value_malformed"),
        ({"seenAt": {"lt": "2026-02-01T00:00:00"}}, ErrorCode.BAD_USER_INPUT, "reads.value_malformed"),
        ({"area": {"eq": "NaN"}}, ErrorCode.BAD_USER_INPUT, "reads.value_malformed"),
        ({"area": {"eq": "1e9999"}}, ErrorCode.BAD_USER_INPUT, "reads.value_malformed"),
        ({"rank": {"eq": 2**63}}, ErrorCode.BAD_USER_INPUT, "reads.value_malformed"),
        ({"rank": {"in": list(range(101))}}, ErrorCode.BAD_USER_INPUT, "reads.filter_too_many"),
        ({"keeper": {"eq": f"sho_{row_id(1, 0).hex}"}}, ErrorCode.WRONG_ID_TYPE, "kernel.id_of_other_type"),
        ({"keeper": {"in": ["kee_1"]}}, ErrorCode.BAD_USER_INPUT, "kernel.id_malformed"),
        ({"phone": {"eq": "x"}}, ErrorCode.BAD_USER_INPUT, "sealing.no_phone"),
        ({"not": {"or": [{"and": [{"not": {}}]}]}}, ErrorCode.BAD_USER_INPUT, "reads.filter_too_deep"),
        ({"seenAt": {"gte": "0001-01-01T00:00:00+14:00"}}, ErrorCode.BAD_USER_INPUT, "reads.value_malformed"),
        (nested(60), ErrorCode.BAD_USER_INPUT, "reads.input_too_deep"),
        ({"or": [{"rank": {"eq": 1}}] * 101}, ErrorCode.BAD_USER_INPUT, "reads.filter_too_long"),
        ({"or": [{"and": [{"rank": {"eq": 1}}] * 60}] * 60}, ErrorCode.BAD_USER_INPUT, "reads.filter_too_long"),
    ],
)
async def test_bad_filter_is_an_error_in_place(toys: Toys, condition: object, code: ErrorCode, key: str) -> None:
    good = {"rank": {"eq": 1}}
    assert numbers((await toys.data(ASK, f=good))["shops"]) == [1]
    result = await toys.result(ASK, f=condition)
    assert data_of(result) == {"shops": None}
    assert [(error.code, error.key, error.path) for error in result.errors] == [(code, key, ("shops",))]


async def test_literal_filter_nested_without_end(toys: Toys) -> None:
    text = "{ shops(first: 1, filter: %s) { totalCount } }".replace("%s", "{not: " * 100 + "{}" + "}" * 100)
    assert [error.key for error in (await toys.result(text)).errors] == ["reads.input_too_deep"]


def test_next_prefix_is_the_least_text_after_all_that_start_so() -> None:
    assert next_prefix("ab") == "ac"
    assert next_prefix("a\ud7ff") == "a\ue000"
    assert next_prefix("a\U0010ffff") == "b"
    assert next_prefix("\U0010ffff") == "\U0010ffff"
