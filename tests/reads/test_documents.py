"""Documents: fragments, aliases, directives, variables, unions, nodes; every kind of value as exact JSON."""

from __future__ import annotations

import pytest

from saas.kernel import ErrorCode, LimitExceeded
from tests.reads.conftest import NAMES, Toys
from tests.reads.toys import data_of, row_id

SHOP_0, SHOP_3, KEEPER_0 = f"sho_{row_id(1, 0).hex}", f"sho_{row_id(1, 3).hex}", f"kee_{row_id(2, 0).hex}"
WHOLE = """{ shop(id: "ID") { __typename id name nick status level rank area rent listed openedOn seenAt daysOpen
  phone { __typename value masked } keeper { __typename id }
  notes(last: 9) { __typename totalCount nodes { text } } } }"""


async def test_every_kind_of_value(toys: Toys) -> None:
    assert (await toys.data(WHOLE.replace("ID", SHOP_0)))["shop"] == {
        "__typename": "Shop",
        "id": SHOP_0,
        "name": "晨光",
        "nick": "n0",
        "status": "OPEN",
        "level": "A",
        "rank": 0,
        "area": "0.50",
        "rent": "1000.00",
        "listed": True,
        "openedOn": "2026-01-01",
        "seenAt": "2026-05-01T00:00:00Z",
        "daysOpen": 326,
        "phone": {"__typename": "MaskedPhone", "value": "13800130000", "masked": "138****0000"},
        "keeper": {"__typename": "Keeper", "id": KEEPER_0},
        "notes": {"__typename": "NoteConnection", "totalCount": 0, "nodes": []},
    }


async def test_every_kind_of_null(toys: Toys) -> None:
    shop = (await toys.data(WHOLE.replace("ID", SHOP_3)))["shop"]
    nulls = ["nick", "status", "level", "rank", "area", "rent", "listed", "openedOn", "seenAt", "daysOpen", "phone"]
    assert [shop[name] for name in nulls] == [None] * len(nulls)
    assert [note["text"] for note in shop["notes"]["nodes"]] == ["note 2 on 3", "note 1 on 3", "note 0 on 3"]


async def test_text_arrives_as_it_was_stored(toys: Toys) -> None:
    data = await toys.data("{ shops(first: 99, orderBy: ID_ASC) { nodes { name } } }")
    assert [node["name"] for node in data["shops"]["nodes"]] == NAMES


async def test_fragments_merge_and_apply_to_their_types(toys: Toys) -> None:
    data = await toys.data(
        """query($id: ID!) {
          node(id: $id) { ...Named ... on Node { id } ... on Keeper { id } ... on Shop { keeper { id } ...More } }
        }
        fragment Named on Node { __typename ... on Shop { name } ... on Keeper { keeperName: name } }
        fragment More on Shop { keeper { name } rank ...Named }""",
        id=SHOP_0,
    )
    assert list(data["node"].items()) == [
        ("__typename", "Shop"),
        ("name", "晨光"),
        ("id", SHOP_0),
        ("keeper", {"id": KEEPER_0, "name": "keeper 0"}),
        ("rank", 0),
    ]


async def test_union_and_its_fragments(toys: Toys) -> None:
    data = await toys.data(
        "query($id: ID!) { shop(id: $id) { notes(first: 9) { nodes { about {"
        " __typename ... on Node { id } ... on Shop { label: name } ... on Keeper { label: name } } } } } }",
        id=SHOP_3,
    )
    assert [node["about"] for node in data["shop"]["notes"]["nodes"]] == [
        None,
        {"__typename": "Keeper", "id": KEEPER_0, "label": "keeper 0"},
        {"__typename": "Shop", "id": SHOP_3, "label": "tab\there"},
    ]


