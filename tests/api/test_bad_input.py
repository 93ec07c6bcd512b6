"""Hostile and mistaken requests: each a clear error of one shape, no fault, nothing in the log, nothing changed."""

from __future__ import annotations

import gzip
from collections.abc import Mapping
from typing import Any

import orjson
import pytest

from tests.api.conftest import JSON, STRICT, Api

TOKEN = {"Authorization": "Bearer captain-token", "Content-Type": JSON, "Accept": STRICT}
DEEP = "harbours(first: 1) " + "{nodes {boats(first: 1) {nodes {harbour" * 3 + "{id}" + "}}}}" * 3
BY_NAME = "query($v: String!) {boats(first: 1, filter: {name: {eq: $v}}) {nodes {name}}}"
BY_FILTER = "query($v: BoatFilter!) {boats(first: 1, filter: $v) {nodes {name}}}"
BY_DAY = "query($v: Date!) {boats(first: 1, filter: {launchedOn: {gte: $v}}) {nodes {name}}}"
BY_SIZE = "query($v: Int!) {boats(first: $v) {nodes {name}}}"
GRAPHQL_FAULTS = {
    "unknown field": ("{boats(first: 1) {nodes {nmae}}}", "GRAPHQL_VALIDATION_FAILED"),
    "unknown argument": ("{boats(first: 1, size: 2) {nodes {name}}}", "GRAPHQL_VALIDATION_FAILED"),
    "no document": ("", "GRAPHQL_PARSE_FAILED"),
    "half a document": ("{boats(first: 1) {nodes {name}", "GRAPHQL_PARSE_FAILED"),
    "two unnamed operations": ("{__typename} {kind: __typename}", "GRAPHQL_VALIDATION_FAILED"),
    "two operations, none chosen": ("query A {__typename} query B {__typename}", "GRAPHQL_VALIDATION_FAILED"),
    "fragment cycle": (
        "{...A} fragment A on Query {...B} fragment B on Query {...A}",
        "GRAPHQL_VALIDATION_FAILED",
    ),
    "unknown fragment": ("{...Nowhere}", "GRAPHQL_VALIDATION_FAILED"),
    "2,001 tokens": ("{" + "__typename " * 1999 + "}", "LIMIT_EXCEEDED"),
    "200 aliases": ("{" + " ".join(f"a{n}: __typename" for n in range(200)) + "}", "LIMIT_EXCEEDED"),
    "31 aliases in two operations": (
        "query A {" + " ".join(f"a{n}: __typename" for n in range(16)) + "}"
        "query B {" + " ".join(f"a{n}: __typename" for n in range(15)) + "}",
        "LIMIT_EXCEEDED",
    ),
    "51 directives": ("{" + "__typename @skip(if: false) " * 51 + "}", "LIMIT_EXCEEDED"),
    "21 root fields": ("{" + " ".join(["__typename"] * 21) + "}", "LIMIT_EXCEEDED"),
    "depth 13": ("{" + DEEP + "}", "LIMIT_EXCEEDED"),
    "depth hidden by a fragment named __schema": (
        "{...__schema} fragment __schema on Query {" + DEEP + "}",
        "LIMIT_EXCEEDED",
    ),
    "800 braces": ("{a" * 800 + "}" * 800, "LIMIT_EXCEEDED"),
    "900 inline fragments": ("{" + "...{" * 600 + "__typename" + "}" * 600 + "}", "LIMIT_EXCEEDED"),
    "600 brackets": ("{nodes(ids: " + "[" * 600 + "]" * 600 + ") {id}}", "LIMIT_EXCEEDED"),
    "cost": ("{harbours(first: 100) {nodes {boats(first: 100) {nodes {id}}}}}", "LIMIT_EXCEEDED"),
    "NUL in a literal": (r'{boats(first: 1, filter: {name: {eq: "a\u0000b"}}) {nodes {name}}}', "BAD_USER_INPUT"),
    "lone surrogate in a literal": (r'{boats(first: 1, filter: {name: {eq: "\uD800"}}) {nodes {name}}}', None),
    "day that does not exist": (
        '{boats(first: 1, filter: {launchedOn: {gte: "2026-02-30"}}) {nodes {name}}}',
        "BAD_USER_INPUT",
    ),
    "number for a text": ("{boats(first: 1, filter: {name: {eq: 5}}) {nodes {name}}}", "GRAPHQL_VALIDATION_FAILED"),
    "integer of 10,000 digits": ("{boats(first: " + "9" * 10_000 + ") {nodes {name}}}", "GRAPHQL_VALIDATION_FAILED"),
    "subscription": ("subscription {__typename}", "GRAPHQL_VALIDATION_FAILED"),
}


