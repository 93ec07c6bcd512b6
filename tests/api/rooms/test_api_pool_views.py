"""How many customers of a pool somebody opens in a day is limited and in the trail (P52, L02)."""

from __future__ import annotations

import asyncio
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from tests.api.rooms.test_api_hidden_fields import configure
from tests.api.rooms.test_api_pool_ledger import claim
from tests.api.rooms.web import Person, Web

OPEN = "query ($id: ID!) { customer(id: $id) { id name } }"
BOTH = """query ($one: ID!, $other: ID!) {
  one: customer(id: $one) { id } again: node(id: $one) { id } other: customer(id: $other) { id }
}"""
TRAIL = "{ auditEntries(first: 50) { nodes { action object { ... on Customer { id } } employee { id } } } }"


def today() -> date:
    return datetime.now(ZoneInfo("Asia/Shanghai")).date()


@pytest.fixture
async def pooled(web: Web) -> tuple[Person, Person, list[str]]:
    """An owner, a rep, and four customers of a pool of which a person opens two in a day."""
    owner = await web.sign_up()
    rep = await owner.invite("rep", name="李雷")
    customers = [await owner.create_customer(f"客户 {number}") for number in range(4)]
    await configure(owner, viewsPerDay=2)
    return owner, rep, customers


Pooled = tuple[Person, Person, list[str]]


async def viewed(owner: Person, rep: Person) -> list[str]:
    nodes = (await owner.data(TRAIL))["auditEntries"]["nodes"]
    return [
        each["object"]["id"]
        for each in nodes
        if each["action"] == "customer.viewed" and each["employee"]["id"] == rep.employee_id
    ]


async def test_what_is_opened_is_counted_and_the_refusal_says_until_when(pooled: Pooled) -> None:
    owner, rep, (one, other, third, fourth) = pooled
    for customer_id in (one, other):
        assert (await rep.data(OPEN, id=customer_id))["customer"]["id"] == customer_id
    body = await rep.answer(OPEN, id=third)
    (error,) = body["errors"]
    assert body.get("data") is None
    assert (error["extensions"]["code"], error["extensions"]["messageKey"]) == (
        "LIMIT_REACHED",
        "customers.pool_views_used_up",
    )
    assert error["extensions"]["args"]["limit"] == 2
    assert error["extensions"]["args"]["lifts_on"] == (today() + timedelta(days=1)).isoformat()
    assert sorted(await viewed(owner, rep)) == sorted([one, other])
    await claim(rep, third)
    assert (await rep.data(OPEN, id=third))["customer"]["id"] == third
    listed = await rep.data("{ customers(first: 10) { nodes { id } } }")
    assert len(listed["customers"]["nodes"]) == 4
    await configure(owner, viewsPerDay=None)
    assert (await rep.data(OPEN, id=fourth))["customer"]["id"] == fourth


async def test_an_operation_is_counted_whole_or_not_at_all(pooled: Pooled) -> None:
    owner, rep, (one, other, third, _) = pooled
    assert await rep.data(BOTH, one=one, other=other) == {
        "one": {"id": one},
        "again": {"id": one},
        "other": {"id": other},
    }
    assert sorted(await viewed(owner, rep)) == sorted([one, other])
    colleague = await owner.invite("rep", name="韩雪")
    many = "query ($ids: [ID!]!) { nodes(ids: $ids) { id } }"
    assert await colleague.code(many, ids=[one, other, third]) == "LIMIT_REACHED"
    assert await viewed(owner, colleague) == []
    assert (await colleague.data(many, ids=[one, other]))["nodes"] == [{"id": one}, {"id": other}]


async def test_who_administers_pools_opens_as_many_as_they_like(pooled: Pooled) -> None:
    owner, rep, customers = pooled
    for customer_id in customers:
        await owner.data(OPEN, id=customer_id)
    assert await viewed(owner, owner) == []
    missing = customers[0][:-4] + "0000"
    assert (await rep.data(OPEN, id=missing))["customer"] is None


async def test_of_twenty_at_once_no_more_get_through(pooled: Pooled) -> None:
    owner, rep, (one, *_) = pooled
    await configure(owner, viewsPerDay=5)
    bodies = await asyncio.gather(*(rep.answer(OPEN, id=one) for _ in range(20)))
    seen = [body for body in bodies if "errors" not in body]
    codes = {error["extensions"]["code"] for body in bodies for error in body.get("errors", ())}
    assert (len(seen), codes) == (5, {"LIMIT_REACHED"})
    assert await viewed(owner, rep) == [one] * 5
