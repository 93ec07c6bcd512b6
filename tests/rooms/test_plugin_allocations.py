"""Large allocations by a plugin's method: a job asks the plugin, twice, and keeps why it failed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from threading import Event as Signal
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import pytest

from saas.customers import CustomerHooks, Method, Participant, PluginMethods, plan_allocation
from saas.customers.actions.wishes import AllocationWish
from saas.customers.events import PLAN_AWAITED
from saas.customers.jobs import AllocationJobs
from saas.events import Event
from saas.extensions import PluginFailed, PluginHost, PluginNotEnabled, enable_plugin, enabled_plugins
from saas.kernel import new_id
from saas.sdk import AllocationAnswer, AllocationFacts, AllocationPlace, Manifest, PluginSettings, hookimpl
from tenants import DatabaseRole
from tests.payroll_stage import KeptSealer
from tests.plugins.test_allocation_hook import answering, asked
from tests.rooms.allocation_stage import CUSTOMERS, STATE, employee, give, picks, pooled, problems, staff, without
from tests.staging import ZONE, Company, refused

pytestmark = pytest.mark.usefixtures("three_at_once")
Answer = Callable[[AllocationFacts], AllocationAnswer | None]


class _Settings(PluginSettings):
    """None."""


def host_of(answer: Answer) -> PluginHost:
    """An installation with one plugin that answers so."""

    @hookimpl
    def allocation_method(facts: AllocationFacts) -> Any:
        return answer(facts)

    manifest = Manifest(
        name="sample",
        version="1.2.3",
        api="1.x",
        title={"en": "Sample", "zh-CN": "示例"},
        package="plugins.realty",
        settings=_Settings,
    )
    object.__setattr__(manifest, "locales", {"en": {}, "zh-CN": {}})
    return PluginHost(
        [CustomerHooks], {"sample": SimpleNamespace(manifest=manifest, allocation_method=allocation_method)}
    )


def in_turn(facts: AllocationFacts) -> AllocationAnswer | None:
    """The method “turns”: one after the other, by lot."""
    if facts.method != "turns":
        return None
    people = sorted(facts.people, key=lambda each: each.lot)
    everybody = frozenset(each.employee_id for each in people)
    return AllocationAnswer(
        tuple(
            AllocationPlace(each.place, people[at % len(people)].employee_id, everybody, "sample.explained.x")
            for at, each in enumerate(facts.customers)
        )
    )


async def wanted(company: Company, host: PluginHost, *, method: str = "turns", plugin: str = "sample") -> UUID:
    """A plan of seven customers that no job has made yet."""
    async with company.database.transaction(company.tenant_id, role=DatabaseRole.PLATFORM):
        await enable_plugin(
            company.founder,
            host=host,
            plugin="sample",
            settings={},
            reason="试用",
            expected_version=0,
            clock=company.clock,
        )
    people, _ = await staff(company, 3), await pooled(company, CUSTOMERS)
    wish = AllocationWish(
        company.pool_id, Method.PLUGIN, [Participant(employee(each)) for each in people], plugin=(plugin, method)
    )

    async def planning() -> UUID:
        plugins = PluginMethods(host, await enabled_plugins(host, on=date(2026, 11, 23)))
        return await plan_allocation(
            company.founder, wish, keyring=company.keyring, time_zone=ZONE, clock=company.clock, plugins=plugins
        )

    return await company.within(planning)


async def dealt(company: Company, host: PluginHost, allocation_id: UUID) -> None:
    """The worker's part."""
    jobs = AllocationJobs(KeptSealer(company), company.clock, host)  # type: ignore[arg-type]
    payload = {"allocation_id": str(allocation_id)}
    event = Event(new_id(), company.tenant_id, PLAN_AWAITED, payload, company.clock.now(), 1)
    await company.within(lambda: jobs.deal(event))


async def test_a_job_deals_by_the_plugin_and_gives_what_it_answered(company: Company) -> None:
    sizes: list[int] = []

    def answer(facts: AllocationFacts) -> AllocationAnswer | None:
        sizes.append(len(facts.customers))
        return in_turn(facts)

    host = host_of(answer)
    allocation_id = await wanted(company, host)
    assert (await company.value(STATE, allocation_id), sizes) == ("planning", [])
    await dealt(company, host, allocation_id)
    assert (await company.value(STATE, allocation_id), sizes) == ("planned", [CUSTOMERS, CUSTOMERS])
    shown = await picks(company, allocation_id)
    people = [person for _, person, _ in shown]
    assert people == (people[:3] * 3)[:CUSTOMERS]
    assert len(set(people)) == 3
    await company.run("UPDATE pool_allocation SET customers = 3")  # the commit of few needs no job
    await give(company, allocation_id)
    assert await company.rows("SELECT state, given FROM pool_allocation") == [("committed", CUSTOMERS)]


def failing(facts: AllocationFacts) -> AllocationAnswer:
    raise ZeroDivisionError(f"of {len(facts.customers)}")


def leaving_out(facts: AllocationFacts) -> AllocationAnswer | None:
    answer = in_turn(facts)
    return None if answer is None else replace(answer, places=answer.places[1:])


@pytest.mark.parametrize(
    ("answer", "method", "key", "fact"),
    [
        (failing, "turns", "extensions.plugin_failed", "of 7"),
        (leaving_out, "turns", "extensions.plugin_failed", "answered 6 places for 7 customers"),
        (in_turn, "lots", "customers.plugin_method_unknown", "lots"),
    ],
)
async def test_a_plugin_that_fails_in_the_job_fails_the_plan_and_says_why(
    company: Company, answer: Answer, method: str, key: str, fact: str
) -> None:
    host = host_of(answer)
    allocation_id = await wanted(company, host, method=method)
    before = without(await company.everything(), "pool_allocation", "audit_entry")
    await dealt(company, host, allocation_id)
    assert await company.value(STATE, allocation_id) == "failed"
    (problem,) = await problems(company, allocation_id)
    assert (problem.key, fact in str(problem.values)) == (key, True)
    assert without(await company.everything(), "pool_allocation", "audit_entry") == before


async def test_a_plugin_that_is_not_enabled_is_refused_at_once(company: Company) -> None:
    with pytest.raises(PluginNotEnabled):
        await wanted(company, host_of(in_turn), plugin="pharma")
    assert await company.rows("SELECT id FROM pool_allocation") == []


async def test_a_plugin_that_takes_too_long_is_waited_for_no_longer() -> None:
    ended = Signal()

    def slow(facts: AllocationFacts) -> AllocationAnswer | None:
        ended.wait(timeout=60)
        return None

    methods, roster = replace(answering(slow), longest=timedelta(milliseconds=20)), asked("110101")
    try:
        refusal = await refused(methods.answered_in_time(roster, ("sample", "x")))
    finally:
        ended.set()
    assert isinstance(refusal, PluginFailed)
    assert refusal.values["fact"] == "took longer than 0.02 seconds"
