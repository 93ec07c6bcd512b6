"""Where the nightly job brings customers: the pool of the owner's department, or a person in its place."""

from __future__ import annotations

import asyncio
from datetime import date, timedelta
from functools import partial
from uuid import UUID

import asyncpg
import pytest
import pytest_asyncio

from saas.customers import PoolChange, configure_pool, create_pool, transfer_customer
from saas.kernel import Actor, AppError, AppErrors, new_id
from saas.people import create_department
from saas.sales import find_activity
from tests.staging import ALL, ZONE, Company, refused

TODAY = date(2026, 11, 23)
DUE = timedelta(days=31)
WHERE = "SELECT pool_id, owner_id, status, received_on, due_on, due_rule FROM customer WHERE id = $1"
LINES = (
    "SELECT kind, pool_id, employee_id, former_owner_id FROM pool_event WHERE kind IN ('recycled', 'moved') ORDER BY id"
)
TOLD = "SELECT explanation -> 'parts' -> -1 ->> 'key' FROM pool_event WHERE kind = 'recycled'"

OWN_BACKUP = """
UPDATE customer_pool SET settings = settings || jsonb_build_object('recycle_to', 'backup', 'recycle_backup',
    (SELECT id FROM employee WHERE number = '0002'))
"""


@pytest_asyncio.fixture(loop_scope="session")
async def rep(company: Company) -> Actor:
    await company.run("UPDATE customer_pool SET settings = settings || '{\"reminder_days\": []}'")
    return await company.hire("0002")


async def boss_of(company: Company, rep: Actor) -> Actor:
    boss = await company.hire("0003", name="韩梅")
    await company.run("UPDATE employee SET manager_id = $1 WHERE id = $2", boss.employee_id, rep.employee_id)
    return boss


async def another_pool(company: Company, *departments: UUID) -> UUID:
    pool_id = await company.within(
        partial(create_pool, company.founder, name="乙公海", time_zone=ZONE, clock=company.clock)
    )
    change = PoolChange(department_ids=departments)
    await company.within(
        partial(
            configure_pool,
            company.founder,
            pool_id=pool_id,
            change=change,
            expected_version=1,
            time_zone=ZONE,
            clock=company.clock,
        )
    )
    return pool_id


async def test_a_customer_goes_to_the_pool_of_its_owners_department(company: Company, rep: Actor) -> None:
    """P30, with a line in both pools."""
    team = await company.within(
        partial(create_department, company.founder, name="北区", parent_id=None, clock=company.clock)
    )
    other = await another_pool(company, team.id)
    mover = await company.hire("0004", department_id=team.id)
    mine, theirs = await company.enter("甲", keeper=rep), await company.enter("乙", keeper=mover)
    company.clock.advance(DUE)
    assert (await company.recycle()).recycled == 2
    assert await company.rows(WHERE, mine) == [(company.pool_id, None, "pooled", None, None, None)]
    assert await company.rows(WHERE, theirs) == [(other, None, "pooled", None, None, None)]
    assert sorted(await company.rows(LINES), key=str) == sorted(
        [
            ("recycled", company.pool_id, None, rep.employee_id),
            ("recycled", company.pool_id, None, mover.employee_id),
            ("moved", other, None, None),
        ],
        key=str,
    )


async def test_a_customer_goes_to_the_supervisor_as_a_new_holding(company: Company, rep: Actor) -> None:
    """P31: the line names both, and the notice of an assignment goes out."""
    boss = await boss_of(company, rep)
    await company.configure(recycle_to="supervisor")
    customer_id = await company.enter("晨光", keeper=rep)
    company.clock.advance(DUE)
    assert (await company.recycle()).recycled == 1
    today = TODAY + DUE
    assert await company.rows(WHERE, customer_id) == [
        (company.pool_id, boss.employee_id, "owned", today, today + DUE, "no_follow_up")
    ]
    assert await company.rows("SELECT owner_id, start_kind, end_kind, ended_on FROM ownership ORDER BY started_at") == [
        (rep.employee_id, "created", "recycle", today),
        (boss.employee_id, "assign", None, None),
    ]
    assert await company.rows(LINES) == [("recycled", company.pool_id, boss.employee_id, rep.employee_id)]
    assert await company.value(TOLD) == "customers.recycle_to_supervisor"
    assert await company.rows(
        "SELECT payload ->> 'owner_id' FROM outbox WHERE topic = 'customers.customer_assigned'"
    ) == [(str(boss.employee_id),)]
    assert (await company.recycle()).recycled == 0