@pytest.mark.parametrize("name", GRAPHQL_FAULTS)
async def test_document_is_refused(api: Api, name: str, capfd: pytest.CaptureFixture[str]) -> None:
    document, code = GRAPHQL_FAULTS[name]
    response = await api.post(document)
    check_shape(response.json(), code)
    assert response.status_code == 400
    assert "unexpected" not in capfd.readouterr().out
    legacy = await api.post(document, accept=JSON)
    assert (legacy.status_code, legacy.json()["errors"]) == (200, without_ids(response, legacy))


async def test_fragment_bombs_are_never_unfolded(api: Api) -> None:
    for levels in (18, 80):
        bomb = (
            "{...F0} "
            + " ".join(f"fragment F{n} on Query {{...F{n + 1} ...F{n + 1}}}" for n in range(levels))
            + f" fragment F{levels} on Query {{a: __typename}}"
        )
        answer = (await api.post(bomb)).json()
        check_shape(answer, "LIMIT_EXCEEDED")


VARIABLE_FAULTS: dict[str, tuple[str, Mapping[str, Any]]] = {
    "day that does not exist": (BY_DAY, {"v": "2026-02-30"}),
    "missing": (BY_SIZE, {}),
    "null": (BY_SIZE, {"v": None}),
    "text for a number": (BY_SIZE, {"v": "1"}),
    "fraction for a number": (BY_SIZE, {"v": 1.5}),
    "number beyond 32 bits": (BY_SIZE, {"v": 2**31}),
    "NUL": (BY_NAME, {"v": "a\x00b"}),
    "escape": (BY_NAME, {"v": "\x1b[31m"}),
    "NUL in an input object": (BY_FILTER, {"v": {"or": [{"name": {"in": ["\x00"]}}]}}),
    "unknown member": (BY_FILTER, {"v": {"nmae": {"eq": "x"}}}),
}


@pytest.mark.parametrize("name", VARIABLE_FAULTS)
async def test_variables_are_refused(api: Api, name: str) -> None:
    document, variables = VARIABLE_FAULTS[name]
    response = await api.post(document, variables=variables)
    assert response.status_code == 400
    check_shape(response.json(), "BAD_USER_INPUT")
    assert "Did you mean" not in response.text


PAGE_FAULTS = {
    "first 0": "{boats(first: 0) {nodes {name}}}",
    "first 101": "{boats(first: 101) {nodes {name}}}",
    "negative": "{boats(first: -1) {nodes {name}}}",
    "neither first nor last": "{boats {nodes {name}}}",
    "both first and last": "{boats(first: 1, last: 1) {nodes {name}}}",
    "no cursor": '{boats(first: 1, after: "nonsense") {nodes {name}}}',
}


@pytest.mark.parametrize("name", PAGE_FAULTS)
async def test_page_is_refused_and_the_rest_arrives(api: Api, name: str) -> None:
    response = await api.post(PAGE_FAULTS[name].replace("}}}", "}} kind: __typename}"))
    assert response.status_code == 200
    assert response.json()["data"] == {"boats": None, "kind": "Query"}
    check_shape({"errors": response.json()["errors"]}, "BAD_USER_INPUT")
    assert response.json()["errors"][0]["path"][0] == "boats"


async def test_cursor_of_another_list(api: Api) -> None:
    cursor = (await api.data("{harbours(first: 1) {pageInfo {endCursor}}}"))["harbours"]["pageInfo"]["endCursor"]
    response = await api.post("query($c: String!) {boats(first: 1, after: $c) {nodes {name}}}", variables={"c": cursor})
    assert response.json()["data"] == {"boats": None}
    check_shape({"errors": response.json()["errors"]}, "BAD_USER_INPUT")


