"""Opportunities that come in sheets, by the checks of every other one; one without a customer is taken, and told."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import partial
from typing import Any
from uuid import UUID

from saas.customers import lock_customers
from saas.exchange import Applied, Difference, ImportContext, ImportKind, Row, Verdict, differences, take_back
from saas.kernel import AppError, Money, local_date
from saas.people.queries import find_numbers
from saas.sales.actions.importing import SalesDesk, changed_since, in_use, placed, sales_desk, tried, written
from saas.sales.actions.opportunities import enter_opportunities, settle_customers_of
from saas.sales.columns import OPPORTUNITIES, OPPORTUNITY_COLUMNS, SYSTEM, called, stand_in
from saas.sales.errors import CustomerUnknown, StageNotFound
from saas.sales.queries import (
    NamedStage,
    find_named_stages,
    find_opportunities_by_keys,
    get_opportunities,
)
from saas.sales.rules.entries import Entered
from saas.sales.rules.entries import Outcome as EnteredAs
from saas.sales.rules.opportunities import NewOpportunity, OpportunityValues, StoredOpportunity, clean_opportunity
from tenants import current_tenant_id, current_transaction

_REMOVE = """
DELETE FROM opportunity o USING unnest($2::uuid[], $3::int[]) AS made (id, seen)
WHERE o.tenant_id = $1 AND o.id = made.id AND o.version = made.seen RETURNING o.id
"""
_RESTORE = """
UPDATE opportunity SET customer_id = $4, owner_id = $5, stage_id = $6, product = $7, engaged_on = $8, closed_on = $9,
    expected_minor = $10, reached = coalesce($11, reached), advanced_on = coalesce($12, advanced_on),
    version = version + 1
WHERE tenant_id = $1 AND id = $2 AND version = $3 RETURNING id
"""
"""A batch from before it was kept how far one had come leaves that as it is."""


class OpportunityImport(ImportKind):
    """Opportunities are known by their key. A cell that is left empty changes nothing."""

    name, title = OPPORTUNITIES, {"zh-CN": "商机", "en": "Opportunities"}
    permission, order, columns = "opportunity:enter", 50, OPPORTUNITY_COLUMNS

    async def plan(self, context: ImportContext, rows: Sequence[Row]) -> list[Verdict]:
        """Those whose customer and owner are there are tried; of the others the values are checked."""
        desk = await _desk(context, rows)
        verdicts: dict[int, Verdict] = {}
        ready: dict[int, NewOpportunity] = {}
        for place, row in enumerate(rows):
            refusals = desk.sales.refusals(row, "owner", needs_customer=False)
            try:
                new = _new(desk, row)
                if _is_promised(desk, row):
                    _check(desk, new)
                    verdicts[place] = Verdict.new(warnings=_warnings(row))
                else:
                    ready[place] = new
            except AppError as refused:
                verdicts[place] = Verdict.refused(*(refusals or [placed(refused)]))
        entered = await tried(partial(_enter, context, list(ready.values()))) if ready else []
        for place, each in zip(ready, entered, strict=True):
            verdicts[place] = _verdict(desk, rows[place], each)
        return [verdicts[place] for place in range(len(rows))]

    async def apply(self, context: ImportContext, rows: Sequence[Row], verdicts: Sequence[Verdict]) -> list[Applied]:
        """Everything that rows name is there by now."""
        desk = await _desk(context, rows)
        made = written(rows, await _enter(context, [_new(desk, row) for row in rows]))
        return [Applied(row.number, record_id, _undo(desk.of(row))) for row, record_id in made]

    async def undo(self, context: ImportContext, applied: Sequence[Applied]) -> list[AppError | None]:
        """Those that no deal came of are removed; changed ones get their former values back."""
        ids = [each.object_id for each in applied if each.object_id is not None]
        before = await get_opportunities(ids)
        await lock_customers([each.values.customer_id for each in before if each.values.customer_id is not None])
        outcomes = await take_back(applied, _take_back, changed=changed_since, in_use=in_use)
        touched = [each.values for each in (*before, *await get_opportunities(ids))]
        today = local_date(context.clock.now(), context.time_zone)
        await settle_customers_of(touched, time_zone=context.time_zone, today=today)
        return outcomes


@dataclass(frozen=True, slots=True)
class _Desk:
    """What rows call, the company's stages, and the opportunities that are there already."""

    sales: SalesDesk
    stages: Sequence[NamedStage]
    stored: Mapping[tuple[str | None, str | None], StoredOpportunity]
    numbers: Mapping[UUID, str]

    def of(self, row: Row) -> StoredOpportunity | None:
        """The opportunity that the row is about."""
        return self.stored.get((_system(row), row.text("external_key")))

    def stage(self, row: Row) -> NamedStage:
        """The row's stage, by key or title.

        :raises StageNotFound: the company has none of that name; names those it has.
        """
        word = str(row.values["stage"])
        found = next((stage for stage in self.stages if stage.is_called(word)), None)
        if found is None:
            known = "、".join(stage.title_zh for stage in self.stages)
            raise StageNotFound("sales.stage_not_found", {"stage": word[:40], "known": known}, field=("stage",))
        return found


async def _desk(context: ImportContext, rows: Sequence[Row]) -> _Desk:
    sales = await sales_desk(context, rows, "owner")
    stored = await find_opportunities_by_keys([(_system(row), row.text("external_key")) for row in rows])
    numbers = await find_numbers({each.values.owner_id for each in stored.values()})
    return _Desk(sales, await find_named_stages(), stored, numbers)


def _system(row: Row) -> str:
    return row.text("external_system") or SYSTEM


