"""What arrives in a pool is allocated by itself (P04): once for all that come, by the pool's method, or told of."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from saas.customers import (
    ARRIVALS_STUCK,
    ArrivalAlerts,
    PoolAllocationRule,
    WorkingHours,
    explain_allocation,
    move_customers,
    try_waiting_again,
)
from saas.customers.actions.arrivals import FindClaimants
from saas.customers.actions.pools import create_pool
from saas.identity import Recipient
from saas.jobs import MailFolder
from saas.kernel import Actor, AppErrors, Catalogue
from tests.rooms.allocation_stage import MANAGER, employee, problems, staff, without
from tests.rooms.arriving import ALLOCATIONS, Worker, automatic, only_members, owners
from tests.rooms.test_ownership_notices import told
from tests.rooms.test_recycling_job import DUE, mails_in
from tests.staging import ZONE, Company

ALERTS = "SELECT reason, customers FROM pool_alert ORDER BY alerted_at, reason"


async def enter_many(company: Company, count: int, prefix: str = "客户") -> list[UUID]:
    return [await company.enter(f"{prefix}{number}") for number in range(count)]


def claiming(*people: Actor) -> FindClaimants:
    """Only these have a role that claims."""

    async def claimants() -> list[UUID]:
        return [employee(each) for each in people]

    return claimants


async def ids_of_allocations(company: Company) -> list[UUID]:
    return [UUID(str(each)) for (each,) in await company.rows("SELECT id FROM pool_allocation ORDER BY created_at, id")]


async def test_a_pool_that_does_not_say_so_allocates_nothing(company: Company) -> None:
    await only_members(company, await staff(company, 2))
    await enter_many(company, 2)
    await Worker(company).gather()
    assert await company.rows(ALLOCATIONS) == []
    assert await company.rows("SELECT id FROM pool_arrival") == []


async def test_what_comes_in_a_burst_is_one_allocation_that_explains_itself(company: Company) -> None:
    one, two = await automatic(company)
    customers = await enter_many(company, 6)
    worker = Worker(company)
    await worker.work()
    assert await owners(company) == {}
    company.clock.advance(timedelta(seconds=5))
    await worker.work()
    assert await company.rows(ALLOCATIONS) == [("committed", "flexible", 6, 6, 0, 0)]
    got = list((await owners(company)).values())
    assert (got.count(one.employee_id), got.count(two.employee_id)) == (3, 3)
    assert await company.rows(
        "SELECT kind, operator_id, count(*) FROM pool_event WHERE allocation_id IS NOT NULL GROUP BY 1, 2"
    ) == [("allocated", None, 6)]
    assert await company.rows("SELECT DISTINCT account_id FROM audit_entry WHERE action = 'allocation.committed'") == [
        (UUID(int=0),)
    ]
    (allocation_id,) = await ids_of_allocations(company)
    why = await company.within(
        lambda: explain_allocation(
            one, allocation_id=allocation_id, customer_id=customers[0], employee_id=None, access=MANAGER
        )
    )
    assert why.key == "customers.allocated_flexible"
    before = await company.everything()
    await worker.gather()
    assert without(await company.everything(), "outbox") == without(before, "outbox")


@pytest.mark.usefixtures("three_at_once")
async def test_many_are_given_whole_and_a_killed_worker_leaves_nothing(company: Company) -> None:
    await automatic(company)
    await enter_many(company, 7)
    worker = Worker(company)
    await worker.work()
    company.clock.advance(timedelta(seconds=5))
    (message,) = await worker.due()
    await worker.deliver(message)
    (message,) = await worker.due()
    before = without(await company.everything(), "outbox")

    async def killed() -> list[UUID]:
        raise asyncio.CancelledError

    await Worker(company, killed).deliver(message)
    assert without(await company.everything(), "outbox") == before
    await worker.deliver((message[0], message[1], 1))
    assert await company.rows(ALLOCATIONS) == [("committed", "flexible", 7, 7, 0, 0)]


async def test_outside_all_working_hours_it_waits_for_the_next_begin(company: Company) -> None:
    """Neither told as if something were wrong nor left to the night, in which nobody works."""
    early, late = staffed = await automatic(company)
    hours = (
        WorkingHours((1, 2, 3, 4, 5), "09:00", "18:00", people=(employee(early),)),
        WorkingHours((1, 2, 3, 4, 5), "10:30", "20:00", people=(employee(late),)),
    )
    await company.configure(2, working_hours=hours)
    worker = Worker(company)
    company.clock.advance(timedelta(hours=10, minutes=30))  # Monday, 20:30
    await enter_many(company, 2)
    await worker.gather()
    assert await company.rows(ALLOCATIONS) == []
    assert await company.rows(ALERTS) == []
    company.clock.advance(timedelta(hours=12, minutes=29))
    await worker.gather()
    assert await company.rows(ALLOCATIONS) == []
    company.clock.advance(timedelta(minutes=1))
    await worker.work()
    assert await company.rows(ALLOCATIONS) == [("committed", "flexible", 2, 2, 0, 0)]
    assert set((await owners(company)).values()) == {early.employee_id}
    assert len(staffed) == 2


async def test_every_way_into_the_pool_is_an_arrival(company: Company) -> None:
    one, two = await automatic(company, cooldown_days=0)
    customer_id = await company.enter("甲", keeper=one)
    worker = Worker(company)
    await worker.gather()
    assert await company.rows(ALLOCATIONS) == []
    await company.release(one, customer_id)
    await worker.gather()
    assert await owners(company) == {
        customer_id: two.employee_id
    }  # not to whom it came from, though they waited longer
    await company.configure(2, recycle_follow_up_days=1, recycle_deal_days=None, protection_days=0, reminder_days=())
    company.clock.advance(DUE)
    assert (await company.recycle()).recycled == 1
    await worker.gather()
    assert await owners(company) == {customer_id: one.employee_id}
    other = await company.within(lambda: create_pool(company.founder, name="外地", time_zone=ZONE, clock=company.clock))
    await company.run("UPDATE customer SET pool_id = $1", other)
    await company.release(one, customer_id)
    await worker.gather()
    assert await owners(company) == {}
    company.clock.advance(timedelta(days=1))
    await company.within(
        lambda: move_customers(
            company.founder, from_pool_id=other, to_pool_id=company.pool_id, time_zone=ZONE, clock=company.clock
        )
    )
    await worker.gather()
    assert len(await owners(company)) == 1


async def test_what_waits_when_it_is_switched_on_is_allocated(company: Company) -> None:
    await enter_many(company, 2)
    await automatic(company)
    await Worker(company).gather()
    assert len(await owners(company)) == 2


async def test_only_members_with_a_role_that_claims_receive(company: Company) -> None:
    one, two = await automatic(company)
    outsider = (await staff(company, 1, first=50))[0]
    customer_id = await company.enter("甲")
    worker = Worker(company, claiming(two, outsider))
    await worker.gather()
    assert await owners(company) == {customer_id: two.employee_id}
    await company.run("UPDATE employee SET status = 'separated' WHERE id = $1", employee(two))
    await company.enter("乙")
    await worker.gather()
    assert await company.rows(ALERTS) == [("no_people", 1)]
    assert one.employee_id not in (await owners(company)).values()


@pytest.mark.parametrize("ways", [{}, {"allows_assignments": False}, {"allows_claims": False}])
async def test_any_mix_of_ways_allocates(company: Company, ways: dict[str, bool]) -> None:
    await automatic(company, **ways)
    await company.enter("甲")
    await Worker(company).gather()
    assert len(await owners(company)) == 1


async def test_the_fair_window_is_for_those_who_claim(company: Company) -> None:
    """What nobody claimed by its end is allocated then; where nobody may claim there is nothing to wait for."""
    one, _ = await automatic(company, fair_window_hours=2)
    claimed, left = await enter_many(company, 2)
    worker = Worker(company)
    await worker.gather()
    assert await owners(company) == {}
    for _ in range(3):
        await company.enter(f"后{_}")
        await worker.gather()
    asked = "SELECT count(*) FROM outbox WHERE topic = 'customers.arrivals_gathered' AND done_at IS NULL"
    assert await company.value(asked) == 1
    company.clock.advance(timedelta(hours=2))
    await company.claim(one, claimed)
    await worker.work()
    found = await owners(company)
    assert len(found) == 5
    assert found[claimed] == one.employee_id
    assert left in found
    await company.configure(2, allows_claims=False)
    await company.enter("新")
    await worker.gather()
    assert len(await owners(company)) == 6


async def test_what_nobody_could_have_stays_with_one_alert_a_day(company: Company, tmp_path: Path) -> None:
    (one,) = await automatic(company, 1, holding_limit=1)
    first, second = await enter_many(company, 2)
    worker = Worker(company)
    await worker.gather()
    assert await company.rows(ALLOCATIONS) == [("committed", "flexible", 2, 1, 0, 1)]
    assert await company.rows(ALERTS) == [("all_full", 1)]
    (allocation_id,) = await ids_of_allocations(company)
    (problem,) = await problems(company, allocation_id)
    assert (problem.key, problem.values) == ("customers.arrivals_all_full", {"pool": "公海", "customers": 1})
    await company.enter("丙")
    await worker.gather()
    assert [row[2:] for row in await company.rows(ALLOCATIONS)] == [(2, 1, 0, 1), (1, 0, 0, 1)]  # not 乙 once more
    assert await company.rows(ALERTS) == [("all_full", 1), ("no_candidate", 1)]
    await company.enter("丁")
    await worker.gather()
    assert len(await company.rows(ALERTS)) == 2
    await _mailed(company, tmp_path, "pool “公海” could not allocate 1 customers", "everybody had received as many")
    await company.set_rules(holding_limit=10)
    await company.enter("戊")
    await worker.gather()
    assert set(await owners(company)) >= {first, second}  # what waited is tried with the next arrival
    assert set((await owners(company)).values()) == {one.employee_id}
    assert len(await owners(company)) == 5


async def _mailed(company: Company, folder: Path, subject: str, reason: str) -> None:
    async def administrators(pool_id: UUID) -> list[Recipient]:
        assert pool_id == company.pool_id
        return [Recipient("boss@chenguang.cn", "韩梅梅", "en"), Recipient("hr@chenguang.cn", "李雷", "zh-CN")]

    alerts = ArrivalAlerts(MailFolder(folder), administrators, Catalogue.of(["saas.jobs", "saas.customers"]))
    event = (await told(company, ARRIVALS_STUCK))[0]
    for _ in range(2):
        await company.within(lambda: alerts.tell(event))
    english, chinese = sorted(mails_in(folder), key=lambda mail: "hr@" in str(mail["To"]))
    assert subject in str(english["Subject"])
    assert reason in english.get_content()
    assert "未能自动分配" in str(chinese["Subject"])


async def test_what_waits_is_tried_again_once_a_night(company: Company) -> None:
    await automatic(company, 1, holding_limit=0)
    await company.enter("甲")
    worker = Worker(company)
    await worker.gather()
    await company.set_rules(holding_limit=10)

    async def again() -> int:
        return await company.within(lambda: try_waiting_again(time_zone=ZONE, clock=company.clock))

    assert [await again(), await again()] == [1, 0]
    await worker.work()
    assert len(await owners(company)) == 1
    company.clock.advance(timedelta(hours=15))  # one o'clock at night
    assert await again() == 0
    company.clock.advance(timedelta(hours=1))
    assert await again() == 1


async def test_a_refused_plan_is_kept_with_its_problems_and_told_once(company: Company) -> None:
    await automatic(company, newcomer_days=90, newcomer_share_percent=60)
    await company.run("UPDATE employee SET hired_on = '2026-11-20'")
    worker = Worker(company)
    for name in ("甲", "乙"):
        await company.enter(name)
        await worker.gather()
    assert await company.rows("SELECT state FROM pool_allocation") == [("failed",)]
    assert await company.rows(ALERTS) == [("refused", 1)]
    (allocation_id,) = await ids_of_allocations(company)
    assert [each.key for each in await problems(company, allocation_id)] == ["customers.newcomer_guarantees_exceed"]
    company.clock.advance(timedelta(days=1))
    await company.within(lambda: try_waiting_again(time_zone=ZONE, clock=company.clock))
    await worker.work()
    assert await company.rows(ALERTS) == [("refused", 1), ("refused", 2)]
    assert await owners(company) == {}


async def test_ordered_rules_decide_about_arrivals_too(company: Company) -> None:
    one, two = await staff(company, 2)
    await only_members(company, [one, two])
    await company.configure(
        arrival_method="rules", allocation_rules=(PoolAllocationRule("all", people=(employee(two),)),)
    )
    await enter_many(company, 2)
    await Worker(company).gather()
    assert set((await owners(company)).values()) == {two.employee_id}


async def test_a_job_that_fails_for_good_tells_so_and_the_night_tries_again(company: Company) -> None:
    await automatic(company)
    await company.enter("甲")

    async def failing() -> list[UUID]:
        raise RuntimeError

    await Worker(company, failing, attempts=1).gather()
    assert await company.rows(ALERTS) == [("given_up", 0)]
    (allocation_id,) = await ids_of_allocations(company)
    assert await problems(company, allocation_id) != []
    await company.within(lambda: try_waiting_again(time_zone=ZONE, clock=company.clock))
    await Worker(company).work()
    assert len(await owners(company)) == 1


WRONG: list[tuple[dict[str, Any], str, str]] = [
    ({"arrival_method": "rules"}, "arrivalMethod", "customers.arrival_without_rules"),
    (
        {"arrival_method": "load_relative", "holding_limit": None},
        "arrivalMethod",
        "customers.arrival_without_limit",
    ),
    (
        {
            "arrival_method": "rules",
            "holding_limit": None,
            "allocation_rules": (PoolAllocationRule("all", method="load_absolute"),),
        },
        "arrivalMethod",
        "customers.arrival_without_limit",
    ),
]


@pytest.mark.parametrize(("settings", "field", "key"), WRONG)
async def test_a_method_that_lacks_what_it_goes_by_is_refused(
    company: Company, settings: dict[str, Any], field: str, key: str
) -> None:
    before = await company.everything()
    with pytest.raises(AppErrors) as refused:
        await company.configure(**settings)
    assert [(each.field, each.key) for each in refused.value.errors] == [((field,), key)]
    assert await company.everything() == before
