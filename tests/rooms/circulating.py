"""Circulation for the tests of rooms, races and scenarios: short ways to decide policies, assess, appeal and move."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from saas.access import AccessTable
from saas.circulation import (
    AssessmentWish,
    PolicyChange,
    PolicyKind,
    UseMeasure,
    announce_assessment,
    ask_to_move,
    cancel_assessment,
    change_policy,
    create_assessment,
    decide_appeal,
    file_appeal,
)
from saas.circulation.actions.drafting import draft_assessment
from saas.circulation.jobs import AssessmentRun, DeclineReport, DeclineRun, MoveReport
from saas.kernel import Actor
from tests.staging import ALL, ZONE, Company

_TYPES = ("CirculationPolicy", "CustomerDecline", "Assessment", "AssessmentPerson", "AssessmentCustomer")
HR = replace(ALL, scopes={**ALL.scopes, **dict.fromkeys(_TYPES, frozenset({"all"}))})
OWN = AccessTable(
    "rep", scopes={name: frozenset({"self"}) for name in _TYPES} | {"Assessment": frozenset({"announced"})}
)
TEAM = AccessTable(
    "manager",
    scopes={name: frozenset({"self", "department"}) for name in _TYPES} | {"Assessment": frozenset({"announced"})},
)
FOLLOWED_ONLY = {
    UseMeasure.FOLLOWED_UP: 100,
    UseMeasure.DEALS: 0,
    UseMeasure.COLLECTIONS: 0,
    UseMeasure.OPPORTUNITIES: 0,
}
ASSESSING = {
    "is_enabled": True,
    "quota": 1,
    "reclaim_percent": 50,
    "cap": None,
    "newcomer_days": 0,
    "keeps_from_percent": 100,
}
"""Terms by which half of what is above one customer moves."""


async def decide(
    company: Company, kind: PolicyKind, *, version: int = 0, on: date | None = None, **wanted: Any
) -> UUID:
    """The next version of the pool's policy, by the founder."""
    change = PolicyChange(company.pool_id, kind, wanted, valid_from=on)
    return await company.within(
        lambda: change_policy(company.founder, change, expected_version=version, time_zone=ZONE, clock=company.clock)
    )


async def find_declines(company: Company) -> DeclineReport:
    """The nightly search, now."""
    return await DeclineRun(company.database, company.tenant_id, time_zone=ZONE, clock=company.clock).run()


async def ask(company: Company, *, day: date, receivers: Sequence[UUID] | None = None) -> UUID:
    """An assessment that no job has worked out yet."""
    wish = AssessmentWish(company.pool_id, day, receivers)
    return await company.within(lambda: create_assessment(company.founder, wish, time_zone=ZONE, clock=company.clock))


async def draft(company: Company, *, day: date, receivers: Sequence[UUID] | None = None) -> UUID:
    """A draft."""
    assessment_id = await ask(company, day=day, receivers=receivers)
    await work_out(company, assessment_id)
    return assessment_id


async def work_out(company: Company, assessment_id: UUID) -> None:
    """The job that makes a draft."""
    await company.within(lambda: draft_assessment(assessment_id, currency="CNY", time_zone=ZONE, clock=company.clock))


async def announce(company: Company, assessment_id: UUID, *, plan_hash: str | None = None) -> UUID:
    """With the draft's own hash where none is given."""
    shown = plan_hash or str(await company.value("SELECT plan_hash FROM assessment WHERE id = $1", assessment_id))
    return await company.within(
        lambda: announce_assessment(
            company.founder,
            assessment_id=assessment_id,
            plan_hash=shown,
            access=HR,
            time_zone=ZONE,
            clock=company.clock,
        )
    )


async def notify(company: Company) -> None:
    """As the worker would: every notice reaches its person."""
    await company.run("UPDATE assessment_person SET notified_at = $1", company.clock.now())


async def announced(company: Company, *, day: date, receivers: Sequence[UUID] | None = None) -> UUID:
    """Drafted, announced, and everybody notified."""
    assessment_id = await draft(company, day=day, receivers=receivers)
    await announce(company, assessment_id)
    await notify(company)
    return assessment_id


async def cancel(company: Company, assessment_id: UUID) -> UUID:
    return await company.within(
        lambda: cancel_assessment(
            company.founder, assessment_id=assessment_id, reason="暂缓", access=HR, clock=company.clock
        )
    )


async def appeal(company: Company, actor: Actor, line_id: UUID, *, access: AccessTable = OWN) -> UUID:
    return await company.within(
        lambda: file_appeal(
            actor, line_id=line_id, reason="正在谈续约", access=access, time_zone=ZONE, clock=company.clock
        )
    )


async def rule(company: Company, actor: Actor, line_id: UUID, *, is_granted: bool, access: AccessTable = HR) -> UUID:
    """Decide an appeal."""
    return await company.within(
        lambda: decide_appeal(
            actor, line_id=line_id, is_granted=is_granted, reason="已核实", access=access, clock=company.clock
        )
    )


async def ask_for_move(company: Company, assessment_id: UUID) -> UUID:
    return await company.within(
        lambda: ask_to_move(
            company.founder, assessment_id=assessment_id, access=HR, time_zone=ZONE, clock=company.clock
        )
    )


async def move(company: Company) -> MoveReport:
    """The job that carries out what is due."""
    run = AssessmentRun(
        company.database, company.tenant_id, keyring=company.keyring, time_zone=ZONE, clock=company.clock
    )
    return await run.run()


async def lines(company: Company, assessment_id: UUID) -> list[tuple[Any, ...]]:
    """Id, customer, person, state, in the order of persons and places."""
    return await company.rows(
        "SELECT id, customer_id, employee_id, state FROM assessment_customer WHERE assessment_id = $1"
        " ORDER BY employee_id, place",
        assessment_id,
    )


async def states(company: Company) -> list[str]:
    """The states of all customers of assessments, sorted."""
    return sorted(str(row[0]) for row in await company.rows("SELECT state FROM assessment_customer"))


async def veteran(company: Company, number: str, name: str) -> Actor:
    """Somebody hired long ago."""
    actor = await company.hire(number, name=name)
    await company.run("UPDATE employee SET hired_on = '2020-01-01' WHERE id = $1", actor.employee_id)
    return actor


def go_to(company: Company, day: date) -> None:
    """Let ten o'clock in Shanghai of a later day come."""
    at = datetime(day.year, day.month, day.day, 2, tzinfo=company.clock.now().tzinfo)
    assert at >= company.clock.now()
    company.clock.advance(at - company.clock.now())


def wait(company: Company, days: int) -> None:
    company.clock.advance(timedelta(days=days))
