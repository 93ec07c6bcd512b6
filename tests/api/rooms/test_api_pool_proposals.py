"""Proposed changes of a pool over HTTP: a consultant proposes, the owner looks at it and decides, reps see it."""

from __future__ import annotations

import json
import secrets
from typing import Any

import pytest_asyncio

from tests.api.rooms.conftest import Cast
from tests.api.rooms.web import USER_ERRORS, Person, Web

PROPOSAL = f"""
replayed proposal {{
  id state reason settings validFrom settingsVersion decisionReason decidedAt approvedVersion
  proposer {{ id }} decider {{ id }} pool {{ version recycleFollowUpDays tighteningNeedsApproval }}
}} {USER_ERRORS}
"""
PROPOSE = f"""
mutation ($input: CustomerPoolProposalCreateInput!) {{ customerPoolProposalCreate(input: $input) {{ {PROPOSAL} }} }}
"""
DECIDE = f"""
mutation ($input: CustomerPoolProposalDecideInput!) {{ customerPoolProposalDecide(input: $input) {{ {PROPOSAL} }} }}
"""
WITHDRAW = f"""
mutation ($input: CustomerPoolProposalWithdrawInput!) {{
  customerPoolProposalWithdraw(input: $input) {{ {PROPOSAL} }}
}}
"""
UPDATE = f"""
mutation ($input: CustomerPoolUpdateInput!) {{
  customerPoolUpdate(input: $input) {{ pool {{ version }} {USER_ERRORS} }}
}}
"""
POOL = "{ customerPools(first: 1) { nodes { id version tighteningNeedsApproval } } }"
HISTORY = """
{ customerPools(first: 1) { nodes { settingsHistory(first: 1) { nodes {
  version proposal { id proposer { id } decider { id } }
} } } } }
"""
WAITING = "{ customerPoolProposals(first: 50, filter: {state: {eq: PROPOSED}}) { nodes { id } } }"
DRY_RUN = """
query ($id: ID!) { customerPoolProposalDryRun(proposal: $id) { held taken warned reps { employee { id } taken } } }
"""


def keyed(**more: Any) -> dict[str, Any]:
    return {"idempotencyKey": secrets.token_hex(8), "reason": "清理沉默客户", **more}


async def pool_of(person: Person) -> dict[str, Any]:
    found: dict[str, Any] = (await person.data(POOL))["customerPools"]["nodes"][0]
    return found


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def careful(web: Web, cast: Cast) -> tuple[Person, Person, Person]:
    """An owner, a second person who configures, and a rep, in a company where two decide about tightenings."""
    owner = await web.sign_up("晨光销售")
    second, rep = await owner.invite("consultant", name="韩梅"), await owner.invite("rep", name="李雷")
    pool = await pool_of(owner)
    wanted = keyed(pool=pool["id"], expectedVersion=1, tighteningNeedsApproval=True)
    proposal = (await owner.done(PROPOSE, **wanted))["proposal"]
    await second.done(DECIDE, **keyed(proposal=proposal["id"], isApproved=True, expectedVersion=1))
    return owner, second, rep


