"""The public ledger as it grows: by WebSocket and server-sent events, in one order, with the rights of the moment."""

from __future__ import annotations

import asyncio
import secrets
from dataclasses import replace
from typing import Any

import httpx2
import orjson
import pytest
from websockets.exceptions import InvalidStatus
from websockets.typing import Subprotocol

from saas.jobs import RedisCompanyBell
from saas.main import web_services
from saas.servers import Servers
from saas.web import create_app
from saas.web.serving import serving
from tests.api.live import PROTOCOL, events_of, socket_to
from tests.api.rooms.conftest import Cast
from tests.api.rooms.web import USER_ERRORS, Person, Web

LINES = """subscription ($pool: ID, $after: ID) {
  poolLedgerLine(pool: $pool, after: $after) { id kind customerLabel reason employee { id } }
}"""
KINDS = "subscription ($after: ID) { poolLedgerLine(after: $after) { id kind reason } }"
LEDGER = "{ poolLedger(first: 50, orderBy: [HAPPENED_AT_ASC]) { nodes { id kind reason } } }"
CLAIM = f"mutation ($input: CustomerClaimInput!) {{ customerClaim(input: $input) {{ replayed {USER_ERRORS} }} }}"
RELEASE = f"mutation ($input: CustomerReleaseInput!) {{ customerRelease(input: $input) {{ replayed {USER_ERRORS} }} }}"
UPDATE = f"mutation ($input: CustomerPoolUpdateInput!) {{ customerPoolUpdate(input: $input) {{ {USER_ERRORS} }} }}"


async def claim(person: Person, customer_id: str) -> None:
    await person.done(CLAIM, customer={"id": customer_id}, idempotencyKey=secrets.token_hex(8))


async def release(person: Person, customer_id: str, reason: str) -> None:
    await person.done(RELEASE, customer={"id": customer_id}, reason=reason, idempotencyKey=secrets.token_hex(8))


async def pool_of(owner: Person) -> dict[str, Any]:
    found = await owner.data("{ customerPools(first: 1, orderBy: [NAME_ASC]) { nodes { id version } } }")
    pool: dict[str, Any] = found["customerPools"]["nodes"][0]
    return pool


@pytest.fixture
async def begun(web: Web) -> tuple[Person, Person, str, str]:
    """An owner, a rep, a customer that the rep has claimed, and the id of that line: a place to read on from."""
    owner = await web.sign_up()
    rep = await owner.invite("rep", name="李雷")
    customer_id = await owner.create_customer("蓝海科技")
    await claim(rep, customer_id)
    (line,) = (await owner.data(LEDGER))["poolLedger"]["nodes"]
    return owner, rep, customer_id, line["id"]


Begun = tuple[Person, Person, str, str]


async def test_lines_come_as_they_are_written_and_from_where_one_left(web: Web, begun: Begun) -> None:
    owner, rep, customer_id, first = begun
    await release(rep, customer_id, "号码已停用")
    async with socket_to(web.client) as socket:
        await socket.init(rep.token)
        await socket.subscribe(LINES, after=first)
        missed = (await socket.data())["poolLedgerLine"]
        assert {**missed, "id": ""} == {
            "id": "",
            "kind": "RELEASED",
            "customerLabel": "蓝海＊＊",
            "reason": "号码已停用",
            "employee": None,
        }
        other = await owner.create_customer("北辰制造")
        await claim(rep, other)
        live = (await socket.data())["poolLedgerLine"]
        assert (live["kind"], live["employee"]["id"]) == ("CLAIMED", rep.employee_id)
        await socket.say("complete", id="1")
        await socket.say("ping")
        assert await socket.hear() == {"type": "pong"}
    lines = (await owner.data(LEDGER))["poolLedger"]["nodes"]
    assert [line["id"] for line in lines] == [first, missed["id"], live["id"]]


