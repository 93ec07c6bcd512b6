"""Targets: what people and departments are to achieve, set one by one or by the thousand."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from uuid import UUID

from saas.audit import entry_values, record_many
from saas.events import emit_many
from saas.kernel import Actor, AppError, Clock, local_date, new_id
from saas.people import find_departments, find_departments_on
from saas.people.errors import DepartmentNotFound, EmployeeNotFound
from saas.sales.errors import TargetChanged, TargetNotFound
from saas.sales.events import TARGET_SET
from saas.sales.queries import find_targets_of
from saas.sales.rules.amounts import shown
from saas.sales.rules.entries import Entered, Entries, Outcome
from saas.sales.rules.targets import CleanTarget, NewTarget, StoredTarget, clean_target, target_overlaps
from tenants import current_tenant_id, current_transaction

_LOCK = "SELECT pg_advisory_xact_lock(hashtextextended('targets of ' || $1::uuid, 0))"
_INSERT = """
INSERT INTO target (tenant_id, id, created_at, employee_id, department_id, metric, period_first, period_until,
    amount_minor)
SELECT $1, made.id, $2, made.employee, made.department, made.metric, made.first, made.until, made.amount
FROM unnest($3::uuid[], $4::uuid[], $5::uuid[], $6::text[], $7::date[], $8::date[], $9::bigint[])
    AS made (id, employee, department, metric, first, until, amount)
"""
_UPDATE = """
UPDATE target t SET amount_minor = made.amount, version = t.version + 1
FROM unnest($2::uuid[], $3::bigint[]) AS made (id, amount) WHERE t.tenant_id = $1 AND t.id = made.id
"""


async def set_target(
    actor: Actor,
    new: NewTarget,
    *,
    expected_version: int | None,
    currency: str,
    time_zone: str,
    clock: Clock,
) -> UUID:
    """Set what a person or a department is to achieve in a period (业绩目标); again, for the same period: change it.

    `expected_version` is the version that a change is of, None for a target that is not there yet.

    :raises BadUserInput: not one subject, an unknown metric, a period without a day, an amount not above 0.
    :raises EmployeeNotFound, DepartmentNotFound: this company has no such person or department.
    :raises TargetOverlaps: another target of the subject and metric has days in common; of several at once one is set.
    :raises TargetChanged, TargetNotFound: it is not of that version (any more), or not there.
    """
    entered = await _set(actor, [new], currency=currency, time_zone=time_zone, clock=clock, expected=expected_version)
    return entered[0].record_id()


async def set_targets(
    actor: Actor, rows: Sequence[NewTarget], *, currency: str, time_zone: str, clock: Clock
) -> list[Entered]:
    """Set targets, whatever version they have; what became of each row, in their order.

    Refusals are those of `set_target`; a refused row changes nothing, and the others stand.
    """
    return await _set(actor, rows, currency=currency, time_zone=time_zone, clock=clock, expected=_ANY)


_ANY = -1


async def _set(
    actor: Actor, rows: Sequence[NewTarget], *, currency: str, time_zone: str, clock: Clock, expected: int | None
) -> list[Entered]:
    entries = Entries.of(rows).judge(lambda new: clean_target(new, currency=currency))
    entries = await _of_known_subjects(entries, on_clock=clock, time_zone=time_zone)
    await current_transaction().fetchval(_LOCK, current_tenant_id())
    targets = await find_targets_of({target.subject for target in entries.standing.values()})
    beside = {subject: [stored.target for stored in known] for subject, known in targets.items()}
    fresh: dict[UUID, CleanTarget] = {}
    changed: list[tuple[StoredTarget, CleanTarget]] = []
    for place, target in list(entries.standing.items()):
        of = (target.subject, target.metric)
        stored = next((each for each in targets.get(of, ()) if each.target.period == target.period), None)
        if stored is not None and stored.target == target:
            entries.settle(place, Outcome.UNCHANGED, stored.id)
            continue
        refusal = _refusal(target, stored, beside.get(of, ()), expected=expected)
        if refusal is not None:
            entries.refuse(place, refusal)
        elif stored is None:
            record_id = new_id()
            entries.settle(place, Outcome.NEW, record_id)
            fresh[record_id] = target
            beside.setdefault(of, []).append(target)
        else:
            entries.settle(place, Outcome.CHANGED, stored.id)
            changed.append((stored, target))
    await _write(fresh, changed, at=clock.now())
    await _tell(actor, fresh, changed, currency=currency, clock=clock)
    return entries.results()


def _refusal(
    target: CleanTarget, stored: StoredTarget | None, beside: Collection[CleanTarget], *, expected: int | None
) -> AppError | None:
    """Why the target may not be set beside the others of its subject and metric."""
    if stored is None:
        other = next((each for each in beside if each.period.overlap(target.period)), None)
        if other is not None:
            return target_overlaps(other.period)
        return None if expected in (_ANY, None) else TargetNotFound("sales.target_not_found", field=("periodFirst",))
    if expected is None:
        return target_overlaps(stored.target.period)
    if expected in (_ANY, stored.version):
        return None
    return TargetChanged("sales.target_changed", {"expected": expected, "actual": stored.version})


async def _of_known_subjects(entries: Entries[CleanTarget], *, on_clock: Clock, time_zone: str) -> Entries[CleanTarget]:
    standing, today = entries.standing.values(), local_date(on_clock.now(), time_zone)
    people = await find_departments_on([(row.employee_id, today) for row in standing if row.employee_id])
    departments = await find_departments([row.department_id for row in standing if row.department_id])

    def check(target: CleanTarget) -> CleanTarget:
        if target.employee_id is not None and (target.employee_id, today) not in people:
            raise EmployeeNotFound("people.employee_not_found", field=("employee",))
        if target.department_id is not None and target.department_id not in departments:
            raise DepartmentNotFound("people.department_not_found", field=("department",))
        return target

    return entries.judge(check)


async def _write(
    fresh: Mapping[UUID, CleanTarget], changed: Sequence[tuple[StoredTarget, CleanTarget]], *, at: datetime
) -> None:
    execute, tenant_id = current_transaction().execute, current_tenant_id()
    if fresh:
        whole = [
            (
                record_id,
                target.employee_id,
                target.department_id,
                target.metric,
                target.period.first,
                target.period.until,
                target.amount_minor,
            )
            for record_id, target in fresh.items()
        ]
        await execute(_INSERT, tenant_id, at, *map(list, zip(*whole, strict=True)))
    if changed:
        ids, amounts = [stored.id for stored, _ in changed], [target.amount_minor for _, target in changed]
        await execute(_UPDATE, tenant_id, ids, amounts)


async def _tell(
    actor: Actor,
    fresh: Mapping[UUID, CleanTarget],
    changed: Sequence[tuple[StoredTarget, CleanTarget]],
    *,
    currency: str,
    clock: Clock,
) -> None:
    """The trail and the event of each target."""
    told: list[tuple[UUID, str | None, CleanTarget]] = [(each, None, target) for each, target in fresh.items()]
    told += [(stored.id, shown(stored.target.amount_minor, currency), target) for stored, target in changed]
    entries = [
        entry_values(
            actor,
            "target.set",
            object_type="Target",
            object_id=record_id,
            changes={"amount": [before, shown(target.amount_minor, currency)]},
            clock=clock,
        )
        for record_id, before, target in told
    ]
    await record_many(entries)
    await emit_many(TARGET_SET, [{"target_id": str(record_id)} for record_id, _, _ in told])
