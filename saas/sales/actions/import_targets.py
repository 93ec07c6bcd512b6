"""Targets that come in sheets, of people or departments, for months or for any other days."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import partial
from uuid import UUID

from saas.exchange import Applied, Difference, ImportContext, ImportKind, Row, Verdict
from saas.kernel import AppError, Period, month_after
from saas.people import StaffBook, find_staff
from saas.people.errors import DepartmentNotFound
from saas.people.queries import load_department_tree
from saas.people.rules import DepartmentTree
from saas.sales.actions.importing import outcomes, placed, tried, written
from saas.sales.actions.targets import set_targets
from saas.sales.columns import TARGET_COLUMNS, stand_in
from saas.sales.errors import ValueOutOfRange
from saas.sales.queries import find_targets_of
from saas.sales.rules.amounts import shown
from saas.sales.rules.entries import Entered
from saas.sales.rules.entries import Outcome as EnteredAs
from saas.sales.rules.targets import NewTarget, StoredTarget, clean_target, target_overlaps
from tenants import current_tenant_id, current_transaction

_REMOVE = """
DELETE FROM target t USING unnest($2::uuid[], $3::int[]) AS made (id, seen)
WHERE t.tenant_id = $1 AND t.id = made.id AND t.version = made.seen RETURNING t.id
"""
_RESTORE = """
UPDATE target t SET amount_minor = made.amount, version = t.version + 1
FROM unnest($2::uuid[], $3::int[], $4::bigint[]) AS made (id, seen, amount)
WHERE t.tenant_id = $1 AND t.id = made.id AND t.version = made.seen RETURNING t.id
"""


TARGETS = "targets"
_DEPARTMENT = " "
"""Begins what stands for a department in a token: no cell begins with a space, so nobody is called so."""


class TargetImport(ImportKind):
    """A target is known by whose it is, its metric and its period."""

    name, title = TARGETS, {"zh-CN": "业绩目标", "en": "Targets"}
    permission, order, columns = "target:set", 90, TARGET_COLUMNS

    async def plan(self, context: ImportContext, rows: Sequence[Row]) -> list[Verdict]:
        """Targets of people who are there are tried; of those who are promised only, the values are checked."""
        desk = await _desk(context, rows)
        verdicts: dict[int, Verdict] = {}
        ready: dict[int, NewTarget] = {}
        promised = {key: list(periods) for key, periods in desk.pledged.items()}
        for place, row in enumerate(rows):
            try:
                new = _new(desk, row)
                if _is_promised(desk, row):
                    _check(context, new, promised)
                    verdicts[place] = Verdict.new(_token(row, new))
                else:
                    ready[place] = new
            except AppError as refused:
                verdicts[place] = Verdict.refused(placed(refused))
        stored = await _stored(ready.values())
        entered = await tried(partial(_enter, context, list(ready.values()))) if ready else []
        for place, each in zip(ready, entered, strict=True):
            verdicts[place] = _verdict(desk, rows[place], ready[place], each, stored)
        return [verdicts[place] for place in range(len(rows))]

    async def apply(self, context: ImportContext, rows: Sequence[Row], verdicts: Sequence[Verdict]) -> list[Applied]:
        """Everybody whom rows name is there by now."""
        desk = await _desk(context, rows)
        wanted = [_new(desk, row) for row in rows]
        stored = {each.id: each for each in (await _stored(wanted)).values()}
        made = written(rows, await _enter(context, wanted))
        return [Applied(row.number, target_id, _undo(stored.get(target_id))) for row, target_id in made]

    async def undo(self, context: ImportContext, applied: Sequence[Applied]) -> list[AppError | None]:
        """Targets that nobody set anew since go, or get their former amount back."""
        fetch, tenant_id = current_transaction().fetch, current_tenant_id()
        fresh = [each for each in applied if "before" not in each.undo]
        changed = [each for each in applied if "before" in each.undo]
        ids, versions = [each.object_id for each in fresh], [each.undo["version"] for each in fresh]
        done = {row["id"] for row in await fetch(_REMOVE, tenant_id, ids, versions)}
        ids, versions = [each.object_id for each in changed], [each.undo["version"] for each in changed]
        amounts = [each.undo["before"] for each in changed]
        done |= {row["id"] for row in await fetch(_RESTORE, tenant_id, ids, versions, amounts)}
        return outcomes(applied, done)


@dataclass(frozen=True, slots=True)
class _Desk:
    """Whose targets rows set; `pledged` are the periods of those that earlier rows will, by subject and metric."""

    context: ImportContext
    staff: StaffBook
    tree: DepartmentTree
    pledged: Mapping[tuple[UUID, str], Sequence[Period]]


async def _desk(context: ImportContext, rows: Sequence[Row]) -> _Desk:
    pledges = [token.split(" ", 3) for token in await context.promises.pledged(TARGETS) if token]
    words = [who for *_, who in pledges if not who.startswith(_DEPARTMENT)]
    staff = await find_staff(context, [*words, *(row.text("employee") for row in rows)])
    pledged: dict[tuple[UUID, str], list[Period]] = {}
    for first, until, metric, who in pledges:
        period = Period(date.fromisoformat(first), date.fromisoformat(until))
        pledged.setdefault((_subject(staff, who), metric), []).append(period)
    return _Desk(context, staff, await load_department_tree(), pledged)


def _token(row: Row, new: NewTarget) -> str:
    """What the rows behind need to know of a row: its period, its metric, and whom it calls."""
    who = row.text("employee") or f"{_DEPARTMENT}{new.department_id}"
    return f"{new.first} {new.until} {new.metric} {who}"


def _subject(staff: StaffBook, who: str) -> UUID:
    if who.startswith(_DEPARTMENT):
        return UUID(who.removeprefix(_DEPARTMENT))
    return staff.id_of(who, column="employee") or stand_in(who)


def _new(desk: _Desk, row: Row) -> NewTarget:
    """:raises AppError: nobody is called so, no such department, or no period."""
    word, path, amount = row.text("employee"), row.text("department"), row.figure("amount")
    assert amount is not None, "a required column"
    first, until = _period(row)
    person = desk.staff.find(word, column="employee") if word else None
    return NewTarget(
        employee_id=(person.id if person else stand_in(word)) if word else None,
        department_id=_department(desk, path) if path and not word else None,
        metric=row.text("metric") or "signed",
        first=first,
        until=until,
        amount=amount,
    )


def _department(desk: _Desk, path: str) -> UUID:
    department_id, missing = desk.tree.find(path)
    if missing:
        raise DepartmentNotFound("people.department_not_found", field=("department",))
    return department_id


def _period(row: Row) -> tuple[date, date]:
    """First day, and first day no more: of a month, of days, or of a number of months from a day.

    Months from the last day of a month end on the last day of one.
    """
    month, first, last = row.text("month"), row.day("first"), row.day("last")
    if month is not None:
        begins = date.fromisoformat(f"{month}-01")
        return begins, month_after(begins)
    until = last + timedelta(days=1) if last is not None else row.day("until")
    if first is not None and until is not None:
        return first, until
    months = row.figure("months")
    if first is None or months is None:
        raise ValueOutOfRange("sales.target_without_period", field=("month",))
    index = first.year * 12 + first.month - 1 + int(months)
    year, number = divmod(index, 12)
    longest = monthrange(year, number + 1)[1]
    is_last = first.day == monthrange(first.year, first.month)[1]
    return first, date(year, number + 1, longest if is_last else min(first.day, longest))


def _is_promised(desk: _Desk, row: Row) -> bool:
    word = row.text("employee")
    return word is not None and desk.staff.find(word, column="employee") is None


def _check(context: ImportContext, new: NewTarget, promised: dict[tuple[UUID, str], list[Period]]) -> None:
    """:raises AppError: a value that a target can't have, or another row has days in common with it."""
    clean = clean_target(new, currency=context.currency)
    beside = promised.setdefault((clean.subject, clean.metric), [])
    other = next((each for each in beside if each.overlap(clean.period)), None)
    if other is not None:
        raise target_overlaps(other)
    beside.append(clean.period)


