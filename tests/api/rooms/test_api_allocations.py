"""Allocations over HTTP: planned, committed by hash, explained to whoever asks, and drawn with a certificate."""

from __future__ import annotations

import json
import secrets
from collections.abc import Sequence
from typing import Any
from uuid import UUID

import pytest_asyncio

from saas.customers import COMMIT_AWAITED, PLAN_AWAITED
from saas.customers.allocation import verify_certificate
from saas.events import Delivery
from saas.kernel import parse_public_id
from saas.main import worker_services
from tests.api.rooms.web import USER_ERRORS, Person, Web

FIELDS = "id method state planHash customers given skipped commitment commitmentDocument picksRoot"
PICKS = "picks(first: 10) { nodes { place label employee { id } customer { id } state } }"
PLAN = f"""
mutation ($input: AllocationPlanInput!) {{
  allocationPlan(input: $input) {{ replayed allocation {{ {FIELDS} {PICKS} }} {USER_ERRORS} }}
}}
"""
COMMIT = f"""
mutation ($input: AllocationCommitInput!) {{
  allocationCommit(input: $input) {{ replayed allocation {{ {FIELDS} {PICKS} }} {USER_ERRORS} }}
}}
"""
CANCEL = f"""
mutation ($input: AllocationCancelInput!) {{
  allocationCancel(input: $input) {{ allocation {{ state }} {USER_ERRORS} }}
}}
"""
WHY = """query ($allocation: ID!, $customer: CustomerRef!, $employee: ID) {
  allocationExplanation(allocation: $allocation, customer: $customer, employee: $employee) { lines { depth text key } }
}"""
WHOLE = "query ($id: ID!) { allocationCertificate(allocation: $id) { certificate commitment picksRoot } }"
OWN = "query ($id: ID!) { ownAllocationCertificate(allocation: $id) { certificate commitment picksRoot } }"
ONE = f"query ($id: ID!) {{ allocation(id: $id) {{ {FIELDS} {PICKS} }} }}"


class Firm:
    """A company with two reps and customers in its pool."""

    def __init__(self, owner: Person, reps: Sequence[Person], pool: str, customers: Sequence[str]) -> None:
        self.owner, self.reps, self.pool, self.customers = owner, reps, pool, customers

    def wish(self, method: str, **more: Any) -> dict[str, Any]:
        people = [{"employee": rep.employee_id} for rep in self.reps]
        return {"idempotencyKey": secrets.token_hex(8), "pool": self.pool, "method": method, "people": people, **more}

    async def plan(self, method: str, **more: Any) -> dict[str, Any]:
        done: dict[str, Any] = (await self.owner.done(PLAN, **self.wish(method, **more)))["allocation"]
        return done

    def commit(self, planned: dict[str, Any], **more: Any) -> dict[str, Any]:
        asked = {"allocation": planned["id"], "planHash": planned["planHash"], "onChange": "REFUSE"}
        return {"idempotencyKey": secrets.token_hex(8), **asked, **more}


TOLD = """query ($id: ID!) {
  allocation(id: $id) { state given problemCount }
  allocationProblems(allocation: $id) { code field message messageKey hint args { name value } }
}"""
PROBLEMS = "query ($id: ID!) { allocationProblems(allocation: $id) { messageKey } }"
CLAIM = f"mutation ($input: CustomerClaimInput!) {{ customerClaim(input: $input) {{ replayed {USER_ERRORS} }} }}"
FILL = """
INSERT INTO customer (tenant_id, id, pool_id, name, name_key, match_key, created_at, status)
SELECT $1, gen_random_uuid(), $2, '客户' || n, 'kehu ' || n, '客户' || n, now(), 'pooled'
FROM generate_series(100, 99 + $3) n
"""


def company_id(firm: Firm) -> UUID:
    return parse_public_id(firm.owner.company_id, prefix="com")


