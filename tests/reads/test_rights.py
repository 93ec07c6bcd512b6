"""Rights: what may not be read is not selected, counted, filtered, ordered, grouped or summed."""

from __future__ import annotations

import orjson
import pytest

from saas.access.table import DENIED, MASKED, FieldAccess, FieldRight
from saas.kernel import ErrorCode, FieldForbidden
from saas.reads import ReadResult
from tests.reads.conftest import Toys
from tests.reads.toys import data_of, document, full_access, row_id, with_field

OWN_ROWS = FieldRight(FieldAccess.ROWS, frozenset({"self"}))
KEEPER = row_id(2, 0)
"""Keeps the shops 0, 4 and 6."""


def refusals(result: ReadResult) -> list[tuple[str, tuple[str | int, ...], str | None]]:
    return [(error.key, error.path, error.field) for error in result.errors]


async def test_refused_field_is_null_with_an_error_and_not_in_the_sql(toys: Toys) -> None:
    access = with_field("Shop.rent", DENIED)
    text = '{ shops(first: 1) { nodes { name rent again: rent } } shop(id: "%s") { rent } }'
    text = text.replace("%s", f"sho_{row_id(1, 0).hex}")
    result = await toys.result(text, access=access)
    assert data_of(result) == {
        "shops": {"nodes": [{"name": "Zeta", "rent": None, "again": None}]},
        "shop": {"rent": None},
    }
    assert refusals(result) == [
        ("reads.field_forbidden", ("shops", "nodes"), "Shop.rent"),
        ("reads.field_forbidden", ("shops", "nodes"), "Shop.rent"),
        ("reads.field_forbidden", ("shop", "rent"), "Shop.rent"),
    ]
    assert result.errors[1].code is ErrorCode.FIELD_FORBIDDEN
    assert result.errors[1].args == {
        "permission": "Shop.rent", "grantors": "hr_admin, owner", "selection": "shops.nodes.again",
    }  # fmt: skip
    parsed = document(text)
    plan = toys.reader.plan_fields(parsed.key, parsed.fragments, parsed.roots, {}, toys.caller(access))
    assert all("rent" not in sql.replace("'", "").replace('"rent":null', "").replace("rent\":null", "")
               for sql in plan.statements.values())  # fmt: skip


@pytest.mark.parametrize(
    "arguments",
    [
        'shops(first: 1, filter: {rent: {gte: "1"}}) { totalCount }',
        "shops(first: 1, filter: {or: [{not: {rent: {isNull: true}}}]}) { totalCount }",
        'shops(first: 1, filter: {name: {eq: "nothing"}}, orderBy: [NAME_ASC, RENT_ASC]) { totalCount }',
        "shops(first: 1) { summary { rent { sum } } }",
        "shopGroups(groupBy: STATUS, first: 1) { nodes { rent { sum } } }",
        "shopGroups(groupBy: STATUS, first: 1, orderBy: RENT_SUM_DESC) { nodes { key } }",
        'keepers(first: 1) { nodes { shops(first: 1, filter: {rent: {lt: "0"}}) { totalCount } } }',
        'shops(filter: {rent: {gte: "1"}}) { totalCount }',
        'shops(first: 0, filter: {rent: {gte: "1"}}) { totalCount }',
        "shops(first: 1, last: 1, orderBy: RENT_ASC) { totalCount }",
        "shops(first: 1, orderBy: [ID_ASC, RENT_ASC]) { totalCount }",
        "shops(first: 1, orderBy: [ID_ASC, NAME_ASC, NAME_ASC, RENT_ASC]) { totalCount }",
        'shops(first: 1, filter: {keeper: {eq: "sho_1"}, rent: {gte: "1"}}) { totalCount }',
        'shopGroups(groupBy: STATUS, first: 0, filter: {rent: {gte: "1"}}) { totalCount }',
        "shopGroups(groupBy: STATUS, first: 0, orderBy: RENT_SUM_DESC) { totalCount }",
    ],
)
async def test_using_a_refused_field_refuses_the_operation(toys: Toys, arguments: str) -> None:
    full = full_access()
    access = full_access(usable=full.usable - {"Shop.rent"}, aggregable=full.aggregable - {"Shop.rent"})
    with pytest.raises(FieldForbidden) as refused:
        await toys.result(f"{{ {arguments} }}", access=access)
    assert refused.value.values == {"permission": "Shop.rent", "grantors": "hr_admin, owner"}
    fields = {"Keeper.shops": full.fields["Keeper.shops"]}
    with pytest.raises(FieldForbidden):
        await toys.result(
            f"{{ {arguments} }}", access=full_access(fields=fields, usable=frozenset(), aggregable=frozenset())
        )


