"""Claims and assignments that are asked for, and decided by a second person (P49).

Nothing is taken while a request waits: the customer stays in the pool, and others may ask for it, or get it, too. To
grant is to claim or assign anew, with every check under its locks, in the name of who would own it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime
from functools import lru_cache
from uuid import UUID

import asyncpg

from saas.access import AccessTable, require, scope_predicate
from saas.audit import entry_values, record, record_many
from saas.customers.actions.claiming import ClaimGuard, check_claim, take
from saas.customers.actions.handovers import assign_checked, check_assignment
from saas.customers.actions.reasons import checked_reason
from saas.customers.administrators import require_administrator
from saas.customers.claim_queries import refuse_during_allocation
from saas.customers.errors import (
    ApprovalNotNeeded,
    NotTheRequester,
    OwnRequest,
    PoolBeingAllocated,
    RequestAwaited,
    RequestClosed,
    RequestNotFound,
    RequestsUsedUp,
)
from saas.customers.events import REQUEST_DECIDED, REQUESTS_WAIT
from saas.customers.policies import REQUEST_SCOPES
from saas.customers.queries import get_visible_customer
from saas.events import emit
from saas.kernel import Actor, Clock, Scalar, local_date, new_id
from tenants import current_tenant_id, current_transaction

ASSIGN = "customer:assign"
REQUESTS_MAX = 50
"""Requests of one person that wait at a time, for whomever (P49): more than anybody decides about in a day, and few
enough that nobody asks for the whole pool."""
_GRANTED = AccessTable("granted requests", scopes={"Customer": frozenset({"all"})})
"""With which a granted claim looks for its customer: being a member of the pool is checked, and nobody is exempt."""

_LOCK_EMPLOYEE = "SELECT FROM employee WHERE tenant_id = $1 AND id = $2 FOR NO KEY UPDATE"
_INSERT = """
INSERT INTO ownership_request (tenant_id, id, kind, state, pool_id, customer_id, employee_id, employee_department_id,
    requested_by, requester_id, reason, requested_at, requested_on)
VALUES ($1, $2, $3, 'requested', $4, $5, $6, $7, $8, $9, $10, $11, $12)
ON CONFLICT (tenant_id, customer_id, employee_id) WHERE state = 'requested' DO NOTHING RETURNING id
"""
_CLOSE = """
UPDATE ownership_request SET state = $3, decided_at = $4, decided_by = $5, decision_reason = $6
WHERE tenant_id = $1 AND id = $2 AND state = 'requested' RETURNING id
"""
_LOCK_ASKER = "SELECT pg_advisory_xact_lock(hashtextextended($1::uuid || 'requests of ' || $2::uuid, 0))"
_WAITING = """
SELECT count(*) FILTER (WHERE requested_by = $2 OR requester_id = $3) AS asked,
       count(*) FILTER (WHERE employee_id = $4) AS for_person
