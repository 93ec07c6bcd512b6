"""Mutations: one transaction each, refusals that change nothing, idempotency, the session checked inside."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import Any

import asyncpg

from saas.kernel import FrozenClock
from tests.api import toy
from tests.api.conftest import Api, serve

LAUNCH = """
mutation($input: BoatLaunchInput!) {
  boatLaunch(input: $input) {
    boat {id name harbour {name}} replayed userErrors {code field message messageKey args {name value} hint}
  }
}
"""


def launch(key: str, name: str, **more: Any) -> dict[str, Any]:
    return {"variables": {"input": {"idempotencyKey": key, "name": name, **more}}}


async def test_payload_is_read_in_the_same_transaction(api: Api) -> None:
    before = await api.boat_count()
    data = await api.data(LAUNCH, "yard", **launch("first", "Seute Deern", harbourId=api.harbours["上海"]))
    assert data["boatLaunch"]["boat"]["name"] == "Seute Deern"
    assert data["boatLaunch"]["boat"]["harbour"] == {"name": "上海"}
    assert data["boatLaunch"]["replayed"] is False
    assert data["boatLaunch"]["userErrors"] == []
    assert await api.boat_count() == before + 1


async def test_same_key_gives_the_first_result(api: Api) -> None:
    before = await api.boat_count()
    first = await api.data(LAUNCH, "yard", **launch("same", "Gorch"))
    again = await api.data(LAUNCH, "yard", **launch("same", "Gorch"))
    assert first["boatLaunch"]["boat"] == again["boatLaunch"]["boat"]
    assert (first["boatLaunch"]["replayed"], again["boatLaunch"]["replayed"]) == (False, True)
    assert await api.boat_count() == before + 1


async def test_same_key_with_another_body_is_refused(api: Api) -> None:
    await api.data(LAUNCH, "yard", **launch("other body", "Fock"))
    before = await api.boat_count()
    again = await api.data(LAUNCH, "yard", **launch("other body", "Peking"))
    errors = again["boatLaunch"]["userErrors"]
    assert [(error["code"], error["field"]) for error in errors] == [
        ("IDEMPOTENCY_KEY_REUSED", ["input", "idempotencyKey"])
    ]
    assert again["boatLaunch"]["boat"] is None
    assert await api.boat_count() == before


async def test_twenty_at_once_with_one_key_do_it_once(api: Api) -> None:
    before = await api.boat_count()
    answers = await asyncio.gather(*(api.data(LAUNCH, "yard", **launch("race", "Passat")) for _ in range(20)))
    assert len({answer["boatLaunch"]["boat"]["id"] for answer in answers}) == 1
    assert [answer["boatLaunch"]["replayed"] for answer in answers].count(False) == 1
    assert [answer["boatLaunch"]["userErrors"] for answer in answers] == [[]] * 20
    assert await api.boat_count() == before + 1


async def test_all_errors_of_one_pass_and_nothing_changed(api: Api) -> None:
    before = await api.boat_count()
    data = await api.data(LAUNCH, "yard", **launch("many", " " * 21, harbourId="boa_1"))
    errors = data["boatLaunch"]["userErrors"]
    assert [(error["code"], error["field"], error["messageKey"]) for error in errors] == [
        ("BAD_USER_INPUT", ["input", "name"], "toy.name_missing"),
        ("BAD_USER_INPUT", ["input", "name"], "toy.name_long"),
        ("NOT_FOUND", ["input", "harbourId"], "toy.harbour_missing"),
    ]
    assert errors[1]["args"] == [{"name": "most", "value": "20"}]
    assert data["boatLaunch"]["boat"] is None
    assert await api.boat_count() == before


async def test_refusal_rolls_back_and_its_key_stays_free(api: Api) -> None:
    before = await api.boat_count()
    data = await api.data(LAUNCH, "yard", **launch("sunk", "Titanic"))
    assert [error["code"] for error in data["boatLaunch"]["userErrors"]] == ["CONFLICT"]
    assert await api.boat_count() == before
    assert (await api.data(LAUNCH, "yard", **launch("sunk", "Olympic")))["boatLaunch"]["replayed"] is False


async def test_fault_is_internal_and_tells_nothing(api: Api) -> None:
    before = await api.boat_count()
    response = await api.post(LAUNCH, "yard", **launch("fault", "Vasa"))
    assert response.status_code == 200
    answer = response.json()
    assert answer["data"] == {"boatLaunch": None}
    assert [(error["path"], error["extensions"]["code"]) for error in answer["errors"]] == [
        (["boatLaunch"], "INTERNAL")
    ]
    assert answer["errors"][0]["extensions"]["requestId"] == response.headers["x-request-id"]
    assert "secret" not in response.text
    assert await api.boat_count() == before


async def test_caller_without_the_permission_changes_nothing(api: Api) -> None:
    before = await api.boat_count()
    response = await api.post(LAUNCH, "sailor", **launch("sailor", "Rickmers"))
    assert response.status_code == 403
    error = response.json()["errors"][0]
    assert error["extensions"]["args"] == {"permission": "boat:launch", "grantors": "captain"}
    assert await api.boat_count() == before


async def test_selection_that_is_refused_as_a_whole_rolls_back(api: Api) -> None:
    before = await api.boat_count()
    document = """mutation {
      boatLaunch(input: {idempotencyKey: "bosun", name: "Pamir"}) {
        boat {harbour {boats(first: 1, filter: {state: {eq: AFLOAT}}) {nodes {name}}}}
      }
    }"""
    answer = (await api.post(document, "bosun")).json()
    assert answer["data"] == {"boatLaunch": None}
    (error,) = answer["errors"]
    assert (error["path"], error["extensions"]["code"]) == (["boatLaunch"], "FIELD_FORBIDDEN")
    assert await api.boat_count() == before


async def test_serial_mutations_keep_what_the_first_did(api: Api) -> None:
    before = await api.boat_count()
    document = """mutation {
      a: boatLaunch(input: {idempotencyKey: "serial a", name: "Alex"}) {boat {name}}
      b: boatLaunch(input: {idempotencyKey: "serial b", name: "Vasa"}) {boat {name}}
      c: boatLaunch(input: {idempotencyKey: "serial c", name: "Mir"}) {boat {name}}
    }"""
    answer = (await api.post(document, "yard")).json()
    assert answer["data"] == {"a": {"boat": {"name": "Alex"}}, "b": None, "c": {"boat": {"name": "Mir"}}}
    assert [error["path"] for error in answer["errors"]] == [["b"]]
    assert await api.boat_count() == before + 2


async def test_sign_in_stands_alone(api: Api) -> None:
    one = 'mutation {signOn(password: "ahoy") {token}}'
    assert await api.data(one, None) == {"signOn": {"token": "captain-token"}}
    many = 'mutation {a: signOn(password: "x") {token} b: signOn(password: "y") {token}}'
    hidden = """mutation($on: Boolean!) {a: signOn(password: "x") {token} ...More}
      fragment More on Mutation {b: signOn(password: "y") @include(if: $on) {token}}"""
    for response in (await api.post(many, None), await api.post(hidden, None, variables={"on": True})):
        assert response.status_code == 400
        assert [error["extensions"]["code"] for error in response.json()["errors"]] == ["LIMIT_EXCEEDED"]


async def test_payload_of_a_sign_in_is_read_by_whoever_signed_in(api: Api) -> None:
    document = 'mutation {signOn(password: "ahoy") {token boat {name price}}}'
    boat = {"name": "Bremen 0", "price": "100.50"}
    assert await api.data(document, None) == {"signOn": {"token": "captain-token", "boat": boat}}
    refused = await api.data('mutation {signOn(password: "x") {boat {name} userErrors {code field}}}', None)
    errors = [{"code": "BAD_USER_INPUT", "field": ["password"]}]
    assert refused == {"signOn": {"boat": None, "userErrors": errors}}


async def test_ended_session_acts_at_once_everywhere(api: Api) -> None:
    await api.sessions.add(api.owner_url, "leaver-token", api.tenant_id, "captain")
    assert (await api.post("{boats(first: 1) {totalCount}}", "leaver")).status_code == 200
    asked = api.sessions.asked
    assert (await api.post("{boats(first: 1) {totalCount}}", "leaver")).status_code == 200
    assert api.sessions.asked == asked  # the second request asked nobody
    await set_stamp(api, "leaver-token", None)
    before = await api.boat_count()
    documents: list[dict[str, Any]] = [
        {"query": "{boats(first: 1) {totalCount}}"},
        {"query": "{boats(first: 0) {totalCount}}"},
        {"query": "{inspection {grade}}"},
        {"query": "{boats(first: 1) {totalCount} harbours(first: 1) {totalCount}}"},
        {"query": LAUNCH, **launch("leaver", "Krusenstern")},
    ]
    for document in documents:
        response = await api.post(token="leaver", **document)
        assert "UNAUTHENTICATED" in response.text, document
        assert response.json().get("data") in (None, {"boatLaunch": None}), document
    assert await api.boat_count() == before


async def test_changed_stamp_is_looked_up_anew_and_the_request_goes_on(api: Api) -> None:
    await api.sessions.add(api.owner_url, "changer-token", api.yard_id, "captain")
    assert (await api.post("{boats(first: 1) {totalCount}}", "changer")).status_code == 200
    for number, document in enumerate(
        [{"query": "{inspection {grade}}"}, {"query": LAUNCH, **launch("changer", "Sedov")}]
    ):
        await set_stamp(api, "changer-token", f"changed {number}")
        asked = api.sessions.asked
        answer = (await api.post(token="changer", **document)).json()
        assert "errors" not in answer
        assert api.sessions.asked == asked + 1


async def test_right_that_was_taken_away_is_gone_at_once(api: Api) -> None:
    await api.sessions.add(api.owner_url, "demoted-token", api.yard_id, "captain")
    assert (await api.post("{boats(first: 1) {nodes {price}} inspection {grade}}", "demoted")).status_code == 200
    before = await api.boat_count()
    api.sessions.change_role("demoted-token", "sailor")
    await set_stamp(api, "demoted-token", "demoted")
    answer = (await api.post(LAUNCH, "demoted", **launch("demoted", "Kruzenshtern"))).json()
    assert answer["data"] == {"boatLaunch": None}
    assert [error["extensions"]["code"] for error in answer["errors"]] == ["FORBIDDEN"]
    assert await api.boat_count() == before
    api.sessions.change_role("demoted-token", "captain")
    await set_stamp(api, "demoted-token", "promoted")
    assert (await api.post("{boats(first: 1) {nodes {price}}}", "demoted")).json()["data"]["boats"]["nodes"]
    api.sessions.change_role("demoted-token", "stranger")
    await set_stamp(api, "demoted-token", "estranged")
    assert (await api.post("{boats(first: 1) {nodes {price}}}", "demoted")).status_code == 403


async def test_session_in_use_is_shown_to_its_room_once_a_minute(api: Api, clock: FrozenClock) -> None:
    await api.sessions.add(api.owner_url, "steady-token", api.tenant_id, "captain")
    async with serve(replace(api.services, clock=clock)) as client:
        timed = replace(api, client=client)
        asked = api.sessions.asked
        for seconds, times in ((0, 1), (59, 1), (1, 2), (59, 2), (60, 3)):
            clock.advance(timedelta(seconds=seconds))
            assert (await timed.post("{boats(first: 1) {totalCount}}", "steady")).status_code == 200
            assert api.sessions.asked - asked == times


async def set_stamp(api: Api, token: str, stamp: str | None) -> None:
    connection = await asyncpg.connect(api.owner_url)
    await connection.execute("UPDATE toy_session SET stamp = $2 WHERE token_hash = $1", toy.digest(token), stamp)
    await connection.close()
