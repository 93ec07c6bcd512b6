"""Allocation on arrival over HTTP: switched on, done by the product's own worker, told to members."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID

from saas.access import AccessTables
from saas.events import Delivery
from saas.identity import find_holders
from saas.kernel import parse_public_id
from saas.main import worker_services
from tests.api.rooms.web import USER_ERRORS, Person, Web

UPDATE = f"""
mutation ($input: CustomerPoolUpdateInput!) {{
  customerPoolUpdate(input: $input) {{
    pool {{ version arrivalMethod assignmentOverflowTo assignmentThreshold }} {USER_ERRORS}
  }}
}}
"""
POOL = "{ customerPools(first: 1) { nodes { id version } } }"
ALLOCATIONS = """{ allocations(first: 5) { nodes {
  id method state given unplaced isByJob problemCount picks(first: 9) { nodes { isOverflow employee { id } } }
} } }"""
PROBLEMS = "query ($id: ID!) { allocationProblems(allocation: $id) { messageKey hint } }"
LEDGER = "{ poolLedger(first: 9) { nodes { kind isByJob reason } } }"
WAITING = """
SELECT id, attempts FROM outbox WHERE done_at IS NULL AND dead_at IS NULL
    AND (topic LIKE 'customers.arrivals%' OR topic IN ('customers.customer_created', 'customers.customers_moved'))
ORDER BY created_at, id
"""


async def work(web: Web, owner: Person) -> None:
    """All that follows from what happened, as the worker does it, whenever it is due."""
    services = worker_services(web.installation)
    tenant_id = parse_public_id(owner.company_id, prefix="com")
    while waiting := await _waiting(web, tenant_id):
        for event_id, attempts in waiting:
            delivery = Delivery(services.database, services.handlers, retry=services.retry, clock=services.clock)
            await delivery(str(tenant_id), str(event_id), attempts)
            if delivery.long_run is not None:
                await asyncio.wait({delivery.long_run}, timeout=timedelta(minutes=1).total_seconds())


async def _waiting(web: Web, tenant_id: UUID) -> list[tuple[UUID, int]]:
    async with web.installation.database.transaction(tenant_id) as transaction:
        return [(row["id"], row["attempts"]) for row in await transaction.fetch(WAITING)]


async def test_what_arrives_goes_to_the_members_who_may_claim_and_the_rest_is_told(web: Web) -> None:
    owner = await web.sign_up()
    reps = [await owner.invite("rep", name=name) for name in ("李雷", "王芳")]
    clerk = await owner.invite("payroll_officer", name="赵敏")
    (pool,) = (await owner.data(POOL))["customerPools"]["nodes"]
    named: dict[str, Any] = {"id": pool["id"], "arrivalMethod": "FLEXIBLE", "assignmentThreshold": 1}
    members = [*(each.employee_id for each in reps), clerk.employee_id]
    overflow = {"assignmentOverflowTo": reps[0].employee_id, "holdingLimit": 2}
    done = await owner.done(UPDATE, **named, **overflow, members=members, expectedVersion=pool["version"])
    assert done["pool"]["arrivalMethod"] == "FLEXIBLE"
    assert done["pool"]["assignmentOverflowTo"] == reps[0].employee_id
    for number in range(4):
        await owner.create_customer(f"客户{number}")
    await work(web, owner)
    (made,) = (await owner.data(ALLOCATIONS))["allocations"]["nodes"]
    assert (made["state"], made["given"], made["unplaced"], made["isByJob"]) == ("COMMITTED", 3, 1, True)
    picks = made["picks"]["nodes"]
    assert [each["isOverflow"] for each in picks] == [False, False, True, False]
    assert {each["employee"]["id"] for each in picks[:2]} == {each.employee_id for each in reps}
    assert (picks[2]["employee"], picks[3]["employee"]) == ({"id": reps[0].employee_id}, None)
    (problem,) = (await owner.data(PROBLEMS, id=made["id"]))["allocationProblems"]
    assert problem["messageKey"] == "customers.arrivals_all_full"
    lines = (await reps[1].data(LEDGER))["poolLedger"]["nodes"]
    assert [(each["kind"], each["isByJob"]) for each in lines] == [("ALLOCATED", True)] * 3
    assert sum(each["reason"] is not None for each in lines) == 1


async def test_who_may_what_follows_from_roles(web: Web) -> None:
    owner = await web.sign_up()
    rep, clerk = await owner.invite("rep"), await owner.invite("payroll_officer", name="赵敏")
    at = web.installation
    access = AccessTables(at.database, at.product.rights)
    company_id = parse_public_id(owner.company_id, prefix="com")

    async def who_may(permission: str) -> set[UUID | None]:
        found = await find_holders(at.database, access, company_id, permission=permission, clock=at.clock)
        return {each.employee_id for each in found}

    claiming, allocating = await who_may("customer:claim"), await who_may("pool:allocate")
    ids = {each: parse_public_id(str(each.employee_id), prefix="emp") for each in (rep, clerk)}
    assert ids[rep] in claiming
    assert ids[clerk] not in claiming
    assert not set(ids.values()) & allocating
    assert len(allocating) == 1
