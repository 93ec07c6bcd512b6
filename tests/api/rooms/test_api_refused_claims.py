"""Refused claims in the pool's metrics: by rule, with nobody named, once for each refused call."""

from __future__ import annotations

import asyncio
import secrets
from datetime import timedelta
from typing import Any

from tests.api.rooms.test_api_claims import CLAIM, POOL, claim_of
from tests.api.rooms.web import USER_ERRORS, Person, Web

BATCH = f"mutation ($input: CustomersClaimInput!) {{ customersClaim(input: $input) {{ {USER_ERRORS} }} }}"
POOLS = "{ customerPools(first: 1) { nodes { id version } } }"
METRICS = """
query ($pool: ID!, $from: Date!, $to: Date!) {
  poolMetrics(pool: $pool, from: $from, to: $to) { refusals { rule claims } }
}
"""


async def refusals(web: Web, person: Person, pool: str, **days: str) -> dict[str, int]:
    """By rule, once everything is written."""
    await web.installation.refusals.write()
    today = web.installation.clock.now().date()
    around = {"from": str(today - timedelta(days=1)), "to": str(today + timedelta(days=1))}
    found = (await person.data(METRICS, pool=pool, **(around | days)))["poolMetrics"]
    return {each["rule"]: each["claims"] for each in found["refusals"]}


async def changed(owner: Person, **settings: Any) -> str:
    """The default pool's id, once it has other settings."""
    (pool,) = (await owner.data(POOLS))["customerPools"]["nodes"]
    wanted = {"pool": pool["id"], "expectedVersion": pool["version"], **settings}
    await owner.done(POOL, **{"id" if name == "pool" else name: value for name, value in wanted.items()})
    return str(pool["id"])


async def test_each_refused_claim_is_counted_once_by_its_rule(web: Web) -> None:
    owner = await web.sign_up()
    rep, other = await owner.invite("rep", name="李雷"), await owner.invite("rep", name="韩冰")
    pool = await changed(owner, claimLimit=1)
    first, second = [await owner.create_customer(f"客户{secrets.token_hex(3)}") for _ in range(2)]
    key = secrets.token_hex(8)
    await rep.done(CLAIM, **claim_of(first, key=key))
    assert (await rep.payload(CLAIM, **claim_of(first, key=key)))["userErrors"] == []
    assert await refusals(web, owner, pool) == {}
    for _ in range(3):
        await rep.refused(CLAIM, **claim_of(second))
    await other.refused(CLAIM, **claim_of(first))
    await rep.refused(BATCH, idempotencyKey=secrets.token_hex(8), customers=[{"id": second}, {"id": first}])
    assert await refusals(web, owner, pool) == {"claim_limit": 3, "taken": 2}
    assert await refusals(web, owner, pool, **{"from": "2020-01-01", "to": "2020-01-02"}) == {}


async def test_a_flood_of_refusals_is_one_row_and_no_other_company_s(web: Web) -> None:
    owner, stranger = await web.sign_up(), await web.sign_up()
    rep = await owner.invite("rep", name="李雷")
    pool, elsewhere = await changed(owner, claimLimit=0), await changed(stranger, claimLimit=5)
    customer_id = await owner.create_customer("华阳科技有限公司")
    await asyncio.gather(*(rep.refused(CLAIM, **claim_of(customer_id)) for _ in range(20)))
    assert await refusals(web, owner, pool) == {"claim_limit": 20}
    assert await refusals(web, stranger, elsewhere) == {}
    await rep.refused(CLAIM, **claim_of(customer_id))
    assert await refusals(web, owner, pool) == {"claim_limit": 21}


async def test_what_is_not_there_or_no_id_is_no_refusal_of_a_rule(web: Web) -> None:
    owner, stranger = await web.sign_up(), await web.sign_up()
    rep = await owner.invite("rep", name="李雷")
    pool = await changed(owner, claimLimit=1)
    theirs = await stranger.create_customer("别家客户")
    await rep.refused(CLAIM, **claim_of(theirs))
    await rep.refused(BATCH, idempotencyKey=secrets.token_hex(8), customers=[{"id": theirs}] * 101)
    await rep.refused(CLAIM, **claim_of("cus_0"))
    assert await refusals(web, owner, pool) == {}
