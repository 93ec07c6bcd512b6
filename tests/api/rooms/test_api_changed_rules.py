"""Over HTTP: whom a change of rules reaches, which version a customer goes by, protections that bring it back."""

from __future__ import annotations

import secrets
from datetime import date, timedelta
from typing import Any

import pytest

from tests.api.rooms.web import USER_ERRORS, Person, Web

POOL = "{ customerPools(first: 1) { nodes { id version changeEffect repProtectionEnd recycleFollowUpDays } } }"
UPDATE = f"mutation ($input: CustomerPoolUpdateInput!) {{ customerPoolUpdate(input: $input) {{ {USER_ERRORS} }} }}"
TRY = """
query ($input: CustomerPoolUpdateInput!, $on: Date) {
  customerPoolDryRun(input: $input, on: $on) { held taken unreached reps { taken unreached } }
}
"""
CUSTOMER = "query ($id: ID!) { customer(id: $id) { dueOn dueRule settingsVersion } }"
PREVIEW = """query ($until: Date) { recyclePreview(first: 5, until: $until) {
  nodes { customer { id } dueOn settingsVersion explanation { depth key } }
} }"""
MARK = f"mutation ($input: CustomerMarkInput!) {{ customerMark(input: $input) {{ mark {{ id }} {USER_ERRORS} }} }}"


async def pool_of(person: Person) -> dict[str, Any]:
    (pool,) = (await person.data(POOL))["customerPools"]["nodes"]
    return dict(pool)


@pytest.mark.parametrize(("effect", "taken", "unreached"), [("ALL", 1, 0), ("NEW_OWNERSHIPS", 0, 1), ("RESTART", 1, 0)])
async def test_each_effect_is_tried_saved_and_told(web: Web, effect: str, taken: int, unreached: int) -> None:
    owner = await web.sign_up()
    rep = await owner.invite("rep")
    customer_id = await rep.create_customer("华阳科技", keep=True)
    due_on = date.fromisoformat((await rep.data(CUSTOMER, id=customer_id))["customer"]["dueOn"])
    pool = await pool_of(owner)
    assert (pool["changeEffect"], pool["repProtectionEnd"]) == ("ALL", "UNPROTECT")
    wanted = {"id": pool["id"], "expectedVersion": 1, "recycleFollowUpDays": 20, "changeEffect": effect}
    found = (await owner.data(TRY, input=wanted, on=str(due_on - timedelta(days=1))))["customerPoolDryRun"]
    told = {"taken": taken, "unreached": unreached}
    assert found == {"held": 1, **told, "reps": [told]}
    await owner.done(UPDATE, **wanted)
    assert (await pool_of(owner))["changeEffect"] == effect
    (node,) = (await rep.data(PREVIEW, until=str(due_on)))["recyclePreview"]["nodes"]
    shown = node["dueOn"], node["settingsVersion"], node["explanation"][1]["key"]
    if unreached:
        assert shown == (str(due_on), 1, "customers.recycle_by_earlier_version")
    else:
        assert shown == (str(due_on - timedelta(days=10)), 2, "customers.recycle_rule_no_follow_up")


async def test_a_protection_brings_its_customer_back_where_the_pool_says_so(web: Web) -> None:
    owner = await web.sign_up()
    rep = await owner.invite("rep")
    pool = await pool_of(owner)
    refusal = await owner.refused(
        UPDATE, id=pool["id"], expectedVersion=1, repProtectionEnd="RECYCLE", repProtectionLimit=0
    )
    assert (refusal["field"], refusal["messageKey"]) == (
        ["input", "repProtectionEnd"],
        "customers.pool_protection_of_nobody",
    )
    assert await pool_of(owner) == pool
    await owner.done(UPDATE, id=pool["id"], expectedVersion=1, repProtectionEnd="RECYCLE", graceDays=1)
    customer_id = await rep.create_customer("华阳科技", keep=True)
    due_on = date.fromisoformat((await rep.data(CUSTOMER, id=customer_id))["customer"]["dueOn"])
    protection = {"customer": {"id": customer_id}, "kind": "PROTECTION", "days": 10, "reason": "年度招标"}
    await rep.done(MARK, idempotencyKey=secrets.token_hex(8), **protection)
    assert (await rep.data(CUSTOMER, id=customer_id))["customer"] == {
        "dueOn": str(due_on - timedelta(days=20)),
        "dueRule": "PROTECTION_ENDED",
        "settingsVersion": 2,
    }
