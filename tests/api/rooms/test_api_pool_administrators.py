"""Administrators of a pool over HTTP (P01): given and read back, told to whom they refuse, and what they alone see."""

from __future__ import annotations

import json
import secrets
from typing import Any

from tests.api.rooms.test_api_hidden_fields import HIDDEN, HIDES, WHOLE, configure, shown
from tests.api.rooms.web import USER_ERRORS, Person, Web

POOL = "{ customerPools(first: 1) { nodes { id version administrators lacksAdministrators } } }"
UPDATE = f"""
mutation ($input: CustomerPoolUpdateInput!) {{
  customerPoolUpdate(input: $input) {{ pool {{ administrators lacksAdministrators }} {USER_ERRORS} }}
}}
"""
SEPARATE = f"""
mutation ($input: EmployeeSeparateInput!) {{
  employeeSeparate(input: $input) {{ poolsWithoutAdministrators {USER_ERRORS} }}
}}
"""
ASSIGN = f"""
mutation ($input: CustomerAssignInput!) {{
  customerAssign(input: $input) {{ customer {{ owner {{ id }} }} {USER_ERRORS} }}
}}
"""


def given(customer_id: str, employee_id: str) -> dict[str, Any]:
    return {
        "idempotencyKey": secrets.token_hex(8),
        "customer": {"id": customer_id},
        "employee": employee_id,
        "reason": "试用",
    }


async def entered(owner: Person) -> str:
    return await owner.create_customer(
        "蓝海科技",
        shortName="蓝海",
        contactName="王芳",
        phone="13800138000",
        districtCode="110105",
        districtName="朝阳区",
    )


async def test_p01_administrators_are_given_told_and_alone_assign(web: Web) -> None:
    owner = await web.sign_up()
    leader, rep = await owner.invite("sales_manager", name="韩梅"), await owner.invite("rep", name="李雷")
    pool, customer_id = (await owner.data(POOL))["customerPools"]["nodes"][0], await entered(owner)
    assert (pool["administrators"], pool["lacksAdministrators"]) == ("[]", False)
    done = await owner.done(UPDATE, id=pool["id"], expectedVersion=1, administrators=[leader.employee_id])
    assert (json.loads(done["pool"]["administrators"]), done["pool"]["lacksAdministrators"]) == (
        [leader.employee_id],
        False,
    )
    refusal = await owner.refused(ASSIGN, **given(customer_id, rep.employee_id))
    assert (refusal["code"], refusal["messageKey"], refusal["field"]) == (
        "RULE_REFUSED",
        "customers.not_a_pool_administrator",
        ["input", "customer"],
    )
    assert {each["name"]: each["value"] for each in refusal["args"]}["administrators"] == "韩梅"
    assigned = await leader.done(ASSIGN, **given(customer_id, rep.employee_id))
    assert assigned["customer"]["owner"] == {"id": rep.employee_id}
    for wrong in ("emp_" + "0" * 32, "x"):
        refusal = await owner.refused(UPDATE, id=pool["id"], expectedVersion=2, administrators=[wrong])
        assert refusal["field"] == ["input", "administrators", "0"]
    many = [leader.employee_id] * 101
    refusal = await owner.refused(UPDATE, id=pool["id"], expectedVersion=2, administrators=many)
    assert refusal["messageKey"] == "graphql.list_too_long"
    done = await owner.done(UPDATE, id=pool["id"], expectedVersion=2, administrators=[])
    assert done["pool"]["administrators"] == "[]"


async def test_p01_what_the_pool_hides_is_shown_to_its_own_administrators_alone(web: Web) -> None:
    owner = await web.sign_up()
    leader = await owner.invite("sales_manager", name="韩梅")
    await configure(owner, viewsPerDay=1, **HIDES)
    customer_id, pool = await entered(owner), (await owner.data(POOL))["customerPools"]["nodes"][0]
    await owner.done(UPDATE, id=pool["id"], expectedVersion=pool["version"], administrators=[leader.employee_id])
    assert (await shown(owner, customer_id))[0] == {**HIDDEN, "phone": {"masked": "138****8000", "value": None}}
    found, _ = await shown(leader, customer_id)
    assert {**found, "phone": None} == {**WHOLE, "phone": None}
    refused = await owner.answer("query ($id: ID!) { customer(id: $id) { id } }", id=customer_id)
    assert [each["extensions"]["messageKey"] for each in refused["errors"]] == ["customers.pool_views_used_up"]
    assert (await shown(leader, customer_id))[0] == found


async def test_p01_a_pool_whose_last_administrator_leaves_says_so(web: Web) -> None:
    owner = await web.sign_up()
    people = [await owner.invite("sales_manager", name=name) for name in ("韩梅", "王芳")]
    customer_id, rep = await entered(owner), await owner.invite("rep", name="李雷")
    pool = (await owner.data(POOL))["customerPools"]["nodes"][0]
    named = [each.employee_id for each in people]
    await owner.done(UPDATE, id=pool["id"], expectedVersion=1, administrators=named)
    told = []
    for person in people:
        left = {"idempotencyKey": secrets.token_hex(8), "employee": person.employee_id, "reason": "个人原因"}
        done = await owner.done(SEPARATE, **left)
        pool = (await owner.data(POOL))["customerPools"]["nodes"][0]
        told.append((done["poolsWithoutAdministrators"], pool["lacksAdministrators"]))
    assert told == [(0, False), (1, True)]
    assert sorted(json.loads(pool["administrators"])) == sorted(named)
    assigned = await owner.done(ASSIGN, **given(customer_id, rep.employee_id))
    assert assigned["customer"]["owner"] == {"id": rep.employee_id}