async def fill(web: Web, firm: Firm, *, customers: int) -> None:
    """So many more customers in the pool, which lets a rep hold two thousand."""
    async with web.installation.database.transaction(company_id(firm)) as transaction:
        await transaction.execute("UPDATE customer_pool SET holding_limit = 2000")
        pool_id = parse_public_id(firm.pool, prefix="poo")
        await transaction.execute(FILL, company_id(firm), pool_id, customers)


async def work(web: Web, firm: Firm) -> None:
    """Deliver what waits for the jobs of allocations, as the product's own worker does."""
    services = worker_services(web.installation)
    delivery = Delivery(services.database, services.handlers, retry=services.retry, clock=services.clock)
    async with services.database.transaction(company_id(firm)) as transaction:
        waiting = await transaction.fetch(
            "SELECT tenant_id, id, attempts FROM outbox WHERE done_at IS NULL AND topic = ANY ($1)",
            [PLAN_AWAITED, COMMIT_AWAITED],
        )
    assert len(waiting) == 1
    ((tenant_id, event_id, attempts),) = waiting
    await delivery(str(tenant_id), str(event_id), attempts)
    assert delivery.long_run is not None
    await delivery.long_run


async def owned(web: Web, firm: Firm) -> list[int]:
    """How many customers each owner has, from the fewest."""
    async with web.installation.database.transaction(company_id(firm)) as transaction:
        rows = await transaction.fetch(
            "SELECT count(*) FROM customer WHERE owner_id IS NOT NULL GROUP BY owner_id ORDER BY 1"
        )
    return [row[0] for row in rows]


@pytest_asyncio.fixture(loop_scope="session")
async def firm(web: Web) -> Firm:
    owner = await web.sign_up()
    reps = [await owner.invite("rep", name=name) for name in ("李雷", "王芳")]
    customers = [await owner.create_customer(f"客户{number}") for number in range(4)]
    pool = (await owner.data("{ customerPools(first: 1) { nodes { id } } }"))["customerPools"]["nodes"][0]["id"]
    return Firm(owner, reps, pool, customers)


async def test_what_was_shown_is_what_is_given(firm: Firm) -> None:
    planned = await firm.plan("FLEXIBLE")
    assert (planned["state"], planned["customers"], planned["given"]) == ("PLANNED", 4, 0)
    shown = [(pick["customer"]["id"], pick["employee"]["id"]) for pick in planned["picks"]["nodes"]]
    assert [customer for customer, _ in shown] == list(firm.customers)
    asked = firm.commit(planned)
    done = (await firm.owner.done(COMMIT, **asked))["allocation"]
    assert (done["state"], done["given"], done["skipped"]) == ("COMMITTED", 4, 0)
    assert [(pick["customer"]["id"], pick["employee"]["id"]) for pick in done["picks"]["nodes"]] == shown
    again = await firm.owner.done(COMMIT, **asked)
    assert (again["replayed"], again["allocation"]["id"]) == (True, planned["id"])
    refusal = await firm.owner.refused(COMMIT, **firm.commit(planned))
    assert (refusal["code"], refusal["messageKey"]) == ("CONFLICT", "customers.allocation_closed")


async def test_a_rep_neither_plans_nor_sees_others_picks(firm: Firm) -> None:
    rep = firm.reps[0]
    assert await rep.code(PLAN, input=firm.wish("FLEXIBLE")) == "FORBIDDEN"
    planned = await firm.plan("FLEXIBLE")
    assert await rep.code(COMMIT, input=firm.commit(planned)) == "FORBIDDEN"
    assert await rep.code(CANCEL, input={"allocation": planned["id"]}) == "FORBIDDEN"
    await firm.owner.done(COMMIT, **firm.commit(planned))
    seen = (await rep.data(ONE, id=planned["id"]))["allocation"]
    assert [pick["employee"]["id"] for pick in seen["picks"]["nodes"]] == [rep.employee_id] * 2
    assert await rep.code(WHOLE, id=planned["id"]) == "FORBIDDEN"