@pytest.mark.parametrize("yes", [True, False])
async def test_directives_on_fields_and_fragments(toys: Toys, yes: bool) -> None:
    data = await toys.data(
        """query($id: ID!, $yes: Boolean!) { shop(id: $id) {
          name @include(if: $yes) rank @skip(if: $yes) ...N @include(if: $yes) ... @skip(if: $yes) { status }
          level @include(if: false) area @skip(if: $yes) @include(if: $yes) } }
        fragment N on Shop { nick }""",
        id=SHOP_0,
        yes=yes,
    )
    assert data["shop"] == ({"name": "晨光", "nick": "n0"} if yes else {"rank": 0, "status": "OPEN"})


async def test_same_relation_twice_under_aliases(toys: Toys) -> None:
    data = await toys.data(
        "query($id: ID!) { shop(id: $id) {"
        " old: notes(last: 1) { nodes { text } } new: notes(first: 1) { nodes { text } }"
        ' none: notes(first: 1, filter: {writtenAt: {lt: "2026-01-01T00:00:00Z"}}) { nodes { text } totalCount } } }',
        id=SHOP_3,
    )
    assert data["shop"] == {
        "old": {"nodes": [{"text": "note 0 on 3"}]},
        "new": {"nodes": [{"text": "note 2 on 3"}]},
        "none": {"nodes": [], "totalCount": 0},
    }


async def test_nodes_keep_their_order_and_null_stands_for_missing(toys: Toys) -> None:
    ids = [KEEPER_0, SHOP_3, f"sho_{row_id(1, 101).hex}", KEEPER_0, SHOP_0]
    data = await toys.data("query($ids: [ID!]!) { nodes(ids: $ids) { id ... on Keeper { name } } }", ids=ids)
    keeper = {"id": KEEPER_0, "name": "keeper 0"}
    assert data["nodes"] == [keeper, {"id": SHOP_3}, None, keeper, {"id": SHOP_0}]
    assert await toys.data("query($ids: [ID!]!) { nodes(ids: $ids) { id } }", ids=[]) == {"nodes": []}


@pytest.mark.parametrize(
    ("text", "code", "key"),
    [
        ('{ shop(id: "x") { id } }', ErrorCode.BAD_USER_INPUT, "kernel.id_malformed"),
        (f'{{ shop(id: "{KEEPER_0}") {{ id }} }}', ErrorCode.WRONG_ID_TYPE, "kernel.id_of_other_type"),
        (f'{{ node(id: "zzz_{row_id(1, 0).hex}") {{ id }} }}', ErrorCode.BAD_USER_INPUT, "reads.id_prefix_unknown"),
        (f'{{ nodes(ids: ["{KEEPER_0}", "x"]) {{ id }} }}', ErrorCode.BAD_USER_INPUT, "kernel.id_malformed"),
    ],
)
async def test_bad_ids(toys: Toys, text: str, code: ErrorCode, key: str) -> None:
    result = await toys.result(text)
    assert [(error.code, error.key) for error in result.errors] == [(code, key)]
    assert list(result.values.values()) == [b"null"]


async def test_bad_id_in_a_variable_spoils_no_cached_plan(toys: Toys) -> None:
    for text in ("query($id: ID!) { node(id: $id) { id } }", "query($id: ID!) { shop(id: $id) { id } }"):
        for given, wanted in ((SHOP_0[:-1], b"null"), (SHOP_0, f'{{"id":"{SHOP_0}"}}'.encode()), ("sho_", b"null")):
            assert list((await toys.result(text, id=given)).values.values()) == [wanted]
    result = await toys.result("query($ids: [ID!]!) { nodes(ids: $ids) { id } }", ids=[SHOP_0] * 101)
    assert [error.key for error in result.errors] == ["reads.too_many_ids"]


async def test_more_than_a_hundred_fields(toys: Toys) -> None:
    aliases = " ".join(f"a{number}: rank b{number}: name" for number in range(150))
    data = await toys.data(f'{{ shop(id: "{SHOP_0}") {{ {aliases} }} }}')
    expected = {key: value for number in range(150) for key, value in ((f"a{number}", 0), (f"b{number}", "晨光"))}
    assert list(data["shop"].items()) == list(expected.items())


