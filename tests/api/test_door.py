"""The door end to end: compiled lists, ordinary fields, refusals of fields, languages, documents by hash."""

from __future__ import annotations

import asyncio
import re
from dataclasses import replace
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from graphql import build_client_schema, get_introspection_query, lexicographic_sort_schema, print_schema

from saas.graphql.documents import ListedDocuments, hash_of
from saas.kernel import Catalogue
from tenants.database import Database, DatabaseUrls
from tests.api import toy
from tests.api.conftest import JSON, STRICT, Api, serve

BOATS = "query($first: Int!) {boats(first: $first) {nodes {name}}}"


async def test_typename_needs_nobody(api: Api) -> None:
    response = await api.post("{__typename}", token=None)
    assert response.status_code == 200
    assert response.headers["content-type"] == f"{STRICT}; charset=utf-8"
    assert response.headers["cache-control"] == "no-store"
    assert response.headers["x-content-type-options"] == "nosniff"
    assert response.json()["data"] == {"__typename": "Query"}
    assert response.json()["extensions"]["requestId"] == response.headers["x-request-id"]


async def test_compiled_list_is_spliced_in_the_documents_order(api: Api) -> None:
    data = await api.data("{kind: __typename harbours(first: 2) {nodes {name boats(first: 1) {nodes {name price}}}}}")
    assert list(data) == ["kind", "harbours"]
    assert data["harbours"]["nodes"] == [
        {"name": "Bremen", "boats": {"nodes": [{"name": "Bremen 0", "price": "100.50"}]}},
        {"name": "Cuxhaven", "boats": {"nodes": [{"name": "Cuxhaven 0", "price": "100.50"}]}},
    ]


async def test_ordinary_and_compiled_fields_stand_in_one_answer(api: Api) -> None:
    data = await api.data(
        """{
          inspection {grade boats {name harbour {name}} twice: boats {...Short}}
          harbours(first: 1) {totalCount}
        }
        fragment Short on Boat {id name}"""
    )
    assert list(data) == ["inspection", "harbours"]
    assert data["inspection"]["grade"] == 1
    assert data["inspection"]["boats"] == [
        {"name": f"Bremen {number}", "harbour": {"name": "Bremen"}} for number in range(3)
    ]
    assert [boat["name"] for boat in data["inspection"]["twice"]] == ["Bremen 0", "Bremen 1", "Bremen 2"]
    assert data["harbours"] == {"totalCount": 3}


async def test_conditions_on_root_fields_follow_the_variables(api: Api) -> None:
    document = "query($on: Boolean!) {a: __typename @include(if: $on) b: __typename @skip(if: $on)}"
    assert await api.data(document, variables={"on": True}) == {"a": "Query"}
    assert await api.data(document, variables={"on": False}) == {"b": "Query"}
    assert await api.data("{__typename @skip(if: true)}") == {}


async def test_other_tenants_rows_are_not_there(api: Api) -> None:
    assert await api.data("{harbours(first: 10) {nodes {name}}}", "foreign") == {
        "harbours": {"nodes": [{"name": "Dover"}]}
    }
    document = "query($id: ID!) {node(id: $id) {id}}"
    foreign = await api.post(document, variables={"id": api.harbours["Dover"]})
    missing = await api.post(document, variables={"id": "har_" + "0" * 32})
    assert foreign.json()["data"] == missing.json()["data"] == {"node": None}
    assert "errors" not in foreign.json()


async def test_refused_field_is_null_and_the_rest_arrives(api: Api) -> None:
    answer = (await api.post("{boats(first: 1) {nodes {name price}}}", "sailor")).json()
    assert answer["data"] == {"boats": {"nodes": [{"name": "Bremen 0", "price": None}]}}
    assert [error["extensions"]["code"] for error in answer["errors"]] == ["FIELD_FORBIDDEN"]
    assert answer["errors"][0]["extensions"]["args"]["permission"] == "Boat.price"
    assert answer["errors"][0]["extensions"]["args"]["grantors"] == "captain"


async def test_summing_a_refused_field_refuses_the_operation(api: Api) -> None:
    response = await api.post("{boats(first: 1) {summary {price {sum}}} harbours(first: 1) {totalCount}}", "sailor")
    assert response.status_code == 403
    assert "data" not in response.json()
    assert [error["extensions"]["code"] for error in response.json()["errors"]] == ["FIELD_FORBIDDEN"]


async def test_refused_root_field_leaves_the_others(api: Api) -> None:
    response = await api.post("{inspection {grade} harbours(first: 1) {totalCount}}", "sailor")
    assert response.status_code == 200
    answer = response.json()
    assert answer["data"] == {"inspection": None, "harbours": {"totalCount": 3}}
    assert [(error["path"], error["extensions"]["code"]) for error in answer["errors"]] == [
        (["inspection"], "FORBIDDEN")
    ]
    assert answer["errors"][0]["message"] == "This needs the permission boat:inspect, which you do not have."


