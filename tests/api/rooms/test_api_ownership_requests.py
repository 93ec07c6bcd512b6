"""Requests for claims and assignments over HTTP: a rep asks, another person decides, everybody reads what is theirs."""

from __future__ import annotations

import secrets
from typing import Any

import pytest_asyncio

from tests.api.rooms.conftest import Cast
from tests.api.rooms.web import USER_ERRORS, Person, Web

REQUEST = f"""
replayed request {{
  id kind state reason decisionReason decidedAt isTaken employee {{ id }} requester {{ id }}
  customer {{ id status owner {{ id }} }}
}} {USER_ERRORS}
"""
ASK = f"mutation ($input: OwnershipRequestCreateInput!) {{ ownershipRequestCreate(input: $input) {{ {REQUEST} }} }}"
DECIDE = f"mutation ($input: OwnershipRequestDecideInput!) {{ ownershipRequestDecide(input: $input) {{ {REQUEST} }} }}"
WITHDRAW = f"""
mutation ($input: OwnershipRequestWithdrawInput!) {{ ownershipRequestWithdraw(input: $input) {{ {REQUEST} }} }}
"""
CLAIM = (
    f"mutation ($input: CustomerClaimInput!) {{ customerClaim(input: $input) {{ customer {{ id }} {USER_ERRORS} }} }}"
)
ASSIGN = f"""
mutation ($input: CustomerAssignInput!) {{ customerAssign(input: $input) {{ customer {{ id }} {USER_ERRORS} }} }}
"""
WAITING = """
{ ownershipRequests(first: 50, filter: {state: {eq: REQUESTED}}) { nodes { id isTaken customer { id } } } }
"""
LEDGER = """
query ($id: ID!) { poolLedger(first: 5, filter: {customer: {eq: $id}}) { nodes { kind employee { id } } } }
"""
POOL = "{ customerPools(first: 1) { nodes { id version } } }"
CONFIGURE = f"""
mutation ($input: CustomerPoolUpdateInput!) {{
  customerPoolUpdate(input: $input) {{ pool {{ version }} {USER_ERRORS} }}
}}
"""


def keyed(**more: Any) -> dict[str, Any]:
    return {"idempotencyKey": secrets.token_hex(8), **more}


def reasoned(**more: Any) -> dict[str, Any]:
    return keyed(reason="老同学", **more)


async def configure(owner: Person, **options: Any) -> None:
    pool = (await owner.data(POOL))["customerPools"]["nodes"][0]
    await owner.done(CONFIGURE, id=pool["id"], expectedVersion=pool["version"], **options)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def strict(web: Web, cast: Cast) -> Cast:
    """A company in which a second person decides about everything."""
    owner = await web.sign_up("晨光销售")
    await configure(owner, claimsNeedApproval=True, assignmentsNeedApproval=True)
    return Cast(owner, await owner.invite("rep", name="李雷"), cast.owner, web.nobody)


async def pooled(owner: Person) -> str:
    return await owner.create_customer(f"客户{secrets.token_hex(3)}")


async def waiting(person: Person) -> dict[str, bool]:
    nodes = (await person.data(WAITING))["ownershipRequests"]["nodes"]
    return {each["id"]: each["isTaken"] for each in nodes}


async def test_a_rep_asks_and_the_owner_grants(strict: Cast) -> None:
    owner, rep = strict.owner, strict.rep
    customer_id = await pooled(owner)
    refusal = await rep.refused(CLAIM, **keyed(customer={"id": customer_id}))
    assert (refusal["messageKey"], refusal["field"]) == ("customers.claim_needs_approval", ["input", "customer"])
    assert "ownershipRequestCreate" in refusal["hint"]
    wanted = reasoned(customer={"id": customer_id})
    asked = (await rep.done(ASK, **wanted))["request"]
    assert (asked["kind"], asked["state"], asked["reason"], asked["isTaken"]) == ("CLAIM", "REQUESTED", "老同学", False)
    assert asked["customer"] == {"id": customer_id, "status": "POOLED", "owner": None}
    assert asked["employee"] == asked["requester"] == {"id": rep.employee_id}
    replayed = await rep.done(ASK, **wanted)
    assert (replayed["replayed"], replayed["request"]["id"]) == (True, asked["id"])
    assert asked["id"] in await waiting(owner)
    granted = (await owner.done(DECIDE, **reasoned(request=asked["id"], isGranted=True)))["request"]
    assert (granted["state"], granted["decisionReason"]) == ("GRANTED", "老同学")
    assert granted["customer"] == {"id": customer_id, "status": "OWNED", "owner": {"id": rep.employee_id}}
    ledger = (await owner.data(LEDGER, id=customer_id))["poolLedger"]["nodes"]
    assert ledger == [{"kind": "CLAIMED", "employee": {"id": rep.employee_id}}]
    again = await owner.refused(DECIDE, **reasoned(request=asked["id"], isGranted=False))
    assert (again["code"], again["messageKey"]) == ("CONFLICT", "customers.request_closed")