async def test_a_plan_whose_input_moved_is_refused_or_left_out(firm: Firm) -> None:
    planned = await firm.plan("FLEXIBLE")
    await firm.reps[0].done(CLAIM, idempotencyKey=secrets.token_hex(8), customer={"id": firm.customers[0]})
    stale = await firm.owner.refused(COMMIT, **firm.commit(planned, planHash="0" * 64))
    assert (stale["code"], stale["field"]) == ("PLAN_CHANGED", ["input", "planHash"])
    refusal = await firm.owner.refused(COMMIT, **firm.commit(planned))
    assert (refusal["code"], refusal["messageKey"]) == ("PLAN_CHANGED", "customers.plan_items_changed")
    unchanged = (await firm.owner.data(ONE, id=planned["id"]))["allocation"]
    assert (unchanged["state"], unchanged["given"]) == ("PLANNED", 0)
    done = (await firm.owner.done(COMMIT, **firm.commit(planned, onChange="SKIP")))["allocation"]
    assert (done["given"], done["skipped"]) == (3, 1)
    assert [pick["state"] for pick in done["picks"]["nodes"]] == ["SKIPPED", "GIVEN", "GIVEN", "GIVEN"]


async def test_a_cancelled_plan_is_over(firm: Firm) -> None:
    planned = await firm.plan("FLEXIBLE")
    assert (await firm.owner.done(CANCEL, allocation=planned["id"]))["allocation"] == {"state": "CANCELLED"}
    assert (await firm.owner.refused(CANCEL, allocation=planned["id"]))["code"] == "CONFLICT"


async def test_why_not_me(firm: Firm) -> None:
    planned = await firm.plan("FLEXIBLE")
    first = planned["picks"]["nodes"][0]
    (passed,) = [rep for rep in firm.reps if rep.employee_id != first["employee"]["id"]]
    asked = {"allocation": planned["id"], "customer": {"id": first["customer"]["id"]}}
    lines = (await passed.data(WHY, **asked, employee=passed.employee_id))["allocationExplanation"]["lines"]
    assert [(line["depth"], line["key"]) for line in lines] == [
        (0, "customers.passed_over_flexible"),
        (1, "customers.served_never"),
        (1, "customers.served_never"),
    ]
    assert "客户＊＊" in lines[0]["text"]
    chinese = await passed.speaking("zh-CN").data(WHY, **asked, employee=passed.employee_id)
    assert chinese["allocationExplanation"]["lines"][0]["text"] != lines[0]["text"]
    assert await passed.code(WHY, **asked, employee=first["employee"]["id"]) == "FORBIDDEN"
    assert await passed.code(WHY, **asked) == "FORBIDDEN"
    whole = (await firm.owner.data(WHY, **asked))["allocationExplanation"]["lines"]
    assert whole[0]["key"] == "customers.allocated_flexible"


async def test_a_draw_publishes_its_commitment_and_then_its_certificates(firm: Firm) -> None:
    auditor = await firm.owner.invite("auditor", staff=False)
    planned = await firm.plan("DRAW")
    assert [pick["employee"] for pick in planned["picks"]["nodes"]] == [None] * 4
    assert json.loads(planned["commitmentDocument"])["candidates"] == 2
    ledger = "{ poolLedger(first: 5, filter: {kind: {eq: DRAW_COMMITTED}}) { nodes { reason allocation { id } } } }"
    assert (await firm.reps[0].data(ledger))["poolLedger"]["nodes"] == [
        {"reason": planned["commitment"], "allocation": {"id": planned["id"]}}
    ]
    assert await auditor.code(WHOLE, id=planned["id"]) == "RULE_REFUSED"
    await firm.owner.done(COMMIT, **firm.commit(planned))
    whole = (await auditor.data(WHOLE, id=planned["id"]))["allocationCertificate"]
    assert whole["commitment"] == planned["commitment"]
    published = {"commitment": planned["commitment"], "picks_root": whole["picksRoot"]}
    assert verify_certificate(whole["certificate"].encode(), **published) == []
    for rep in firm.reps:
        own = (await rep.data(OWN, id=planned["id"]))["ownAllocationCertificate"]
        assert verify_certificate(own["certificate"].encode(), **published) == []
    assert await firm.owner.code(OWN, id=planned["id"]) == "NOT_FOUND"


