"""Changes of a pool's settings that are proposed, and decided by a second person (P49, L28).

A proposal changes nothing while it waits. It is of the settings that it was made of: any other change of them lets it
lapse, so that what is approved is what was looked at. To approve is to change the settings anew, with every check.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from uuid import UUID

import asyncpg

from saas.audit import entry_values, record, record_many
from saas.customers.actions.dry_running import SettingsWish, dry_run_settings
from saas.customers.actions.due_dates import ActivitySource
from saas.customers.actions.pool_versions import (
    NextVersion,
    keep_version,
    locked_pool,
    next_version,
    raise_version,
    refuse_stale,
)
from saas.customers.actions.reasons import checked_reason
from saas.customers.errors import (
    ApprovalNeeded,
    ApprovalNotNeeded,
    DryRunTooLarge,
    NotTheRequester,
    OwnRequest,
    RequestAwaited,
    RequestClosed,
    RequestNotFound,
)
from saas.customers.events import SETTINGS_DECIDED, SETTINGS_PROPOSED
from saas.customers.options import camel
from saas.customers.recycling import Comparison
from saas.customers.settings import PoolChange, wanted_of, wanted_text
from saas.events import emit
from saas.kernel import Actor, Clock, Scalar, local_date, new_id
from tenants import current_tenant_id, current_transaction

_INSERT = """
INSERT INTO pool_proposal (tenant_id, id, pool_id, state, settings, valid_from, settings_version, reason, proposed_by,
    proposer_id, proposed_at, proposed_on)
VALUES ($1, $2, $3, 'proposed', $4::jsonb, $5, $6, $7, $8, $9, $10, $11)
ON CONFLICT (tenant_id, pool_id, proposed_by) WHERE state = 'proposed' DO NOTHING RETURNING id
"""
_FIND = """
SELECT a.id, a.pool_id, a.state, a.settings::text AS settings, a.valid_from, a.proposed_by, a.proposer_id, p.version
FROM pool_proposal a JOIN customer_pool p ON p.tenant_id = $1 AND p.id = a.pool_id WHERE a.tenant_id = $1 AND a.id = $2
"""
_CLOSE = """
UPDATE pool_proposal SET state = $3, decided_at = $4, decided_by = $5, decider_id = $6, decision_reason = $7,
    approved_version = $8