async def test_deep_nesting(toys: Toys) -> None:
    inner = "totalCount"
    for _ in range(6):
        inner = f"nodes {{ keeper {{ name shops(first: 2) {{ {inner} }} }} }}"
    data = await toys.data(f"{{ shops(first: 1, filter: {{rank: {{eq: 0}}}}) {{ {inner} }} }}")
    shops = data["shops"]
    for _ in range(6):
        shops = shops["nodes"][0]["keeper"]["shops"]
    assert shops == {"totalCount": 3}


async def test_fragments_spread_twice_on_eighteen_levels_cost_nothing(toys: Toys) -> None:
    fragments = " ".join(f"fragment F{n} on Shop {{ ...F{n + 1} ...F{n + 1} }}" for n in range(18))
    data = await toys.data(f'{{ shop(id: "{SHOP_0}") {{ ...F0 ...F0 }} }} {fragments} fragment F18 on Shop {{ name }}')
    assert data == {"shop": {"name": "晨光"}}


async def test_a_selection_beyond_all_reason_is_refused(toys: Toys) -> None:
    levels = " ".join(
        f"fragment F{n} on Keeper {{ a: shops(first: 1) {{ nodes {{ keeper {{ ...F{n + 1} }} }} }}"
        f" b: shops(first: 1) {{ nodes {{ keeper {{ ...F{n + 1} }} }} }} }}"
        for n in range(12)
    )
    text = f"{{ keepers(first: 1) {{ nodes {{ ...F0 }} }} }} {levels} fragment F12 on Keeper {{ name }}"
    with pytest.raises(LimitExceeded):
        await toys.result(text)


async def test_groups(toys: Toys) -> None:
    data = await toys.data(
        """{ shopGroups(groupBy: KEEPER, first: 2) {
          __typename totalCount nodes { __typename key count keeper { name } status area { sum avg min max } } }
        ranks: shopGroups(groupBy: RANK, first: 2, orderBy: KEY_DESC, filter: {rank: {lt: 5}}) { nodes { key count } }
        listed: shopGroups(groupBy: LISTED, first: 9, orderBy: RANK_SUM_ASC) { nodes { key listed rank { sum } } } }"""
    )
    keeper_1 = f"kee_{row_id(2, 1).hex}"
    assert data["shopGroups"] == {
        "__typename": "ShopGroups",
        "totalCount": 3,
        "nodes": [
            {
                "__typename": "ShopGroup",
                "key": key,
                "count": count,
                "keeper": {"name": name},
                "status": None,
                "area": dict(zip(("sum", "avg", "min", "max"), figures, strict=True)),
            }
            for key, count, name, figures in (
                (keeper_1, 4, "keeper 1", ("11.00", "5.5000", "1.50", "9.50")),
                (KEEPER_0, 3, "keeper 0", ("11.50", "3.8333", "0.50", "6.50")),
            )
        ],
    }
    assert data["ranks"]["nodes"] == [{"key": "4", "count": 1}, {"key": "2", "count": 1}]
    assert data["listed"]["nodes"] == [
        {"key": "false", "listed": False, "rank": {"sum": "15"}},
        {"key": "true", "listed": True, "rank": {"sum": "20"}},
        {"key": None, "listed": None, "rank": {"sum": None}},
    ]


@pytest.mark.parametrize(
    ("text", "good", "bad"),
    [
        ("query($v: Int) { shops(first: $v) { totalCount } }", 1, 0),
        ("query($v: ID!) { shops(first: 1, filter: {keeper: {eq: $v}}) { __typename } }", KEEPER_0, "x"),
        ("query($v: ID!) { shops(first: 1, filter: {keeper: {eq: $v}}) { pageInfo { __typename } } }", KEEPER_0, "x"),
    ],
)
async def test_arguments_are_checked_also_where_nothing_needs_them(
    toys: Toys, text: str, good: object, bad: object
) -> None:
    """A bad value is reported by a plan that good values left in the cache, and whatever is selected."""
    for value, errors in ((good, []), (bad, [ErrorCode.BAD_USER_INPUT]), (good, [])):
        result = await toys.result(text, v=value)
        assert [error.code for error in result.errors] == errors
        assert (data_of(result)["shops"] is None) is bool(errors)
