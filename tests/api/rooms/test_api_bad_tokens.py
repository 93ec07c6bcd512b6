"""Expired, forged and unknown tokens, and wrong arguments, against the real schema."""

from __future__ import annotations

import pytest

from tenants import DatabaseRole
from tests.api.rooms.conftest import Cast
from tests.api.rooms.web import Web

ME = "{ viewer { company { name } } }"


async def test_an_expired_token_is_refused(web: Web) -> None:
    owner = await web.sign_up()
    assert await owner.data(ME) == {"viewer": {"company": {"name": "晨光销售"}}}
    async with web.installation.database.transaction(None, role=DatabaseRole.PLATFORM) as transaction:
        await transaction.execute(
            "UPDATE platform.session s SET access_expires_at = s.created_at, idle_expires_at = s.created_at,"
            " expires_at = s.created_at FROM platform.account a WHERE a.id = s.account_id AND a.email = $1",
            owner.email,
        )
    assert await owner.code(ME) == "UNAUTHENTICATED"


@pytest.mark.parametrize("forge", [lambda token: token[:-1] + ("A" if token[-1] != "A" else "B"), lambda _: "x" * 400])
async def test_a_forged_token_is_refused(cast: Cast, forge: object) -> None:
    assert callable(forge)
    assert cast.owner.token is not None
    assert await cast.owner.bearing(forge(cast.owner.token)).code(ME) == "UNAUTHENTICATED"


async def test_a_token_opens_its_own_company_alone(cast: Cast) -> None:
    own = (await cast.other.data("{ employees(first: 100) { nodes { id } } }"))["employees"]["nodes"]
    assert own == [{"id": cast.other.employee_id}]


@pytest.mark.parametrize(
    "query",
    [
        "{ customers(first: 0) { nodes { id } } }",
        "{ customers(first: 101) { nodes { id } } }",
        "{ customers(first: -1) { nodes { id } } }",
        '{ customers(first: 1, after: "bm90IGEgY3Vyc29y") { nodes { id } } }',
        '{ sessions(first: 1, after: "bm90IGEgY3Vyc29y") { nodes { id } } }',
        '{ sessions(first: 1, after: "\u0100") { nodes { id } } }',
    ],
)
async def test_wrong_pages_are_refused(cast: Cast, query: str) -> None:
    assert await cast.owner.code(query) == "BAD_USER_INPUT"


async def test_the_id_of_another_type_is_refused(cast: Cast) -> None:
    query = "query ($id: ID!) { customer(id: $id) { id } }"
    assert await cast.owner.code(query, id=cast.owner.employee_id) == "WRONG_ID_TYPE"
