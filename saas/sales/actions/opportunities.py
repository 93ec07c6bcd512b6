"""Opportunities: entered one by one or by the thousand, by the same checks; moved from stage to stage."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from operator import attrgetter
from uuid import UUID

from saas.access import AccessTable, require
from saas.audit import entry_values, record, record_many
from saas.customers import lock_customers, lock_visible_customers, settle_due
from saas.customers.errors import CustomerNotFound
from saas.events import emit, emit_many
from saas.kernel import Actor, BadUserInput, Clock, local_date, new_id
from saas.people import find_departments_on
from saas.people.errors import EmployeeNotFound
from saas.sales.errors import OpportunityChanged, OpportunityExists, StageNotFound
from saas.sales.events import OPPORTUNITY_ENTERED, OPPORTUNITY_MOVED
from saas.sales.queries import (
    find_activity,
    find_opportunities_by_keys,
    find_stages,
    find_visible_opportunities,
    lock_visible_opportunity,
)
from saas.sales.rules.entries import Entered, Entries, Outcome
from saas.sales.rules.opportunities import (
    NewOpportunity,
    OpportunityValues,
    Stage,
    StoredOpportunity,
    clean_opportunity,
    closing_day,
)
from tenants import current_tenant_id, current_transaction

ASSIGN_PERMISSION = "opportunity:assign"
"""Needed to enter an opportunity for somebody else."""

_LOCK_SYSTEM = "SELECT pg_advisory_xact_lock(hashtextextended($1::uuid || 'opportunities of ' || $2, 0))"
_COLUMNS = """unnest($2::uuid[], $3::uuid[], $4::uuid[], $5::uuid[], $6::uuid[], $7::text[], $8::date[], $9::date[],
    $10::bigint[], $11::text[], $12::text[])
    AS made (id, department, customer, owner, stage, product, engaged, closed, expected, system, key)"""
_ADVANCED = """reached = greatest(o.reached, s.position),
    advanced_on = CASE WHEN s.position > o.reached THEN {today} ELSE o.advanced_on END"""
"""A stage further on than any before is progress; back, and there once more, is none (L12)."""

_INSERT = f"""
INSERT INTO opportunity (tenant_id, id, created_at, owner_department_id, customer_id, owner_id, stage_id, product,
    engaged_on, closed_on, expected_minor, external_system, external_key, reached, advanced_on)
SELECT $1, made.id, $14, made.department, made.customer, made.owner, made.stage, made.product, made.engaged,
    made.closed, made.expected, made.system, made.key, s.position, coalesce(made.closed, made.engaged, $13)
FROM {_COLUMNS} JOIN opportunity_stage s ON s.tenant_id = $1 AND s.id = made.stage
"""
"""What was entered late advanced on the day it began: entering it is no progress."""

_UPDATE = f"""
UPDATE opportunity o SET version = o.version + 1, owner_department_id = made.department, customer_id = made.customer,
    owner_id = made.owner, stage_id = made.stage, product = made.product, engaged_on = made.engaged,
    closed_on = made.closed, expected_minor = made.expected, {_ADVANCED.format(today="$13")}