Stored = Mapping[tuple[UUID | None, str, date], StoredTarget]


async def _stored(wanted: Collection[NewTarget]) -> Stored:
    """The targets that rows may be about, by subject, metric and first day."""
    subjects = {subject for row in wanted if (subject := row.employee_id or row.department_id)}
    found = await find_targets_of(subjects)
    return {
        (each.target.subject, each.target.metric, each.target.period.first): each
        for known in found.values()
        for each in known
    }


async def _enter(context: ImportContext, rows: Sequence[NewTarget]) -> list[Entered]:
    return await set_targets(
        context.actor, rows, currency=context.currency, time_zone=context.time_zone, clock=context.clock
    )


def _verdict(desk: _Desk, row: Row, new: NewTarget, entered: Entered, stored: Stored) -> Verdict:
    if entered.refusal is not None:
        return Verdict.refused(placed(entered.refusal))
    subject = new.employee_id or new.department_id
    known = stored.get((subject, new.metric, new.first))
    if known is None or entered.outcome is EnteredAs.NEW:
        period = Period(new.first, new.until)
        pledged = desk.pledged.get((subject, new.metric), ()) if subject else ()
        other = next((each for each in pledged if each.overlap(period)), None)
        return Verdict.refused(placed(target_overlaps(other))) if other else Verdict.new(_token(row, new))
    was = shown(known.target.amount_minor, desk.context.currency)
    changes = [Difference("amount", was, format(new.amount, "f"))] if entered.outcome is EnteredAs.CHANGED else []
    return Verdict.against(str(known.version), changes)


def _undo(stored: StoredTarget | None) -> dict[str, int]:
    if stored is None:
        return {"version": 1}
    return {"version": stored.version + 1, "before": stored.target.amount_minor}
