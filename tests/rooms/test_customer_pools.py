"""Pools: dated and versioned settings, members, and a life that never loses a customer or a history."""

from __future__ import annotations

import json
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pytest

from saas.customers import PoolChange, apply_begun_settings, close_pool, configure_pool, create_pool, move_customers
from saas.customers.errors import (
    CustomerNotFound,
    NotAPoolMember,
    PoolChanged,
    PoolDisabled,
    PoolNameTaken,
    PoolNeeded,
    PoolNotFound,
    SettingsScheduled,
)
from saas.kernel import AppErrors, new_id
from saas.people import create_department
from saas.people.errors import DepartmentNotFound, EmployeeNotFound
from tests.staging import ZONE, Company, refused

POOL = "SELECT status, is_default, claim_limit, settings_version, version FROM customer_pool WHERE id = $1"
HISTORY = "SELECT version, valid_from, settings ->> 'claim_limit' FROM pool_setting WHERE pool_id = $1 ORDER BY version"


async def configure(company: Company, *, pool_id: UUID | None = None, version: int = 1, **change: Any) -> None:
    await company.within(
        lambda: configure_pool(
            company.founder,
            pool_id=pool_id or company.pool_id,
            change=PoolChange(**change),
            expected_version=version,
            time_zone=ZONE,
            clock=company.clock,
        )
    )


async def another(company: Company, name: str = "华东公海") -> UUID:
    return await company.within(lambda: create_pool(company.founder, name=name, time_zone=ZONE, clock=company.clock))


async def department(company: Company, name: str, parent_id: UUID | None = None) -> UUID:
    made = await company.within(
        lambda: create_department(company.founder, name=name, parent_id=parent_id, clock=company.clock)
    )
    return made.id


async def test_settings_are_versioned_dated_and_audited(company: Company) -> None:
    await configure(company, settings={"claim_limit": 20, "recycle_follow_up_days": 45})
    assert await company.rows(POOL, company.pool_id) == [("open", True, 20, 2, 2)]
    today = date(2026, 11, 23)
    assert (await company.rows(HISTORY, company.pool_id))[1:] == [(2, today, "20")]
    changes = await company.value("SELECT changes::text FROM audit_entry WHERE action = 'customer_pool.configured'")
    assert json.loads(str(changes)) == {
        "not_before": [None, '"2026-11-30"'],
        "claim_limit": [10, 20],
        "settings_version": [1, 2],
        "recycle_follow_up_days": [30, 45],
    }
    stored = json.loads(str(await company.value("SELECT settings::text FROM customer_pool")))
    assert (stored["recycle_follow_up_days"], stored["not_before"]) == (45, "2026-11-30")


async def test_settings_of_a_later_day_begin_on_that_day(company: Company) -> None:
    december = date(2026, 12, 1)
    await configure(company, settings={"claim_limit": 1}, valid_from=december)
    assert await company.rows(POOL, company.pool_id) == [("open", True, 10, 1, 2)]
    refusal = await refused(configure(company, settings={"claim_limit": 2}, version=2))
    assert isinstance(refusal, SettingsScheduled)
    assert (refusal.values, refusal.field) == ({"valid_from": "2026-12-01", "version": 2}, ("validFrom",))
    assert await company.within(lambda: apply_begun_settings(today=december - timedelta(days=1))) == 0
    assert await company.within(lambda: apply_begun_settings(today=december)) == 1
    assert await company.within(lambda: apply_begun_settings(today=december)) == 0
    assert await company.rows(POOL, company.pool_id) == [("open", True, 1, 2, 2)]


async def test_a_change_that_changes_nothing_makes_no_version(company: Company) -> None:
    await configure(company, settings={"claim_limit": 10})
    assert await company.rows(POOL, company.pool_id) == [("open", True, 10, 1, 2)]
    assert len(await company.rows(HISTORY, company.pool_id)) == 1


async def test_limits_that_were_set_in_the_columns_are_kept(company: Company) -> None:
    await company.set_rules(claim_limit=33)
    await configure(company, settings={"cooldown_days": 1})
    history = await company.rows(HISTORY, company.pool_id)
    assert [(version, limit) for version, _, limit in history] == [(1, "33"), (2, "33")]


async def test_refused_changes_change_nothing(company: Company) -> None:
    other = await another(company)
    before = await company.everything()
    for change, error in (
        ({"version": 2}, PoolChanged),
        ({"pool_id": new_id()}, PoolNotFound),
        ({"name": "华东公海"}, PoolNameTaken),
        ({"is_enabled": False}, PoolNeeded),
        ({"department_ids": (new_id(),)}, DepartmentNotFound),
        ({"member_ids": (new_id(),)}, EmployeeNotFound),
    ):
        assert isinstance(await refused(configure(company, **change)), error), change
    with pytest.raises(AppErrors):
        await configure(company, name="新名", settings={"claim_limit": 999})
    assert isinstance(await refused(another(company)), PoolNameTaken)
    assert await company.everything() == before
    assert await company.rows(POOL, other) == [("open", False, 10, 1, 1)]


async def test_a_disabled_pool_keeps_its_customers_and_allows_no_claims(company: Company) -> None:
    rep, other = await company.hire("0002"), await another(company)
    customer_id = await company.enter("晨光")
    await company.run("UPDATE customer SET pool_id = $1", other)
    await configure(company, pool_id=other, is_enabled=False)
    before = await company.everything()
    refusal = await refused(company.claim(rep, customer_id))
    assert isinstance(refusal, PoolDisabled)
    assert (refusal.values, refusal.field) == ({"pool": "华东公海"}, ("input", "customer"))
    assert await company.everything() == before
    await configure(company, pool_id=other, is_enabled=True, version=2)
    await company.claim(rep, customer_id)