WHERE tenant_id = $1 AND id = $2 AND state = 'proposed'
"""
_LAPSE = """
UPDATE pool_proposal SET state = 'lapsed', decided_at = $3
WHERE tenant_id = $1 AND pool_id = $2 AND state = 'proposed' RETURNING id
"""


async def refuse_unapproved(
    wanted: NextVersion,
    pool: asyncpg.Record,
    change: PoolChange,
    *,
    activity: ActivitySource | None,
    time_zone: str,
) -> None:
    """Refuse what a second person decides about, with whom it would take where that can be told at once.

    :raises ApprovalNeeded: there is such a thing in the change (P49).
    """
    names = wanted.after.decided_by_two(wanted.before)
    if not names:
        return
    place = (camel(names[0]),)
    if not wanted.before.tightening_needs_approval:
        raise ApprovalNeeded("customers.approval_takes_two", {"pool": pool["name"]}, field=place)
    values: dict[str, Scalar] = {"pool": pool["name"], "options": ", ".join(map(camel, names))}
    wish = SettingsWish(wanted.pool_id, change.settings, pool["version"], wanted.valid_from)
    found = None if activity is None else await _compared(wish, activity, time_zone, wanted.today)
    if found is None:
        raise ApprovalNeeded("customers.tightening_needs_approval", values, field=place)
    values |= {"on": found.on.isoformat(), "taken": len(found.taken), "people": _losers(found)}
    raise ApprovalNeeded("customers.tightening_takes", values, field=place)


async def _compared(wish: SettingsWish, activity: ActivitySource, time_zone: str, today: date) -> Comparison | None:
    """What the change would do; None where more customers are owned than one request judges."""
    try:
        return await dry_run_settings(wish, activity=activity, time_zone=time_zone, today=today)
    except DryRunTooLarge:
        return None


def _losers(found: Comparison) -> int:
    return sum(each.taken > 0 for each in found.effects.values())


async def dry_run_proposal(
    proposal_id: UUID, *, on: date | None, activity: ActivitySource, time_zone: str, today: date
) -> Comparison:
    """What a proposal that waits would do, were it approved today (permission ``pool:configure``).

    :raises RequestNotFound: this company has no such proposal.
    :raises RequestClosed: it was decided or withdrawn before, or it lapsed.

    All else as `dry_run_settings`.
    """
    row = await _found(proposal_id)
    _require_waiting(row)
    wish = SettingsWish(row["pool_id"], wanted_of(row["settings"]), row["version"], row["valid_from"], on)
    return await dry_run_settings(wish, activity=activity, time_zone=time_zone, today=today)


async def lapse_proposals(actor: Actor, pool_id: UUID, *, clock: Clock) -> None:
    """The proposals that wait for a locked pool lapse: its settings are others now, or it is closed; who made them is
    told."""
    rows = await current_transaction().fetch(_LAPSE, current_tenant_id(), pool_id, clock.now())
    entries = [
        entry_values(
            actor,
            "pool_proposal.lapsed",
            object_type="PoolProposal",
            object_id=row["id"],
            changes={"state": ["proposed", "lapsed"]},
            clock=clock,
        )
        for row in rows
    ]
    await record_many(entries)
    for row in rows:
        await emit(SETTINGS_DECIDED, {"proposal_id": str(row["id"])})


@dataclass(frozen=True, slots=True)
class PoolProposals:
    """In whose name and when changes of pools are proposed and decided."""

    actor: Actor
    time_zone: str
    clock: Clock

    async def propose(self, *, pool_id: UUID, change: PoolChange, expected_version: int, reason: str) -> UUID:
        """Propose other settings of a pool, for today or a later day (permission ``pool:configure``); the proposal.

        :raises BadUserInput: no reason is given, or too long a one.
        :raises ApprovalNotNeeded: the caller can change that at once.
        :raises RequestAwaited: a proposal of the caller's for the pool waits already.

        All else as `configure_pool`.
        """
        reason, pool = checked_reason(reason), await locked_pool(pool_id)
        refuse_stale(pool, expected_version)
        wanted = await next_version(self.actor, pool_id, pool, change, time_zone=self.time_zone, clock=self.clock)
        names = wanted.after.decided_by_two(wanted.before)
        if not names:
            values: dict[str, Scalar] = {"pool": pool["name"]}
            raise ApprovalNotNeeded("customers.tightening_approval_not_needed", values, field=("pool",))
        proposal_id = await self._insert(wanted, change, reason)
        changes: dict[str, list[Scalar]] = {"state": [None, "proposed"], "pool": [None, str(pool_id)]}
        changes |= wanted.after.differences(wanted.before)
        await self._record("proposed", proposal_id, changes, reason)
        await emit(SETTINGS_PROPOSED, {"proposal_id": str(proposal_id)})
        return proposal_id

    async def decide(self, *, proposal_id: UUID, is_approved: bool, expected_version: int, reason: str) -> UUID:
        """Approve or refuse what somebody else proposed (permission ``pool:configure``).

        Approved, the settings are changed now, as if they were given now: they are checked again, begin today at the
        earliest, and their grace counts from then. `expected_version` is the pool's; a refusal does not ask for it.

        :raises RequestNotFound: this company has no such proposal.
        :raises OwnRequest: the caller proposed it.
        :raises RequestClosed: it was decided or withdrawn before, or it lapsed.
        :raises PoolChanged: the pool is not as the caller read it; the proposal waits on.

        All else as `configure_pool`.
        """
        reason, seen = checked_reason(reason), await _found(proposal_id)
        if self._proposed(seen):
            raise OwnRequest("customers.proposal_own", field=("proposal",))
        pool, row = await _opened(seen)
        version = None
        if is_approved:
            refuse_stale(pool, expected_version)
            version = await self._approve(pool, row)
        state = "approved" if is_approved else "refused"
        await self._close(row, state, reason, version=version, by=self.actor)
        if is_approved:
            await lapse_proposals(self.actor, row["pool_id"], clock=self.clock)
        await emit(SETTINGS_DECIDED, {"proposal_id": str(proposal_id)})
        return proposal_id

    async def withdraw(self, *, proposal_id: UUID, reason: str) -> UUID:
        """Take one's own proposal back while it waits (permission ``pool:configure``).

        :raises RequestNotFound: this company has no such proposal.
        :raises NotTheRequester: somebody else proposed it.
        :raises RequestClosed: it was decided or withdrawn before, or it lapsed.
        """
        reason, seen = checked_reason(reason), await _found(proposal_id)
        if not self._proposed(seen):
            raise NotTheRequester("customers.proposal_not_the_proposer", field=("proposal",))
        _, row = await _opened(seen)
        await self._close(row, "withdrawn", reason, version=None, by=None)
        return proposal_id

    def _proposed(self, row: asyncpg.Record) -> bool:
        """Whether the caller did, with whichever account of theirs."""
        account_id, person_id = row["proposed_by"], row["proposer_id"]
        is_person: bool = person_id is not None and person_id == self.actor.employee_id
        return is_person or bool(account_id == self.actor.account_id)

    async def _insert(self, wanted: NextVersion, change: PoolChange, reason: str) -> UUID:
        now, proposal_id = self.clock.now(), new_id()
        inserted = await current_transaction().fetchval(
            _INSERT,
            current_tenant_id(),
            proposal_id,
            wanted.pool_id,
            wanted_text(change.settings),
            change.valid_from,
            wanted.version,
            reason,
            self.actor.account_id,
            self.actor.employee_id,
            now,
            local_date(now, self.time_zone),
        )
        if inserted is None:
            raise RequestAwaited("customers.proposal_awaited", field=("pool",))
        return proposal_id

    async def _approve(self, pool: asyncpg.Record, row: asyncpg.Record) -> int:
        """The version that the settings have now; the trail names who proposed them."""
        pool_id, change = row["pool_id"], PoolChange(wanted_of(row["settings"]), valid_from=row["valid_from"])
        wanted = await next_version(self.actor, pool_id, pool, change, time_zone=self.time_zone, clock=self.clock)
        await keep_version(self.actor, wanted, proposal_id=row["id"], clock=self.clock)
        await raise_version(pool_id)
        changes: dict[str, list[Scalar]] = {**wanted.changes, "proposal": [None, str(row["id"])]}
        changes["proposed_by"] = [None, str(row["proposed_by"])]
        await record(
            self.actor,
            "customer_pool.configured",
            object_type="CustomerPool",
            object_id=pool_id,
            changes=changes,
            clock=self.clock,
        )
        return wanted.version + 1

    async def _close(
        self, row: asyncpg.Record, state: str, reason: str, *, version: int | None, by: Actor | None
    ) -> None:
        account_id, person_id = (None, None) if by is None else (by.account_id, by.employee_id)
        values = (row["id"], state, self.clock.now(), account_id, person_id, reason, version)
        await current_transaction().execute(_CLOSE, current_tenant_id(), *values)
        await self._record(state, row["id"], {"state": ["proposed", state]}, reason)

    async def _record(self, verb: str, proposal_id: UUID, changes: dict[str, list[Scalar]], reason: str) -> None:
        await record(
            self.actor,
            f"pool_proposal.{verb}",
            object_type="PoolProposal",
            object_id=proposal_id,
            changes=changes,
            reason=reason,
            clock=self.clock,
        )


async def _found(proposal_id: UUID) -> asyncpg.Record:
    row = await current_transaction().fetchrow(_FIND, current_tenant_id(), proposal_id)
    if row is None:
        raise RequestNotFound("customers.proposal_not_found", field=("proposal",))
    return row


def _require_waiting(row: asyncpg.Record) -> None:
    if row["state"] != "proposed":
        raise RequestClosed("customers.proposal_closed", field=("proposal",))


async def _opened(seen: asyncpg.Record) -> tuple[asyncpg.Record, asyncpg.Record]:
    """The pool, locked, and the proposal as it is then: of any number who decide at once one goes on."""
    _require_waiting(seen)
    pool = await locked_pool(seen["pool_id"])
    row = await _found(seen["id"])
    _require_waiting(row)
    return pool, row
