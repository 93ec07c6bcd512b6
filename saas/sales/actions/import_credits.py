"""Credits of deals that come in sheets: a row per deal, with everybody's share in it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID

from saas.customers import lock_customers
from saas.exchange import Applied, Difference, ImportContext, ImportKind, Row, Verdict
from saas.kernel import AppError
from saas.people import StaffBook, find_staff
from saas.people.queries import find_numbers
from saas.sales.actions.deal_changes import set_credits
from saas.sales.actions.importing import changed_since, placed
from saas.sales.columns import CREDIT_COLUMNS, credited_words, credits_of
from saas.sales.errors import DealNotFound
from saas.sales.queries import find_deals_by_keys, find_visible_deals, get_deals
from saas.sales.rules.collections import deal_cancelled
from saas.sales.rules.credits import CreditPart
from saas.sales.rules.deals import StoredDeal


class CreditImport(ImportKind):
    """For deals that are there already; in a sheet of deals the column of the same name does it."""

    name, title = "credits", {"zh-CN": "业绩归属", "en": "Credits"}
    permission, order, columns = "deal:credit", 80, CREDIT_COLUMNS

    async def plan(self, context: ImportContext, rows: Sequence[Row]) -> list[Verdict]:
        """Compares with the credits that stand."""
        desk = await _desk(context, rows)
        return [_verdict(desk, row) for row in rows]

    async def apply(self, context: ImportContext, rows: Sequence[Row], verdicts: Sequence[Verdict]) -> list[Applied]:
        """Lines of performance follow, under the days on which things happened."""
        desk = await _desk(context, rows)
        applied = []
        for row in rows:
            deal = desk.deals[str(row.values["deal"])]
            await _set(context, deal.id, credits_of(row, desk.staff), version=deal.version)
            before = [[str(part.employee_id), str(part.share)] for part in deal.credits]
            applied.append(Applied(row.number, deal.id, {"version": deal.version + 1, "before": before}))
        return applied

    async def undo(self, context: ImportContext, applied: Sequence[Applied]) -> list[AppError | None]:
        """Deals get the credits back that they had."""
        deals = await get_deals([each.object_id for each in applied if each.object_id is not None])
        outcomes: list[AppError | None] = []
        for each in applied:
            deal = deals.get(each.object_id) if each.object_id else None
            if deal is None or deal.version != each.undo["version"] or deal.cancelled_on is not None:
                outcomes.append(changed_since(each))
                continue
            parts = tuple(CreditPart(UUID(person), Decimal(share)) for person, share in each.undo["before"])
            await _set(context, deal.id, parts, version=deal.version)
            outcomes.append(None)
        return outcomes


@dataclass(frozen=True, slots=True)
class _Desk:
    deals: Mapping[str, StoredDeal]
    staff: StaffBook
    numbers: Mapping[UUID, str]


async def _desk(context: ImportContext, rows: Sequence[Row]) -> _Desk:
    wanted = {str(row.values["deal"]) for row in rows}
    found = {deal.id: deal for deal in await find_deals_by_keys(sorted(wanted), [])}
    customers = await find_visible_deals(context.actor, context.access, found.keys())
    if context.is_commit:
        await lock_customers(customers.values())
        found = await get_deals(customers.keys())
    deals = {deal.values.number: deal for deal_id, deal in found.items() if deal_id in customers}
    staff = await find_staff(context, [word for row in rows for word in credited_words(row)])
    people = {part.employee_id for deal in deals.values() for part in deal.credits}
    return _Desk(deals, staff, await find_numbers(people))


async def _set(context: ImportContext, deal_id: UUID, parts: Sequence[CreditPart], *, version: int) -> None:
    await set_credits(
        context.actor,
        deal_id=deal_id,
        parts=parts,
        expected_version=version,
        access=context.access,
        clock=context.clock,
    )


def _verdict(desk: _Desk, row: Row) -> Verdict:
    number = str(row.values["deal"])
    deal = desk.deals.get(number)
    try:
        parts = credits_of(row, desk.staff)
    except AppError as refused:
        return Verdict.refused(placed(refused))
    if deal is None:
        return Verdict.refused(DealNotFound("sales.no_such_deal", {"number": number}, field=("deal",)))
    if deal.cancelled_on is not None:
        return Verdict.refused(deal_cancelled(number, deal.cancelled_on))
    if parts == deal.credits:
        return Verdict.unchanged(str(deal.version))
    before = "、".join(
        f"{desk.numbers.get(part.employee_id, '—')} {(part.share * 100).normalize():f}%" for part in deal.credits
    )
    given = row.values["credits"]
    after = "、".join(given) if isinstance(given, tuple) else None
    return Verdict.changed(str(deal.version), [Difference("credits", before, after)])