FROM ownership_request WHERE tenant_id = $1 AND state = 'requested'
"""
_LAPSE = """
UPDATE ownership_request SET state = 'lapsed', decided_at = $3
WHERE tenant_id = $1 AND customer_id = $2 AND state = 'requested' RETURNING id
"""


@dataclass(frozen=True, slots=True)
class _Wanted:
    """What is asked for, once everything was checked."""

    kind: str
    pool_id: UUID
    customer_id: UUID
    employee_id: UUID
    department_id: UUID


@dataclass(frozen=True, slots=True)
class OwnershipRequests:
    """In whose name, with which rights and when requests are made and decided; `guard` asks the plugins of claims."""

    actor: Actor
    access: AccessTable
    guard: ClaimGuard
    time_zone: str
    clock: Clock

    async def ask(self, *, customer_id: UUID, employee_id: UUID | None, reason: str) -> UUID:
        """Ask for a customer of the pool, for oneself or for somebody (permission ``customer:assign``); the request.

        All that a claim or an assignment is asked is asked now, and again when it is granted. Whoever asks for an
        assignment to themselves asks for a claim (L26).

        :raises BadUserInput: no reason is given, or too long a one.
        :raises PermissionMissing: for somebody else, and the caller may not assign.
        :raises ApprovalNotNeeded: the caller can do it at once.
        :raises RequestAwaited: a request for that person and customer waits already.
        :raises RequestsUsedUp: as many of the caller's requests wait as may.

        All else as `claim_customer` and `assign_customer`.
        """
        reason = checked_reason(reason)
        if employee_id is None or employee_id == self.actor.employee_id:
            wanted = await self._wanted_claim(customer_id)
        else:
            wanted = await self._wanted_assignment(customer_id, employee_id)
        is_first = await self._is_first(wanted.employee_id)
        request_id = await self._insert(wanted, reason)
        if is_first:
            await emit(REQUESTS_WAIT, {"employee_id": str(wanted.employee_id)})
        changes: dict[str, list[Scalar]] = {"state": [None, "requested"], "kind": [None, wanted.kind]}
        changes |= {"customer": [None, str(customer_id)], "employee": [None, str(wanted.employee_id)]}
        await self._record("requested", request_id, changes, reason)
        return request_id

    async def decide(self, *, request_id: UUID, is_granted: bool, reason: str) -> UUID:
        """Grant or refuse what somebody asked for (permission ``customer:assign``).

        Granted, the customer is claimed or assigned at once: it counts, and is refused, as if they did it now, and then
        the request stays as it was. Other requests for the customer lapse.

        :raises RequestNotFound: missing, another company's, or not visible.
        :raises OwnRequest: the caller asked for it, or would own the customer.
        :raises NotAPoolAdministrator: the pool names others who administer it (P01).
        :raises RequestClosed: it was decided or withdrawn before.
        :raises PoolBeingAllocated: a job gives many customers of the pool.
        :raises CustomerAlreadyOwned: somebody got the customer meanwhile; the request waits until it is
            refused or withdrawn.

        All else as `claim_customer` and `assign_customer`.
        """
        reason, row = checked_reason(reason), await self._visible(request_id)
        if self._asked(row) or row["employee_id"] == self.actor.employee_id:
            raise OwnRequest("customers.request_own").at("input", "request")
        await require_administrator(self.actor, row["pool_id"], place=("input", "request"))
        row = await self._open(row)
        if is_granted:
            await self._grant(row)
        state = "granted" if is_granted else "refused"
        await self._close(request_id, state, reason, by=self.actor.account_id)
        if is_granted:
            await self._lapse(row["customer_id"])
        await emit(REQUEST_DECIDED, {"request_id": str(request_id)})
        return request_id

    async def withdraw(self, *, request_id: UUID, reason: str) -> UUID:
        """Take one's own request back while it waits (permission ``customer:claim``).

        :raises RequestNotFound: missing, another company's, or not visible.
        :raises NotTheRequester: somebody else asked.
        :raises RequestClosed: it was decided or withdrawn before.
        """
        reason, row = checked_reason(reason), await self._visible(request_id)
        if not self._asked(row):
            raise NotTheRequester("customers.request_not_the_requester").at("input", "request")
        await self._open(row)
        await self._close(request_id, "withdrawn", reason, by=None)
        return request_id

    def _asked(self, row: asyncpg.Record) -> bool:
        """Whether the caller did, with whichever account of theirs."""
        account_id, person_id = row["requested_by"], row["requester_id"]
        is_person: bool = person_id is not None and person_id == self.actor.employee_id
        return is_person or bool(account_id == self.actor.account_id)

    async def _wanted_claim(self, customer_id: UUID) -> _Wanted:
        claim = await check_claim(
            self.actor,
            customer_id=customer_id,
            access=self.access,
            guard=self.guard,
            now=self.clock.now(),
            time_zone=self.time_zone,
            is_approved=True,
        )
        if not claim.needs_approval:
            values = {"pool": claim.found.pool_name}
            raise ApprovalNotNeeded("customers.claim_approval_not_needed", values).at("input", "customer")
        target, employee_id = claim.found.target, self.actor.employee_id
        assert employee_id is not None, "a checked claim has a claimant"
        assert target.claimant_department_id is not None, "who is on the staff has a department"
        return _Wanted("claim", target.pool_id, customer_id, employee_id, target.claimant_department_id)

    async def _wanted_assignment(self, customer_id: UUID, employee_id: UUID) -> _Wanted:
        require(self.access, ASSIGN)
        await get_visible_customer(self.actor, self.access, customer_id=customer_id)
        found = await check_assignment(
            self.actor,
            customer_id=customer_id,
            employee_id=employee_id,
            now=self.clock.now(),
            time_zone=self.time_zone,
            is_approved=True,
        )
        if not found.settings.assignments_need_approval:
            values = {"pool": found.pool.name}
            raise ApprovalNotNeeded("customers.assignment_approval_not_needed", values).at("input", "customer")
        return _Wanted("assign", found.pool_id, customer_id, employee_id, found.department_id)

    async def _is_first(self, employee_id: UUID) -> bool:
        """Whether nothing waits for that person yet; the caller's requests follow each other from now on.

        :raises RequestsUsedUp: as many of the caller's wait as may, asked with whichever account.
        """
        asker = self.actor.employee_id or self.actor.account_id
        await current_transaction().execute(_LOCK_ASKER, current_tenant_id(), asker)
        values = (self.actor.account_id, self.actor.employee_id, employee_id)
        row = await current_transaction().fetchrow(_WAITING, current_tenant_id(), *values)
        assert row is not None, "counts of nothing are 0"
        if row["asked"] >= REQUESTS_MAX:
            told: dict[str, Scalar] = {"limit": REQUESTS_MAX, "waiting": row["asked"]}
            raise RequestsUsedUp("customers.requests_used_up", told).at("input", "customer")
        return not row["for_person"]

    async def _insert(self, wanted: _Wanted, reason: str) -> UUID:
        now, request_id = self.clock.now(), new_id()
        inserted = await current_transaction().fetchval(
            _INSERT,
            current_tenant_id(),
            request_id,
            wanted.kind,
            wanted.pool_id,
            wanted.customer_id,
            wanted.employee_id,
            wanted.department_id,
            self.actor.account_id,
            self.actor.employee_id,
            reason,
            now,
            local_date(now, self.time_zone),
        )
        if inserted is None:
            raise RequestAwaited("customers.request_awaited").at("input", "customer")
        return request_id

    async def _visible(self, request_id: UUID) -> asyncpg.Record:
        sql = _visible_sql(self.access.visible("OwnershipRequest"))
        row = await current_transaction().fetchrow(sql, current_tenant_id(), self.actor.employee_id, request_id)
        if row is None:
            raise RequestNotFound("customers.request_not_found").at("input", "request")
        return row

    async def _open(self, seen: asyncpg.Record) -> asyncpg.Record:
        """The request as it is once its person is locked, as claims lock them: who decides at once waits here.

        A job that gives the pool's customers may hold the person for a minute: nobody waits for that.
        """
        try:
            await refuse_during_allocation(seen["pool_id"])
        except PoolBeingAllocated as refusal:
            raise refusal.at("input", "request") from None
        await current_transaction().execute(_LOCK_EMPLOYEE, current_tenant_id(), seen["employee_id"])
        row = await self._visible(seen["id"])
        if row["state"] != "requested":
            raise RequestClosed("customers.request_closed").at("input", "request")
        return row

    async def _grant(self, row: asyncpg.Record) -> None:
        now = self.clock.now()
        today = local_date(now, self.time_zone)
        if row["kind"] == "claim":
            await self._claim(row, now, today)
        else:
            found = await check_assignment(
                self.actor,
                customer_id=row["customer_id"],
                employee_id=row["employee_id"],
                now=now,
                time_zone=self.time_zone,
                is_approved=True,
            )
            await assign_checked(
                self.actor,
                found,
                row["employee_id"],
                reason=row["reason"],
                now=now,
                time_zone=self.time_zone,
                clock=self.clock,
            )

    async def _claim(self, row: asyncpg.Record, now: datetime, today: date) -> None:
        """For the person who asked; the operator is who decides."""
        claimant = replace(self.actor, employee_id=row["employee_id"])
        claim = await check_claim(
            claimant,
            customer_id=row["customer_id"],
            access=_GRANTED,
            guard=self.guard,
            now=now,
            time_zone=self.time_zone,
            is_approved=True,
        )
        await require_administrator(self.actor, claim.found.target.pool_id, place=("input", "request"))
        await take(claimant, claim, by=self.actor, now=now, today=today, time_zone=self.time_zone, clock=self.clock)

    async def _close(self, request_id: UUID, state: str, reason: str, *, by: UUID | None) -> None:
        values = (request_id, state, self.clock.now(), by, reason)
        if await current_transaction().fetchval(_CLOSE, current_tenant_id(), *values) is None:
            raise RequestClosed("customers.request_closed").at("input", "request")
        await self._record(state, request_id, {"state": ["requested", state]}, reason)

    async def _lapse(self, customer_id: UUID) -> None:
        """The other requests for a customer that is given now."""
        rows = await current_transaction().fetch(_LAPSE, current_tenant_id(), customer_id, self.clock.now())
        entries = [
            entry_values(
                self.actor,
                "ownership_request.lapsed",
                object_type="OwnershipRequest",
                object_id=row["id"],
                changes={"state": ["requested", "lapsed"]},
                clock=self.clock,
            )
            for row in rows
        ]
        await record_many(entries)

    async def _record(self, verb: str, request_id: UUID, changes: dict[str, list[Scalar]], reason: str) -> None:
        await record(
            self.actor,
            f"ownership_request.{verb}",
            object_type="OwnershipRequest",
            object_id=request_id,
            changes=changes,
            reason=reason,
            clock=self.clock,
        )


@lru_cache(maxsize=64)
def _visible_sql(scopes: frozenset[str]) -> str:
    visible = scope_predicate(REQUEST_SCOPES, scopes, alias="r", tenant="$1", employee="me.id")
    return f"""
        SELECT r.id, r.kind, r.state, r.pool_id, r.customer_id, r.employee_id, r.requested_by, r.requester_id, r.reason
        FROM ownership_request r CROSS JOIN (SELECT $2::uuid AS id) me
        WHERE r.tenant_id = $1 AND r.id = $3 AND {visible}
    """