async def test_id_of_another_type(api: Api) -> None:
    response = await api.post("query($id: ID!) {boat(id: $id) {name}}", variables={"id": api.harbours["Bremen"]})
    assert response.json()["data"] == {"boat": None}
    check_shape({"errors": response.json()["errors"]}, "WRONG_ID_TYPE")


@pytest.mark.parametrize(
    "authorization", [b"Bearer forged", b"Bearer", b"Bearer \xff\xfe", b"Basic Y2FwdGFpbg==", b"captain-token"]
)
async def test_forged_token(api: Api, authorization: bytes) -> None:
    response = await api.client.post(
        "/graphql",
        content=b'{"query": "{boats(first: 1) {totalCount}}"}',
        headers=[(b"Content-Type", JSON.encode()), (b"Authorization", authorization)],
    )
    assert response.status_code == 401
    check_shape(response.json(), "UNAUTHENTICATED")


async def test_token_never_reaches_the_log(api: Api, capfd: pytest.CaptureFixture[str]) -> None:
    await api.send(b'{"query": "{boats(first: 1) {totalCount}}"}', Content_Type=JSON, Authorization="Bearer fs_secret")
    await api.post('mutation {signOn(password: "very secret") {token}}', None)
    await api.post(BY_SIZE, variables={"v": "secret"})
    shown = capfd.readouterr()
    assert "request" in shown.out
    assert "secret" not in shown.out + shown.err


BODIES: dict[str, tuple[bytes, int, str]] = {
    "nothing": (b"", 400, "BAD_USER_INPUT"),
    "null": (b"null", 400, "BAD_USER_INPUT"),
    "text": (b'"x"', 400, "BAD_USER_INPUT"),
    "batch": (b'[{"query": "{__typename}"}]', 400, "BAD_USER_INPUT"),
    "no query": (b"{}", 400, "BAD_USER_INPUT"),
    "query of another type": (b'{"query": 5}', 400, "BAD_USER_INPUT"),
    "variables of another type": (b'{"query": "{__typename}", "variables": []}', 400, "BAD_USER_INPUT"),
    "operationName of another type": (b'{"query": "{__typename}", "operationName": {}}', 400, "BAD_USER_INPUT"),
    "extensions of another type": (b'{"query": "{__typename}", "extensions": "x"}', 400, "BAD_USER_INPUT"),
    "hash of another type": (b'{"extensions": {"persistedQuery": {"sha256Hash": 1}}}', 400, "BAD_USER_INPUT"),
    "nested a hundred thousand deep": (
        b'{"query": "{__typename}", "variables": {"a": ' + b"[" * 100_000 + b"]" * 100_000 + b"}}",
        400,
        "BAD_USER_INPUT",
    ),
    "open a hundred thousand deep": (b"[" * 100_000, 400, "BAD_USER_INPUT"),
    "invalid UTF-8": (b'{"query": "{__typename} #\xff\xfe"}', 400, "BAD_USER_INPUT"),
    "lone surrogate": (b'{"query": "{__typename}", "variables": {"a": "\\ud800"}}', 400, "BAD_USER_INPUT"),
    "NUL in the query": (b'{"query": "{__typename}\\u0000"}', 400, "GRAPHQL_PARSE_FAILED"),
    "NaN": (b'{"query": "{__typename}", "variables": {"a": NaN}}', 400, "BAD_USER_INPUT"),
    "10 MB": (b'{"query": "' + b"#" * 10_000_000 + b'"}', 413, "LIMIT_EXCEEDED"),
    "one byte too many": (b'{"query": "{__typename}"}'.ljust(1_000_001), 413, "LIMIT_EXCEEDED"),
    "unknown operation": (b'{"query": "query A {__typename}", "operationName": "B"}', 400, "GRAPHQL_VALIDATION_FAILED"),
}


@pytest.mark.parametrize("name", BODIES)
async def test_body_is_refused(api: Api, name: str, capfd: pytest.CaptureFixture[str]) -> None:
    body, status, code = BODIES[name]
    response = await api.send(body, **TOKEN)
    assert response.status_code == status
    check_shape(response.json(), code)
    assert "unexpected" not in capfd.readouterr().out


