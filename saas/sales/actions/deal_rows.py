"""The statements that write deals and their credits, many rows at a time."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from operator import attrgetter
from uuid import UUID

from saas.kernel import new_id
from saas.people import find_departments_on
from saas.sales.rules.credits import CreditPart
from saas.sales.rules.deals import CleanDeal, DealValues
from tenants import current_tenant_id, current_transaction

Departments = Mapping[tuple[UUID, date], UUID]
"""Where somebody worked on a day, by (employee, day); who is missing is not on the staff."""

CreditRows = Sequence[tuple[UUID, date, Sequence[CreditPart]]]
"""Deal, day of signing, and whose performance it is."""

_INSERT = """
INSERT INTO deal (tenant_id, id, created_at, owner_department_id, customer_id, opportunity_id, number, product,
    category, channel, signed_on, amount_minor, vat_rate, owner_id, external_system, external_key, contract_ends_on)
SELECT $1, made.id, $2, made.department, made.customer, made.opportunity, made.number, made.product, made.category,
    made.channel, made.day, made.amount, made.rate, made.owner, made.system, made.key, made.ends
FROM unnest($3::uuid[], $4::uuid[], $5::uuid[], $6::uuid[], $7::text[], $8::text[], $9::text[], $10::text[],
    $11::date[], $12::bigint[], $13::numeric[], $14::uuid[], $15::text[], $16::text[], $17::date[])
    AS made (id, department, customer, opportunity, number, product, category, channel, day, amount, rate, owner,
             system, key, ends)
ON CONFLICT DO NOTHING RETURNING id
"""
"""A number or key that another entry took a moment ago is waited for, and then left out: it is looked at again."""

_UPDATE = """
UPDATE deal d SET version = d.version + 1, owner_department_id = made.department, opportunity_id = made.opportunity,
    number = made.number, product = made.product, category = made.category, channel = made.channel,
    signed_on = made.day, amount_minor = made.amount, vat_rate = made.rate, owner_id = made.owner,
    external_system = made.system, external_key = made.key, contract_ends_on = made.ends
FROM unnest($2::uuid[], $3::uuid[], $4::uuid[], $5::uuid[], $6::text[], $7::text[], $8::text[], $9::text[],
    $10::date[], $11::bigint[], $12::numeric[], $13::uuid[], $14::text[], $15::text[], $16::date[])
    AS made (id, department, customer, opportunity, number, product, category, channel, day, amount, rate, owner,
             system, key, ends)
WHERE d.tenant_id = $1 AND d.id = made.id AND d.customer_id = made.customer
"""
_FORGET_CREDITS = "DELETE FROM performance_credit WHERE tenant_id = $1 AND deal_id = ANY ($2)"
_INSERT_CREDITS = """
INSERT INTO performance_credit (tenant_id, id, deal_id, employee_id, department_id, share, position)
SELECT $1, part.* FROM unnest($2::uuid[], $3::uuid[], $4::uuid[], $5::uuid[], $6::numeric[], $7::int[]) AS part
"""


_values_of = attrgetter(*DealValues.__slots__)


async def departments_of(deals: Iterable[CleanDeal]) -> Departments:
    """Where owners and credited people worked on the days of signing."""
    return await find_departments_on(
        [
            (person, deal.values.signed_on)
            for deal in deals
            for person in (deal.values.owner_id, *(part.employee_id for part in deal.credits))
        ]
    )


async def insert_deals(rows: Sequence[tuple[UUID, CleanDeal]], departments: Departments, *, at: datetime) -> set[UUID]:
    """Insert deals in this order; those whose number or key another entry took are left out of the answer."""
    if not rows:
        return set()
    made = await current_transaction().fetch(_INSERT, current_tenant_id(), at, *_columns(rows, departments))
    return {row["id"] for row in made}


async def update_deals(rows: Sequence[tuple[UUID, CleanDeal]], departments: Departments) -> None:
    """Give deals other values; their versions rise."""
    if rows:
        await current_transaction().execute(_UPDATE, current_tenant_id(), *_columns(rows, departments))


def _columns(rows: Sequence[tuple[UUID, CleanDeal]], departments: Departments) -> list[list[object]]:
    """The rows as columns: id, department, and the values in the order of their declaration."""
    whole = [
        (deal_id, departments[deal.values.owner_id, deal.values.signed_on], *_values_of(deal.values))
        for deal_id, deal in rows
    ]
    return list(map(list, zip(*whole, strict=True)))


async def replace_credits(rows: CreditRows, departments: Departments) -> None:
    """Give deals these credits in place of those they have, with the departments of the day of signing."""
    if not rows:
        return
    tenant_id = current_tenant_id()
    await current_transaction().execute(_FORGET_CREDITS, tenant_id, [deal_id for deal_id, _, _ in rows])
    parts = [
        (new_id(), deal_id, part.employee_id, departments[part.employee_id, day], part.share, place)
        for deal_id, day, credited in rows
        for place, part in enumerate(credited)
    ]
    await current_transaction().execute(_INSERT_CREDITS, tenant_id, *map(list, zip(*parts, strict=True)))


def credits_text(parts: Sequence[CreditPart]) -> str:
    """Credits as the trail holds them: person and share, in their order."""
    return ", ".join(f"{part.employee_id} {part.share:f}" for part in parts)
