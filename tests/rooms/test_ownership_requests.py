"""Claims and assignments that a second person decides about (P49): who asks, who decides, and what nothing changes."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable
from dataclasses import replace
from datetime import date, timedelta
from functools import partial
from uuid import UUID

import pytest_asyncio

from saas.access import AccessTable, PermissionMissing
from saas.customers import ClaimFacts, ClaimGuard, OwnershipRequests, assign_customer
from saas.customers.errors import (
    ApprovalNeeded,
    ApprovalNotNeeded,
    AssigneeNotOnStaff,
    ClaimLimitReached,
    CooldownRunning,
    CustomerAlreadyOwned,
    CustomerNotFound,
    HoldingLimitReached,
    NotTheRequester,
    OwnRequest,
    RequestAwaited,
    RequestClosed,
    RequestNotFound,
    WayClosed,
)
from saas.kernel import Actor, AppError, BadUserInput, RuleRefused, new_id
from tests.staging import ALL, ZONE, Company, agreeing, refused

TODAY = date(2026, 11, 23)
REP = AccessTable("rep", scopes={"Customer": frozenset({"self", "pool"}), "OwnershipRequest": frozenset({"self"})})
BOSS = replace(ALL, scopes={**ALL.scopes, "OwnershipRequest": frozenset({"all"})})
LEADER = replace(BOSS, scopes={"Customer": frozenset({"self", "pool"}), "OwnershipRequest": frozenset({"department"})})
REQUESTS = "SELECT kind, state, employee_id, reason, decision_reason FROM ownership_request ORDER BY id"
OWNERS = "SELECT owner_id, start_kind, operator_id FROM ownership ORDER BY id"
LEDGER = "SELECT kind, employee_id, operator_id, reason FROM pool_event ORDER BY id"
TRAIL = """
SELECT action, account_id, employee_id FROM audit_entry
WHERE action LIKE 'ownership_request.%' OR action IN ('customer.claimed', 'customer.assigned') ORDER BY id
"""
CLAIMS = "SELECT employee_id, claims FROM claim_count"


@pytest_asyncio.fixture(loop_scope="session")
async def rep(company: Company) -> Actor:
    await company.configure(claims_need_approval=True, assignments_need_approval=True)
    return await company.hire("0002")


def of(company: Company, actor: Actor, access: AccessTable, guard: ClaimGuard = agreeing) -> OwnershipRequests:
    return OwnershipRequests(actor, access, guard, ZONE, company.clock)


async def ask(
    company: Company, actor: Actor, customer_id: UUID, *, to: Actor | None = None, access: AccessTable | None = None
) -> UUID:
    requests = of(company, actor, access or (REP if to is None else BOSS))
    wanted = partial(
        requests.ask, customer_id=customer_id, employee_id=None if to is None else to.employee_id, reason="老同学"
    )
    return await company.within(wanted)


async def decide(
    company: Company,
    actor: Actor,
    request_id: UUID,
    *,
    is_granted: bool = True,
    access: AccessTable = BOSS,
    guard: ClaimGuard = agreeing,
) -> UUID:
    requests = of(company, actor, access, guard)
    return await company.within(partial(requests.decide, request_id=request_id, is_granted=is_granted, reason="已核实"))


async def withdraw(company: Company, actor: Actor, request_id: UUID) -> UUID:
    requests = of(company, actor, BOSS)
    return await company.within(partial(requests.withdraw, request_id=request_id, reason="不需要了"))


async def assign(company: Company, actor: Actor, to: Actor, customer_id: UUID) -> UUID:
    assert to.employee_id is not None
    give = partial(assign_customer, actor, customer_id=customer_id, employee_id=to.employee_id, reason="试用")
    return await company.within(partial(give, access=ALL, time_zone=ZONE, clock=company.clock))


async def kept(company: Company, attempt: Awaitable[object], kind: type[AppError]) -> AppError:
    """The refusal of an attempt that changes nothing."""
    before = await company.everything()
    refusal = await refused(attempt)
    assert type(refusal) is kind
    assert await company.everything() == before
    return refusal


async def test_a_claim_is_refused_and_says_that_it_is_asked_for(company: Company, rep: Actor) -> None:
    customer_id = await company.enter("晨光")
    refusal = await kept(company, company.claim(rep, customer_id), ApprovalNeeded)
    assert (refusal.key, refusal.values) == ("customers.claim_needs_approval", {"pool": "公海"})
    assert refusal.field == ("input", "customer")


async def test_whom_the_pool_lets_claim_freely_claims_and_has_nothing_to_ask_for(company: Company, rep: Actor) -> None:
    one, two = await company.enter("甲"), await company.enter("乙")
    await kept(company, company.claim(company.founder, one, access=BOSS), ApprovalNeeded)
    await company.configure(2, admins_claim_freely=True)
    await company.claim(company.founder, one, access=BOSS)
    await kept(company, ask(company, company.founder, two, access=BOSS), ApprovalNotNeeded)
    await kept(company, company.claim(rep, two), ApprovalNeeded)
    owners = await company.rows("SELECT name, owner_id FROM customer ORDER BY name_key")
    assert owners == [("甲", company.founder.employee_id), ("乙", None)]
    assert await company.rows(REQUESTS) == []


async def test_an_assignment_waits_for_a_second_person_too(company: Company, rep: Actor) -> None:
    customer_id = await company.enter("晨光")
    refusal = await kept(company, assign(company, company.founder, rep, customer_id), ApprovalNeeded)
    assert refusal.key == "customers.assignment_needs_approval"


async def test_assigning_to_oneself_is_no_way_round_the_approval_of_claims(company: Company, rep: Actor) -> None:
    customer_id = await company.enter("晨光")
    await company.configure(2, assignments_need_approval=False)
    await kept(company, assign(company, company.founder, company.founder, customer_id), ApprovalNeeded)
    request_id = await ask(company, company.founder, customer_id, to=company.founder)
    assert await company.value("SELECT kind FROM ownership_request WHERE id = $1", request_id) == "claim"
    await company.configure(3, admins_claim_freely=True)
    await assign(company, company.founder, company.founder, customer_id)


async def test_where_nothing_is_decided_nothing_is_asked_for(company: Company) -> None:
    rep, customer_id = await company.hire("0002"), await company.enter("晨光")
    mine = await kept(company, ask(company, rep, customer_id), ApprovalNotNeeded)
    other = await kept(company, ask(company, company.founder, customer_id, to=rep), ApprovalNotNeeded)
    assert [mine.key, other.key] == [
        "customers.claim_approval_not_needed",
        "customers.assignment_approval_not_needed",
    ]
    await company.claim(rep, customer_id)


async def test_asking_takes_and_counts_nothing(company: Company, rep: Actor) -> None:
    other, customer_id = await company.hire("0003"), await company.enter("晨光")
    before = await company.rows("SELECT c::text FROM customer c")
    await ask(company, rep, customer_id)
    await ask(company, other, customer_id)
    assert await company.rows(REQUESTS) == [
        ("claim", "requested", rep.employee_id, "老同学", None),
        ("claim", "requested", other.employee_id, "老同学", None),
    ]
    assert await company.rows("SELECT c::text FROM customer c") == before
    assert await company.rows(OWNERS) == await company.rows(LEDGER) == await company.rows(CLAIMS) == []
    await kept(company, ask(company, rep, customer_id), RequestAwaited)
    await kept(company, ask(company, company.founder, customer_id, to=rep), RequestAwaited)


async def test_a_granted_claim_is_the_asker_s_and_names_who_decided(company: Company, rep: Actor) -> None:
    customer_id, boss = await company.enter("晨光"), company.founder
    await decide(company, boss, await ask(company, rep, customer_id))
    assert await company.rows(REQUESTS) == [("claim", "granted", rep.employee_id, "老同学", "已核实")]
    assert await company.rows(OWNERS) == [(rep.employee_id, "claim", boss.account_id)]
    assert await company.rows(LEDGER) == [("claimed", rep.employee_id, boss.account_id, None)]
    assert await company.rows(CLAIMS) == [(rep.employee_id, 1)]
    assert await company.value("SELECT due_on FROM customer") == TODAY + timedelta(days=31)
    assert await company.rows(TRAIL) == [
        ("ownership_request.requested", rep.account_id, rep.employee_id),
        ("customer.claimed", boss.account_id, boss.employee_id),
        ("ownership_request.granted", boss.account_id, boss.employee_id),
    ]


async def test_a_granted_assignment_counts_as_nobody_s_claim(company: Company, rep: Actor) -> None:
    leader, customer_id = await company.hire("0003"), await company.enter("晨光")
    request_id = await ask(company, leader, customer_id, to=rep)
    await decide(company, company.founder, request_id)
    assert await company.rows(REQUESTS) == [("assign", "granted", rep.employee_id, "老同学", "已核实")]
    assert await company.rows(OWNERS) == [(rep.employee_id, "assign", company.founder.account_id)]
    assert await company.rows(LEDGER) == [("assigned", rep.employee_id, company.founder.account_id, "老同学")]
    assert await company.rows(CLAIMS) == []


async def test_two_people_decide_whoever_asked_and_whoever_would_own_it_do_not(company: Company, rep: Actor) -> None:
    one, two = await company.enter("甲"), await company.enter("乙")
    mine = await ask(company, rep, one)
    given = await ask(company, company.founder, two, to=rep)
    other_account = replace(company.founder, account_id=new_id())
    for actor, request_id in (
        (rep, mine),
        (replace(rep, account_id=new_id()), mine),
        (company.founder, given),
        (other_account, given),
        (rep, given),
    ):
        refusal = await kept(company, decide(company, actor, request_id), OwnRequest)
        assert refusal.field == ("input", "request")
        await kept(company, decide(company, actor, request_id, is_granted=False), OwnRequest)
    await decide(company, company.founder, mine)
    await decide(company, await company.hire("0004"), given)


async def test_a_refused_request_gives_nothing_and_may_be_made_again(company: Company, rep: Actor) -> None:
    customer_id = await company.enter("晨光")
    request_id = await ask(company, rep, customer_id)
    await decide(company, company.founder, request_id, is_granted=False)
    assert await company.rows(OWNERS) == await company.rows(CLAIMS) == []
    await kept(company, decide(company, company.founder, request_id), RequestClosed)
    await kept(company, withdraw(company, rep, request_id), RequestClosed)
    await ask(company, rep, customer_id)
    assert [row[1] for row in await company.rows(REQUESTS)] == ["refused", "requested"]


async def test_only_who_asked_takes_it_back(company: Company, rep: Actor) -> None:
    customer_id = await company.enter("晨光")
    request_id = await ask(company, rep, customer_id)
    await kept(company, withdraw(company, company.founder, request_id), NotTheRequester)
    await withdraw(company, rep, request_id)
    assert await company.rows(REQUESTS) == [("claim", "withdrawn", rep.employee_id, "老同学", "不需要了")]
    await kept(company, decide(company, company.founder, request_id), RequestClosed)
    assert [row[0] for row in await company.rows(TRAIL)][1:] == ["ownership_request.withdrawn"]


async def test_the_other_requests_for_the_customer_lapse(company: Company, rep: Actor) -> None:
    other, third = await company.hire("0003"), await company.hire("0004")
    customer_id, elsewhere = await company.enter("晨光"), await company.enter("远山")
    for person in (other, third):
        await ask(company, person, customer_id)
    request_id = await ask(company, rep, customer_id)
    await ask(company, other, elsewhere)
    await decide(company, company.founder, request_id)
    assert [row[1] for row in await company.rows(REQUESTS)] == ["lapsed", "lapsed", "granted", "requested"]
    assert [row[0] for row in await company.rows(TRAIL)].count("ownership_request.lapsed") == 2


async def test_a_customer_that_is_taken_meanwhile_can_not_be_granted(company: Company, rep: Actor) -> None:
    other, customer_id = await company.hire("0003"), await company.enter("晨光")
    request_id = await ask(company, rep, customer_id)
    given = await ask(company, company.founder, customer_id, to=await company.hire("0004"))
    await company.configure(2, claims_need_approval=False)
    await company.claim(other, customer_id)
    await kept(company, decide(company, company.founder, request_id), CustomerAlreadyOwned)
    await kept(company, decide(company, rep, given), CustomerAlreadyOwned)
    await decide(company, company.founder, request_id, is_granted=False)
    assert [row[1] for row in await company.rows(REQUESTS)] == ["refused", "requested"]


async def test_asking_is_refused_as_claiming_and_assigning_are(company: Company, rep: Actor) -> None:
    one, two, owned = await company.enter("甲"), await company.enter("乙"), await company.enter("丙", keeper=rep)
    other = await company.hire("0003")
    await kept(company, ask(company, other, owned, access=BOSS), CustomerAlreadyOwned)
    await kept(company, ask(company, rep, one, access=AccessTable("blind")), CustomerNotFound)
    await kept(company, ask(company, rep, one, to=other, access=REP), PermissionMissing)
    nobody = replace(rep, employee_id=new_id())
    await kept(company, ask(company, company.founder, one, to=nobody), AssigneeNotOnStaff)
    await company.configure(2, holding_limit=1)
    await kept(company, ask(company, rep, one), HoldingLimitReached)
    await kept(company, ask(company, company.founder, one, to=rep), HoldingLimitReached)
    await company.configure(3, holding_limit=200, claim_limit=0)
    await kept(company, ask(company, rep, two), ClaimLimitReached)
    await company.configure(4, allows_claims=False, allows_assignments=False)
    await kept(company, ask(company, rep, two), WayClosed)
    await kept(company, ask(company, company.founder, two, to=rep), WayClosed)
    requests = of(company, rep, REP)
    await kept(
        company,
        company.within(partial(requests.ask, customer_id=one, employee_id=None, reason=" ")),
        BadUserInput,
    )
    assert await company.rows(REQUESTS) == []


async def test_granting_is_refused_by_the_rules_of_that_moment(company: Company, rep: Actor) -> None:
    """The decider's own rights pass none of the claimant's rules."""
    await company.configure(2, claim_limit=1, admins_claim_freely=True)
    first, second, back = [await company.enter(name) for name in "甲乙丙"]
    asked = [await ask(company, rep, each) for each in (first, second, back)]
    await decide(company, company.founder, asked[0])
    refusal = await kept(company, decide(company, company.founder, asked[1]), ClaimLimitReached)
    assert refusal.values == {"pool": "公海", "limit": 1, "free_from": "2026-11-24"}
    await company.release(rep, first)
    company.clock.advance(timedelta(days=1))
    await kept(company, ask(company, rep, first), CooldownRunning)
    await decide(company, company.founder, asked[1])

    def never(facts: ClaimFacts) -> None:
        assert facts.claimant_id == rep.employee_id
        raise RuleRefused("plugin.no", {})

    company.clock.advance(timedelta(days=1))
    await kept(company, decide(company, company.founder, asked[2], guard=never), RuleRefused)
    await company.run("UPDATE employee SET status = 'separated' WHERE id = $1", rep.employee_id)
    assert type(await refused(decide(company, company.founder, asked[2]))).__name__ == "ClaimantNotOnStaff"
    assert [row[1] for row in await company.rows(REQUESTS)] == ["granted", "granted", "requested"]


async def test_of_twenty_who_decide_at_once_one_does(company: Company, rep: Actor) -> None:
    customer_id = await company.enter("晨光")
    request_id = await ask(company, rep, customer_id)
    crowd = [replace(company.founder, account_id=new_id(), employee_id=None) for _ in range(20)]
    outcomes = await asyncio.gather(
        *(decide(company, boss, request_id, is_granted=at % 4 > 0) for at, boss in enumerate(crowd)),
        return_exceptions=True,
    )
    assert Counter(type(each) for each in outcomes) == {UUID: 1, RequestClosed: 19}
    ((state, by),) = await company.rows("SELECT state, decided_by FROM ownership_request")
    winner = [isinstance(each, UUID) for each in outcomes].index(True)
    assert by == crowd[winner].account_id
    assert len(await company.rows(OWNERS)) == (state == "granted")


async def test_of_twenty_requests_granted_at_once_one_gets_the_customer(company: Company) -> None:
    await company.configure(claims_need_approval=True)
    customer_id = await company.enter("晨光")
    people = [await company.hire(f"{number:04}") for number in range(2, 22)]
    asked = [await ask(company, each, customer_id) for each in people]
    outcomes = await asyncio.gather(*(decide(company, company.founder, each) for each in asked), return_exceptions=True)
    kinds = Counter(type(each) for each in outcomes)
    assert kinds[UUID] == 1
    assert kinds[CustomerAlreadyOwned] + kinds[RequestClosed] == 19
    winner = people[[isinstance(each, UUID) for each in outcomes].index(True)]
    assert await company.rows("SELECT owner_id, version FROM customer") == [(winner.employee_id, 2)]
    assert await company.rows(CLAIMS) == [(winner.employee_id, 1)]
    states = Counter(row[1] for row in await company.rows(REQUESTS))
    assert states == {"granted": 1, "lapsed": 19}


async def test_of_twenty_times_asked_at_once_one_request_is_there(company: Company, rep: Actor) -> None:
    customer_id = await company.enter("晨光")
    outcomes = await asyncio.gather(*(ask(company, rep, customer_id) for _ in range(20)), return_exceptions=True)
    assert Counter(type(each) for each in outcomes) == {UUID: 1, RequestAwaited: 19}
    assert len(await company.rows(REQUESTS)) == 1


async def test_a_request_is_nothing_to_who_may_not_see_it(company: Company, other_company: Company, rep: Actor) -> None:
    other, customer_id = await company.hire("0003"), await company.enter("晨光")
    request_id = await ask(company, rep, customer_id)
    await kept(company, decide(company, other, request_id, access=REP), RequestNotFound)
    await kept(company, decide(company, company.founder, new_id()), RequestNotFound)
    assert type(await refused(decide(other_company, other_company.founder, request_id))) is RequestNotFound
    await decide(company, other, request_id, access=LEADER)
    assert await company.rows(OWNERS) == [(rep.employee_id, "claim", other.account_id)]
