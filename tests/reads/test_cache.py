"""Plans: compiled once per document, shape and rights, bounded; sessions' stamps; objects by id."""

from __future__ import annotations

from typing import Any

import asyncpg
import pytest
from graphql import OperationDefinitionNode, parse

from saas.kernel import BadUserInput, ErrorCode
from saas.reads import Reader
from saas.reads.errors import UnknownField
from saas.reads.mapping import Column, ListRoot, OneRoot, ReadType, RoomReads, ScalarKind, ToOne
from saas.reads.registry import InvalidMapping, Registry
from tests.reads.conftest import Toys
from tests.reads.toys import ROOMS, SHOP, caller_of, data_of, document, full_access, read, row_id

ASK = """query($n: Int, $a: String, $f: ShopFilter, $o: [ShopOrder!], $yes: Boolean) {
  shops(first: $n, after: $a, filter: $f, orderBy: $o) { nodes { id name @include(if: $yes) } } }"""


async def test_values_share_a_plan_and_shapes_do_not(toys: Toys) -> None:
    async def plans(**variables: object) -> int:
        given = {"n": 2, "yes": True, **variables}
        await read(toys.reader, toys.caller(), toys.database.fetchrow, ASK, **given)
        return toys.reader.plan_count

    assert await plans() == 1
    assert await plans(n=3) == 1
    assert await plans(f={"rank": {"eq": 1}}) == 2
    assert await plans(f={"rank": {"eq": 2}}) == 2
    assert await plans(f={"rank": {"gte": 2}}) == 3
    assert await plans(f={"status": {"isNull": True}}) == 4
    assert await plans(f={"status": {"isNull": False}}) == 5
    assert await plans(o=["RANK_ASC"]) == 6
    assert await plans(yes=False) == 7
    assert await plans(n=7, yes=False) == 7


async def test_equal_rights_share_a_plan_across_tenants(toys: Toys) -> None:
    text = "{ shops(first: 9) { totalCount } }"
    own = await toys.result(text)
    other = await toys.result(text, caller=caller_of(toys.other_tenant_id))
    assert (own.values["shops"], other.values["shops"]) == (b'{"totalCount":10}', b'{"totalCount":3}')
    assert toys.reader.plan_count == 1
    await toys.result(text, access=full_access(scopes={}))
    await toys.result(text, caller=toys.caller(plugins=frozenset({"x"})))
    assert toys.reader.plan_count == 3


async def test_two_operations_of_one_document_do_not_share_a_plan(toys: Toys) -> None:
    text = "query A { shops(first: 1) { totalCount } } query B { shops(first: 1) { __typename } }"
    caller = toys.caller()
    answers = []
    for definition in parse(text).definitions:
        assert isinstance(definition, OperationDefinitionNode)
        roots: Any = {"shops": list(definition.selection_set.selections)}
        plan = toys.reader.plan_fields("same", {}, roots, {}, caller)
        answers.append((await toys.reader.run(plan, {}, caller, toys.database.fetchrow)).values["shops"])
    assert answers == [b'{"totalCount":10}', b'{"__typename":"ShopConnection"}']


async def test_plans_are_bounded(toys: Toys) -> None:
    reader = Reader(toys.reader.registry, "1", opener=toys.opener, plans=3)
    for number in range(10):
        await read(reader, toys.caller(), toys.database.fetchrow, f"{{ a{number}: shops(first: 1) {{ totalCount }} }}")
    assert reader.plan_count == 3


async def test_session_stamp_comes_back_with_the_rows(toys: Toys) -> None:
    reader = Reader(toys.reader.registry, "1", opener=toys.opener, presented_session="toy_presented_session")
    for token, stamp in ((b"live", "stamp of live"), (b"dead", None)):
        caller = toys.caller(session_hash=token)
        for text in ("{ shops(first: 1) { totalCount } }", "{ shops(first: 1) { __typename } }"):
            assert (await read(reader, caller, toys.database.fetchrow, text)).stamp == stamp
    assert (await toys.result("{ shops(first: 1) { totalCount } }")).stamp is None


async def test_one_statement_and_one_trip_per_root_field(toys: Toys) -> None:
    sent: list[str] = []

    async def counting(sql: str, *values: object) -> asyncpg.Record | None:
        sent.append(sql)
        return await toys.database.fetchrow(sql, *values)

    text = """{ a: shops(first: 9) { nodes { keeper { name } notes(first: 3) { nodes { text } } } }
      b: keepers(first: 1) { totalCount } }"""
    await toys.result(text, fetchrow=counting)
    assert len(sent) == 2
    await toys.result("{ shops(first: 0) { totalCount } }", fetchrow=counting)
    assert len(sent) == 2


