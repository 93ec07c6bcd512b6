"""Histories written straight into the tables of a test's company: what takes the product months of work."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from uuid import UUID

from saas.analytics.behaviour import CustomerFacts
from saas.customers import HeldCustomer, HeldOwnership, LevelDays, PoolSettings
from saas.kernel import new_id
from saas.sales import SignedDeal, Touch
from tests.rules.behaviour_samples import ANN, BOB, CAT, EAST, OTHER_POOL, POOL, WEST
from tests.staging import Company

_POOL = """
INSERT INTO customer_pool (tenant_id, id, name, cooldown_days, settings, created_at)
VALUES ($1, $2, $3, 7, $4::text::jsonb, now())
"""
_DEPARTMENT = """
INSERT INTO department (tenant_id, id, parent_id, name, name_key, created_at) VALUES ($1, $2, $3, $4, $4, now())
"""
_CLOSURE = """
INSERT INTO department_closure (tenant_id, ancestor_id, descendant_id, depth) VALUES ($1, $2, $3, 1), ($1, $3, $3, 0)
"""
_EMPLOYEE = """
INSERT INTO employee (tenant_id, id, number, name, name_key, department_id, legal_entity_id, hired_on, created_at)
VALUES ($1, $2, $3, $3, $3, $4, $5, '2020-01-01', now())
"""
_CUSTOMER = """
INSERT INTO customer (tenant_id, id, pool_id, name, name_key, match_key, level, status, owner_id, owner_department_id,
    created_at)
VALUES ($1, $2, $3, $4, $4, $4, $5, $6, $7, $8, ($9::date + time '09:00') AT TIME ZONE 'Asia/Shanghai')
"""
_OWNERSHIP = """
INSERT INTO ownership (tenant_id, id, customer_id, owner_id, owner_department_id, pool_id, started_at, started_on,
    ended_at, ended_on, start_kind, end_kind, operator_id)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $2)
"""
_ALLOCATED = """
INSERT INTO pool_event (tenant_id, id, pool_id, customer_id, kind, employee_id, happened_at, happened_on)
VALUES ($1, $2, $3, $4, 'allocated', $5, $6, $7)
"""
_FOLLOW_UP = """
INSERT INTO follow_up (tenant_id, id, customer_id, author_id, kind, content, call_seconds, has_check_in, occurred_at,
    occurred_on, created_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, now())
"""
_DEAL = """
WITH made AS (
    INSERT INTO deal (tenant_id, id, customer_id, number, signed_on, amount_minor, vat_rate, status, cancelled_on,
        owner_id, owner_department_id, collected_minor, created_at)
    VALUES ($1, $2, $3, $4, $5::date, $6, 0, $7::text, CASE $7::text WHEN 'cancelled' THEN $5::date END, $8, $9, 0,
        now())
), credited AS (
    INSERT INTO performance_credit (tenant_id, id, deal_id, employee_id, department_id, share, position)
    VALUES ($1, $2, $2, $8, $9, 1, 0)
)
INSERT INTO performance_line (tenant_id, id, metric, deal_id, employee_id, department_id, happened_on, amount_minor,
    is_new_customer, created_at)
SELECT $1, $2, 'signed', $2, $8, $9, $5::date, $6, false, now() WHERE $7::text = 'signed'
"""
_COLLECTION = """
INSERT INTO collection (tenant_id, id, deal_id, kind, received_on, amount_minor, created_at)
VALUES ($1, $2, $3, $4, $5, $6, now())
"""


async def set_stage(company: Company) -> None:
    """The pools, departments and people of the samples; Ann and Bob in the east, Cat in the west."""
    settings = PoolSettings(
        recycle_follow_up_days=10, recycle_follow_up_days_by_level=(LevelDays("A", 5),), protection_days=0
    ).text()
    for pool_id, name in ((POOL, "北区公海"), (OTHER_POOL, "南区公海")):
        await company.run(_POOL, company.tenant_id, pool_id, name, settings)
    root = company.founded.department_id
    for department_id, name in ((EAST, "东部"), (WEST, "西部")):
        await company.run(_DEPARTMENT, company.tenant_id, department_id, root, name)
        await company.run(_CLOSURE, company.tenant_id, root, department_id)
    for number, (person, team) in enumerate(((ANN, EAST), (BOB, EAST), (CAT, WEST)), start=7):
        await company.run(_EMPLOYEE, company.tenant_id, person, f"E{number}", team, company.founded.legal_entity_id)


async def write(company: Company, customers: Sequence[CustomerFacts], *, paid_on: date) -> None:
    """All of the customers, with what each paid on a day; `automatic` ownerships stand as a method's do."""
    for each in customers:
        await write_customer(company, each.held)
        for touch in each.touches:
            await write_touch(company, each.held.customer_id, touch)
        for deal in each.deals:
            await write_deal(company, each.held, deal)
        if any(each.collected):
            await _write_payment(company, each.held, each.collected[0], paid_on)


async def write_customer(company: Company, held: HeldCustomer) -> None:
    open_one = next((row for row in held.ownerships if row.ended_on is None), None)
    await company.run(
        _CUSTOMER,
        company.tenant_id,
        held.customer_id,
        held.ownerships[-1].pool_id if held.ownerships else company.pool_id,
        f"客户{held.customer_id.hex}",
        held.level,
        "pooled" if open_one is None else "owned",
        open_one and open_one.owner_id,
        open_one and open_one.department_id,
        held.created_on,
    )
    for row in held.ownerships:
        await _write_ownership(company, held.customer_id, row)


async def _write_ownership(company: Company, customer_id: UUID, row: HeldOwnership) -> None:
    is_automatic = row.start_kind == "automatic"
    await company.run(
        _OWNERSHIP,
        company.tenant_id,
        new_id(),
        customer_id,
        row.owner_id,
        row.department_id,
        row.pool_id,
        row.started_at,
        row.started_on,
        row.ended_at,
        row.ended_on,
        "assign" if is_automatic else row.start_kind,
        row.end_kind,
    )
    if is_automatic:
        await company.run(
            _ALLOCATED,
            company.tenant_id,
            new_id(),
            row.pool_id,
            customer_id,
            row.owner_id,
            row.started_at,
            row.started_on,
        )


async def write_touch(company: Company, customer_id: UUID, touch: Touch) -> None:
    await company.run(
        _FOLLOW_UP,
        company.tenant_id,
        new_id(),
        customer_id,
        touch.author_id,
        touch.kind,
        touch.content,
        touch.seconds,
        touch.has_check_in,
        touch.at,
        touch.on,
    )


async def write_deal(company: Company, held: HeldCustomer, deal: SignedDeal, *, status: str = "signed") -> UUID:
    """A deal of the customer's first owner, with its line of performance where it stands."""
    deal_id, first = new_id(), held.ownerships[0]
    owner = first.owner_id, first.department_id
    fields = (held.customer_id, f"D-{deal_id.hex}", deal.signed_on, deal.amount_minor, status, *owner)
    await company.run(_DEAL, company.tenant_id, deal_id, *fields)
    return deal_id


async def _write_payment(company: Company, held: HeldCustomer, amount: int, on: date) -> None:
    """Of a deal long ago that was cancelled, so that nothing but the payment counts."""
    deal_id = await write_deal(company, held, SignedDeal(date(2020, 1, 1), 10 * amount), status="cancelled")
    await company.run(_COLLECTION, company.tenant_id, new_id(), deal_id, "collection", on, amount)