async def test_number_of_ten_thousand_digits(api: Api) -> None:
    body = b'{"query": BY_SIZE, "variables": {"v": ' + b"9" * 10_000 + b"}}"
    response = await api.send(body, **TOKEN)
    assert response.status_code == 400
    check_shape(response.json(), "BAD_USER_INPUT")


async def test_largest_body_is_taken(api: Api) -> None:
    response = await api.send(b'{"query": "{__typename}"}'.ljust(1_000_000), **TOKEN)
    assert (response.status_code, response.json()["data"]) == (200, {"__typename": "Query"})


async def test_endless_body_is_cut(api: Api) -> None:
    async def parts() -> Any:
        for _ in range(100):
            yield b" " * 100_000

    response = await api.client.post("/graphql", content=parts(), headers=TOKEN)
    assert response.status_code == 413
    check_shape(response.json(), "LIMIT_EXCEEDED")


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Content-Encoding": "gzip"}, 415),
        ({"Content-Type": "text/plain"}, 415),
        ({"Content-Type": "application/x-www-form-urlencoded"}, 415),
        ({"Content-Type": "multipart/form-data; boundary=x"}, 415),
        ({"Content-Type": ""}, 415),
        ({"Content-Type": "application/json; charset=latin1"}, 415),
        ({"Content-Type": "application/json; charset=utf-16"}, 415),
        ({"Accept": "text/html"}, 406),
        ({"Accept": "application/json; charset=latin1"}, 406),
        ({"Accept": "application/json;q=0"}, 406),
    ],
)
async def test_headers_are_refused(api: Api, headers: dict[str, str], status: int) -> None:
    body = b'{"query": "{__typename}"}'
    content = gzip.compress(body) if "Content-Encoding" in headers else body
    response = await api.client.post("/graphql", content=content, headers={**TOKEN, **headers})
    assert response.status_code == status
    check_shape(response.json(), "BAD_USER_INPUT")


@pytest.mark.parametrize(
    ("headers", "answered"),
    [
        ({"Content-Type": 'application/json; charset="UTF-8"'}, STRICT),
        ({"Accept": f"{JSON};q=0.5, {STRICT}; charset=utf-8"}, STRICT),
        ({"Accept": f"{STRICT};q=0.5, {JSON}"}, JSON),
        ({"Accept": "text/html, */*;q=0.1"}, JSON),
        ({"Accept": "application/*"}, JSON),
    ],
)
async def test_headers_are_taken(api: Api, headers: dict[str, str], answered: str) -> None:
    response = await api.client.post("/graphql", content=b'{"query": "{__typename}"}', headers={**TOKEN, **headers})
    assert response.status_code == 200
    assert response.headers["content-type"] == f"{answered}; charset=utf-8"


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH", "OPTIONS"])
async def test_method_is_refused(api: Api, method: str) -> None:
    response = await api.client.request(method, "/graphql", params={"query": "{__typename}"})
    assert (response.status_code, response.headers["allow"]) == (405, "POST")
    check_shape(response.json(), "BAD_USER_INPUT")


async def test_plain_query_is_answered_beside_bombs(api: Api) -> None:
    assert await api.data("{__typename}") == {"__typename": "Query"}


def check_shape(answer: Mapping[str, Any], code: str | None) -> None:
    """One shape: errors with message, code and request id, and no data."""
    assert "data" not in answer
    assert answer["errors"]
    for error in answer["errors"]:
        assert set(error) <= {"message", "locations", "path", "extensions"}
        assert error["message"] != error["extensions"]["messageKey"], "the sentence is missing"
        assert len(error["extensions"]["requestId"]) == 24
        assert code is None or error["extensions"]["code"] == code
        assert error["extensions"]["code"] != "INTERNAL"


def without_ids(response: Any, other: Any) -> Any:
    """The errors of `response` with the request id of `other`."""
    own, its = response.headers["x-request-id"], other.headers["x-request-id"]
    return orjson.loads(response.content.replace(own.encode(), its.encode()))["errors"]