async def test_a_large_change_arrives_whole_and_one_pool_can_be_chosen(web: Web, begun: Begun) -> None:
    owner, rep, _, first = begun
    for number in range(59):
        await owner.create_customer(f"客户 {number}")
    made = await owner.done(
        f"mutation ($input: CustomerPoolCreateInput!) {{ customerPoolCreate(input: $input)"
        f" {{ pool {{ id }} {USER_ERRORS} }} }}",
        name="华东公海",
        idempotencyKey=secrets.token_hex(8),
    )
    here, there = (await pool_of(owner))["id"], made["pool"]["id"]
    pools = await owner.data("{ customerPools(first: 5, orderBy: [NAME_ASC]) { nodes { id } } }")
    (here,) = {each["id"] for each in pools["customerPools"]["nodes"]} - {there}
    await owner.done(
        f"mutation ($input: CustomerPoolMoveInput!) {{ customerPoolMove(input: $input) {{ moved {USER_ERRORS} }} }}",
        fromPool=here,
        toPool=there,
        idempotencyKey=secrets.token_hex(8),
    )
    async with socket_to(web.client) as socket:
        await socket.init(rep.token)
        await socket.subscribe(KINDS, after=first)
        found = [(await socket.data())["poolLedgerLine"] for _ in range(60)]
        assert [line["kind"] for line in found] == ["MOVED"] * 60
        listed = await owner.data("{ poolLedger(first: 61, orderBy: [HAPPENED_AT_ASC]) { nodes { id } } }")
        assert {line["id"] for line in found} == {line["id"] for line in listed["poolLedger"]["nodes"]} - {first}
        await socket.subscribe(LINES, name="2", after=first, pool=here)
        await claim(rep, await owner.create_customer("另一家"))
        heard = {message["id"]: message for message in [await socket.hear(), await socket.hear()]}
        assert [heard[name]["payload"]["data"]["poolLedgerLine"]["kind"] for name in ("1", "2")] == ["CLAIMED"] * 2


async def test_what_is_hidden_is_hidden_from_the_moment_it_is(web: Web, begun: Begun) -> None:
    owner, rep, customer_id, first = begun
    colleague = await owner.invite("rep", name="韩雪")
    async with socket_to(web.client) as socket:
        await socket.init(colleague.token)
        await socket.subscribe(
            "subscription ($after: ID) { poolLedgerLine(after: $after) { kind formerOwner { id } } }", after=first
        )
        await release(rep, customer_id, "无法联系")
        assert await socket.data() == {"poolLedgerLine": {"kind": "RELEASED", "formerOwner": {"id": rep.employee_id}}}
        pool = await pool_of(owner)
        await owner.done(UPDATE, id=pool["id"], expectedVersion=pool["version"], showsNames=False)
        await owner.done(
            f"mutation ($input: CustomerAssignInput!) {{ customerAssign(input: $input) {{ {USER_ERRORS} }} }}",
            customer={"id": customer_id},
            employee=rep.employee_id,
            reason="老客户",
            idempotencyKey=secrets.token_hex(8),
        )
        assert (await socket.hear())["payload"]["data"]["poolLedgerLine"]["kind"] == "ASSIGNED"
        await release(rep, customer_id, "无法联系")
        message = await socket.hear()
        (error,) = message["payload"]["errors"]
        assert message["payload"]["data"] == {"poolLedgerLine": {"kind": "RELEASED", "formerOwner": None}}
        assert (error["path"], error["extensions"]["code"]) == (["poolLedgerLine", "formerOwner"], "FIELD_FORBIDDEN")


async def test_who_signed_out_is_told_nothing_more(web: Web, begun: Begun) -> None:
    _, rep, customer_id, first = begun
    again = await rep.web.nobody.signing_in(rep.email)
    async with socket_to(web.client) as socket:
        await socket.init(again.token)
        await socket.subscribe(KINDS, after=first)
        await again.data("mutation { signOut { userErrors { code } } }")
        await release(rep, customer_id, "无法联系")
        (error,) = await socket.errors()
        assert error["extensions"]["code"] == "UNAUTHENTICATED"
        await socket.subscribe(KINDS, name="2", after=first)
        (error,) = await socket.errors(name="2")
        assert error["extensions"]["code"] == "UNAUTHENTICATED"


