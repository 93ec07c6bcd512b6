"""Changes that can take customers sooner, decided by a second person (P49, L28): who, when, and no way round."""

from __future__ import annotations

import json
from collections.abc import Awaitable
from dataclasses import replace
from datetime import date, timedelta
from functools import partial
from typing import Any
from uuid import UUID

import pytest
import pytest_asyncio

from saas.customers import (
    PoolChange,
    PoolProposals,
    close_pool,
    configure_pool,
    create_pool,
    dry_run_proposal,
    move_customers,
)
from saas.customers.errors import (
    ApprovalNeeded,
    ApprovalNotNeeded,
    NotTheRequester,
    OwnRequest,
    PoolChanged,
    PoolNotFound,
    PoolRuleOutOfRange,
    RequestAwaited,
    RequestClosed,
    RequestNotFound,
    SettingsScheduled,
)
from saas.kernel import Actor, AppError, AppErrors, BadUserInput, local_date, new_id
from saas.sales import find_activity
from tests.staging import ZONE, Company, refused

TODAY = date(2026, 11, 23)
PROPOSALS = "SELECT state, proposer_id, decider_id, approved_version, decision_reason FROM pool_proposal ORDER BY id"
POOL = "SELECT settings_version, version, settings ->> 'recycle_follow_up_days' FROM customer_pool WHERE is_default"
ON = {"tightening_needs_approval": True}
TIGHT = {"recycle_follow_up_days": 10}


def of(company: Company, actor: Actor) -> PoolProposals:
    return PoolProposals(actor, ZONE, company.clock)


async def propose(
    company: Company,
    actor: Actor,
    settings: dict[str, Any],
    *,
    version: int = 2,
    pool_id: UUID | None = None,
    valid_from: date | None = None,
    reason: str = "清理沉默客户",
) -> UUID:
    change = PoolChange(settings, valid_from=valid_from)
    wanted = partial(of(company, actor).propose, pool_id=pool_id or company.pool_id, change=change, reason=reason)
    return await company.within(partial(wanted, expected_version=version))


async def decide(
    company: Company, actor: Actor, proposal_id: UUID, *, version: int = 2, is_approved: bool = True
) -> UUID:
    given = partial(of(company, actor).decide, proposal_id=proposal_id, is_approved=is_approved, reason="已核实")
    return await company.within(partial(given, expected_version=version))


async def withdraw(company: Company, actor: Actor, proposal_id: UUID) -> UUID:
    return await company.within(partial(of(company, actor).withdraw, proposal_id=proposal_id, reason="另行研究"))


async def configure(
    company: Company, settings: dict[str, Any], *, version: int = 2, pool_id: UUID | None = None
) -> None:
    change = partial(configure_pool, company.founder, pool_id=pool_id or company.pool_id, change=PoolChange(settings))
    await company.within(
        partial(change, expected_version=version, activity=find_activity, time_zone=ZONE, clock=company.clock)
    )


async def kept(company: Company, attempt: Awaitable[object], kind: type[AppError]) -> AppError:
    """The refusal of an attempt that changes nothing."""
    before = await company.everything()
    refusal = await refused(attempt)
    assert type(refusal) is kind
    assert await company.everything() == before
    return refusal


@pytest_asyncio.fixture(loop_scope="session")
async def partner(company: Company) -> Actor:
    """Who configures beside the founder, in a company where both have agreed that two decide."""
    partner = await company.hire("0002", name="韩梅")
    await decide(company, partner, await propose(company, company.founder, ON, version=1), version=1)
    return partner


async def test_l28_a_tightening_is_refused_and_says_how_many_lose_what(company: Company, partner: Actor) -> None:
    rep = await company.hire("0003")
    await company.run("UPDATE customer_pool SET settings = settings || '{\"reminder_days\": []}'")
    for name in ("甲", "乙"):
        await company.enter(name, keeper=rep)
    company.clock.advance(timedelta(days=9))
    refusal = await kept(company, configure(company, TIGHT | {"protection_days": 1}), ApprovalNeeded)
    assert (refusal.key, refusal.field) == ("customers.tightening_takes", ("protectionDays",))
    assert refusal.values == {
        "pool": "公海",
        "options": "protectionDays, recycleFollowUpDays",
        "on": (TODAY + timedelta(days=16)).isoformat(),
        "taken": 2,
        "people": 1,
    }
    await configure(company, {"recycle_follow_up_days": 60, "claim_limit": 1})
    assert await company.rows(POOL) == [(3, 3, "60")]