async def test_caller_without_any_right_to_the_type_is_forbidden(api: Api) -> None:
    response = await api.post("{boats(first: 1) {nodes {name}}}", "stranger")
    assert response.status_code == 403
    assert "data" not in response.json()
    error = response.json()["errors"][0]
    assert (error["path"], error["extensions"]["code"]) == (["boats"], "FORBIDDEN")
    assert error["extensions"]["args"] == {"permission": "Boat", "grantors": "captain"}
    assert error["extensions"]["hint"] == "These roles can grant it: captain."


@pytest.mark.parametrize(
    "query", ["{boats(first: 1) {nodes {name}}}", "{inspection {grade}}", "{__schema {queryType {name}}}"]
)
async def test_guarded_field_needs_a_session(api: Api, query: str) -> None:
    for accept in (STRICT, JSON):
        response = await api.post(query, token=None, accept=accept)
        assert response.status_code == 401
        assert response.headers["www-authenticate"] == "Bearer"
        assert "data" not in response.json()
        assert [error["extensions"]["code"] for error in response.json()["errors"]] == ["UNAUTHENTICATED"]


async def test_public_field_answers_without_a_session(api: Api) -> None:
    answer = (await api.post("{slow(seconds: 0) inspection {grade}}", token=None)).json()
    assert answer["data"] == {"slow": 0, "inspection": None}


async def test_introspection_answers_signed_in_callers(api: Api) -> None:
    data = await api.data(
        "query($name: String!) {__type(name: $name) {name kind} boats(first: 1) {nodes {name}}}",
        variables={"name": "Boat"},
    )
    assert data == {"__type": {"name": "Boat", "kind": "OBJECT"}, "boats": {"nodes": [{"name": "Bremen 0"}]}}


async def test_graphiqls_introspection_is_answered_and_kept(api: Api) -> None:
    document = get_introspection_query(schema_description=True, specified_by_url=True, input_value_deprecation=True)
    first = await api.data(document, operationName="IntrospectionQuery")
    again = await api.data(document, operationName="IntrospectionQuery")
    assert first == again
    shown = lexicographic_sort_schema(build_client_schema(first))
    assert print_schema(shown) + "\n" == api.services.schema.print()


async def test_introspection_has_a_depth_of_its_own(api: Api) -> None:
    deep = "{__schema {queryType {ofType " + "{ofType " * 17 + "{name}" + "}" * 17 + "}}}"
    assert (await api.post(deep)).json()["errors"][0]["extensions"]["args"]["limit"] == "introspection_depth"


async def test_values_of_an_interface_are_walked_by_their_own_type(api: Api) -> None:
    document = """{watch {
      sure {kind: __typename what ... on Whale {length seenOn} ...W}
      doubtful {...W ... on Sighting {what}}
    }}
    fragment W on Wreck {depth}"""
    whale = {"kind": "Whale", "what": "whale", "length": "12.50", "seenOn": "2026-02-28"}
    expected = {"watch": {"sure": [whale], "doubtful": [{"depth": 40, "what": "wreck"}, {"what": "whale"}]}}
    assert await api.data(document) == expected


async def test_null_moves_up_to_the_next_field_that_allows_it(api: Api) -> None:
    answer = (await api.post("{watch(lost: true) {doubtful {what ... on Wreck {depth}}}}")).json()
    assert answer["data"] == {"watch": {"doubtful": [None, {"what": "whale"}]}}
    (error,) = answer["errors"]
    assert error["path"] == ["watch", "doubtful", 0, "depth"]
    assert error["extensions"]["code"] == "INTERNAL"


async def test_field_of_a_plugin_that_is_not_enabled_is_unknown(api: Api) -> None:
    response = await api.post("{sonarDepth}")
    assert response.status_code == 400
    (error,) = response.json()["errors"]
    assert error["extensions"]["code"] == "GRAPHQL_VALIDATION_FAILED"
    assert "Cannot query field 'sonarDepth' on type 'Query'." in error["message"]


async def test_refusal_and_fault_of_an_ordinary_field(api: Api) -> None:
    fault = (await api.post("{fog {sure {what}} boats(first: 1) {totalCount}}")).json()
    assert fault["data"] == {"fog": None, "boats": {"totalCount": 9}}
    assert [(each["path"], each["extensions"]["code"]) for each in fault["errors"]] == [(["fog"], "INTERNAL")]
    refused = (await api.post("{fog {sure {what}} boats(first: 1) {totalCount}}", "sailor")).json()
    (error,) = refused["errors"]
    assert (error["path"], error["extensions"]["code"]) == (["fog"], "RULE_REFUSED")
    assert len(error["extensions"]["args"]["until"]) == 10