async def test_objects_by_id(toys: Toys) -> None:
    parsed = document("query($n: Int) { x { id name rank notes(first: $n) { totalCount nodes { text } } } }")
    caller = toys.caller(full_access(fields={**full_access().fields, "Shop.rank": full_access().read("no", "right")}))
    sets = [node.selection_set for node in parsed.roots["x"] if node.selection_set]
    ids = [row_id(1, 5), row_id(1, 100), row_id(1, 0)]

    async def objects(number: int) -> Any:
        variables = {"n": number}
        plan = toys.reader.plan_object(parsed.key, parsed.fragments, "Shop", sets, variables, caller)
        return await toys.reader.run_object(plan, ids, variables, caller, toys.database.fetchrow)

    result = await objects(3)
    zeta = {"id": f"sho_{ids[0].hex}", "name": "Zeta", "rank": None}
    assert data_of(result) == {
        str(ids[0]): {**zeta, "notes": {"totalCount": 1, "nodes": [{"text": "note 0 on 5"}]}},
        str(ids[1]): None,
        str(ids[2]): {
            "id": f"sho_{ids[2].hex}", "name": "晨光", "rank": None, "notes": {"totalCount": 0, "nodes": []},
        },
    }  # fmt: skip
    assert [(error.key, error.path) for error in result.errors] == [("reads.field_forbidden", ("rank",))]
    bad = await objects(0)
    assert data_of(bad)[str(ids[0])] == {**zeta, "notes": None}
    assert [(error.code, error.path) for error in bad.errors] == [
        (ErrorCode.FIELD_FORBIDDEN, ("rank",)),
        (ErrorCode.BAD_USER_INPUT, ("notes",)),
    ]
    plan = toys.reader.plan_object(parsed.key, parsed.fragments, "Shop", sets, {"n": 1}, caller)
    assert (await toys.reader.run_object(plan, [], {"n": 1}, caller, toys.database.fetchrow)).values == {}
    with pytest.raises(BadUserInput):
        await toys.reader.run_object(plan, [ids[0]] * 101, {"n": 1}, caller, toys.database.fetchrow)


AREAS = RoomReads(
    types=(ReadType("Area", "toy_keeper", "are", "An area.", (), {"all": "true"}),),
    roots=(ListRoot("areas", "Area", "ID_ASC", "Areas."),),
    extends={"Shop": (Column("district", ScalarKind.STRING, "nick", "Its district."),)},
    plugin="realty",
)


async def test_fields_of_a_plugin_that_is_not_enabled_are_unknown(toys: Toys) -> None:
    reader = Reader(Registry([*ROOMS, AREAS]), "1", opener=toys.opener)
    area = f"are_{row_id(2, 0).hex}"
    texts = ["{ areas(first: 1) { totalCount } }", "{ shops(first: 1) { nodes { district } } }"]
    for text in texts:
        with pytest.raises(UnknownField) as unknown:
            await read(reader, toys.caller(), toys.database.fetchrow, text)
        assert unknown.value.code is ErrorCode.GRAPHQL_VALIDATION_FAILED
    hidden = await read(reader, toys.caller(), toys.database.fetchrow, f'{{ node(id: "{area}") {{ id }} }}')
    assert [error.key for error in hidden.errors] == ["reads.id_prefix_unknown"]
    full = full_access()
    access = full_access(scopes={**full.scopes, "Area": frozenset({"all"})})
    caller = toys.caller(access, plugins=frozenset({"realty"}))
    shown = await read(reader, caller, toys.database.fetchrow, f'{{ node(id: "{area}") {{ id }} }}')
    assert data_of(shown) == {"node": {"id": area}}


@pytest.mark.parametrize(
    ("room", "says"),
    [
        (RoomReads(types=(SHOP,)), "Shop is declared twice"),
        (RoomReads(extends={"Ghost": ()}), "extend Ghost"),
        (RoomReads(extends={"Shop": (ToOne("ghost", "Ghost", "x", "d"),)}), "target Ghost"),
        (RoomReads(extends={"Shop": (Column("rank", ScalarKind.INT, "rank", "d"),)}), "two fields of one name"),
        (RoomReads(extends={"Shop": (Column("id", ScalarKind.ID, "id", "d"),)}), "reserved"),
        (RoomReads(extends={"Shop": (Column("x", ScalarKind.DATE, "x", "d", summed=True),)}), "can be summed"),
        (RoomReads(types=(ReadType("X", "x", "xxx", "d", (), {}),)), "no row scopes"),
        (RoomReads(types=(ReadType("X", "x", "sho", "d", (), {"all": "true"}),)), "share an id prefix"),
        (RoomReads(types=(ReadType("X", "x; drop", "xxx", "d", (), {"all": "true"}),)), "no table name"),
        (RoomReads(types=(ReadType("X", "x", "x_", "d", (), {"all": "true"}),)), "no id prefix"),
        (RoomReads(extends={"Shop": (Column("x", ScalarKind.INT, "x'y", "d"),)}), "no column name"),
        (RoomReads(extends={"Shop": (Column('x"', ScalarKind.INT, "x", "d"),)}), "no field name"),
        (RoomReads(roots=(OneRoot("shop", "Shop", "d"),)), "declared twice"),
        (RoomReads(roots=(OneRoot("node", "Shop", "d"),)), "reserved"),
        (RoomReads(roots=(ListRoot("more", "Shop", "STATUS", "d"),)), "STATUS is not an order of Shop"),
    ],
)
def test_contradictions_are_found_at_the_start(room: RoomReads, says: str) -> None:
    with pytest.raises(InvalidMapping, match=says):
        Registry([*ROOMS, room])