async def test_l28_where_more_are_owned_than_a_request_judges_it_is_refused_all_the_same(
    company: Company, partner: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("saas.customers.actions.dry_running.MOST", 0)
    await company.enter("甲", keeper=partner)
    refusal = await kept(company, configure(company, TIGHT), ApprovalNeeded)
    assert (refusal.key, refusal.values) == (
        "customers.tightening_needs_approval",
        {"pool": "公海", "options": "recycleFollowUpDays"},
    )


async def test_l28_two_people_decide_and_history_and_trail_name_both(company: Company, partner: Actor) -> None:
    proposal_id = await propose(company, company.founder, TIGHT)
    assert await company.rows(POOL) == [(2, 2, "30")]
    company.clock.advance(timedelta(days=5))
    await decide(company, partner, proposal_id)
    assert await company.rows(POOL) == [(3, 3, "10")]
    proposals = await company.rows(PROPOSALS)
    assert proposals[1] == ("approved", company.founder.employee_id, partner.employee_id, 3, "已核实")
    (history,) = await company.rows(
        "SELECT valid_from, created_by, proposal_id, settings ->> 'not_before' FROM pool_setting WHERE version = 3"
    )
    began = TODAY + timedelta(days=5)
    assert history == (began, partner.account_id, proposal_id, (began + timedelta(days=7)).isoformat())
    (entry,) = await company.rows(
        "SELECT account_id, changes::text FROM audit_entry WHERE action = 'customer_pool.configured' "
        "ORDER BY id DESC LIMIT 1"
    )
    told = json.loads(str(entry[1]))
    assert entry[0] == partner.account_id
    assert told["recycle_follow_up_days"] == [30, 10]
    assert told["proposed_by"] == [None, str(company.founder.account_id)]
    assert told["proposal"] == [None, str(proposal_id)]
    trail = await company.rows(
        "SELECT action, account_id FROM audit_entry WHERE action LIKE 'pool_proposal.%' ORDER BY id DESC LIMIT 2"
    )
    assert trail == [
        ("pool_proposal.approved", partner.account_id),
        ("pool_proposal.proposed", company.founder.account_id),
    ]


async def test_l28_who_proposed_does_not_decide_with_whichever_account(company: Company, partner: Actor) -> None:
    proposal_id = await propose(company, company.founder, TIGHT)
    second_account = replace(company.founder, account_id=new_id())
    no_person = replace(company.founder, employee_id=None)
    for actor in (company.founder, second_account, no_person):
        for is_approved in (True, False):
            refusal = await kept(company, decide(company, actor, proposal_id, is_approved=is_approved), OwnRequest)
            assert refusal.key == "customers.proposal_own"
    await kept(company, withdraw(company, partner, proposal_id), NotTheRequester)
    await withdraw(company, second_account, proposal_id)
    await kept(company, decide(company, partner, proposal_id), RequestClosed)
    assert (await company.rows(PROPOSALS))[1] == ("withdrawn", company.founder.employee_id, None, None, "另行研究")


async def test_a_founder_alone_configures_and_binds_nobody(company: Company) -> None:
    await configure(company, TIGHT, version=1)
    refusal = await kept(company, configure(company, ON), ApprovalNeeded)
    assert (refusal.key, refusal.field) == ("customers.approval_takes_two", ("tighteningNeedsApproval",))
    await kept(company, propose(company, company.founder, TIGHT | {"claim_limit": 3}), ApprovalNotNeeded)
    proposal_id = await propose(company, company.founder, ON)
    await kept(company, decide(company, company.founder, proposal_id), OwnRequest)
    await configure(company, {"recycle_follow_up_days": 5})
    assert (await company.rows(PROPOSALS))[0][0] == "lapsed"


@pytest.mark.parametrize(
    "settings",
    [
        {"tightening_needs_approval": False},
        {"tightening_needs_approval": False, "recycle_follow_up_days": 300},
        {"grace_days": 1},
        {"reminder_days": ()},
        {"recycle_follow_up_days": 29},
        {"recycle_follow_up_days": None, "recycle_opportunity_days": 300},
    ],
)
async def test_l28_neither_small_steps_nor_the_switch_nor_the_grace_first(
    company: Company, partner: Actor, settings: dict[str, Any]
) -> None:
    await kept(company, configure(company, settings), ApprovalNeeded)
    later = PoolChange(settings, valid_from=TODAY + timedelta(days=30))
    change = partial(configure_pool, company.founder, pool_id=company.pool_id, change=later, expected_version=2)
    await kept(company, company.within(partial(change, time_zone=ZONE, clock=company.clock)), ApprovalNeeded)


async def test_l28_raising_first_and_lowering_after_is_a_tightening(company: Company, partner: Actor) -> None:
    await configure(company, {"recycle_follow_up_days": 60})
    await kept(company, configure(company, {"recycle_follow_up_days": 30}, version=3), ApprovalNeeded)
    await configure(company, {"recycle_follow_up_days": None}, version=3)
    await kept(company, configure(company, {"recycle_follow_up_days": 3_650}, version=4), ApprovalNeeded)


async def test_l28_owned_customers_move_to_no_stricter_pool(company: Company, partner: Actor) -> None:
    other = await company.within(
        lambda: create_pool(company.founder, name="二号公海", time_zone=ZONE, clock=company.clock)
    )

    def move() -> Awaitable[int]:
        wanted = partial(move_customers, company.founder, from_pool_id=company.pool_id, to_pool_id=other)
        return company.within(partial(wanted, time_zone=ZONE, clock=company.clock))

    await company.enter("公海客户")
    assert await move() == 1
    await company.enter("甲", keeper=partner)
    refusal = await kept(company, move(), ApprovalNeeded)
    assert (refusal.key, refusal.values) == (
        "customers.move_needs_approval",
        {"pool": "公海", "target": "二号公海", "options": "tighteningNeedsApproval"},
    )
    both = ON | {"recycle_follow_up_days": 29}
    await decide(company, partner, await propose(company, company.founder, both, version=1, pool_id=other), version=1)
    refusal = await kept(company, move(), ApprovalNeeded)
    assert refusal.values["options"] == "recycleFollowUpDays"
    await configure(company, {"recycle_follow_up_days": 30}, pool_id=other)
    assert await move() == 1
    assert await company.rows("SELECT DISTINCT pool_id FROM customer") == [(other,)]


async def test_l28_a_stricter_version_that_is_decided_for_later_counts_for_a_move(
    company: Company, partner: Actor
) -> None:
    other = await company.within(
        lambda: create_pool(company.founder, name="二号公海", time_zone=ZONE, clock=company.clock)
    )
    for version, settings, day in ((1, ON, None), (2, TIGHT, TODAY + timedelta(days=3))):
        proposal_id = await propose(company, company.founder, settings, version=version, pool_id=other, valid_from=day)
        await decide(company, partner, proposal_id, version=version)
    await company.enter("甲", keeper=partner)
    wanted = partial(move_customers, company.founder, from_pool_id=company.pool_id, to_pool_id=other)
    attempt = company.within(partial(wanted, time_zone=ZONE, clock=company.clock))
    assert (await kept(company, attempt, ApprovalNeeded)).values["options"] == "recycleFollowUpDays"


async def test_what_moved_meanwhile_is_stale_and_what_changed_lapses(company: Company, partner: Actor) -> None:
    proposal_id = await propose(company, company.founder, TIGHT)
    rename = partial(configure_pool, company.founder, pool_id=company.pool_id, change=PoolChange(name="大公海"))
    await company.within(partial(rename, expected_version=2, time_zone=ZONE, clock=company.clock))
    await kept(company, decide(company, partner, proposal_id), PoolChanged)
    await decide(company, partner, proposal_id, version=3)
    second = await propose(company, company.founder, {"recycle_follow_up_days": 9}, version=4)
    third = await propose(company, partner, {"recycle_follow_up_days": 8}, version=4)
    await configure(company, {"claim_limit": 3}, version=4)
    for waiting, actor in ((second, partner), (third, company.founder)):
        refusal = await kept(company, decide(company, actor, waiting, version=5), RequestClosed)
        assert refusal.key == "customers.proposal_closed"
    states = [row[0] for row in await company.rows(PROPOSALS)]
    assert states == ["approved", "approved", "lapsed", "lapsed"]
    lapsed = await company.value("SELECT count(*) FROM audit_entry WHERE action = 'pool_proposal.lapsed'")
    assert lapsed == 2


async def test_one_proposal_of_a_person_waits_and_an_approval_ends_the_others(company: Company, partner: Actor) -> None:
    mine = await propose(company, company.founder, TIGHT)
    theirs = await propose(company, partner, {"recycle_follow_up_days": 20})
    await kept(company, propose(company, company.founder, {"recycle_follow_up_days": 9}), RequestAwaited)
    await decide(company, partner, mine)
    await kept(company, decide(company, company.founder, theirs, version=3), RequestClosed)
    assert [row[0] for row in await company.rows(PROPOSALS)] == ["approved", "approved", "lapsed"]
    refused_one = await propose(company, partner, {"recycle_follow_up_days": 5}, version=3)
    await decide(company, company.founder, refused_one, version=99, is_approved=False)
    assert (await company.rows(PROPOSALS))[3][0] == "refused"
    assert await company.rows(POOL) == [(3, 3, "10")]


async def test_the_settings_are_checked_when_they_are_proposed_and_again(company: Company, partner: Actor) -> None:
    for settings in ({"recycle_follow_up_days": 0}, TIGHT | {"protection_days": 20}):
        with pytest.raises(AppErrors):
            await propose(company, company.founder, settings)
    assert await company.value("SELECT count(*) FROM pool_proposal WHERE state = 'proposed'") == 0
    await kept(company, propose(company, company.founder, TIGHT, version=1), PoolChanged)
    await kept(company, propose(company, company.founder, TIGHT, reason=" "), BadUserInput)
    await kept(company, propose(company, company.founder, TIGHT, pool_id=new_id()), PoolNotFound)
    await kept(company, decide(company, partner, new_id()), RequestNotFound)
    extra = await company.within(
        lambda: create_pool(company.founder, name="二号公海", time_zone=ZONE, clock=company.clock)
    )
    target = {"recycle_target": "fixed", "recycle_pools": (extra,)}
    proposal_id = await propose(company, company.founder, TIGHT | target)
    close = partial(close_pool, company.founder, pool_id=extra, expected_version=1, clock=company.clock)
    await company.within(close)
    await kept(company, decide(company, partner, proposal_id), PoolRuleOutOfRange)
    later = await propose(company, partner, TIGHT, valid_from=TODAY + timedelta(days=10))
    await decide(company, company.founder, later)
    early = propose(company, company.founder, {"recycle_follow_up_days": 9}, version=3)
    await kept(company, early, SettingsScheduled)


async def test_a_closed_pool_has_no_proposals_that_wait(company: Company, partner: Actor) -> None:
    extra = await company.within(
        lambda: create_pool(company.founder, name="二号公海", time_zone=ZONE, clock=company.clock)
    )
    proposal_id = await propose(company, company.founder, ON, version=1, pool_id=extra)
    await company.within(partial(close_pool, company.founder, pool_id=extra, expected_version=1, clock=company.clock))
    await kept(company, decide(company, partner, proposal_id, version=2), RequestClosed)
    state = "SELECT state FROM pool_proposal WHERE id = $1"
    assert await company.value(state, proposal_id) == "lapsed"


async def test_a_proposal_shows_what_it_would_do(company: Company, partner: Actor) -> None:
    await company.run("UPDATE customer_pool SET settings = settings || '{\"reminder_days\": []}'")
    customer_id = await company.enter("甲", keeper=partner)
    proposal_id = await propose(company, company.founder, TIGHT)
    company.clock.advance(timedelta(days=6))
    tried = partial(dry_run_proposal, proposal_id, on=None, activity=find_activity, time_zone=ZONE)
    today = local_date(company.clock.now(), ZONE)
    before = await company.everything()
    found = await company.within(partial(tried, today=today))
    assert await company.everything() == before
    assert (found.on, [each.customer_id for each in found.taken]) == (today + timedelta(days=7), [customer_id])
    await decide(company, partner, proposal_id)
    assert type(await refused(company.within(partial(tried, today=today)))) is RequestClosed


async def test_another_company_has_no_such_proposal(company: Company, partner: Actor, other_company: Company) -> None:
    proposal_id = await propose(company, company.founder, TIGHT)
    stranger = other_company.founder
    for attempt in (
        decide(other_company, stranger, proposal_id),
        withdraw(other_company, stranger, proposal_id),
    ):
        await kept(company, attempt, RequestNotFound)