async def test_l28_a_tightening_is_proposed_looked_at_and_approved(careful: tuple[Person, Person, Person]) -> None:
    owner, second, rep = careful
    await rep.create_customer("华阳", keep=True)
    pool = await pool_of(owner)
    assert pool["tighteningNeedsApproval"] is True
    tight = {"expectedVersion": pool["version"], "recycleFollowUpDays": 10}
    refusal = await second.refused(UPDATE, id=pool["id"], **tight)
    assert (refusal["messageKey"], refusal["field"]) == (
        "customers.tightening_takes",
        ["input", "recycleFollowUpDays"],
    )
    assert "customerPoolProposalCreate" in refusal["hint"]
    wanted = keyed(pool=pool["id"], **tight)
    made = (await second.done(PROPOSE, **wanted))["proposal"]
    assert (made["state"], made["reason"], json.loads(made["settings"])) == (
        "PROPOSED",
        "清理沉默客户",
        {"recycle_follow_up_days": 10},
    )
    assert made["pool"]["recycleFollowUpDays"] == 30
    replayed = await second.done(PROPOSE, **wanted)
    assert (replayed["replayed"], replayed["proposal"]["id"]) == (True, made["id"])
    assert [each["id"] for each in (await owner.data(WAITING))["customerPoolProposals"]["nodes"]] == [made["id"]]
    tried = (await owner.data(DRY_RUN, id=made["id"]))["customerPoolProposalDryRun"]
    assert (tried["held"], tried["reps"]) == (1, [{"employee": {"id": rep.employee_id}, "taken": tried["taken"]}])
    given = {"proposal": made["id"], "isApproved": True}
    own = await second.refused(DECIDE, **keyed(**given, expectedVersion=pool["version"]))
    assert own["messageKey"] == "customers.proposal_own"
    stale = await owner.refused(DECIDE, **keyed(**given, expectedVersion=1))
    assert stale["messageKey"] == "customers.pool_changed"
    done = (await owner.done(DECIDE, **keyed(**given, expectedVersion=pool["version"])))["proposal"]
    assert (done["state"], done["approvedVersion"], done["decider"]) == ("APPROVED", 3, {"id": owner.employee_id})
    assert done["pool"] == {"version": 3, "recycleFollowUpDays": 10, "tighteningNeedsApproval": True}
    history = (await owner.data(HISTORY))["customerPools"]["nodes"][0]["settingsHistory"]["nodes"]
    named = {"id": made["id"], "proposer": done["proposer"], "decider": {"id": owner.employee_id}}
    assert history == [{"version": 3, "proposal": named}]
    again = await owner.refused(DECIDE, **keyed(**given, expectedVersion=3))
    assert (again["code"], again["messageKey"]) == ("CONFLICT", "customers.proposal_closed")


async def test_a_proposal_is_refused_or_taken_back(careful: tuple[Person, Person, Person]) -> None:
    owner, second, _ = careful
    pool = await pool_of(owner)
    wanted = {"pool": pool["id"], "expectedVersion": pool["version"], "graceDays": 1}
    mine = (await owner.done(PROPOSE, **keyed(**wanted)))["proposal"]["id"]
    given = keyed(proposal=mine, isApproved=False, expectedVersion=pool["version"])
    assert (await second.done(DECIDE, **given))["proposal"]["state"] == "REFUSED"
    theirs = (await second.done(PROPOSE, **keyed(**wanted)))["proposal"]["id"]
    refusal = await owner.refused(WITHDRAW, **keyed(proposal=theirs))
    assert refusal["messageKey"] == "customers.proposal_not_the_proposer"
    assert (await second.done(WITHDRAW, **keyed(proposal=theirs)))["proposal"]["state"] == "WITHDRAWN"
    assert await pool_of(owner) == pool


async def test_only_who_configures_pools_proposes_decides_and_reads(
    careful: tuple[Person, Person, Person], cast: Cast
) -> None:
    owner, _, rep = careful
    pool = await pool_of(owner)
    wanted = keyed(pool=pool["id"], expectedVersion=pool["version"], graceDays=2)
    proposal_id = (await owner.done(PROPOSE, **wanted))["proposal"]["id"]
    decided = keyed(proposal=proposal_id, isApproved=True, expectedVersion=pool["version"])
    for document, given in ((PROPOSE, wanted), (DECIDE, decided), (WITHDRAW, keyed(proposal=proposal_id))):
        assert await rep.code(document, input=given) == "FORBIDDEN"
    history = (await rep.answer(HISTORY))["data"]["customerPools"]["nodes"][0]["settingsHistory"]["nodes"]
    assert [each["proposal"] for each in history] == [None]
    assert (await cast.other.refused(DECIDE, **decided))["messageKey"] == "customers.proposal_not_found"
    assert [each["id"] for each in (await owner.data(WAITING))["customerPoolProposals"]["nodes"]] == [proposal_id]
    await owner.done(WITHDRAW, **keyed(proposal=proposal_id))
