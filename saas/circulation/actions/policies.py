"""Policies of pools: each change is a new version from a day on, audited; what went by an older one keeps its name."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any
from uuid import UUID

from saas.audit import record
from saas.circulation.errors import PolicyChanged, PolicyScheduled
from saas.circulation.queries import StoredPolicy, find_policies
from saas.circulation.rules.terms import TERMS, PolicyKind, Terms, changed, differences
from saas.customers import get_pool
from saas.kernel import Actor, AppErrors, Clock, Scalar, local_date, new_id
from tenants import current_tenant_id, current_transaction

_INSERT = """
INSERT INTO circulation_policy (tenant_id, id, pool_id, kind, version, terms, valid_from, created_at, author_account_id,
    author_id)
VALUES ($1, $2, $3, $4, $5, $6::jsonb, $7, $8, $9, $10) ON CONFLICT (tenant_id, pool_id, kind, version) DO NOTHING
"""


@dataclass(frozen=True, slots=True)
class PolicyChange:
    """A change of a pool's policy: `wanted` maps names of terms to new values, the others stay.

    `valid_from` is the first day of the new version, today when None or past.
    """

    pool_id: UUID
    kind: PolicyKind
    wanted: Mapping[str, Any] = field(default_factory=dict)
    valid_from: date | None = None


async def change_policy(
    actor: Actor, change: PolicyChange, *, expected_version: int, time_zone: str, clock: Clock
) -> UUID:
    """Decide the next version of a policy (permission ``circulation:configure``).

    The first one changes the product's own terms. `expected_version` is the newest version that was read, 0 where
    there is none.

    :raises PoolNotFound: this company has no such pool.
    :raises PolicyChanged: somebody decided a version meanwhile; of any number at once one does.
    :raises PolicyScheduled: a version of a later day is decided already.
    :raises AppErrors: terms that are out of range or contradict each other.
    """
    pool, today = await get_pool(change.pool_id), local_date(clock.now(), time_zone)
    last = next(iter(await find_policies(pool.id, change.kind)), None)
    actual = 0 if last is None else last.version
    if actual != expected_version:
        raise _stale(expected_version, actual)
    valid_from = max(change.valid_from or today, today)
    if last is not None and valid_from < last.valid_from:
        scheduled: dict[str, Scalar] = {"version": last.version, "valid_from": last.valid_from.isoformat()}
        raise PolicyScheduled("circulation.policy_scheduled", scheduled, field=("validFrom",))
    return await _save(actor, change, last, valid_from=valid_from, warns=bool(pool.settings.reminder_days), clock=clock)


def _stale(expected: int, actual: int) -> PolicyChanged:
    return PolicyChanged(
        "circulation.policy_changed", {"expected": expected, "actual": actual}, field=("expectedVersion",)
    )


async def _save(
    actor: Actor, change: PolicyChange, last: StoredPolicy | None, *, valid_from: date, warns: bool, clock: Clock
) -> UUID:
    before = None if last is None else last.terms
    terms = changed_terms(change, before, warns=warns)
    policy_id, version = new_id(), 1 if last is None else last.version + 1
    written = await current_transaction().execute(
        _INSERT,
        current_tenant_id(),
        policy_id,
        change.pool_id,
        change.kind.value,
        version,
        json.dumps(terms.plain()),
        valid_from,
        clock.now(),
        actor.account_id,
        actor.employee_id,
    )
    if not written:
        raise _stale(version - 1, version)
    await record(
        actor,
        "circulation_policy.changed",
        object_type="CirculationPolicy",
        object_id=policy_id,
        changes={"version": [version - 1, version], **differences(before, terms)},
        clock=clock,
    )
    return policy_id


def changed_terms(change: PolicyChange, before: Terms | None, *, warns: bool) -> Terms:
    """The terms that a change comes to; faults are placed where the terms of that kind stand in an input.

    :raises AppErrors: what is out of range or contradicts.
    """
    try:
        return changed(before or TERMS[change.kind](), change.wanted, warns=warns)
    except AppErrors as faults:
        raise AppErrors(each.at(change.kind.value, *each.field) for each in faults.errors) from None
