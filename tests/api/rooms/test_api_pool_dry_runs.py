"""Settings tried over HTTP: totals, people and customers; only for who may configure."""

from __future__ import annotations

import secrets
from datetime import date, timedelta
from typing import Any

from tests.api.rooms.web import Person, Web

POOL = "{ customerPools(first: 1) { nodes { id version recycleFollowUpDays } } }"
TRY = """
query ($input: CustomerPoolUpdateInput!, $on: Date) {
  customerPoolDryRun(input: $input, on: $on) {
    on held taken freed warned repCount
    reps { employee { name } held goneBefore goneAfter taken freed warned }
    customers { customer { id } owner { name } dueBefore dueAfter }
  }
}
"""
CUSTOMER = "query ($id: ID!) { customer(id: $id) { dueOn } }"


async def pool_of(person: Person) -> dict[str, Any]:
    (pool,) = (await person.data(POOL))["customerPools"]["nodes"]
    return dict(pool)


async def test_a_change_is_tried_before_it_is_saved(web: Web) -> None:
    owner = await web.sign_up("晨光销售")
    rep = await owner.invite("rep", name="李雷")
    customer_id = await rep.create_customer(f"客户{secrets.token_hex(3)}", keep=True)
    due_on = date.fromisoformat((await rep.data(CUSTOMER, id=customer_id))["customer"]["dueOn"])
    pool = await pool_of(owner)
    wanted = {"id": pool["id"], "recycleFollowUpDays": 15, "expectedVersion": pool["version"]}
    on = due_on - timedelta(days=10)
    found = (await owner.data(TRY, input=wanted, on=on.isoformat()))["customerPoolDryRun"]
    assert found == {
        "on": on.isoformat(),
        "held": 1,
        "taken": 1,
        "freed": 0,
        "warned": 0,
        "repCount": 1,
        "reps": [
            {
                "employee": {"name": "李雷"},
                "held": 1,
                "goneBefore": 0,
                "goneAfter": 1,
                "taken": 1,
                "freed": 0,
                "warned": 0,
            }
        ],
        "customers": [
            {
                "customer": {"id": customer_id},
                "owner": {"name": "李雷"},
                "dueBefore": due_on.isoformat(),
                "dueAfter": (due_on - timedelta(days=15)).isoformat(),
            }
        ],
    }
    assert await pool_of(owner) == pool


async def test_who_may_try_and_what_is_refused(web: Web) -> None:
    owner = await web.sign_up("远山贸易")
    rep = await owner.invite("rep")
    pool = await pool_of(owner)
    wanted = {"id": pool["id"], "expectedVersion": pool["version"]}
    assert await rep.code(TRY, input=wanted) == "FORBIDDEN"
    assert await owner.code(TRY, input={**wanted, "expectedVersion": 99}) == "STALE_VERSION"
    assert await owner.code(TRY, input={**wanted, "claimLimit": 201}) == "BAD_USER_INPUT"
    assert await owner.code(TRY, input={**wanted, "id": "poo_" + "0" * 32}) == "NOT_FOUND"
    assert await owner.code(TRY, input=wanted, on="2020-01-01") == "BAD_USER_INPUT"
