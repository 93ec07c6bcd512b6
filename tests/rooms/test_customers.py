"""Entering customers: pooled or kept, the duplicate check, limits, what is sealed; and giving them back."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import replace
from datetime import UTC, date, datetime
from functools import partial
from uuid import UUID

import asyncpg
import pytest

from saas.customers import NewCustomer, create_customer, create_default_pool
from saas.customers.errors import (
    ClaimantNotOnStaff,
    CustomerExists,
    CustomerNotFound,
    HoldingLimitReached,
    NotTheOwner,
)
from saas.kernel import BadUserInput, FrozenClock, new_id
from saas.sealing import Place
from tests.staging import ZONE, Company, refused

OPEN = "SELECT owner_id, start_kind, started_on, ended_on FROM ownership WHERE customer_id = $1 ORDER BY started_at, id"


async def test_a_new_customer_waits_in_the_pool(company: Company) -> None:
    new = NewCustomer(
        name=" 晨光（上海）有限公司 ",
        short_name="晨光",
        industry="制造",
        level="A",
        source="展会",
        district_code="310104",
        district_name="徐汇区",
        contact_name="王芳",
        phone="138 0013 8000",
    )
    customer_id, warning = await company.within(
        lambda: create_customer(
            company.founder, new, keep=False, keyring=company.keyring, time_zone=ZONE, clock=company.clock
        )
    )
    assert warning is None
    assert await company.rows(
        "SELECT pool_id, name, name_key, match_key, short_name, industry, level, source, district_code, district_name,"
        " contact_name, phone_masked, status, owner_id, owner_department_id, received_on, version, created_at"
        " FROM customer WHERE id = $1",
        customer_id,
    ) == [
        (
            company.pool_id,
            "晨光（上海）有限公司",
            "chen guang ( shang hai ) you xian gong si",
            "晨光(上海)有限公司",
            "晨光",
            "制造",
            "A",
            "展会",
            "310104",
            "徐汇区",
            "王芳",
            "138****8000",
            "pooled",
            None,
            None,
            None,
            1,
            company.clock.now(),
        )
    ]
    assert await company.rows(OPEN, customer_id) == []
    sealed, index = (await company.rows("SELECT phone_sealed, phone_index FROM customer"))[0]
    assert isinstance(sealed, bytes)
    assert company.keyring.open(Place("customer", "phone_sealed", customer_id), sealed) == "13800138000"
    assert index == company.keyring.blind_index("customer.phone", "13800138000")
    assert await company.rows("SELECT action, changes::text FROM audit_entry WHERE object_id = $1", customer_id) == [
        ("customer.created", '{"name": [null, "晨光（上海）有限公司"], "owner": [null, null]}')
    ]
    assert await company.rows("SELECT topic, payload::text FROM outbox") == [
        ("customers.customer_created", f'{{"owner_id": null, "customer_id": "{customer_id}"}}')
    ]
    assert "13800138000" not in repr(await company.everything())


async def test_a_kept_customer_is_the_creators_own_and_no_claim(company: Company) -> None:
    rep = await company.hire("0002")
    customer_id = await company.enter("晨光", keeper=rep)
    assert await company.rows("SELECT status, owner_id, owner_department_id, received_on, version FROM customer") == [
        ("owned", rep.employee_id, company.founded.department_id, date(2026, 11, 23), 1)
    ]
    assert await company.rows(OPEN, customer_id) == [(rep.employee_id, "created", date(2026, 11, 23), None)]
    assert await company.value("SELECT count(*) FROM claim_count") == 0


async def test_the_day_of_a_holding_is_the_companys(company: Company) -> None:
    rep = await company.hire("0002")
    late = FrozenClock(datetime(2026, 11, 22, 16, 0, tzinfo=UTC))
    await replace(company, clock=late).enter("晨光", keeper=rep)
    assert await company.value("SELECT received_on FROM customer") == date(2026, 11, 23)


async def test_only_people_on_the_staff_keep_customers(company: Company) -> None:
    leaver = await company.hire("0002")
    await company.run("UPDATE employee SET status = 'separated', left_on = hired_on WHERE id = $1", leaver.employee_id)
    before = await company.everything()
    for actor in (leaver, replace(leaver, employee_id=None), replace(leaver, employee_id=new_id())):
        refusal = await refused(company.enter("晨光", keeper=actor))
        assert isinstance(refusal, ClaimantNotOnStaff)
    assert await company.everything() == before


async def test_customers_entered_for_oneself_count_against_the_holding_limit(company: Company) -> None:
    rep = await company.hire("0002")
    await company.set_rules(holding_limit=1)
    await company.enter("甲", keeper=rep)
    before = await company.everything()
    refusal = await refused(company.enter("乙", keeper=rep))
    assert isinstance(refusal, HoldingLimitReached)
    assert refusal.values == {"pool": "公海", "limit": 1, "holding": 1}
    assert await company.everything() == before
    await company.enter("乙")


@pytest.mark.parametrize(
    ("name", "phone", "field"),
    [
        ("华为(深圳) 有限公司", None, "name"),
        ("别的名字", "+86 138-0013-8000", "phone"),
        ("华为（深圳）有限公司", "13800138000", "name"),
    ],
)
async def test_duplicates_are_refused_with_status_and_whom_to_ask(
    company: Company, name: str, phone: str | None, field: str
) -> None:
    rep = await company.hire("0002", name="单伟")
    customer_id = await company.enter("华为（深圳）有限公司", phone="13800138000")
    before = await company.everything()
    refusal = await refused(company.enter(name, phone=phone))
    assert isinstance(refusal, CustomerExists)
    assert (refusal.key, refusal.values, refusal.field) == ("customers.exists_in_pool", {}, ("input", field))
    kept = {table: before[table] for table in ("audit_entry", "refused_check_count")}
    assert {**await company.everything(), **kept} == before
    await company.claim(rep, customer_id)
    refusal = await refused(company.enter(name, phone=phone))
    assert (refusal.key, refusal.values) == ("customers.exists_owned", {"owner": "单伟"})


async def test_customers_without_phone_are_no_duplicates_of_each_other(company: Company) -> None:
    for name in ("甲", "乙", "丙"):
        await company.enter(name)
    assert await company.value("SELECT count(*) FROM customer") == 3


@pytest.mark.parametrize("is_same", ["name", "phone"])
async def test_twenty_who_enter_one_customer_at_once_make_one(company: Company, is_same: str) -> None:
    def attempt(number: int) -> tuple[str, str]:
        return ("晨光", f"1380013{number:04}") if is_same == "name" else (f"晨光{number}", "13800138000")

    outcomes = await asyncio.gather(
        *(company.enter(name, phone=phone) for name, phone in map(attempt, range(20))), return_exceptions=True
    )
    assert Counter(type(outcome) for outcome in outcomes) == {UUID: 1, CustomerExists: 19}
    for table in ("customer", "outbox"):
        assert await company.value(f"SELECT count(*) FROM {table}") == 1


async def test_bad_values_change_nothing(company: Company) -> None:
    before = await company.everything()
    for new, field in (
        (NewCustomer(name=" "), "name"),
        (NewCustomer(name="晨光", phone="12"), "phone"),
        (NewCustomer(name="晨光", contact_name="x" * 101), "contactName"),
        (NewCustomer(name="晨光", district_code="abc"), "districtCode"),
    ):
        attempt = partial(
            create_customer,
            company.founder,
            new,
            keep=False,
            keyring=company.keyring,
            time_zone=ZONE,
            clock=company.clock,
        )
        refusal = await refused(company.within(attempt))
        assert isinstance(refusal, BadUserInput)
        assert refusal.field == ("input", field)
    assert await company.everything() == before


async def test_a_company_has_one_default_pool(company: Company) -> None:
    with pytest.raises(Exception, match="customer_pool_default"):
        await company.within(lambda: create_default_pool(name="第二公海"))
    assert await company.value("SELECT count(*) FROM customer_pool") == 1


async def test_release_returns_the_customer_and_closes_the_ownership(company: Company) -> None:
    rep = await company.hire("0002")
    customer_id = await company.enter("晨光", keeper=rep)
    assert await company.release(rep, customer_id, reason=" 无法联系 ") == customer_id
    assert await company.rows("SELECT status, owner_id, owner_department_id, received_on, version FROM customer") == [
        ("pooled", None, None, None, 2)
    ]
    assert await company.rows("SELECT ended_at, ended_on, end_kind, reason FROM ownership") == [
        (company.clock.now(), date(2026, 11, 23), "release", "无法联系")
    ]
    assert await company.rows("SELECT changes::text, reason FROM audit_entry WHERE action = 'customer.released'") == [
        (f'{{"owner": ["{rep.employee_id}", null]}}', "无法联系")
    ]
    assert await company.rows("SELECT payload::text FROM outbox WHERE topic = 'customers.customer_released'") == [
        (f'{{"owner_id": "{rep.employee_id}", "customer_id": "{customer_id}"}}',)
    ]


@pytest.mark.parametrize("reason", ["", "  \n", "因" * 201])
async def test_a_release_needs_a_reason(company: Company, reason: str) -> None:
    rep = await company.hire("0002")
    customer_id = await company.enter("晨光", keeper=rep)
    before = await company.everything()
    refusal = await refused(company.release(rep, customer_id, reason=reason))
    assert (refusal.key, refusal.field) == ("customers.reason_needed", ("input", "reason"))
    assert await company.everything() == before


async def test_only_the_owner_releases(company: Company) -> None:
    rep, other = await company.hire("0002"), await company.hire("0003")
    customer_id, pooled = await company.enter("晨光", keeper=rep), await company.enter("远山")
    before = await company.everything()
    hidden = await refused(company.release(other, customer_id))
    missing = await refused(company.release(other, new_id()))
    assert isinstance(hidden, CustomerNotFound)
    assert str(hidden) == str(missing)
    assert isinstance(await refused(company.release(other, pooled)), NotTheOwner)
    assert isinstance(await refused(company.release(replace(rep, employee_id=None), pooled)), NotTheOwner)
    assert await company.everything() == before


async def test_the_database_allows_one_open_ownership(company: Company) -> None:
    rep = await company.hire("0002")
    await company.enter("晨光", keeper=rep)
    with pytest.raises(asyncpg.UniqueViolationError, match="ownership_open"):
        await company.run(
            "INSERT INTO ownership (tenant_id, id, customer_id, owner_id, owner_department_id, pool_id, started_at,"
            " started_on, start_kind, operator_id) SELECT tenant_id, $1, customer_id, owner_id, owner_department_id,"
            " pool_id, started_at, started_on, 'claim', operator_id FROM ownership",
            new_id(),
        )


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE customer SET owner_id = NULL",
        "UPDATE customer SET status = 'pooled'",
        "UPDATE customer SET status = 'lost'",
        "UPDATE ownership SET ended_at = now()",
        "UPDATE ownership SET ended_at = now(), ended_on = now(), end_kind = 'forgotten'",
        "UPDATE ownership SET start_kind = 'found'",
        "UPDATE customer_pool SET claim_limit = 201",
        "UPDATE customer_pool SET cooldown_days = -1",
    ],
)
async def test_the_database_refuses_half_states(company: Company, change: str) -> None:
    await company.enter("晨光", keeper=await company.hire("0002"))
    before = await company.everything()
    with pytest.raises(asyncpg.CheckViolationError):
        await company.run(change)
    assert await company.everything() == before