async def test_other_companies_and_unknown_lines(web: Web, cast: Cast, begun: Begun) -> None:
    *_, first = begun
    async with socket_to(web.client) as socket:
        await socket.init(cast.other.token)
        await socket.subscribe(KINDS, after=first)
        (error,) = await socket.errors()
        assert (error["extensions"]["code"], error["extensions"]["messageKey"]) == (
            "NOT_FOUND",
            "customers.ledger_line_not_found",
        )
        await socket.subscribe(KINDS, name="2", after=f"cus_{first.removeprefix('pev_')}")
        (error,) = await socket.errors(name="2")
        assert error["extensions"]["code"] == "WRONG_ID_TYPE"
        await socket.subscribe("{ customers(first: 1) { nodes { id } } }", name="3")
        (error,) = await socket.errors(name="3")
        assert error["extensions"]["messageKey"] == "graphql.only_subscriptions"
        await socket.subscribe("subscription { poolLedgerLine { nothing } }", name="4")
        (error,) = await socket.errors(name="4")
        assert error["extensions"]["code"] == "GRAPHQL_VALIDATION_FAILED"


async def test_server_sent_events(web: Web, begun: Begun) -> None:
    _, rep, customer_id, first = begun
    async with events_of(web.client, rep.token, KINDS, after=first) as events, asyncio.timeout(20):
        await release(rep, customer_id, "无法联系")
        name, payload = await anext(events)
        assert (name, payload["data"]["poolLedgerLine"]["kind"]) == ("next", "RELEASED")
    async with events_of(web.client, None, KINDS, after=first) as events, asyncio.timeout(20):
        (name, payload), last = await anext(events), await anext(events)
        assert (name, last) == ("next", ("complete", None))
        assert payload["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"


async def test_a_subscription_is_no_ordinary_request(cast: Cast) -> None:
    assert await cast.rep.code("subscription { poolLedgerLine { id } }") == "BAD_USER_INPUT"


@pytest.mark.parametrize(
    ("origin", "protocol"), [("https://elsewhere.example", PROTOCOL), (None, None), (None, Subprotocol("graphql-ws"))]
)
async def test_the_handshake_is_refused_to_other_sites_and_protocols(
    web: Web, origin: str | None, protocol: Subprotocol | None
) -> None:
    with pytest.raises(InvalidStatus) as refused:
        async with socket_to(web.client, origin=origin, protocol=protocol):
            pass
    assert refused.value.response.status_code == 403


async def test_a_page_of_this_site_is_let_in(web: Web, cast: Cast) -> None:
    async with socket_to(web.client, origin=str(web.client.base_url).rstrip("/")) as socket:
        await socket.init(cast.rep.token)
        assert socket.connection.subprotocol == "graphql-transport-ws"


Message = dict[str, Any]
SUBSCRIBE: Message = {"type": "subscribe", "id": "1", "payload": {"query": KINDS}}


async def ended_by(web: Web, token: str | None, *messages: Message) -> tuple[int | None, str | None]:
    """How a socket is closed that says this, after signing in with a token where there is one."""
    async with socket_to(web.client) as socket:
        if token is not None:
            await socket.init(token)
        for message in messages:
            await socket.connection.send(orjson.dumps(message).decode())
        return await socket.closed()


@pytest.mark.parametrize(
    ("message", "end"),
    [
        (SUBSCRIBE, (4401, "Unauthorized")),
        ({"type": "connection_init", "payload": {"authorization": "Bearer nonsense"}}, (4403, "Forbidden")),
        ({"type": "connection_init"}, (4403, "Forbidden")),
        ({"type": "begin"}, (4400, "Unknown message 'begin'")),
        ({"id": "1"}, (4400, "Not a message of graphql-transport-ws")),
    ],
)
async def test_a_stranger_that_breaks_the_protocol_is_cut_off(web: Web, message: Message, end: tuple[int, str]) -> None:
    assert await ended_by(web, None, message) == end


@pytest.mark.parametrize(
    ("messages", "end"),
    [
        (({"type": "connection_init", "payload": {}},), (4429, "Too many initialisation requests")),
        ((SUBSCRIBE, SUBSCRIBE), (4409, "Subscriber for 1 already exists")),
        (({**SUBSCRIBE, "id": ""},), (4400, "An id has 1 to 100 characters")),
        (({"type": "complete"},), (4400, "An id has 1 to 100 characters")),
    ],
)
async def test_a_caller_that_breaks_the_protocol_is_cut_off(
    web: Web, cast: Cast, messages: tuple[Message, ...], end: tuple[int, str]
) -> None:
    assert await ended_by(web, cast.rep.token, *messages) == end


async def test_who_does_not_sign_in_is_let_go(web: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("saas.web.sockets.INIT_SECONDS", 0.05)
    async with socket_to(web.client) as socket:
        await socket.say("ping")
        assert await socket.hear() == {"type": "pong"}
        assert await socket.closed() == (4408, "Connection initialisation timeout")


async def test_who_sees_no_ledger_is_refused(web: Web, begun: Begun) -> None:
    owner, *_ = begun
    clerk = await owner.invite("hr_admin", name="周敏")
    async with socket_to(web.client) as socket:
        await socket.init(clerk.token)
        await socket.subscribe(KINDS)
        (error,) = await socket.errors()
        assert (error["extensions"]["code"], error["path"]) == ("FORBIDDEN", ["poolLedgerLine"])


async def test_who_lost_the_membership_is_told_nothing_more(web: Web, begun: Begun) -> None:
    owner, rep, customer_id, first = begun
    colleague = await owner.invite("rep", name="韩雪")
    async with socket_to(web.client) as socket:
        await socket.init(colleague.token)
        await socket.subscribe(KINDS, after=first)
        await owner.done(
            f"mutation ($input: MembershipEndInput!) {{ membershipEnd(input: $input) {{ {USER_ERRORS} }} }}",
            accountId=colleague.account_id,
            reason="已离职",
        )
        await release(rep, customer_id, "无法联系")
        (error,) = await socket.errors()
        assert error["extensions"]["code"] == "UNAUTHENTICATED"


async def test_every_process_tells_its_own_readers(web: Web, begun: Begun, servers: Servers) -> None:
    _, rep, customer_id, first = begun
    bell = RedisCompanyBell(servers.redis_url)
    second = replace(web.installation, ledger_bell=bell)
    async with (
        serving(create_app(web_services(second))) as port,
        httpx2.AsyncClient(base_url=f"http://127.0.0.1:{port}") as client,
        socket_to(client) as there,
        socket_to(web.client) as here,
    ):
        for socket in (here, there):
            await socket.init(rep.token)
            await socket.subscribe(KINDS, after=first)
        for reason in ("无法联系", "号码已停用"):
            await release(rep, customer_id, reason)
            told = [(await socket.data())["poolLedgerLine"] for socket in (here, there)]
            assert told[0] == told[1]
            assert told[0]["reason"] == reason
            await rep.refused(RELEASE, customer={"id": customer_id}, reason=reason, idempotencyKey=secrets.token_hex(8))
            customer_id = await rep.create_customer(f"又一家 {reason}", keep=True)
    await bell.close()


async def test_a_person_and_a_socket_have_so_many(web: Web, begun: Begun) -> None:
    _, rep, customer_id, first = begun
    await release(rep, customer_id, "无法联系")
    services = web_services(web.installation)
    few = replace(services, limits=replace(services.limits, subscriptions=2, socket_subscriptions=2))
    async with (
        serving(create_app(few)) as port,
        httpx2.AsyncClient(base_url=f"http://127.0.0.1:{port}") as client,
        socket_to(client) as one,
        socket_to(client) as other,
    ):
        await one.init(rep.token)
        await other.init(rep.token)
        for name in "12":
            await one.subscribe(KINDS, name=name, after=first)
            assert (await one.data(name=name))["poolLedgerLine"]["kind"] == "RELEASED"
        for socket, limit in ((one, "socket_subscriptions"), (other, "subscriptions")):
            await socket.subscribe(KINDS, name="3", after=first)
            (error,) = await socket.errors(name="3")
            assert error["extensions"]["code"] == "LIMIT_EXCEEDED"
            assert error["extensions"]["args"] == {"limit": limit, "allowed": 2, "found": 3}
        await one.say("complete", id="1")
        await one.say("ping")
        assert await one.hear() == {"type": "pong"}
        await other.subscribe(KINDS, name="4", after=first)
        assert (await other.data(name="4"))["poolLedgerLine"]["kind"] == "RELEASED"