async def test_an_assignment_is_decided_by_neither_of_the_two(strict: Cast) -> None:
    owner, rep = strict.owner, strict.rep
    customer_id, leader = await pooled(owner), await owner.invite("sales_manager", name="韩梅")
    wanted = reasoned(customer={"id": customer_id}, employee=rep.employee_id)
    refusal = await leader.refused(ASSIGN, **wanted)
    assert refusal["messageKey"] == "customers.assignment_needs_approval"
    asked = (await leader.done(ASK, **wanted))["request"]
    assert (asked["kind"], asked["requester"]) == ("ASSIGN", {"id": leader.employee_id})
    own = await leader.speaking("zh-CN").refused(DECIDE, **reasoned(request=asked["id"], isGranted=True))
    assert own["message"] == "不能审批自己提出的申请，也不能审批将归自己所有的客户。"
    assert {asked["id"]} <= set(await waiting(rep)) & set(await waiting(leader))
    granted = (await owner.done(DECIDE, **reasoned(request=asked["id"], isGranted=True)))["request"]
    assert granted["customer"]["owner"] == {"id": rep.employee_id}


async def test_nobody_asks_decides_or_sees_without_the_right(strict: Cast) -> None:
    owner, rep = strict.owner, strict.rep
    customer_id, colleague = await pooled(owner), await owner.invite("rep", name="王芳")
    for_another = reasoned(customer={"id": customer_id}, employee=colleague.employee_id)
    assert await rep.code(ASK, input=for_another) == "FORBIDDEN"
    asked = (await rep.done(ASK, **reasoned(customer={"id": customer_id})))["request"]
    assert await rep.code(DECIDE, input=reasoned(request=asked["id"], isGranted=True)) == "FORBIDDEN"
    assert asked["id"] not in await waiting(colleague)
    assert (await colleague.refused(WITHDRAW, **reasoned(request=asked["id"])))["code"] == "NOT_FOUND"
    foreign = await strict.other.refused(DECIDE, **reasoned(request=asked["id"], isGranted=True))
    assert foreign["code"] == "NOT_FOUND"
    assert (await owner.refused(WITHDRAW, **reasoned(request=asked["id"])))["messageKey"] == (
        "customers.request_not_the_requester"
    )
    assert (await waiting(rep))[asked["id"]] is False
    withdrawn = (await rep.done(WITHDRAW, **reasoned(request=asked["id"])))["request"]
    assert withdrawn["state"] == "WITHDRAWN"
    assert asked["id"] not in await waiting(rep)


async def test_a_request_of_a_customer_that_is_taken_says_so(web: Web) -> None:
    owner = await web.sign_up("远山贸易")
    await configure(owner, claimsNeedApproval=True)
    rep, customer_id = await owner.invite("rep", name="李雷"), await pooled(owner)
    asked = (await rep.done(ASK, **reasoned(customer={"id": customer_id})))["request"]
    await configure(owner, claimsNeedApproval=False)
    await owner.done(CLAIM, **keyed(customer={"id": customer_id}))
    assert await waiting(rep) == {asked["id"]: True}
    refusal = await owner.refused(DECIDE, **reasoned(request=asked["id"], isGranted=True))
    assert refusal["messageKey"] == "customers.already_owned"
    refused = (await owner.done(DECIDE, **reasoned(request=asked["id"], isGranted=False)))["request"]
    assert (refused["state"], refused["isTaken"]) == ("REFUSED", False)
