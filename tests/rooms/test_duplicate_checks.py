"""What the duplicate check tells is audited and counted, though the creation it refuses leaves nothing behind."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import replace
from datetime import date, timedelta
from uuid import UUID

import pytest

from saas.customers import Entered, Marking, NewCustomer, create_customer
from saas.customers.errors import CustomerExists, DuplicateChecksUsedUp
from saas.customers.marks import MarkKind
from saas.kernel import Actor
from saas.sales import find_activity
from tests.staging import REP, ZONE, Company, refused

TOLD = (
    "SELECT account_id, object_type, object_id, changes::text, outcome FROM audit_entry"
    " WHERE action = 'customer.duplicate_check' ORDER BY at, id"
)
COUNTS = "SELECT account_id, counted_on, refusals FROM refused_check_count ORDER BY counted_on"
TODAY = date(2026, 11, 23)


async def attempt(company: Company, actor: Actor, new: NewCustomer) -> UUID:
    return (await enter(company, actor, new)).customer_id


async def enter(company: Company, actor: Actor, new: NewCustomer) -> Entered:
    return await company.within(
        lambda: create_customer(actor, new, keep=False, keyring=company.keyring, time_zone=ZONE, clock=company.clock)
    )


async def use_up(company: Company, actor: Actor, refusals: int) -> None:
    """As if the check had refused the actor so often today."""
    await company.run(
        "INSERT INTO refused_check_count (tenant_id, account_id, counted_on, refusals) VALUES ($1, $2, $3, $4)",
        company.tenant_id,
        actor.account_id,
        TODAY,
        refusals,
    )


async def test_who_learned_of_which_customer_stands_in_the_trail(company: Company) -> None:
    rep = await company.hire("0002")
    original = NewCustomer(name="晨光", phone="13800138000", external_system="crm", external_key="7")
    customer_id = await attempt(company, company.founder, original)
    before = await company.everything()
    for new, matched in (
        (NewCustomer(name=" 晨 光 ", phone="13999999999"), "name"),
        (NewCustomer(name="别的", phone="138 0013 8000"), "phone"),
        (NewCustomer(name="晨光", external_system="crm", external_key="7"), "external"),
    ):
        refusal = await refused(attempt(company, rep, new))
        assert isinstance(refusal, CustomerExists)
        assert refusal.field == ("input", matched)
    assert await company.rows(TOLD) == [
        (rep.account_id, "Customer", customer_id, f'{{"matched": [null, "{matched}"]}}', "refused")
        for matched in ("name", "phone", "external")
    ]
    assert await company.rows(COUNTS) == [(rep.account_id, TODAY, 3)]
    kept = {table: before[table] for table in ("audit_entry", "refused_check_count")}
    assert {**await company.everything(), **kept} == before


async def test_after_a_hundred_refusals_the_check_tells_nothing_more_that_day(company: Company) -> None:
    rep, other = await company.hire("0002"), await company.hire("0003")
    await company.enter("晨光")
    await use_up(company, rep, 99)
    assert isinstance(await refused(attempt(company, rep, NewCustomer(name="晨光"))), CustomerExists)
    before = await company.everything()
    hit, miss = [await refused(attempt(company, rep, NewCustomer(name=name))) for name in ("晨光", "没有的")]
    assert isinstance(hit, DuplicateChecksUsedUp)
    assert (hit.key, hit.values) == ("customers.duplicate_checks_used_up", {"limit": 100, "free_from": "2026-11-24"})
    assert str(miss) == str(hit)
    assert await company.everything() == before
    assert isinstance(await refused(attempt(company, other, NewCustomer(name="晨光"))), CustomerExists)
    assert isinstance(await attempt(company, other, NewCustomer(name="没有的")), UUID)


async def test_the_count_begins_anew_at_local_midnight(company: Company) -> None:
    rep = await company.hire("0002")
    await company.enter("晨光")
    await use_up(company, rep, 100)
    company.clock.advance(timedelta(hours=14) - timedelta(microseconds=1))
    assert isinstance(await refused(attempt(company, rep, NewCustomer(name="晨光"))), DuplicateChecksUsedUp)
    company.clock.advance(timedelta(microseconds=1))
    assert isinstance(await refused(attempt(company, rep, NewCustomer(name="晨光"))), CustomerExists)
    assert await company.rows(COUNTS) == [(rep.account_id, TODAY, 100), (rep.account_id, date(2026, 11, 24), 1)]


async def test_refusals_at_once_are_all_counted(company: Company) -> None:
    rep = await company.hire("0002")
    await company.enter("晨光")
    attempts = (attempt(company, rep, NewCustomer(name="晨光", short_name=str(n))) for n in range(20))
    outcomes = await asyncio.gather(*attempts, return_exceptions=True)
    assert Counter(map(type, outcomes)) == {CustomerExists: 20}
    assert await company.rows(COUNTS) == [(rep.account_id, TODAY, 20)]
    assert len(await company.rows(TOLD)) == 20


async def test_a_person_counts_once_in_each_company(company: Company, other_company: Company) -> None:
    rep = await company.hire("0002")
    guest = replace(rep, tenant_id=other_company.tenant_id)
    await use_up(company, rep, 100)
    await other_company.enter("晨光")
    assert isinstance(await refused(attempt(other_company, guest, NewCustomer(name="晨光"))), CustomerExists)
    assert await other_company.rows(COUNTS) == [(rep.account_id, TODAY, 1)]


@pytest.mark.parametrize(
    ("status", "key"),
    [
        ("pooled", "customers.exists_in_pool"),
        ("owned", "customers.exists_owned"),
        ("dealt", "customers.exists_dealt"),
        ("lock", "customers.exists_locked"),
        ("protection", "customers.exists_protected"),
    ],
)
async def test_p38_the_status_is_told_and_whom_to_ask(company: Company, status: str, key: str) -> None:
    rep, other = await company.hire("0002", name="韩梅"), await company.hire("0003")
    customer_id = await company.enter("晨光", keeper=None if status == "pooled" else rep)
    if status == "dealt":
        await company.run("UPDATE customer SET last_deal_on = $2 WHERE id = $1", customer_id, TODAY)
    if status in ("lock", "protection"):
        marking = Marking(rep, REP, find_activity, ZONE, company.clock)
        kind = MarkKind(status)
        await company.within(lambda: marking.mark(customer_id=customer_id, kind=kind, days=2, reason="在谈"))
    refusal = await refused(attempt(company, other, NewCustomer(name="晨光")))
    assert (refusal.key, refusal.field) == (key, ("input", "name"))
    assert refusal.values == ({} if status == "pooled" else {"owner": "韩梅"})


async def test_p38_a_pool_that_warns_takes_the_customer_and_says_the_same(company: Company) -> None:
    rep = await company.hire("0002", name="韩梅")
    await company.enter("晨光", keeper=rep)
    await company.configure(duplicate_check="warn")
    entered = await enter(company, company.founder, NewCustomer(name="晨光"))
    assert entered.warning is not None
    assert (entered.warning.key, entered.warning.values) == ("customers.exists_owned", {"owner": "韩梅"})
    assert await company.value("SELECT count(*) FROM customer WHERE match_key = '晨光'") == 2
    assert await company.rows(COUNTS) == [(company.founder.account_id, TODAY, 1)]
    await use_up(company, rep, 100)
    before = await company.everything()
    assert isinstance(await refused(attempt(company, rep, NewCustomer(name="晨光"))), DuplicateChecksUsedUp)
    assert await company.everything() == before


async def test_p38_a_pool_without_the_check_refuses_a_second_key_alone(company: Company) -> None:
    await company.configure(duplicate_check="off")
    keyed = NewCustomer(name="晨光", external_system="crm", external_key="7")
    await attempt(company, company.founder, keyed)
    entered = await enter(company, company.founder, NewCustomer(name="晨光"))
    assert entered.warning is None
    assert await company.rows(COUNTS) == []
    refusal = await refused(attempt(company, company.founder, keyed))
    assert refusal.key == "customers.exists_by_key"