@pytest.mark.parametrize(
    ("bad", "given"),
    [
        ("shop(id: ID) { keeper { BELOW } }", '"sho_1"'),
        ("shop(id: ID) { keeper { BELOW } }", f'"kee_{row_id(2, 0).hex}"'),
        ("keepers(first: INT) { nodes { BELOW } }", "0"),
        ("keepers(first: 1, after: STRING) { edges { node { BELOW } } }", '"AAAA"'),
        ("shops(first: 1, filter: {keeper: {eq: ID}}) { nodes { keeper { BELOW } } }", '"sho_1"'),
        ("shops(first: 1, filter: {rank: {eq: INT}}) { nodes { keeper { BELOW } } }", "null"),
        ("shopGroups(groupBy: KEEPER, first: INT) { nodes { keeper { BELOW } } }", "101"),
    ],
)
async def test_a_refused_use_goes_before_bad_arguments_above_it(toys: Toys, bad: str, given: str) -> None:
    """Whether an operation is refused follows from document and rights, not from values, literal or variable."""
    below = 'shops(first: 1, filter: {rent: {gte: "1"}}) { totalCount }'
    kind = next(kind for kind in ("ID", "STRING", "INT") if f": {kind}" in bad)
    text = bad.replace("BELOW", below)
    literal, variable = f"{{ {text.replace(f': {kind}', f': {given}')} }}", text.replace(f": {kind}", ": $given")
    values = {"given": orjson.loads(given)}
    full = full_access()
    forbidden = full_access(usable=full.usable - {"Shop.rent"})
    for document_text, variables in ((literal, {}), (f"query {{ {variable} }}", values)):
        with pytest.raises(FieldForbidden) as refused:
            await toys.result(document_text, access=forbidden, **variables)
        assert refused.value.values["permission"] == "Shop.rent"
        answered = await toys.result(document_text, **variables)
        assert list(data_of(answered).values()) == [None]
        assert [error.code in (ErrorCode.BAD_USER_INPUT, ErrorCode.WRONG_ID_TYPE) for error in answered.errors] == [
            True
        ]


async def test_use_implies_read(toys: Toys) -> None:
    with pytest.raises(FieldForbidden):
        await toys.result(
            '{ shops(first: 1, filter: {rent: {gte: "1"}}) { totalCount } }', access=with_field("Shop.rent", DENIED)
        )


async def test_a_masked_right_is_no_right_to_use(toys: Toys) -> None:
    for name, argument in (("rent", 'rent: {gte: "1"}'), ("phone", 'phone: {eq: "13800130000"}')):
        with pytest.raises(FieldForbidden) as refused:
            await toys.result(
                f"{{ shops(first: 1, filter: {{{argument}}}) {{ totalCount }} }}",
                access=with_field(f"Shop.{name}", MASKED),
            )
        assert refused.value.values["permission"] == f"Shop.{name}"


async def test_default_order_falls_back_to_the_id_where_it_may_not_be_used(toys: Toys) -> None:
    full = full_access()
    data = await toys.data(
        "{ shops(first: 3) { nodes { id } } }", access=full_access(usable=full.usable - {"Shop.name"})
    )
    assert [node["id"] for node in data["shops"]["nodes"]] == [f"sho_{row_id(1, n).hex}" for n in range(3)]


async def test_field_right_on_rows_shows_own_rows_and_reports_the_others(toys: Toys) -> None:
    caller = toys.caller(with_field("Shop.rent", OWN_ROWS), employee_id=KEEPER)
    result = await toys.result("{ shops(first: 4, orderBy: ID_ASC) { nodes { rent } } }", caller=caller)
    assert [node["rent"] for node in data_of(result)["shops"]["nodes"]] == ["1000.00", None, None, None]
    assert refusals(result) == [
        ("reads.field_forbidden_in_row", ("shops", "nodes", n, "rent"), "Shop.rent") for n in (1, 2, 3)
    ]


