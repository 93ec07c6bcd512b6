"""Recycling a page of customers: each verdict once more under the locks, and what follows from them, set by set.

A follow-up that committed a moment before saves its customer; one that comes later finds it in the pool. Running it
again on the same day changes nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from functools import lru_cache
from uuid import UUID

from saas.access import AccessTable, scope_predicate
from saas.audit import entry_values, record_many
from saas.customers.actions.due_dates import ActivitySource, OwnedCustomer, find_owned, store_due
from saas.customers.actions.ledger import LedgerLine, write_ledger
from saas.customers.actions.returning import Receivers, find_targets, hand_on, lock_receivers
from saas.customers.events import CUSTOMER_ASSIGNED, CUSTOMER_RECYCLED, RECYCLE_WARNED
from saas.customers.policies import CUSTOMER_SCOPES
from saas.customers.recycling import Action, RunningClock, Target, Verdict, told_target
from saas.events import emit_many
from saas.kernel import Actor, BadUserInput, Clock, local_date, new_id
from tenants import current_tenant_id, current_transaction

_TAKE_BACK = """
WITH item AS (
    SELECT * FROM unnest($2::uuid[], $3::uuid[], $4::text[], $5::uuid[]) AS i (customer_id, ownership_id, rule, pool_id)
), returned AS (
    UPDATE customer c SET pool_id = i.pool_id, owner_id = NULL, owner_department_id = NULL, status = 'pooled',
        received_on = NULL, due_on = NULL, due_rule = NULL, settings_version = NULL,
        earlier_version = NULL, effective_follow_up_on = NULL, version = c.version + 1
    FROM item i WHERE c.tenant_id = $1 AND c.id = i.customer_id
)
UPDATE ownership o SET ended_at = $6, ended_on = $7, end_kind = 'recycle', reason = i.rule
FROM item i WHERE o.tenant_id = $1 AND o.id = i.ownership_id
"""
_NOTE = """
INSERT INTO pool_notice (tenant_id, id, pool_id, customer_id, ownership_id, owner_id, owner_department_id, kind, rule,
    start_on, due_on, days, noticed_on, noticed_at)
SELECT $1, id, pool_id, customer_id, ownership_id, owner_id, department_id, $2, rule, start_on, due_on, days, $3, $4
FROM unnest($5::uuid[], $6::uuid[], $7::uuid[], $8::uuid[], $9::uuid[], $10::uuid[], $11::text[], $12::date[],
    $13::date[], $14::int[])
    AS n (id, pool_id, customer_id, ownership_id, owner_id, department_id, rule, start_on, due_on, days)