async def test_performance_first_takes_its_scores_with_the_plan(firm: Firm) -> None:
    people = [
        {"employee": firm.reps[0].employee_id, "attainment": "1.5"},
        {"employee": firm.reps[1].employee_id, "attainment": "0.5"},
    ]
    period = {"first": "2020-01-01", "until": "2020-02-01", "newcomerDays": 0}
    planned = await firm.plan("PERFORMANCE", people=people, performance=period)
    counts = [pick["employee"]["id"] for pick in planned["picks"]["nodes"]]
    assert [counts.count(rep.employee_id) for rep in firm.reps] == [3, 1]
    missing = await firm.owner.refused(PLAN, **firm.wish("PERFORMANCE"))
    assert missing["messageKey"] == "customers.roster_plan_missing"
    empty = await firm.owner.refused(PLAN, **firm.wish("PERFORMANCE", performance={**period, "until": "2020-01-01"}))
    assert empty["field"] == ["input", "performance", "until"]
    ahead = await firm.owner.refused(PLAN, **firm.wish("PERFORMANCE", performance={**period, "until": "2999-01-01"}))
    assert ahead["messageKey"] == "customers.performance_period_open"


async def test_more_than_two_thousand_customers_are_given_by_the_worker(firm: Firm, web: Web) -> None:
    await fill(web, firm, customers=2_001 - len(firm.customers))
    asked = firm.wish("FLEXIBLE", take=100_000)
    made = (await firm.owner.done(PLAN, **asked))["allocation"]
    assert (made["state"], made["planHash"], made["customers"], made["picks"]["nodes"]) == ("PLANNING", None, None, [])
    assert (await firm.owner.done(PLAN, **asked))["allocation"]["id"] == made["id"]
    early = await firm.owner.refused(COMMIT, **firm.commit({**made, "planHash": "0" * 64}))
    assert (early["code"], early["messageKey"]) == ("CONFLICT", "customers.allocation_planning")
    await work(web, firm)
    planned = (await firm.owner.data(ONE, id=made["id"]))["allocation"]
    assert (planned["state"], planned["customers"], planned["given"]) == ("PLANNED", 2_001, 0)
    order = firm.commit(planned)
    done = await firm.owner.done(COMMIT, **order)
    assert (done["allocation"]["state"], done["allocation"]["given"]) == ("COMMITTING", 0)
    assert (await firm.owner.done(COMMIT, **order))["replayed"] is True
    for mutation, input_ in ((COMMIT, firm.commit(planned)), (CANCEL, {"allocation": made["id"]})):
        assert (await firm.owner.refused(mutation, **input_))["messageKey"] == "customers.allocation_committing"
    await work(web, firm)
    given = (await firm.owner.data(ONE, id=made["id"]))["allocation"]
    assert (given["state"], given["given"], given["skipped"]) == ("COMMITTED", 2_001, 0)
    assert await owned(web, firm) == [1_000, 1_001]


