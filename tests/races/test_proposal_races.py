"""Proposed changes of a pool decided at once: one outcome, one record of it, one version of the settings."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Coroutine
from typing import Any
from uuid import UUID

from saas.customers.errors import RequestAwaited, RequestClosed
from saas.kernel import Actor
from tests.rooms.test_pool_proposals import ON, TIGHT, configure, decide, propose, withdraw
from tests.staging import Company

CROWD = 20
RECORDS = "SELECT action, count(*) FROM audit_entry WHERE action ~ '^pool_proposal' GROUP BY action ORDER BY action"


async def at_once(*attempts: Coroutine[Any, Any, object]) -> Counter[type]:
    return Counter(type(each) for each in await asyncio.gather(*attempts, return_exceptions=True))


async def people(company: Company) -> list[Actor]:
    return [await company.hire(f"{number:04}") for number in range(2, 2 + CROWD)]


async def test_l28_of_twenty_approvers_one_approves(company: Company) -> None:
    crowd = await people(company)
    proposal_id = await propose(company, company.founder, ON | TIGHT, version=1)
    outcomes = await at_once(*(decide(company, each, proposal_id, version=1) for each in crowd))
    assert outcomes == {UUID: 1, RequestClosed: CROWD - 1}
    assert await company.rows("SELECT settings_version, version FROM customer_pool") == [(2, 2)]
    assert await company.rows("SELECT count(*) FROM pool_setting") == [(2,)]
    assert await company.rows(RECORDS) == [("pool_proposal.approved", 1), ("pool_proposal.proposed", 1)]


async def test_l28_approvals_refusals_and_the_way_back_at_once_have_one_outcome(company: Company) -> None:
    crowd = await people(company)
    proposal_id = await propose(company, company.founder, ON, version=1)
    outcomes = await at_once(
        *(decide(company, each, proposal_id, version=1) for each in crowd[:8]),
        *(withdraw(company, company.founder, proposal_id) for _ in range(4)),
        *(decide(company, each, proposal_id, version=1, is_approved=False) for each in crowd[8:16]),
    )
    assert outcomes == {UUID: 1, RequestClosed: CROWD - 1}
    state = await company.value("SELECT state FROM pool_proposal")
    assert await company.rows(RECORDS) == [
        *sorted([(f"pool_proposal.{state}", 1), ("pool_proposal.proposed", 1)]),
    ]
    assert await company.rows("SELECT settings_version FROM customer_pool") == [(2 if state == "approved" else 1,)]


async def test_of_twenty_proposals_of_one_person_one_waits(company: Company) -> None:
    outcomes = await at_once(*(propose(company, company.founder, ON, version=1) for _ in range(CROWD)))
    assert outcomes == {UUID: 1, RequestAwaited: CROWD - 1}
    assert await company.rows("SELECT state, count(*) FROM pool_proposal GROUP BY state") == [("proposed", 1)]


async def test_an_approval_and_other_changes_at_once_make_one_version(company: Company) -> None:
    """Whichever is first, the others find a pool that they have not read, or a proposal that is closed."""
    crowd = await people(company)
    proposal_id = await propose(company, company.founder, ON, version=1)
    await at_once(
        *(decide(company, each, proposal_id, version=1) for each in crowd[:10]),
        *(configure(company, {"claim_limit": 3}, version=1) for _ in range(10)),
    )
    state = await company.value("SELECT state FROM pool_proposal")
    assert state in ("approved", "lapsed")
    pools = await company.rows("SELECT settings_version, version, claim_limit FROM customer_pool")
    assert pools == [(2, 2, 10 if state == "approved" else 3)]
