"""Owners lock, protect and extend what they hold; a supervisor decides about extensions. Due dates follow at once."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from uuid import UUID

import asyncpg

from saas.access import AccessTable, scope_predicate
from saas.audit import record
from saas.customers.actions.due_dates import ActivitySource, OwnedCustomer, find_owned, settle_due
from saas.customers.actions.ledger import LedgerLine, write_ledger
from saas.customers.actions.reasons import checked_reason
from saas.customers.errors import MarkClosed, MarkNotFound, NothingToExtend, NotTheOwner, OwnExtension
from saas.customers.marks import MarkKind, MarkSituation, check_days, extended_until, last_day, may_mark
from saas.customers.policies import MARK_SCOPES
from saas.customers.queries import get_visible_customer
from saas.customers.recycling import holding, last_protected_on
from saas.kernel import Actor, Clock, Scalar, local_date, new_id
from tenants import current_tenant_id, current_transaction

_LOCK_OWNER = "SELECT FROM employee WHERE tenant_id = $1 AND id = $2 FOR NO KEY UPDATE"
_SITUATION = """
SELECT (SELECT count(*) FROM holding_mark m JOIN ownership o ON o.tenant_id = $1 AND o.id = m.ownership_id
            WHERE m.tenant_id = $1 AND m.owner_id = $3 AND m.kind = $4 AND m.pool_id = $5 AND o.ended_at IS NULL
              AND m.state = 'in_force' AND m.until_on >= $6) AS held,
       (SELECT count(*) FROM holding_mark m WHERE m.tenant_id = $1 AND m.customer_id = $2 AND m.kind = $4
            AND m.state IN ('requested', 'in_force') AND m.requested_on >= $7) AS of_holding,
       (SELECT max(m.until_on) FROM holding_mark m
            WHERE m.tenant_id = $1 AND m.customer_id = $2 AND m.ownership_id = $8 AND m.kind = $4
              AND m.state = 'in_force' AND m.until_on >= $6) AS runs_until,
       EXISTS (SELECT FROM holding_mark m WHERE m.tenant_id = $1 AND m.customer_id = $2 AND m.ownership_id = $8
            AND m.kind = $4 AND m.state = 'requested') AS is_awaited,
       (SELECT max(coalesce(m.ended_on, m.until_on)) FROM holding_mark m
            WHERE m.tenant_id = $1 AND m.customer_id = $2 AND m.owner_id = $3 AND m.kind = $4
              AND m.state IN ('in_force', 'ended')) AS last_day
"""
_INSERT = """
INSERT INTO holding_mark (tenant_id, id, customer_id, ownership_id, owner_id, owner_department_id, pool_id, kind,
    state, days, reason, until_on, requested_at, requested_on)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)