async def test_what_refused_the_worker_is_told_in_the_readers_language(firm: Firm, web: Web) -> None:
    await fill(web, firm, customers=2_001 - len(firm.customers))
    made = (await firm.owner.done(PLAN, **firm.wish("FLEXIBLE", take=2_001)))["allocation"]
    await work(web, firm)
    planned = (await firm.owner.data(ONE, id=made["id"]))["allocation"]
    await firm.owner.done(COMMIT, **firm.commit(planned))
    await firm.reps[0].done(CLAIM, idempotencyKey=secrets.token_hex(8), customer={"id": firm.customers[0]})
    await work(web, firm)
    told = await firm.owner.data(TOLD, id=made["id"])
    assert told["allocation"] == {"state": "PLANNED", "given": 0, "problemCount": 1}
    (problem,) = told["allocationProblems"]
    assert {each["name"]: each["value"] for each in problem.pop("args")} == {"changed": "1", "of": "2001"}
    assert problem == {
        "code": "PLAN_CHANGED",
        "field": ["input", "allocation"],
        "message": "1 of 2001 customers can't go where the plan says: they left the pool, or their person left, is on"
        " leave or has no room.",
        "messageKey": "customers.plan_items_changed",
        "hint": "Plan anew, or commit with SKIP and leave these out.",
    }
    chinese = (await firm.owner.speaking("zh-CN").data(TOLD, id=made["id"]))["allocationProblems"][0]
    assert chinese["message"] == (
        "2001 个客户中有 1 个无法按计划分配：客户已离开公海，或对方已离职、正在请假或库容已满。"
    )
    assert await firm.reps[0].code(PROBLEMS, id=made["id"]) == "FORBIDDEN"
    assert await owned(web, firm) == [1]
    await firm.owner.done(COMMIT, **firm.commit(planned, onChange="SKIP"))
    await work(web, firm)
    assert (await firm.owner.data(TOLD, id=made["id"])) == {
        "allocation": {"state": "COMMITTED", "given": 2_000, "problemCount": 0},
        "allocationProblems": [],
    }


async def test_what_a_job_holds_is_refused_to_others_and_no_fault(firm: Firm, web: Web) -> None:
    rep, tenant_id = firm.reps[0], company_id(firm)
    employee_id = parse_public_id(rep.employee_id, prefix="emp")
    claim = {"idempotencyKey": secrets.token_hex(8), "customer": {"id": firm.customers[0]}}
    async with web.installation.database.transaction(tenant_id) as transaction:
        await transaction.execute("SELECT FROM employee WHERE id = $1 FOR UPDATE", employee_id)
        refusal = await rep.refused(CLAIM, **claim)
        assert (refusal["code"], refusal["messageKey"]) == ("CONFLICT", "graphql.rows_in_use")
        await transaction.execute(
            "SELECT pg_advisory_xact_lock(hashtextextended('claims of ' || $1::uuid, 0))",
            parse_public_id(firm.pool, prefix="poo"),
        )
        refusal = await rep.refused(CLAIM, **claim)
        assert (refusal["code"], refusal["messageKey"]) == ("CONFLICT", "customers.pool_being_allocated")
        assert refusal["hint"] == "Try again in a minute."
    assert await owned(web, firm) == []
    await rep.done(CLAIM, **claim)
    assert await owned(web, firm) == [1]


async def test_another_companys_allocation_is_a_missing_one(firm: Firm, web: Web) -> None:
    planned, stranger = await firm.plan("FLEXIBLE"), await web.sign_up()
    missing = "alc_" + "0" * 32
    for mutation, asked in ((COMMIT, firm.commit(planned)), (CANCEL, {"allocation": planned["id"]})):
        answers = [
            await stranger.answer(mutation, input={**asked, "allocation": each}) for each in (planned["id"], missing)
        ]
        assert answers[0] == answers[1]
        (payload,) = answers[0]["data"].values()
        assert payload["userErrors"][0]["code"] == "NOT_FOUND"
    for query in (ONE, WHOLE, OWN, PROBLEMS):
        found, none = [await stranger.answer(query, id=each) for each in (planned["id"], missing)]
        assert found == none
    foreign = await stranger.refused(PLAN, **firm.wish("FLEXIBLE"))
    assert (foreign["code"], foreign["field"]) == ("NOT_FOUND", ["input", "pool"])
    assert (await firm.owner.data(ONE, id=planned["id"]))["allocation"]["state"] == "PLANNED"