async def test_field_right_on_rows_filters_orders_and_sums_only_own_rows(toys: Toys) -> None:
    """Rents are 1000 + number; own shops are 0, 4 and 6 — and a filter that others' rents meet finds none of them."""
    caller = toys.caller(with_field("Shop.rent", OWN_ROWS), employee_id=KEEPER)
    ask = """{ shops(first: 100, orderBy: ID_ASC, filter: FILTER) {
      nodes { id } totalCount summary { rent { sum } } } }"""

    async def numbers(condition: str) -> list[int]:
        data = await toys.data(ask.replace("FILTER", condition), caller=caller)
        shops = data["shops"]
        assert shops["totalCount"] == len(shops["nodes"])
        assert shops["summary"]["rent"] == {"sum": None}  # of fewer than five own rows
        return [int(node["id"][-4:], 16) for node in shops["nodes"]]

    assert await numbers('{rent: {gte: "1001"}}') == [4, 6]
    assert await numbers('{not: {rent: {gte: "1001"}}}') == [0, 1, 2, 3, 5, 7, 8, 9]
    assert await numbers('{not: {rent: {lt: "1001"}}}') == [1, 2, 3, 4, 5, 6, 7, 8, 9]
    assert await numbers("{rent: {isNull: true}}") == []
    data = await toys.data("{ shops(first: 100, orderBy: RENT_DESC) { nodes { id } } }", caller=caller)
    order = [int(node["id"][-4:], 16) for node in data["shops"]["nodes"]]
    assert order == [9, 8, 7, 5, 3, 2, 1, 6, 4, 0]


async def test_field_right_that_covers_all_visible_rows_is_a_plain_right(toys: Toys) -> None:
    base = with_field("Shop.rent", OWN_ROWS)
    access = full_access(fields=base.fields, scopes={**base.scopes, "Shop": frozenset({"self"})})
    data = await toys.data("{ shops(first: 9) { nodes { rent } } }", caller=toys.caller(access, employee_id=KEEPER))
    assert sorted(node["rent"] for node in data["shops"]["nodes"]) == ["1000.00", "1004.00", "1006.00"]


async def test_row_scope_holds_at_every_level(toys: Toys) -> None:
    full = full_access()
    access = full_access(scopes={**full.scopes, "Shop": frozenset({"self", "unheard-of"})})
    caller = toys.caller(access, employee_id=KEEPER)
    foreign, own = f"sho_{row_id(1, 1).hex}", f"sho_{row_id(1, 4).hex}"
    data = await toys.data(
        """{ shops(first: 100, orderBy: ID_ASC) { totalCount summary { count } nodes { id } }
        shopGroups(groupBy: KEEPER, first: 9) { totalCount nodes { count } }
        keepers(first: 9) { nodes { shops(first: 9) { totalCount nodes { id } } } }
        shop(id: "FOREIGN") { name } node(id: "FOREIGN") { id } nodes(ids: ["FOREIGN", "OWN"]) { id } }""".replace(
            "FOREIGN", foreign
        ).replace("OWN", own),
        caller=caller,
    )
    ids = [f"sho_{row_id(1, n).hex}" for n in (0, 4, 6)]
    assert data["shops"] == {"totalCount": 3, "summary": {"count": 3}, "nodes": [{"id": item} for item in ids]}
    assert data["shopGroups"] == {"totalCount": 1, "nodes": [{"count": 3}]}
    assert [node["shops"]["totalCount"] for node in data["keepers"]["nodes"]] == [3, 0]
    assert [node["shops"]["nodes"] for node in data["keepers"]["nodes"]][1] == []
    assert (data["shop"], data["node"], data["nodes"]) == (None, None, [None, {"id": own}])


async def test_row_scope_holds_behind_relations_and_unions(toys: Toys) -> None:
    full = full_access()
    access = full_access(scopes={**full.scopes, "Keeper": frozenset()})
    data = await toys.data(
        "{ shops(first: 9, orderBy: RANK_DESC, filter: {rank: {eq: 6}}) { nodes { keeper { name } notes(first: 9) {"
        " nodes { about { __typename } } } } }"
        " shopGroups(groupBy: KEEPER, first: 9) { nodes { key keeper { name } } } }",
        access=access,
    )
    assert data["shops"]["nodes"] == [
        {"keeper": None, "notes": {"nodes": [{"about": None}, {"about": {"__typename": "Shop"}}]}}
    ]
    assert data["shopGroups"]["nodes"] == [{"key": None, "keeper": None}] * 3


async def test_type_without_scopes_is_empty_without_errors(toys: Toys) -> None:
    access = full_access(scopes={})
    assert await toys.data(
        "{ shops(first: 9) { totalCount nodes { id } pageInfo { hasNextPage endCursor } } }", access=access
    ) == {"shops": {"totalCount": 0, "nodes": [], "pageInfo": {"hasNextPage": False, "endCursor": None}}}