def _new(desk: _Desk, row: Row) -> NewOpportunity:
    """The opportunity that a row makes; of what is promised only, a stand-in; what it leaves empty, as it is stored.

    :raises AppError: the first thing that is wrong with what the row names.
    """
    stage, stored, word = desk.stage(row), desk.of(row), row.text("owner")
    was = stored.values if stored else None
    owner = desk.sales.staff.find(word, column="owner") if word else None
    kept_owner = was.owner_id if was else None
    return NewOpportunity(
        stage=stage.key,
        customer_id=_customer(desk, row) or (was.customer_id if was else None),
        owner_id=(owner.id if owner else stand_in(word)) if word else kept_owner,
        product=row.text("product") or (was.product if was else None),
        engaged_on=row.day("engaged_on") or (was.engaged_on if was else None),
        closed_on=None if stage.kind == "open" else row.day("closed_on") or (was.closed_on if was else None),
        expected=row.figure("expected") or _amount(desk, was),
        external_system=_system(row),
        external_key=row.text("external_key"),
    )


def _amount(desk: _Desk, was: OpportunityValues | None) -> Any:
    if was is None or was.expected_minor is None:
        return None
    return Money.of_minor(was.expected_minor, desk.sales.context.currency).amount


def _customer(desk: _Desk, row: Row) -> UUID | None:
    if not any(called(row)):
        return None
    return desk.sales.customer_id(row) or stand_in(str(called(row)))


def _is_promised(desk: _Desk, row: Row) -> bool:
    word = row.text("owner")
    has_new_owner = word is not None and desk.sales.staff.find(word, column="owner") is None
    return has_new_owner or (any(called(row)) and desk.sales.customer_id(row) is None)


def _check(desk: _Desk, new: NewOpportunity) -> None:
    """:raises AppError: a value that it can't have."""
    context = desk.sales.context
    stage = next(stage for stage in desk.stages if stage.key == new.stage)
    owner_id = new.owner_id or context.actor.employee_id or stand_in("nobody")
    today = local_date(context.clock.now(), context.time_zone)
    clean_opportunity(new, stage.plain, owner_id=owner_id, currency=context.currency, today=today)


async def _enter(context: ImportContext, rows: Sequence[NewOpportunity]) -> list[Entered]:
    return await enter_opportunities(
        context.actor,
        rows,
        access=context.access,
        currency=context.currency,
        time_zone=context.time_zone,
        clock=context.clock,
    )


def _warnings(row: Row) -> list[AppError]:
    """That nobody knows of whom the opportunity is: none is invented."""
    return [] if any(called(row)) else [CustomerUnknown("sales.opportunity_without_customer", field=("customer",))]


def _verdict(desk: _Desk, row: Row, entered: Entered) -> Verdict:
    if entered.refusal is not None:
        return Verdict.refused(placed(entered.refusal))
    stored = desk.of(row)
    if stored is None:
        return Verdict.new(warnings=_warnings(row))
    found = _differences(desk, row, stored.values) if entered.outcome is EnteredAs.CHANGED else ()
    if entered.outcome is EnteredAs.CHANGED and not found:
        found = (Difference("customer", None, row.text("customer")),)
    return Verdict.against(str(stored.version), found, warnings=_warnings(row))


def _differences(desk: _Desk, row: Row, was: OpportunityValues) -> tuple[Difference, ...]:
    stages = {stage.id: stage.key for stage in desk.stages}
    owner = desk.sales.staff.find(word, column="owner") if (word := row.text("owner")) else None
    before = {
        "stage": stages.get(was.stage_id),
        "owner": desk.numbers.get(was.owner_id),
        "product": was.product,
        "engaged_on": was.engaged_on,
        "closed_on": was.closed_on,
        "expected": _amount(desk, was),
    }
    wanted = {name: row.values.get(name) for name in before}
    return differences(before, {**wanted, "stage": desk.stage(row).key, "owner": owner.number if owner else None})


def _undo(stored: StoredOpportunity | None) -> dict[str, Any]:
    if stored is None:
        return {"version": 1}
    values = {name: getattr(stored.values, name) for name in OpportunityValues.__slots__}
    values |= {"reached": stored.reached, "advanced_on": stored.advanced_on}
    plain = {name: value if value is None or isinstance(value, int) else str(value) for name, value in values.items()}
    return {"version": stored.version + 1, "before": plain}


async def _take_back(applied: Sequence[Applied]) -> set[int]:
    fetch, tenant_id = current_transaction().fetch, current_tenant_id()
    fresh = [each for each in applied if "before" not in each.undo]
    ids, versions = [each.object_id for each in fresh], [each.undo["version"] for each in fresh]
    done = {row["id"] for row in await fetch(_REMOVE, tenant_id, ids, versions)}
    for each in applied:
        if "before" in each.undo:
            done |= {row["id"] for row in await fetch(_RESTORE, tenant_id, each.object_id, *_former(each.undo))}
    return {each.number for each in applied if each.object_id in done}


def _former(undo: Mapping[str, Any]) -> list[object]:
    """Version and values in the order of `_RESTORE`."""
    was = undo["before"]
    ids = [UUID(was[name]) if was[name] else None for name in ("customer_id", "owner_id", "stage_id")]
    days = [date.fromisoformat(was[name]) if was[name] else None for name in ("engaged_on", "closed_on")]
    advanced_on = was.get("advanced_on")
    advance = [was.get("reached"), date.fromisoformat(advanced_on) if advanced_on else None]
    return [undo["version"], *ids, was["product"], *days, was["expected_minor"], *advance]