async def test_database_that_is_away(api: Api) -> None:
    nowhere = "postgres://nobody:x@127.0.0.1:1/none"
    away = Database(DatabaseUrls(app=nowhere, platform=nowhere))
    async with serve(replace(api.services, database=away)) as client:
        lost = replace(api, client=client)
        response = await lost.post("{boats(first: 1) {totalCount}}")
        assert response.status_code == 503
        assert response.json()["errors"][0]["extensions"]["code"] == "UNAVAILABLE"
        assert "127.0.0.1" not in response.text
        assert (await lost.post("{__typename}", None)).status_code == 200


async def test_hang_up_stops_the_work(api: Api) -> None:
    body = b'{"query": "{slow(seconds: 60)}"}'
    patient = replace(api.services, limits=replace(api.services.limits, seconds=60.0))
    async with serve(patient) as client:
        url = client.base_url
        _, writer = await asyncio.open_connection(url.host, url.port)
        writer.write(
            b"POST /graphql HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b"
            % (len(body), body)
        )
        await writer.drain()
        await asyncio.sleep(0.2)  # longer than it takes the server to begin watching
        writer.close()
        await writer.wait_closed()
    assert toy.STOPPED[-1:] == [60]


def test_every_sentence_that_is_raised_stands_in_both_languages() -> None:
    rooms = ("saas.graphql", "saas.web")
    catalogue = Catalogue.of(rooms)
    assert catalogue.keys("en") == catalogue.keys("zh-CN")
    sources = [path.read_text(encoding="utf-8") for room in rooms for path in Path(str(files(room))).rglob("*.py")]
    raised = set(re.findall(r'"((?:graphql|web)\.[a-z_]+)"', "".join(sources)))
    assert raised == {key.removesuffix(".hint") for key in catalogue.keys("en")}


async def test_messages_follow_accept_language_then_the_person(api: Api) -> None:
    async def message(token: str, language: str | None) -> str:
        headers = {"Content-Type": JSON, "Authorization": f"Bearer {token}-token"}
        if language is not None:
            headers["Accept-Language"] = language
        response = await api.client.post("/graphql", content=b'{"query": "{"}', headers=headers)
        text: str = response.json()["errors"][0]["message"]
        return text.partition("Syntax")[0]

    english, chinese = "The document can't be read: ", "无法读取文档："
    assert await message("captain", None) == english
    assert await message("chinese", None) == chinese
    assert await message("chinese", "en-GB,zh;q=0.5") == english
    assert await message("captain", "fr, zh-Hans-CN;q=0.8, en;q=0.5") == chinese
    assert await message("captain", "fr") == english


async def test_response_tells_its_cost(api: Api) -> None:
    await api.post(BOATS, variables={"first": 7})
    for first, points in ((7, 8), (50, 51)):
        cost = (await api.post(BOATS, variables={"first": first})).json()["extensions"]["cost"]
        assert (cost["requested"], cost["actual"], cost["restoreRate"]) == (points, points, 2500)


async def test_document_seen_first_costs_its_compilation(api: Api) -> None:
    document = "{__typename costs: __typename}"
    costs = [(await api.post(document)).json()["extensions"]["cost"]["requested"] for _ in range(2)]
    assert costs == [20, 0]


async def test_trusted_documents_by_hash(api: Api) -> None:
    document, other = "{kind: __typename}", "{other: __typename}"
    services = replace(api.services, trusted_documents=ListedDocuments((document,)), require_trusted_documents=True)

    def by(text: str) -> dict[str, Any]:
        return {"extensions": {"persistedQuery": {"version": 1, "sha256Hash": hash_of(text)}}}

    async with serve(services) as client:
        strict = replace(api, client=client, services=services)
        assert (await strict.post(**by(document))).json()["data"] == {"kind": "Query"}
        assert (await strict.post(document)).json()["data"] == {"kind": "Query"}
        for refused in (
            await strict.post(**by(other)),
            await strict.post(other),
            await strict.post(other, **by(other)),
        ):
            assert refused.status_code == 400
            assert refused.json()["errors"][0]["extensions"]["code"] == "PERSISTED_QUERY_NOT_FOUND"
        assert (await strict.post(**by(other))).status_code == 400  # asking did not register it
    lenient = await api.post(document, **by(other))
    assert lenient.json()["errors"][0]["extensions"]["code"] == "BAD_USER_INPUT"


async def test_slow_request_is_stopped(api: Api) -> None:
    response = await api.post("{slow(seconds: 5)}")
    assert response.status_code == 503
    assert response.json()["errors"][0]["extensions"]["code"] == "TIMEOUT"
