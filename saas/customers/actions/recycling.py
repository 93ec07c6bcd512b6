"""Recycling one customer: the verdict once more under its lock, and what follows from it, in one transaction.

A follow-up that committed a moment before saves the customer; one that comes later finds it in the pool. Running it
again on the same day changes nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime
from functools import lru_cache
from uuid import UUID

from saas.access import AccessTable, scope_predicate
from saas.audit import record
from saas.customers.actions.due_dates import FollowUpSource, OwnedCustomer, find_owned, store_due
from saas.customers.actions.handovers import RETURN_TO_POOL
from saas.customers.actions.ledger import LedgerLine, write_ledger
from saas.customers.events import CUSTOMER_RECYCLED, RECYCLE_WARNED
from saas.customers.policies import CUSTOMER_SCOPES
from saas.customers.recycling import Action, RunningClock, Verdict
from saas.events import emit
from saas.kernel import Actor, BadUserInput, Clock, local_date, new_id
from tenants import current_tenant_id, current_transaction

_NOTICE = """
INSERT INTO pool_notice (tenant_id, id, pool_id, customer_id, ownership_id, owner_id, owner_department_id, kind, rule,
    start_on, due_on, days, noticed_on, noticed_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14) ON CONFLICT DO NOTHING RETURNING id
"""


@dataclass(frozen=True, slots=True)
class Recycled:
    """What was done with a customer: it went back, recycling waits a day for a reminder, its owner was warned."""

    is_recycled: bool = False
    is_postponed: bool = False
    is_warned: bool = False


async def recycle_if_due(
    actor: Actor, *, customer_id: UUID, follow_ups: FollowUpSource, time_zone: str, clock: Clock
) -> Recycled:
    """Take a customer back to the pool where a rule says so today; else warn its owner, where a reminder is due.

    Recycling without a delivered reminder waits a day, at most three times (3.4).
    """
    now = clock.now()
    today = local_date(now, time_zone)
    found = await find_owned([customer_id], follow_ups=follow_ups, time_zone=time_zone, is_locking=True)
    if not found:
        return Recycled()
    step = _Step(actor, found[0], now, today, clock)
    if step.verdict.action is Action.RECYCLE:
        await step.recycle()
        return Recycled(is_recycled=True)
    is_postponed = step.verdict.action is Action.POSTPONE
    if is_postponed:
        await step.postpone()
    is_warned = await step.warn()
    await store_due([step.customer], today=today)
    return Recycled(is_postponed=is_postponed, is_warned=is_warned)


@dataclass(frozen=True, slots=True)
class Near:
    """An owned customer that goes back before long; `key` is its place in the list."""

    customer_id: UUID
    key: str
    verdict: Verdict


async def foresee_recycling(
    actor: Actor,
    *,
    access: AccessTable,
    until: date,
    after: str | None,
    first: int,
    follow_ups: FollowUpSource,
    time_zone: str,
    today: date,
) -> list[Near]:
    """The customers that the caller sees and that are due by `until`, the soonest first, each with today's verdict.

    :raises BadUserInput: `after` is no key of this list.
    """
    sql = _near_sql(access.visible("Customer"))
    values = (actor.employee_id, until, *_place(after), first)
    rows = await current_transaction().fetch(sql, current_tenant_id(), *values)
    owned = await find_owned([row["id"] for row in rows], follow_ups=follow_ups, time_zone=time_zone)
    found = {each.customer_id: each for each in owned}
    return [
        Near(row["id"], f"{row['due_on']} {row['id'].hex}", found[row["id"]].verdict(today))
        for row in rows
        if row["id"] in found
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


class _Step:
    """One customer on one day, locked."""

    def __init__(self, actor: Actor, customer: OwnedCustomer, now: datetime, today: date, clock: Clock) -> None:
        self.actor, self.customer, self.now, self.today, self.clock = actor, customer, now, today, clock
        self.verdict = customer.verdict(today)

    async def recycle(self) -> None:
        customer, rule = self.customer, _clock_of(self.verdict).rule.value
        values = (customer.owner_id, customer.customer_id, self.now, self.today, "recycle", rule)
        await current_transaction().fetchval(RETURN_TO_POOL, current_tenant_id(), *values)
        await self._publish("recycled", former_owner_id=customer.owner_id)
        owner = str(customer.owner_id)
        await record(
            self.actor,
            "customer.recycled",
            object_type="Customer",
            object_id=customer.customer_id,
            changes={"owner": [owner, None], "rule": [None, rule]},
            clock=self.clock,
        )
        told = {"customer_id": str(customer.customer_id), "owner_id": owner, "rule": rule}
        await emit(CUSTOMER_RECYCLED, told)

    async def postpone(self) -> None:
        """Wait a day; the reminder that was never delivered follows in the same run."""
        await self._note("postponed", None)
        await self._publish("postponed", employee_id=self.customer.owner_id)
        facts = self.customer.facts
        self.customer = replace(self.customer, facts=replace(facts, postponed_on=(*facts.postponed_on, self.today)))
        self.verdict = self.customer.verdict(self.today)

    async def warn(self) -> bool:
        """Warn once per reminder and ownership; False where there is nothing to warn of."""
        if self.verdict.reminder is None:
            return False
        notice_id = await self._note("reminder", self.verdict.reminder)
        if notice_id is None:
            return False
        await self._publish("warned", employee_id=self.customer.owner_id)
        await emit(RECYCLE_WARNED, {"notice_id": str(notice_id)})
        return True

    async def _note(self, kind: str, days: int | None) -> UUID | None:
        customer, clock = self.customer, _clock_of(self.verdict)
        noticed: UUID | None = await current_transaction().fetchval(
            _NOTICE,
            current_tenant_id(),
            new_id(),
            customer.pool_id,
            customer.customer_id,
            customer.ownership_id,
            customer.owner_id,
            customer.owner_department_id,
            kind,
            clock.rule.value,
            clock.start_on,
            self.verdict.due_on,
            days,
            self.today,
            self.now,
        )
        return noticed

    async def _publish(
        self, kind: str, *, employee_id: UUID | None = None, former_owner_id: UUID | None = None
    ) -> None:
        customer = self.customer
        line = LedgerLine(
            kind,
            customer.pool_id,
            customer.customer_id,
            employee_id=employee_id,
            former_owner_id=former_owner_id,
            rule=_clock_of(self.verdict).rule.value,
            settings_version=customer.settings_version,
            explanation=self.verdict.explanation,
        )
        await write_ledger(self.actor, [line], at=self.now, on=self.today)


def _clock_of(verdict: Verdict) -> RunningClock:
    assert verdict.clock is not None, "only a running clock makes something due"
    return verdict.clock
