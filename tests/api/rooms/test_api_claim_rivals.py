"""Rivals for one customer over HTTP: repeats among them, a winner who has not committed yet, sessions that ended."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from saas.kernel import new_id, parse_public_id
from tenants import DatabaseRole
from tests.api.rooms.conftest import Cast
from tests.api.rooms.test_api_claims import CLAIM, STATE, claim_of
from tests.api.rooms.web import Person

RIVALS = 6
_CLAIMED = """
WITH taken AS (
    UPDATE customer c SET owner_id = e.id, owner_department_id = e.department_id, status = 'owned',
        received_on = current_date, version = c.version + 1
    FROM employee e WHERE c.tenant_id = $1 AND c.id = $2 AND e.tenant_id = $1 AND e.id = $3 RETURNING c.*
)
INSERT INTO ownership (id, tenant_id, customer_id, owner_id, owner_department_id, pool_id, started_at, started_on,
    start_kind, operator_id)
SELECT $4, $1, taken.id, taken.owner_id, taken.owner_department_id, taken.pool_id, now(), current_date, 'claim', $5
FROM taken
"""


@pytest.fixture
async def customer_id(cast: Cast) -> str:
    """A pooled customer of this test's own."""
    return await cast.owner.create_customer(f"客户{secrets.token_hex(3)}")


@pytest.fixture
async def rival(cast: Cast) -> Person:
    """Another rep of the company."""
    return await cast.owner.invite("rep", name="王芳")


@asynccontextmanager
async def claimed_elsewhere(winner: Person, customer_id: str) -> AsyncIterator[None]:
    """Another process has claimed the customer and not committed yet; it commits at the end of the block."""
    tenant_id = parse_public_id(winner.company_id, prefix="com")
    values = tenant_id, parse_public_id(customer_id, prefix="cus"), parse_public_id(winner.employee_id, prefix="emp")
    async with winner.web.installation.database.transaction(tenant_id) as transaction:
        taken = await transaction.execute(_CLAIMED, *values, new_id(), parse_public_id(winner.account_id, prefix="acc"))
        assert taken == 1
        yield


async def waiting_for_locks(person: Person) -> int:
    """How many connections wait for another's row."""
    async with person.web.installation.database.transaction(None, role=DatabaseRole.PLATFORM) as transaction:
        found = await transaction.fetchval(
            "SELECT count(*) FROM pg_locks WHERE NOT granted AND locktype = 'transactionid'"
        )
        return int(found)


async def begun(person: Person, claims: asyncio.Task[list[dict[str, object]]]) -> None:
    """Wait until a rival has come as far as the winner's row."""
    async with asyncio.timeout(10):
        while not claims.done() and not await waiting_for_locks(person):  # noqa: ASYNC110 (PostgreSQL has no event)
            await asyncio.sleep(0)


async def test_twenty_repeats_at_once_are_one_claim_and_its_replays(cast: Cast, customer_id: str, key: str) -> None:
    claims = (cast.rep.done(CLAIM, **claim_of(customer_id, key=key)) for _ in range(20))
    answers = await asyncio.gather(*claims)
    assert [answer["replayed"] for answer in answers].count(False) == 1
    assert {(answer["customer"]["id"], answer["customer"]["owner"]["name"]) for answer in answers} == {
        (customer_id, "李雷")
    }
    state = (await cast.owner.data(STATE, id=customer_id))["customer"]
    assert (state["version"], len(state["ownerships"]["nodes"])) == (2, 1)


async def test_rivals_of_a_winner_who_commits_are_all_too_late(cast: Cast, rival: Person, customer_id: str) -> None:
    async with claimed_elsewhere(cast.rep, customer_id):
        wanted = (rival.payload(CLAIM, **claim_of(customer_id)) for _ in range(RIVALS))
        claims = asyncio.ensure_future(asyncio.gather(*wanted))
        await begun(rival, claims)
        assert not claims.done()
    answers = await claims
    assert [answer["userErrors"][0]["code"] for answer in answers] == ["CONFLICT"] * RIVALS
    state = (await cast.owner.data(STATE, id=customer_id))["customer"]
    assert (state["owner"]["name"], state["version"]) == ("李雷", 2)


async def test_a_winner_who_rolls_back_leaves_the_customer_to_one_rival(
    cast: Cast, rival: Person, customer_id: str
) -> None:
    with pytest.raises(LookupError):
        async with claimed_elsewhere(cast.rep, customer_id):
            wanted = (rival.payload(CLAIM, **claim_of(customer_id)) for _ in range(RIVALS))
            claims = asyncio.ensure_future(asyncio.gather(*wanted))
            await begun(rival, claims)
            raise LookupError
    answers = await claims
    codes = [error["code"] for answer in answers for error in answer["userErrors"]]
    assert (codes, len(answers)) == (["CONFLICT"] * (RIVALS - 1), RIVALS)
    state = (await cast.owner.data(STATE, id=customer_id))["customer"]
    assert (state["owner"]["name"], state["version"], len(state["ownerships"]["nodes"])) == ("王芳", 2, 1)


async def test_a_session_that_ended_elsewhere_learns_nothing_of_the_customer(
    cast: Cast, rival: Person, customer_id: str
) -> None:
    """The process still remembers the session; neither a taken customer nor a wrong id is told before it is checked."""
    await cast.rep.done(CLAIM, **claim_of(customer_id))
    assert (await rival.refused(CLAIM, **claim_of(customer_id)))["code"] == "CONFLICT"
    account_id = parse_public_id(rival.account_id, prefix="acc")
    async with rival.web.installation.database.transaction(None, role=DatabaseRole.PLATFORM) as transaction:
        ended = (
            "UPDATE platform.session SET revoked_at = now(), revoked_reason = 'ended'"
            " WHERE account_id = $1 AND revoked_at IS NULL"
        )
        assert await transaction.execute(ended, account_id) == 1
    for id_, key in ((customer_id, None), ("cus_wrong", None), (customer_id, "\n")):
        assert await rival.code(CLAIM, input=claim_of(id_, key=key)) == "UNAUTHENTICATED"


async def test_equal_refusals_are_told_to_each_in_their_own_words(cast: Cast, rival: Person, customer_id: str) -> None:
    """Such a refusal is kept with its document: for whoever asks in the same language for the same fields alone."""
    await cast.rep.done(CLAIM, **claim_of(customer_id))
    chosen = """mutation ($input: CustomerClaimInput!, $told: Boolean!) {
      customerClaim(input: $input) { userErrors { code message @include(if: $told) } }
    }"""
    told: dict[str, list[object]] = {"en": [], "zh-CN": []}
    for locale in ("en", "zh-CN", "en", "zh-CN"):
        asking = rival.speaking(locale)
        error = await asking.refused(CLAIM, **claim_of(customer_id))
        told[locale].append(error["message"])
        for is_told in (True, False, True):
            data = await asking.data(chosen, input=claim_of(customer_id), told=is_told)
            expected = {"code": "CONFLICT", "message": error["message"]} if is_told else {"code": "CONFLICT"}
            assert data["customerClaim"]["userErrors"] == [expected]
    assert told == {
        "en": ["The customer has been taken by another user."] * 2,
        "zh-CN": ["该客户已被其他人领取。"] * 2,
    }