ON CONFLICT DO NOTHING RETURNING id
"""


@dataclass(frozen=True, slots=True)
class Recycled:
    """What was done with a customer: it went back, recycling waits a day for a reminder, its owner was warned."""

    customer_id: UUID
    pool_id: UUID
    is_recycled: bool = False
    is_postponed: bool = False
    is_warned: bool = False


async def recycle_due_customers(
    actor: Actor, *, customer_ids: Collection[UUID], activity: ActivitySource, time_zone: str, clock: Clock
) -> list[Recycled]:
    """Take back to the pool those of the customers that a rule says go today; warn the owners of others, where a
    reminder is due. What was done with each that is owned.

    The customers are locked in the order of their ids, after the people who may get them, then judged. Recycling
    without a delivered reminder waits a day, at most three times (3.4). Where one can't be written, none is: the
    caller's transaction is whole or nothing.
    """
    now = clock.now()
    today = local_date(now, time_zone)
    receivers = await lock_receivers(customer_ids, today=today)
    owned = await find_owned(customer_ids, activity=activity, time_zone=time_zone, is_locking=True)
    page = _Page(actor, now, today, clock)
    judged = [_Judged(each, each.verdict(today)) for each in owned]
    going = [each for each in judged if each.verdict.action is Action.RECYCLE]
    waiting = [each for each in judged if each.verdict.action is Action.POSTPONE]
    staying = [each for each in judged if each.verdict.action is Action.KEEP]
    await page.take_back(going, receivers)
    staying += await page.postpone(waiting)
    warned = await page.warn(staying)
    await store_due([each.customer for each in staying], today=today)
    late = {each.customer.customer_id for each in waiting}
    return [
        *(Recycled(each.customer.customer_id, each.customer.pool_id, is_recycled=True) for each in going),
        *(_stayed(each.customer, late, warned) for each in staying),
    ]


def _stayed(customer: OwnedCustomer, late: Collection[UUID], warned: Collection[UUID]) -> Recycled:
    customer_id = customer.customer_id
    return Recycled(customer_id, customer.pool_id, is_postponed=customer_id in late, is_warned=customer_id in warned)


@dataclass(frozen=True, slots=True)
class Near:
    """An owned customer that goes back before long; `key` is its place in the list, `rules_version` the version of the
    settings whose rules it goes by.
    """

    customer_id: UUID
    key: str
    verdict: Verdict
    rules_version: int


async def foresee_recycling(
    actor: Actor,
    *,
    access: AccessTable,
    until: date,
    after: str | None,
    first: int,
    activity: ActivitySource,
    time_zone: str,
    today: date,
) -> list[Near]:
    """The customers that the caller sees and that are due by `until`, the soonest first, each with today's verdict.

    :raises BadUserInput: `after` is no key of this list.
    """
    sql = _near_sql(access.visible("Customer"))
    values = (actor.employee_id, until, *_place(after), first)
    rows = await current_transaction().fetch(sql, current_tenant_id(), *values)
    owned = await find_owned([row["id"] for row in rows], activity=activity, time_zone=time_zone)
    found = {each.customer_id: each for each in owned}
    return [
        Near(each.customer_id, f"{row['due_on']} {row['id'].hex}", each.verdict(today), each.rules_version)
        for row in rows
        if (each := found.get(row["id"])) is not None
    ]


def _place(key: str | None) -> tuple[date, UUID]:
    if key is None:
        return date.min, UUID(int=0)
    day, _, row_id = key.partition(" ")
    try:
        return date.fromisoformat(day), UUID(hex=row_id)
    except ValueError:
        raise BadUserInput("reads.cursor_of_other_list", {"cursor": key[:60]}, field=("after",)) from None


@lru_cache(maxsize=64)
def _near_sql(scopes: frozenset[str]) -> str:
    visible = scope_predicate(CUSTOMER_SCOPES, scopes, alias="c", tenant="$1", employee="me.id")
    return f"""
        SELECT c.id, c.due_on FROM customer c CROSS JOIN (SELECT $2::uuid AS id) me
        WHERE c.tenant_id = $1 AND c.due_on <= $3 AND (c.due_on, c.id) > ($4, $5) AND {visible}
        ORDER BY c.due_on, c.id LIMIT $6
    """


@dataclass(frozen=True, slots=True)
class _Judged:
    """A locked customer and its verdict of today."""

    customer: OwnedCustomer
    verdict: Verdict

    @property
    def clock(self) -> RunningClock:
        """The clock that makes it due: whoever asks knows that one runs."""
        assert self.verdict.clock is not None, "only a running clock makes something due"
        return self.verdict.clock


@dataclass(frozen=True, slots=True)
class _Page:
    """Writes what is done with locked customers on one day: a statement each for rows, ledger, trail and events."""

    actor: Actor
    now: datetime
    today: date
    clock: Clock

    async def take_back(self, going: Sequence[_Judged], receivers: Receivers) -> None:
        """The customers go back to their pools, or to who gets them in its place, and their ownerships end."""
        if not going:
            return
        targets = await find_targets([each.customer for each in going], receivers, today=self.today)
        gone = [_Gone(each, targets[each.customer.customer_id]) for each in going]
        columns = map(list, zip(*(each.row() for each in gone), strict=True))
        await current_transaction().execute(_TAKE_BACK, current_tenant_id(), *columns, self.now, self.today)
        given = [
            (each.judged.customer, each.target.employee_id) for each in gone if each.target.employee_id is not None
        ]
        await hand_on(self.actor, given, receivers, at=self.now, on=self.today)
        lines = [line for each in gone for line in each.lines()]
        await write_ledger(self.actor, lines, at=self.now, on=self.today)
        await record_many([self._entry(each) for each in gone])
        await emit_many(CUSTOMER_RECYCLED, [_event(each.judged) for each in gone])
        await emit_many(CUSTOMER_ASSIGNED, [_assigned(customer, person) for customer, person in given])

    async def postpone(self, waiting: Sequence[_Judged]) -> list[_Judged]:
        """Wait a day, with the verdict that follows; the reminder that was never delivered is due in the same run."""
        await self._note("postponed", [(each, None) for each in waiting])
        await self._publish("postponed", waiting)
        return [self._postponed(each.customer) for each in waiting]

    def _postponed(self, customer: OwnedCustomer) -> _Judged:
        facts = replace(customer.facts, postponed_on=(*customer.facts.postponed_on, self.today))
        after = replace(customer, facts=facts)
        return _Judged(after, after.verdict(self.today))

    async def warn(self, staying: Sequence[_Judged]) -> set[UUID]:
        """Warn where a reminder is due, once per reminder and ownership; of which customers."""
        told = await self._note("reminder", [(each, each.verdict.reminder) for each in staying if _is_near(each)])
        await self._publish("warned", list(told.values()))
        await emit_many(RECYCLE_WARNED, [{"notice_id": str(notice_id)} for notice_id in told])
        return {each.customer.customer_id for each in told.values()}

    async def _note(self, kind: str, notices: Sequence[tuple[_Judged, int | None]]) -> dict[UUID, _Judged]:
        """Keep notices of a kind; which of them were new, by id."""
        if not notices:
            return {}
        asked = {new_id(): notice for notice in notices}
        rows = ((notice_id, *_noticed(each), days) for notice_id, (each, days) in asked.items())
        columns = map(list, zip(*rows, strict=True))
        found = await current_transaction().fetch(_NOTE, current_tenant_id(), kind, self.today, self.now, *columns)
        return {row["id"]: asked[row["id"]][0] for row in found}

    async def _publish(self, kind: str, judged: Sequence[_Judged]) -> None:
        await write_ledger(self.actor, [_line(kind, each) for each in judged], at=self.now, on=self.today)

    def _entry(self, gone: _Gone) -> tuple[object, ...]:
        judged = gone.judged
        return entry_values(
            self.actor,
            "customer.recycled",
            object_type="Customer",
            object_id=judged.customer.customer_id,
            changes=gone.changes(),
            clock=self.clock,
        )


def _is_near(judged: _Judged) -> bool:
    return judged.verdict.reminder is not None


def _noticed(judged: _Judged) -> tuple[object, ...]:
    customer, clock = judged.customer, judged.clock
    return (
        customer.pool_id,
        customer.customer_id,
        customer.ownership_id,
        customer.owner_id,
        customer.owner_department_id,
        clock.rule.value,
        clock.counted_from,
        judged.verdict.due_on,
    )


def _line(kind: str, judged: _Judged) -> LedgerLine:
    """Who is told of it owns it still."""
    customer = judged.customer
    return LedgerLine(
        kind,
        customer.pool_id,
        customer.customer_id,
        employee_id=customer.owner_id,
        rule=judged.clock.rule.value,
        settings_version=customer.rules_version,
        explanation=judged.verdict.explanation,
    )


@dataclass(frozen=True, slots=True)
class _Gone:
    """A customer that is taken back, and where it goes."""

    judged: _Judged
    target: Target

    def row(self) -> tuple[object, ...]:
        """In the order of `_TAKE_BACK`."""
        customer = self.judged.customer
        return customer.customer_id, customer.ownership_id, self.judged.clock.rule.value, self.target.pool_id

    @property
    def is_moved(self) -> bool:
        """Whether it belongs to another pool from now on."""
        return self.target.pool_id != self.judged.customer.pool_id

    def lines(self) -> list[LedgerLine]:
        """The line of the pool that it left, and one of the pool that it came into, where that is another."""
        customer, explanation = self.judged.customer, self.judged.verdict.explanation
        told = told_target(self.target, receiver=customer.settings.target_rules.receiver)
        line = LedgerLine(
            "recycled",
            customer.pool_id,
            customer.customer_id,
            employee_id=self.target.employee_id,
            former_owner_id=customer.owner_id,
            rule=self.judged.clock.rule.value,
            settings_version=customer.rules_version,
            explanation=replace(explanation, parts=(*explanation.parts, *told)),
        )
        return [line, LedgerLine("moved", self.target.pool_id, customer.customer_id)] if self.is_moved else [line]

    def changes(self) -> dict[str, list[str | None]]:
        """What the trail says."""
        customer, person = self.judged.customer, self.target.employee_id
        owner = [str(customer.owner_id), None if person is None else str(person)]
        pool: dict[str, list[str | None]] = (
            {"pool": [str(customer.pool_id), str(self.target.pool_id)]} if self.is_moved else {}
        )
        return {"owner": owner, "rule": [None, self.judged.clock.rule.value], **pool}


def _assigned(customer: OwnedCustomer, employee_id: UUID) -> dict[str, str]:
    return {"customer_id": str(customer.customer_id), "owner_id": str(employee_id)}


def _event(judged: _Judged) -> dict[str, str]:
    customer = judged.customer
    return {
        "customer_id": str(customer.customer_id),
        "owner_id": str(customer.owner_id),
        "rule": judged.clock.rule.value,
    }
