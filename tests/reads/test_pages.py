"""Pages: cursors walk a list both ways, survive inserts, and belong to one list in one order."""

from __future__ import annotations

from typing import Any

import pytest

from saas.kernel import ErrorCode
from tests.reads.conftest import Toys
from tests.reads.toys import data_of, row_id

ORDERS = [
    "NAME_ASC", "NAME_DESC", "NICK_ASC", "NICK_DESC", "RANK_ASC", "RANK_DESC", "AREA_DESC", "LISTED_ASC",
    "OPENED_ON_ASC", "OPENED_ON_DESC", "SEEN_AT_ASC", "SEEN_AT_DESC", "STATUS_ASC", "STATUS_DESC", "ID_ASC", "ID_DESC",
    "STATUS_ASC, SEEN_AT_DESC", "NICK_DESC, STATUS_DESC, NAME_DESC", "LISTED_ASC, NICK_ASC", "STATUS_DESC, ID_ASC",
]  # fmt: skip
PAGE = """query($f: Int, $l: Int, $a: String, $b: String) {
  shops(first: $f, last: $l, after: $a, before: $b, orderBy: [ORDER]) {
    edges { cursor node { id } } pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } }"""


async def page(toys: Toys, order: str, **arguments: object) -> Any:
    given = {"f": None, "l": None, "a": None, "b": None, **arguments}
    return (await toys.data(PAGE.replace("ORDER", order), **given))["shops"]


def ids_of(shops: Any) -> list[str]:
    return [edge["node"]["id"] for edge in shops["edges"]]


@pytest.mark.parametrize("order", ORDERS)
async def test_walking_forward_and_backward_gives_the_whole_list(toys: Toys, order: str) -> None:
    whole = ids_of(await page(toys, order, f=100))
    assert len(set(whole)) == 10
    forward: list[str] = []
    cursor, more = None, True
    while more:
        step = await page(toys, order, f=3, a=cursor)
        assert step["pageInfo"]["hasPreviousPage"] is (cursor is not None)
        assert step["pageInfo"]["startCursor"] == step["edges"][0]["cursor"]
        assert step["pageInfo"]["endCursor"] == step["edges"][-1]["cursor"]
        forward += ids_of(step)
        cursor, more = step["pageInfo"]["endCursor"], step["pageInfo"]["hasNextPage"]
    assert forward == whole
    backward: list[str] = []
    cursor, more = None, True
    while more:
        step = await page(toys, order, l=4, b=cursor)
        assert step["pageInfo"]["hasNextPage"] is (cursor is not None)
        backward = ids_of(step) + backward
        cursor, more = step["pageInfo"]["startCursor"], step["pageInfo"]["hasPreviousPage"]
    assert backward == whole


async def test_opposite_orders_are_mirror_images(toys: Toys) -> None:
    for stem in ("NAME", "NICK", "RANK", "OPENED_ON", "SEEN_AT", "STATUS", "ID"):
        up, down = [ids_of(await page(toys, f"{stem}_{way}", f=100)) for way in ("ASC", "DESC")]
        assert up == down[::-1]


async def test_null_sorts_as_the_greatest(toys: Toys) -> None:
    data = await toys.data("{ shops(first: 100, orderBy: [RANK_ASC]) { nodes { rank } } }")
    assert [node["rank"] for node in data["shops"]["nodes"]] == [0, 1, 2, 4, 5, 6, 8, 9, None, None]


async def test_text_sorts_by_code_points(toys: Toys) -> None:
    data = await toys.data("{ shops(first: 100) { nodes { name } } }")
    names = [node["name"] for node in data["shops"]["nodes"]]
    assert names == sorted(names)


async def test_page_between_two_cursors(toys: Toys) -> None:
    whole = await page(toys, "RANK_ASC", f=100)
    cursors = [edge["cursor"] for edge in whole["edges"]]
    inner = await page(toys, "RANK_ASC", f=100, a=cursors[2], b=cursors[6])
    assert ids_of(inner) == ids_of(whole)[3:6]
    assert inner["pageInfo"] == {
        "hasNextPage": True, "hasPreviousPage": True, "startCursor": cursors[3], "endCursor": cursors[5],
    }  # fmt: skip
    assert ids_of(await page(toys, "RANK_ASC", l=2, a=cursors[2], b=cursors[6])) == ids_of(whole)[4:6]


async def test_cursor_is_stable_under_inserts(toys: Toys) -> None:
    first = await page(toys, "NAME_ASC", f=4)
    later = await page(toys, "NAME_ASC", f=100, a=first["pageInfo"]["endCursor"])
    async with toys.database.transaction(toys.tenant_id) as transaction:
        await transaction.execute(
            "INSERT INTO toy_shop (id, tenant_id, name) VALUES ($1, $2, 'AAA before')", row_id(1, 50), toys.tenant_id
        )
    try:
        assert await page(toys, "NAME_ASC", f=100, a=first["pageInfo"]["endCursor"]) == later
    finally:
        async with toys.database.transaction(toys.tenant_id) as transaction:
            await transaction.execute("DELETE FROM toy_shop WHERE id = $1", row_id(1, 50))


async def test_cursors_of_relations_walk_per_parent(toys: Toys) -> None:
    query = """query($a: String) {
      shop(id: "%s") { notes(first: 1, after: $a) { nodes { text } pageInfo { endCursor } } } }"""
    text = query.replace("%s", f"sho_{row_id(1, 7).hex}")
    seen, cursor = [], None
    for _ in range(3):
        notes = (await toys.data(text, a=cursor))["shop"]["notes"]
        seen += [node["text"] for node in notes["nodes"]]
        cursor = notes["pageInfo"]["endCursor"]
    assert seen == ["note 2 on 7", "note 1 on 7", "note 0 on 7"]
    assert (await toys.data(text, a=cursor))["shop"]["notes"] == {"nodes": [], "pageInfo": {"endCursor": None}}