async def test_only_members_claim_those_of_departments_below_included(company: Company) -> None:
    east = await department(company, "华东")
    shanghai, west = await department(company, "上海", east), await department(company, "西部")
    below, beside = [
        await company.hire(number, department_id=place) for number, place in (("0002", shanghai), ("0003", west))
    ]
    first, second = await company.enter("甲"), await company.enter("乙")
    await configure(company, department_ids=(east,))
    before = await company.everything()
    assert isinstance(await refused(company.claim(beside, first)), CustomerNotFound)
    assert await company.everything() == before
    await configure(company, settings={"visible_to_all": True}, version=2)
    before = await company.everything()
    refusal = await refused(company.claim(beside, first))
    assert isinstance(refusal, NotAPoolMember)
    assert refusal.values == {"pool": "公海"}
    assert await company.everything() == before
    await company.claim(below, first)
    await configure(company, department_ids=(), version=3)
    await company.claim(beside, second)


async def test_p01_people_are_members_beside_the_departments(company: Company) -> None:
    east = await department(company, "华东")
    within = await company.hire("0002", department_id=east)
    named, stranger = await company.hire("0003"), await company.hire("0004")
    first, second = await company.enter("甲"), await company.enter("乙")
    assert named.employee_id is not None
    await configure(company, department_ids=(east,), member_ids=(named.employee_id,))
    await company.claim(within, first)
    assert isinstance(await refused(company.claim(stranger, second)), CustomerNotFound)
    await company.claim(named, second)
    await company.release(named, second)
    await configure(company, department_ids=(), version=2)
    assert isinstance(await refused(company.claim(within, second)), CustomerNotFound)
    (changes,) = await company.rows(
        "SELECT changes -> 'members' FROM audit_entry WHERE action = 'customer_pool.configured' ORDER BY at, id LIMIT 1"
    )
    assert changes == (f'["", "{named.employee_id}"]',)


async def test_p02_who_has_just_left_a_foreign_pool_is_not_told(company: Company) -> None:
    """Who lost a race is told that the customer is taken; who never saw the pool learns nothing of it."""
    east = await department(company, "华东")
    within, beside = await company.hire("0002", department_id=east), await company.hire("0003")
    first = await company.enter("甲")
    await configure(company, department_ids=(east,))
    await company.claim(within, first)
    missing = await refused(company.claim(beside, new_id()))
    taken = await refused(company.claim(beside, first))
    assert (type(taken), taken.key, taken.values) == (type(missing), missing.key, missing.values)


async def test_a_pool_with_customers_or_the_default_one_is_not_closed(company: Company) -> None:
    other = await another(company)
    for name in ("甲", "乙"):
        await company.enter(name)
    await configure(company, pool_id=other, is_default=True)
    before = await company.everything()
    for pool_id, version, key in ((company.pool_id, 2, "holds_customers"), (other, 2, "is_default")):
        refusal = await refused(
            company.within(
                lambda pool_id=pool_id, version=version: close_pool(  # type: ignore[misc]
                    company.founder, pool_id=pool_id, expected_version=version, clock=company.clock
                )
            )
        )
        assert isinstance(refusal, PoolNeeded)
        assert refusal.key == f"customers.pool_{key}"
    assert await company.everything() == before


async def test_an_emptied_pool_is_closed_and_its_name_is_free(company: Company) -> None:
    other, rep = await another(company), await company.hire("0002")
    pooled, owned = await company.enter("甲"), await company.enter("乙", keeper=rep)
    await configure(company, pool_id=other, is_default=True)
    moved = await company.within(
        lambda: move_customers(
            company.founder, from_pool_id=company.pool_id, to_pool_id=other, time_zone=ZONE, clock=company.clock
        )
    )
    assert moved == 2
    assert await company.rows("SELECT id, pool_id, owner_id, version FROM customer ORDER BY id") == [
        (pooled, other, None, 2),
        (owned, other, rep.employee_id, 2),
    ]
    assert await company.rows(
        "SELECT customer_id, pool_id, employee_id FROM pool_event WHERE kind = 'moved' ORDER BY 1"
    ) == [
        (pooled, other, None),
        (owned, other, rep.employee_id),
    ]
    await company.within(
        lambda: close_pool(company.founder, pool_id=company.pool_id, expected_version=2, clock=company.clock)
    )
    assert await company.rows(POOL, company.pool_id) == [("closed", False, 10, 1, 3)]
    assert isinstance(await refused(configure(company, version=3, name="x")), PoolNotFound)
    assert await another(company, "公海")


async def test_customers_are_not_moved_to_nowhere(company: Company) -> None:
    await company.enter("甲")
    before = await company.everything()
    for one, two in ((company.pool_id, new_id()), (new_id(), company.pool_id), (company.pool_id, company.pool_id)):
        refusal = await refused(
            company.within(
                lambda one=one, two=two: move_customers(  # type: ignore[misc]
                    company.founder, from_pool_id=one, to_pool_id=two, time_zone=ZONE, clock=company.clock
                )
            )
        )
        assert isinstance(refusal, PoolNotFound)
    assert await company.everything() == before