"""
_DECIDE = """
UPDATE holding_mark SET state = $3, until_on = $4, decided_at = $5, decided_by = $6, decision_reason = $7
WHERE tenant_id = $1 AND id = $2
"""
_END = "UPDATE holding_mark SET state = 'ended', ended_on = $3 WHERE tenant_id = $1 AND id = $2"
_LEDGER = {MarkKind.LOCK: "locked", MarkKind.PROTECTION: "protected", MarkKind.EXTENSION: "extended"}


@dataclass(frozen=True, slots=True)
class Marking:
    """In whose name, with which rights and when marks are set; `follow_ups` is what due dates are reckoned from."""

    actor: Actor
    access: AccessTable
    activity: ActivitySource
    time_zone: str
    clock: Clock

    @property
    def today(self) -> date:
        """The company's day."""
        return local_date(self.clock.now(), self.time_zone)

    async def mark(self, *, customer_id: UUID, kind: MarkKind, days: int | None, reason: str) -> UUID:
        """Lock, protect or extend a customer that the caller owns; the mark (permission ``customer:mark``).

        Without `days` it is as long as the pool allows. An extension waits for a decision where the pool asks for one.

        :raises BadUserInput: no reason, or a length out of range.
        :raises CustomerNotFound: missing, another company's, or not visible.
        :raises NotTheOwner: somebody else, or nobody, owns it.
        :raises MarkOff, MarkRuns, MarkSpent, MarkCooldown, MarkLimitReached: the pool's rules (P15, P16, P33, L14).
        :raises NothingToExtend: no rule would take it back.
        """
        reason = checked_reason(reason)
        owned = await self._own(customer_id)
        rules = owned.settings.mark_rules(kind)
        situation = await self._situation(owned, kind)
        refusal = may_mark(owned.pool_name, rules, situation, today=self.today)
        if refusal is not None:
            raise refusal.at("input", "customer")
        days = check_days(rules.days if days is None else days, rules)
        waits = kind is MarkKind.EXTENSION and owned.settings.extension_needs_approval
        until_on = self._until(owned, kind, days)
        mark_id = await self._insert(owned, kind, days, reason, None if waits else until_on)
        await self._tell(owned, mark_id, "requested" if waits else "set", kind, until_on, reason)
        if not waits:
            await self._take_effect(owned, _LEDGER[kind], reason)
        return mark_id

    async def end(self, *, mark_id: UUID, reason: str) -> UUID:
        """Take one's own mark back before its last day (permission ``customer:mark``).

        :raises MarkNotFound: missing, another company's, or not visible.
        :raises NotTheOwner: it is somebody else's.
        :raises MarkClosed: it does not run any more.
        """
        reason = checked_reason(reason)
        row = await self._visible(mark_id)
        if row["owner_id"] != self.actor.employee_id:
            raise NotTheOwner("customers.mark_not_the_owner").at("input", "mark")
        owned, row = await self._open(row)
        is_running = row["state"] == "requested" or (row["state"] == "in_force" and row["until_on"] >= self.today)
        if not is_running:
            raise MarkClosed("customers.mark_closed").at("input", "mark")
        await current_transaction().execute(_END, current_tenant_id(), mark_id, self.today)
        await self._tell(owned, mark_id, "ended", MarkKind(row["kind"]), None, reason)
        if row["state"] == "in_force":
            await self._take_effect(owned, "freed", reason)
        return mark_id

    async def decide(self, *, mark_id: UUID, is_granted: bool, reason: str) -> UUID:
        """Grant or refuse an extension (permission ``customer:extend``); it moves the day that is due now.

        :raises MarkNotFound: missing, another company's, or not visible.
        :raises OwnExtension: it is the caller's own.
        :raises MarkClosed: it was decided before, or the ownership has ended.
        :raises NothingToExtend: no rule would take the customer back any more.
        """
        reason = checked_reason(reason)
        row = await self._visible(mark_id)
        if row["owner_id"] == self.actor.employee_id:
            raise OwnExtension("customers.extension_own").at("input", "mark")
        owned, row = await self._open(row)
        if row["state"] != "requested":
            raise MarkClosed("customers.mark_closed").at("input", "mark")
        until_on = self._until(owned, MarkKind.EXTENSION, row["days"]) if is_granted else None
        await current_transaction().execute(
            _DECIDE,
            current_tenant_id(),
            mark_id,
            "in_force" if is_granted else "refused",
            until_on,
            self.clock.now(),
            self.actor.account_id,
            reason,
        )
        await self._tell(owned, mark_id, "granted" if is_granted else "refused", MarkKind.EXTENSION, until_on, reason)
        if is_granted:
            await self._take_effect(owned, "extended", reason)
        return mark_id

    async def _own(self, customer_id: UUID) -> OwnedCustomer:
        """The caller's row first, then the customer's, as claims lock them: two marks at once never pass the limit."""
        await get_visible_customer(self.actor, self.access, customer_id=customer_id)
        await current_transaction().execute(_LOCK_OWNER, current_tenant_id(), self.actor.employee_id)
        owned = await self._locked(customer_id)
        if owned is None or owned.owner_id != self.actor.employee_id:
            raise NotTheOwner("customers.mark_not_the_owner").at("input", "customer")
        return owned

    async def _locked(self, customer_id: UUID) -> OwnedCustomer | None:
        found = await find_owned([customer_id], activity=self.activity, time_zone=self.time_zone, is_locking=True)
        return found[0] if found else None

    async def _situation(self, owned: OwnedCustomer, kind: MarkKind) -> MarkSituation:
        began_on = holding(owned.facts, owned.rules)[0].began_on
        row = await current_transaction().fetchrow(
            _SITUATION,
            current_tenant_id(),
            owned.customer_id,
            owned.owner_id,
            kind.value,
            owned.pool_id,
            self.today,
            began_on,
            owned.ownership_id,
        )
        assert row is not None, "a SELECT without FROM gives one row"
        if kind is MarkKind.EXTENSION:  # the next may be asked for before the last has run out: later is too late
            return MarkSituation(row["of_holding"], None, row["is_awaited"], None)
        brings_back = kind is MarkKind.PROTECTION and owned.rules.protection_ended.days is not None
        spent_on = last_protected_on(owned.facts, owned.rules) if brings_back else None
        return MarkSituation(row["held"], row["runs_until"], row["is_awaited"], row["last_day"], spent_on)

    def _until(self, owned: OwnedCustomer, kind: MarkKind, days: int) -> date:
        if kind is not MarkKind.EXTENSION:
            return last_day(days, today=self.today)
        due_on = owned.verdict(self.today).due_on
        if due_on is None:
            raise NothingToExtend("customers.nothing_to_extend").at("input")
        return extended_until(due_on, days)

    async def _insert(
        self, owned: OwnedCustomer, kind: MarkKind, days: int, reason: str, until_on: date | None
    ) -> UUID:
        mark_id = new_id()
        await current_transaction().execute(
            _INSERT,
            current_tenant_id(),
            mark_id,
            owned.customer_id,
            owned.ownership_id,
            owned.owner_id,
            owned.owner_department_id,
            owned.pool_id,
            kind.value,
            "requested" if until_on is None else "in_force",
            days,
            reason,
            until_on,
            self.clock.now(),
            self.today,
        )
        return mark_id

    async def _visible(self, mark_id: UUID) -> asyncpg.Record:
        sql = _visible_sql(self.access.visible("HoldingMark"))
        row = await current_transaction().fetchrow(sql, current_tenant_id(), self.actor.employee_id, mark_id)
        if row is None:
            raise MarkNotFound("customers.mark_not_found").at("input", "mark")
        return row

    async def _open(self, seen: asyncpg.Record) -> tuple[OwnedCustomer, asyncpg.Record]:
        """The customer, locked, and the mark as it is then: somebody may have decided while we waited."""
        owned = await self._locked(seen["customer_id"])
        if owned is None or owned.ownership_id != seen["ownership_id"]:
            raise MarkClosed("customers.mark_closed").at("input", "mark")
        return owned, await self._visible(seen["id"])

    async def _take_effect(self, owned: OwnedCustomer, kind: str, reason: str) -> None:
        """The day it is due, and the public ledger: that a customer is kept from others is everybody's business."""
        await settle_due([owned.customer_id], activity=self.activity, time_zone=self.time_zone, today=self.today)
        line = LedgerLine(
            kind,
            owned.pool_id,
            owned.customer_id,
            employee_id=owned.owner_id,
            reason=reason,
            settings_version=owned.settings_version,
        )
        await write_ledger(self.actor, [line], at=self.clock.now(), on=self.today)

    async def _tell(
        self, owned: OwnedCustomer, mark_id: UUID, verb: str, kind: MarkKind, until_on: date | None, reason: str
    ) -> None:
        changes: dict[str, list[Scalar]] = {"customer": [None, str(owned.customer_id)], "kind": [None, kind.value]}
        if until_on is not None:
            changes["until_on"] = [None, until_on.isoformat()]
        await record(
            self.actor,
            f"holding_mark.{verb}",
            object_type="HoldingMark",
            object_id=mark_id,
            changes=changes,
            reason=reason,
            clock=self.clock,
        )


@lru_cache(maxsize=64)
def _visible_sql(scopes: frozenset[str]) -> str:
    visible = scope_predicate(MARK_SCOPES, scopes, alias="m", tenant="$1", employee="me.id")
    return f"""
        SELECT m.id, m.customer_id, m.ownership_id, m.owner_id, m.kind, m.state, m.days, m.until_on
        FROM holding_mark m CROSS JOIN (SELECT $2::uuid AS id) me
        WHERE m.tenant_id = $1 AND m.id = $3 AND {visible}
    """