FROM {_COLUMNS} JOIN opportunity_stage s ON s.tenant_id = $1 AND s.id = made.stage
WHERE o.tenant_id = $1 AND o.id = made.id
"""
_MOVE = f"""
UPDATE opportunity o SET stage_id = $3, closed_on = $4, version = o.version + 1, {_ADVANCED.format(today="$5")}
FROM opportunity_stage s WHERE o.tenant_id = $1 AND o.id = $2 AND s.tenant_id = $1 AND s.id = $3
"""
_values_of = attrgetter(*OpportunityValues.__slots__)


async def enter_opportunity(
    actor: Actor, new: NewOpportunity, *, access: AccessTable, currency: str, time_zone: str, clock: Clock
) -> UUID:
    """A sale that may come about: the caller's own, unless they may enter it for others (``opportunity:assign``).

    The same one again, by its key in another system, changes nothing.

    :raises PermissionMissing: it is for somebody else, without the right to that.
    :raises BadUserInput: a value that can't be stored, a closing day that does not fit the stage, or no owner.
    :raises StageNotFound, CustomerNotFound, EmployeeNotFound: missing, another company's, or not visible.
    :raises OpportunityExists: it is there already with other values.
    """
    entered = await enter_opportunities(
        actor, [new], access=access, currency=currency, time_zone=time_zone, clock=clock, may_overwrite=False
    )
    return entered[0].record_id()


async def enter_opportunities(
    actor: Actor,
    rows: Sequence[NewOpportunity],
    *,
    access: AccessTable,
    currency: str,
    time_zone: str,
    clock: Clock,
    may_overwrite: bool = True,
) -> list[Entered]:
    """Enter opportunities; what became of each row, in their order. A refused row changes nothing.

    Refusals are those of `enter_opportunity`. With `may_overwrite` one that is there already takes the row's values.

    :raises PermissionMissing: as `enter_opportunity`.
    """
    if any(new.owner_id not in (None, actor.employee_id) for new in rows):
        require(access, ASSIGN_PERMISSION)
    today, stages = local_date(clock.now(), time_zone), await find_stages()
    clean = Entries.of(rows).judge(
        lambda new: clean_opportunity(
            new, _stage(stages, new.stage), owner_id=_owner(actor, new), currency=currency, today=today
        )
    )
    clean = await _with_customers(actor, access, clean, time_zone=time_zone)
    entries = await _with_departments(clean.once(_identities), on=today)
    changed = await _settle_known(entries, may_overwrite=may_overwrite)
    fresh = {new_id(): (place, row) for place, row in entries.standing.items()}
    for record_id, (place, _) in fresh.items():
        entries.settle(place, Outcome.NEW, record_id)
    await _write(_INSERT, {record_id: row for record_id, (_, row) in fresh.items()}, today, clock.now())
    await _write(_UPDATE, {stored.id: row for stored, row in changed}, today)
    touched = [row.values for _, row in fresh.values()]
    touched += [values for stored, row in changed for values in (stored.values, row.values)]
    await settle_customers_of(touched, time_zone=time_zone, today=today)
    desk = _Desk(actor, clock)
    await desk.tell("opportunity.entered", [(record_id, None, row) for record_id, (_, row) in fresh.items()])
    await desk.tell("opportunity.changed", [(stored.id, stored, row) for stored, row in changed])
    return entries.results()


def _stage(stages: Mapping[str, Stage], key: str) -> Stage:
    found = stages.get(key)
    if found is None:
        values = {"stage": key[:40], "known": ", ".join(stages)}
        raise StageNotFound("sales.stage_not_found", values, field=("stage",))
    return found


def _owner(actor: Actor, new: NewOpportunity) -> UUID:
    owner = new.owner_id or actor.employee_id
    if owner is None:
        raise BadUserInput("sales.owner_needed", field=("owner",))
    return owner


@dataclass(frozen=True, slots=True)
class _Placed:
    """An opportunity with the department of its owner."""

    values: OpportunityValues
    department_id: UUID


def _identities(row: OpportunityValues) -> list[tuple[str | None, str]]:
    return [(row.external_system, row.external_key)] if row.external_key else []


async def _with_customers(
    actor: Actor, access: AccessTable, entries: Entries[OpportunityValues], *, time_zone: str
) -> Entries[OpportunityValues]:
    """Those without a customer, or of one that the caller may see."""
    wanted = {row.customer_id for row in entries.standing.values() if row.customer_id is not None}
    known = await lock_visible_customers(actor, access, wanted, time_zone=time_zone) if wanted else {}

    def check(row: OpportunityValues) -> OpportunityValues:
        if row.customer_id is not None and row.customer_id not in known:
            raise CustomerNotFound("customers.not_found", field=("customer",))
        return row

    return entries.judge(check)


async def _with_departments(entries: Entries[OpportunityValues], *, on: date) -> Entries[_Placed]:
    """Those of owners on the staff, with the departments they are in."""
    departments = await find_departments_on([(row.owner_id, row.engaged_on or on) for row in entries.standing.values()])

    def place(row: OpportunityValues) -> _Placed:
        department = departments.get((row.owner_id, row.engaged_on or on))
        if department is None:
            raise EmployeeNotFound("people.employee_not_found", field=("owner",))
        return _Placed(row, department)

    return entries.judge(place)


async def _settle_known(entries: Entries[_Placed], *, may_overwrite: bool) -> list[tuple[StoredOpportunity, _Placed]]:
    """Settle rows whose key is there already; those that change something are given back."""
    named = {place: row for place, row in entries.standing.items() if row.values.external_key}
    for system in sorted({row.values.external_system or "" for row in named.values()}):
        await current_transaction().fetchval(_LOCK_SYSTEM, current_tenant_id(), system)
    known = await find_opportunities_by_keys(
        [(row.values.external_system, row.values.external_key) for row in named.values()]
    )
    changed: list[tuple[StoredOpportunity, _Placed]] = []
    for place, row in named.items():
        stored = known.get((row.values.external_system, row.values.external_key))
        if stored is None:
            continue
        if stored.values == row.values:
            entries.settle(place, Outcome.UNCHANGED, stored.id)
        elif may_overwrite:
            entries.settle(place, Outcome.CHANGED, stored.id)
            changed.append((stored, row))
        else:
            values = {"key": row.values.external_key}
            entries.refuse(place, OpportunityExists("sales.opportunity_exists", values, field=("external",)))
    return changed


async def settle_customers_of(touched: Iterable[OpportunityValues], *, time_zone: str, today: date) -> None:
    """Settle when the customers of opportunities go back: one that is open may keep its customer from it."""
    customers = {values.customer_id for values in touched if values.customer_id is not None}
    if customers:
        await settle_due(customers, activity=find_activity, time_zone=time_zone, today=today)


async def _write(sql: str, rows: Mapping[UUID, _Placed], *more: date) -> None:
    if rows:
        whole = [(record_id, row.department_id, *_values_of(row.values)) for record_id, row in rows.items()]
        await current_transaction().execute(sql, current_tenant_id(), *map(list, zip(*whole, strict=True)), *more)


@dataclass(frozen=True, slots=True)
class _Desk:
    """Who enters, for the trail."""

    actor: Actor
    clock: Clock

    async def tell(self, action: str, rows: Sequence[tuple[UUID, StoredOpportunity | None, _Placed]]) -> None:
        """The trail and the event of each opportunity."""
        entries = [
            entry_values(
                self.actor,
                action,
                object_type="Opportunity",
                object_id=record_id,
                changes={
                    "stage": [str(before.values.stage_id) if before else None, str(row.values.stage_id)],
                    "owner": [str(before.values.owner_id) if before else None, str(row.values.owner_id)],
                },
                clock=self.clock,
            )
            for record_id, before, row in rows
        ]
        await record_many(entries)
        await emit_many(OPPORTUNITY_ENTERED, [{"opportunity_id": str(record_id)} for record_id, _, _ in rows])


async def move_opportunity(
    actor: Actor,
    *,
    opportunity_id: UUID,
    stage: str,
    closed_on: date | None,
    expected_version: int,
    access: AccessTable,
    time_zone: str,
    clock: Clock,
) -> UUID:
    """Bring an opportunity to another stage; one that ends it ends it today unless a day is given.

    The customer is locked first, as by whoever enters one of its opportunities.

    Winning one makes no deal: that is entered when it is signed.

    :raises StageNotFound: the company has no such stage.
    :raises OpportunityNotFound: missing, another company's, or not visible.
    :raises OpportunityChanged: somebody changed it meanwhile.
    :raises ValueOutOfRange: a closing day that does not fit.
    """
    stages = await find_stages()
    to = _stage(stages, stage)
    seen = await find_visible_opportunities(actor, access, [opportunity_id])
    await lock_customers([each for each in seen.values() if each is not None])
    found = await lock_visible_opportunity(actor, access, opportunity_id=opportunity_id)
    if found.version != expected_version:
        values = {"expected": expected_version, "actual": found.version}
        raise OpportunityChanged("sales.opportunity_changed", values)
    today = local_date(clock.now(), time_zone)
    day = closed_on if closed_on is not None or to.kind == "open" else today
    ends = closing_day(to, day, engaged_on=found.values.engaged_on, today=today)
    moved = replace(found.values, stage_id=to.id, closed_on=ends)
    if moved == found.values:
        return opportunity_id
    await current_transaction().execute(_MOVE, current_tenant_id(), opportunity_id, to.id, ends, today)
    await settle_customers_of([found.values], time_zone=time_zone, today=today)
    was = next(each.key for each in stages.values() if each.id == found.values.stage_id)
    await record(
        actor,
        "opportunity.moved",
        object_type="Opportunity",
        object_id=opportunity_id,
        changes={"stage": [was, to.key]},
        clock=clock,
    )
    await emit(OPPORTUNITY_MOVED, {"opportunity_id": str(opportunity_id), "stage": to.key})
    return opportunity_id