@pytest.mark.parametrize(
    ("arguments", "key"),
    [
        ("", "reads.page_size_missing"),
        ("(first: null)", "reads.page_size_missing"),
        ("(first: 0)", "reads.page_size_out_of_bounds"),
        ("(first: -1)", "reads.page_size_out_of_bounds"),
        ("(first: 101)", "reads.page_size_out_of_bounds"),
        ("(last: 101)", "reads.page_size_out_of_bounds"),
        ("(first: 1, last: 1)", "reads.page_both_ways"),
        ('(first: 1, after: "zzz")', "reads.cursor_of_other_list"),
        ('(first: 1, after: "")', "reads.cursor_of_other_list"),
        ('(first: 1, before: "W10")', "reads.cursor_of_other_list"),
        ("(first: 1, orderBy: [NAME_ASC, RANK_ASC, AREA_ASC, NICK_ASC])", "reads.order_too_long"),
    ],
)
async def test_bad_page_is_null_and_an_error_and_the_rest_is_answered(toys: Toys, arguments: str, key: str) -> None:
    result = await toys.result(f"{{ shops{arguments} {{ nodes {{ id }} }} keepers(first: 1) {{ totalCount }} }}")
    assert data_of(result) == {"shops": None, "keepers": {"totalCount": 2}}
    assert [(error.code, error.key, error.path) for error in result.errors] == [
        (ErrorCode.BAD_USER_INPUT, key, ("shops",))
    ]


@pytest.mark.parametrize("size", [0, -1, 101, True])
async def test_bad_page_size_in_a_variable_spoils_no_cached_plan(toys: Toys, size: object) -> None:
    text = "query($n: Int!) { keepers(first: 1) { nodes { shops(first: $n) { nodes { id } } name } } }"
    for value, wanted in ((2, 2), (size, None), (1, 1)):
        result = await toys.result(text, n=value)
        shops = data_of(result)["keepers"]["nodes"][0]["shops"]
        assert (shops and len(shops["nodes"])) == wanted
        assert [error.path for error in result.errors] == ([] if wanted else [("keepers", "nodes")])
        assert [error.args["selection"] for error in result.errors] == ([] if wanted else ["keepers.nodes.shops"])
    assert toys.reader.plan_count == 1


async def test_partner_app_may_ask_for_larger_pages(toys: Toys) -> None:
    caller = toys.caller(max_page=250)
    result = await toys.result("query($n: Int!) { shops(first: $n) { totalCount } }", caller=caller, n=250)
    assert (data_of(result), result.errors) == ({"shops": {"totalCount": 10}}, [])


async def test_cursor_of_another_list_or_order_is_refused(toys: Toys) -> None:
    of_name = (await page(toys, "NAME_ASC", f=1))["pageInfo"]["endCursor"]
    of_keepers = (await toys.data("{ keepers(first: 1) { pageInfo { endCursor } } }"))["keepers"]["pageInfo"][
        "endCursor"
    ]
    text = "query($a: String) { shops(first: 1, after: $a, orderBy: ORDER) { nodes { id } } }"
    for order, cursor in (("RANK_ASC", of_name), ("NAME_DESC", of_name), ("NAME_ASC", of_keepers)):
        result = await toys.result(text.replace("ORDER", order), a=cursor)
        assert [error.key for error in result.errors] == ["reads.cursor_of_other_list"]
        assert data_of(result) == {"shops": None}


async def test_nested_has_next_page(toys: Toys) -> None:
    data = await toys.data(
        "{ shops(first: 100, orderBy: ID_ASC) {"
        " nodes { notes(first: 2) { nodes { text } pageInfo { hasNextPage } } } } }"
    )
    notes = [node["notes"] for node in data["shops"]["nodes"]]
    assert [len(item["nodes"]) for item in notes] == [0, 1, 2, 2, 0, 1, 2, 2, 0, 1]
    assert [item["pageInfo"]["hasNextPage"] for item in notes] == [number % 4 == 3 for number in range(10)]


@pytest.mark.parametrize("first", [2, 99])
async def test_page_info_alone_is_one_answer(toys: Toys, first: int) -> None:
    """Nothing of the page is aggregated here, and yet it is one object, with rows and without."""
    for condition in ("", ', filter: {name: {eq: "nobody"}}'):
        alone = f"shops(first: {first}{condition}) {{ pageInfo {{ hasPreviousPage }} }}"
        beside = f"shops(first: {first}{condition}) {{ totalCount pageInfo {{ hasPreviousPage }} }}"
        data = await toys.data(f"{{ alone: {alone} beside: {beside} }}")
        assert data["alone"] == {"pageInfo": {"hasPreviousPage": False}}
        assert data["beside"] == {"totalCount": 0 if condition else 10, "pageInfo": {"hasPreviousPage": False}}


async def test_summary_whose_every_part_is_refused_is_one_answer(toys: Toys) -> None:
    result = await toys.result("{ shops(first: 1) { summary { rent { min } } pageInfo { hasPreviousPage } } }")
    assert data_of(result) == {
        "shops": {"summary": {"rent": {"min": None}}, "pageInfo": {"hasPreviousPage": False}},
    }