async def test_several_scopes_are_their_union(toys: Toys) -> None:
    full = full_access()
    access = full_access(scopes={**full.scopes, "Shop": frozenset({"self", "open"})})
    caller = toys.caller(access, employee_id=row_id(2, 1))
    data = await toys.data("{ shops(first: 99, orderBy: ID_ASC) { nodes { id } } }", caller=caller)
    assert [int(node["id"][-4:], 16) for node in data["shops"]["nodes"]] == [0, 1, 2, 3, 4, 6, 7, 8, 9]


async def test_masked_right_shows_the_mask_and_refuses_the_value(toys: Toys) -> None:
    result = await toys.result(
        "{ shops(first: 1) { nodes { phone { value masked } } } }", access=with_field("Shop.phone", MASKED)
    )
    assert data_of(result)["shops"]["nodes"] == [{"phone": {"value": None, "masked": "138****0005"}}]
    assert refusals(result) == [("reads.value_masked", ("shops", "nodes"), "Shop.phone")]
    assert (toys.opener.prepared, result.opened) == ([], [])
    plain = await toys.result("{ shops(first: 1) { nodes { rank } } }", access=with_field("Shop.rank", MASKED))
    assert (data_of(plain)["shops"]["nodes"], refusals(plain)) == (
        [{"rank": None}],
        [("reads.field_forbidden", ("shops", "nodes"), "Shop.rank")],
    )


async def test_refused_relation_is_null_and_not_joined(toys: Toys) -> None:
    access = with_field("Shop.keeper", DENIED)
    text = "{ shops(first: 1) { nodes { keeper { name } } } }"
    result = await toys.result(text, access=access)
    assert data_of(result)["shops"]["nodes"] == [{"keeper": None}]
    parsed = document(text)
    plan = toys.reader.plan_fields(parsed.key, parsed.fragments, parsed.roots, {}, toys.caller(access))
    assert "toy_keeper" not in plan.statements["shops"]


async def test_pay_hides_small_groups_and_extremes(toys: Toys) -> None:
    result = await toys.result(
        "{ shopGroups(groupBy: STATUS, first: 9) { nodes { key rent { sum avg } rank { min max } } }"
        " shops(first: 1) { summary { rent { sum min } } } }"
    )
    data = data_of(result)
    assert data["shopGroups"]["nodes"] == [
        {"key": "OPEN", "rent": {"sum": "5020.00", "avg": "1004.0000"}, "rank": {"min": "0", "max": "8"}},
        {"key": "SHUT", "rent": {"sum": None, "avg": None}, "rank": {"min": "1", "max": "9"}},
        {"key": None, "rent": {"sum": None, "avg": None}, "rank": {"min": None, "max": None}},
    ]
    assert data["shops"]["summary"] == {"rent": {"sum": "8035.00", "min": None}}
    assert refusals(result) == [("reads.extreme_hidden", ("shops", "summary", "rent", "min"), "Shop.rent")]


async def test_aggregating_without_reading_hides_the_few(toys: Toys) -> None:
    access = with_field("Shop.rank", DENIED)
    text = """{ shops(first: 1, filter: {name: {in: NAMES}}) { summary { rank { sum avg max } } } }"""
    for names, expected in (
        ('["Zeta", "alpha", "é"]', {"sum": None, "avg": None, "max": None}),
        ('["Zeta", "alpha", "晨曦", "晨光", "back\\\\slash"]', {"sum": "17", "avg": "3.4000", "max": None}),
    ):
        result = await toys.result(text.replace("NAMES", names), access=access)
        assert data_of(result)["shops"]["summary"]["rank"] == expected
        assert refusals(result) == [("reads.extreme_hidden", ("shops", "summary", "rank", "max"), "Shop.rank")]


async def test_grouping_by_a_field_readable_in_some_rows(toys: Toys) -> None:
    caller = toys.caller(with_field("Shop.status", OWN_ROWS), employee_id=KEEPER)
    data = await toys.data(
        "{ shopGroups(groupBy: STATUS, first: 9) { totalCount nodes { key count } } }", caller=caller
    )
    nodes = [{"key": None, "count": 7}, {"key": "OPEN", "count": 3}]
    assert data["shopGroups"] == {"totalCount": 2, "nodes": nodes}


async def test_other_tenants_rows_are_as_missing_ones(toys: Toys) -> None:
    foreign, missing = f"sho_{row_id(1, 100).hex}", f"sho_{row_id(1, 999).hex}"
    texts = ['{ shop(id: "ID") { name } }', '{ node(id: "ID") { id } }', '{ nodes(ids: ["ID"]) { id } }']
    for text in texts:
        assert (await toys.result(text.replace("ID", foreign))).values == (
            await toys.result(text.replace("ID", missing))
        ).values