@pytest.mark.parametrize(
    ("hindrance", "told"),
    [
        ("UPDATE employee SET manager_id = NULL", "customers.recycle_person_unknown"),
        ("UPDATE employee SET status = 'separated' WHERE number = '0003'", "customers.recycle_person_left"),
        (OWN_BACKUP, "customers.recycle_person_owned_it"),
        ("UPDATE customer_pool SET holding_limit = 0", "customers.recycle_person_full"),
    ],
)
async def test_whoever_can_not_have_it_is_passed_over_and_that_is_told(
    company: Company, rep: Actor, hindrance: str, told: str
) -> None:
    await boss_of(company, rep)
    await company.configure(recycle_to="supervisor")
    customer_id = await company.enter("晨光", keeper=rep)
    company.clock.advance(DUE)
    await company.run(hindrance)
    assert (await company.recycle()).recycled == 1
    assert await company.rows(WHERE, customer_id) == [(company.pool_id, None, "pooled", None, None, None)]
    assert await company.value(TOLD) == told


async def test_a_backup_gets_no_more_than_they_may_hold(company: Company, rep: Actor) -> None:
    backup = await company.hire("0003")
    customers = [await company.enter(name, keeper=rep) for name in "甲乙丙丁"]
    await company.configure(recycle_to="backup", recycle_backup=backup.employee_id, holding_limit=3)
    company.clock.advance(DUE)
    assert (await company.recycle()).recycled == 4
    owners = [(await company.rows(WHERE, each))[0][1] for each in customers]
    assert sorted(owners, key=str) == sorted([backup.employee_id] * 3 + [None], key=str)
    assert await company.value("SELECT count(*) FROM ownership WHERE ended_at IS NULL") == 3


async def test_a_run_and_transfers_to_the_same_person_wait_for_each_other(company: Company, rep: Actor) -> None:
    """People are locked before customers, on both ways: nobody waits in a circle, and no limit is passed."""
    boss = await boss_of(company, rep)
    await company.configure(recycle_to="supervisor", holding_limit=20)
    customers = [await company.enter(f"客户{number}", keeper=rep) for number in range(20)]
    company.clock.advance(DUE)
    transfers = [
        company.within(
            partial(
                transfer_customer,
                company.founder,
                customer_id=each,
                employee_id=boss.employee_id or each,
                reason="交接",
                access=ALL,
                activity=find_activity,
                time_zone=ZONE,
                clock=company.clock,
            )
        )
        for each in customers
    ]
    outcomes = await asyncio.gather(company.recycle(), *transfers, return_exceptions=True)
    refusals = (AppError, asyncpg.LockNotAvailableError)  # who has waited for three seconds is refused at the door
    assert [each for each in outcomes if isinstance(each, BaseException) and not isinstance(each, refusals)] == []
    owners = await company.rows("SELECT DISTINCT owner_id FROM customer WHERE owner_id IS NOT NULL")
    assert owners in ([], [(boss.employee_id,)])
    doubtful = """
        SELECT count(*) FROM customer c WHERE c.owner_id IS DISTINCT FROM
            (SELECT o.owner_id FROM ownership o WHERE o.customer_id = c.id AND o.ended_at IS NULL)
    """
    assert await company.value(doubtful) == 0
    assert await company.value("SELECT count(*) FROM pool_event WHERE kind = 'recycled'") == 20


async def test_targets_that_are_not_there_are_refused_and_nothing_changes(company: Company, rep: Actor) -> None:
    before = await company.everything()
    for wanted, key, field in (
        ({"recycle_target": "fixed", "recycle_pools": (new_id(),)}, "customers.pool_target_unknown", "recyclePools"),
        ({"recycle_to": "backup", "recycle_backup": new_id()}, "customers.pool_backup_unknown", "recycleBackup"),
    ):
        refusal = await refused(company.configure(**wanted))
        assert not isinstance(refusal, AppErrors)
        assert (refusal.key, refusal.field[0]) == (key, field)
    assert await company.everything() == before
