"""What people bring into allocations: traits they are matched by, their level, credits (P43 to P47)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from saas.audit import record
from saas.customers.actions.ledger import LedgerLine, write_ledger
from saas.customers.allocation import CounterCycle, RosterImpossible, Trait, TraitKind
from saas.customers.errors import AssigneeNotOnStaff, CreditBeyondAssigned
from saas.customers.queries import get_pool
from saas.kernel import Actor, Clock, Scalar, local_date, new_id
from saas.people import clean_name
from tenants import current_tenant_id, current_transaction

TRAITS_MAX = 100
VALUE_MAX = 100
LEVEL_MOST = 1_000_000
REASON_MAX = 200

_LOCK = "SELECT true FROM employee WHERE tenant_id = $1 AND id = $2 AND status = 'active' FOR NO KEY UPDATE"
_TRAITS = "SELECT kind, value FROM employee_trait WHERE tenant_id = $1 AND employee_id = $2"
_DROP = """
DELETE FROM employee_trait t WHERE t.tenant_id = $1 AND t.employee_id = $2
AND NOT EXISTS (SELECT FROM unnest($3::text[], $4::text[]) AS kept (kind, value)
                WHERE kept.kind = t.kind AND kept.value = t.value)
"""
_ADD = """
INSERT INTO employee_trait (tenant_id, id, employee_id, kind, value)
SELECT $1, id, $2, kind, value FROM unnest($3::uuid[], $4::text[], $5::text[]) AS added (id, kind, value)
ON CONFLICT (tenant_id, employee_id, kind, value) DO NOTHING
"""
_STANDING = """
SELECT calibration, priority FROM pool_standing
WHERE tenant_id = $1 AND pool_id = $2 AND method = 'level' AND employee_id = $3
"""
_SET_STANDING = """
INSERT INTO pool_standing (tenant_id, pool_id, method, employee_id, calibration, priority)
VALUES ($1, $2, 'level', $3, $4, $5)
ON CONFLICT (tenant_id, pool_id, method, employee_id)
DO UPDATE SET calibration = excluded.calibration, priority = excluded.priority
"""
_COUNTED = """
SELECT (SELECT count(*) FROM ownership o WHERE o.tenant_id = $1 AND o.owner_id = $3 AND o.pool_id = $2
        AND o.start_kind = 'assign' AND o.started_on >= $4) AS assigned,
       (SELECT coalesce(sum(k.customers), 0) FROM allocation_credit k
        WHERE k.tenant_id = $1 AND k.employee_id = $3 AND k.pool_id = $2 AND k.credited_on >= $4) AS credited
"""
_CREDIT = """
INSERT INTO allocation_credit (tenant_id, id, pool_id, employee_id, customer_id, customers, kind, reason, credited_on,
    credited_at, credited_by)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
"""
_TURN_OVER = "UPDATE customer_pool SET allocations = allocations + 1 WHERE tenant_id = $1 AND id = $2"
"""A plan that was made before goes by standings that are no longer true: its commit is refused."""


@dataclass(frozen=True, slots=True)
class LevelStanding:
    """Where a person's level begins in a pool, and how early they come among equal ones: a lower priority is first."""

    pool_id: UUID
    employee_id: UUID
    calibration: int
    priority: int


@dataclass(frozen=True, slots=True)
class Credit:
    """So many customers that no longer count as assigned; `kind` is ``no_show``, ``cancelled`` or ``other``."""

    pool_id: UUID
    employee_id: UUID
    customers: int
    kind: str
    reason: str
    customer_id: UUID | None = None


async def set_employee_traits(actor: Actor, *, employee_id: UUID, traits: Iterable[Trait], clock: Clock) -> None:
    """Say what a person is there for when customers are matched (permission ``pool:configure``), in place of before.

    :raises AssigneeNotOnStaff: no such person is on the staff.
    :raises RosterImpossible: a value is empty, too long, or a territory that is no beginning of a code; or too many.
    """
    wanted = sorted(set(traits), key=lambda each: (each.kind.value, each.value))
    _check_traits(wanted)
    await _lock_person(employee_id)
    transaction, named = current_transaction(), (current_tenant_id(), employee_id)
    before = sorted(f"{row['kind']}:{row['value']}" for row in await transaction.fetch(_TRAITS, *named))
    kinds, values = [each.kind.value for each in wanted], [each.value for each in wanted]
    await transaction.execute(_DROP, *named, kinds, values)
    await transaction.execute(_ADD, *named, [new_id() for _ in wanted], kinds, values)
    after = [f"{each.kind.value}:{each.value}" for each in wanted]
    changes: dict[str, list[Scalar]] = {"traits": [", ".join(before), ", ".join(after)]}
    await record(
        actor, "employee.traits_set", object_type="Employee", object_id=employee_id, changes=changes, clock=clock
    )


def _check_traits(traits: list[Trait]) -> None:
    if len(traits) > TRAITS_MAX:
        told: dict[str, Scalar] = {"given": len(traits), "most": TRAITS_MAX}
        raise RosterImpossible("customers.traits_too_many", told, field=("traits",))
    for each in traits:
        is_code = each.value.isascii() and each.value.isdigit()
        if not 1 <= len(each.value) <= VALUE_MAX or (each.kind is TraitKind.TERRITORY and not is_code):
            told = {"value": each.value[:40], "kind": each.kind.value, "longest": VALUE_MAX}
            raise RosterImpossible("customers.trait_refused", told, field=("traits",))


async def _lock_person(employee_id: UUID) -> None:
    if not await current_transaction().fetchval(_LOCK, current_tenant_id(), employee_id):
        raise AssigneeNotOnStaff("customers.assignee_not_on_staff", field=("employee",))


async def set_level_standing(actor: Actor, standing: LevelStanding, *, clock: Clock) -> None:
    """Set where a person's level begins in a pool, and their priority (permission ``pool:configure``).

    :raises PoolNotFound: this company has no such pool.
    :raises AssigneeNotOnStaff: no such person is on the staff.
    :raises RosterImpossible: a number out of range.
    """
    _check_number("calibration", standing.calibration, -LEVEL_MOST)
    _check_number("priority", standing.priority, 0)
    await get_pool(standing.pool_id)
    await _lock_person(standing.employee_id)
    transaction, named = current_transaction(), (current_tenant_id(), standing.pool_id)
    row = await transaction.fetchrow(_STANDING, *named, standing.employee_id)
    before = (0, 0) if row is None else (row["calibration"], row["priority"])
    await transaction.execute(_SET_STANDING, *named, standing.employee_id, standing.calibration, standing.priority)
    await transaction.execute(_TURN_OVER, *named)
    changes: dict[str, list[Scalar]] = {"calibration": [before[0], standing.calibration]}
    changes |= {"priority": [before[1], standing.priority], "employee": [None, str(standing.employee_id)]}
    await record(
        actor, "pool.level_set", object_type="CustomerPool", object_id=standing.pool_id, changes=changes, clock=clock
    )


def _check_number(name: str, given: int, least: int) -> None:
    if not least <= given <= LEVEL_MOST:
        told: dict[str, Scalar] = {"given": given, "least": least, "most": LEVEL_MOST}
        raise RosterImpossible("customers.standing_out_of_range", told, field=(name,))


async def credit_back(actor: Actor, credit: Credit, *, time_zone: str, clock: Clock) -> None:
    """Let customers no longer count as assigned to a person in this cycle (P47; permission ``pool:configure``).

    :raises PoolNotFound: this company has no such pool.
    :raises AssigneeNotOnStaff: no such person is on the staff.
    :raises CreditBeyondAssigned: the person was not assigned so many that are not credited back yet.
    :raises BadUserInput: the reason is empty or too long.
    """
    _check_number("customers", credit.customers, 1)
    reason = clean_name(credit.reason, field="reason", longest=REASON_MAX)
    pool, now = await get_pool(credit.pool_id), clock.now()
    await _lock_person(credit.employee_id)
    today, transaction, tenant_id = local_date(now, time_zone), current_transaction(), current_tenant_id()
    first = CounterCycle(pool.settings.counter_cycle).first(today)
    counted = await transaction.fetchrow(_COUNTED, tenant_id, pool.id, credit.employee_id, first)
    assert counted is not None, "counts of nothing are 0"
    if credit.customers > counted["assigned"] - counted["credited"]:
        told: dict[str, Scalar] = {"customers": credit.customers, "assigned": counted["assigned"]}
        raise CreditBeyondAssigned("customers.credit_of_nobody", told, field=("customers",))
    credit_id, kept = new_id(), (credit.customer_id, credit.customers, credit.kind, reason, today, now)
    await transaction.execute(_CREDIT, tenant_id, credit_id, pool.id, credit.employee_id, *kept, actor.account_id)
    await transaction.execute(_TURN_OVER, tenant_id, pool.id)
    line = LedgerLine("credited", pool.id, credit.customer_id, employee_id=credit.employee_id, reason=reason)
    await write_ledger(actor, [line], at=now, on=today)
    changes: dict[str, list[Scalar]] = {"customers": [None, credit.customers], "kind": [None, credit.kind]}
    changes |= {"employee": [None, str(credit.employee_id)], "reason": [None, reason]}
    await record(
        actor, "pool.credited_back", object_type="CustomerPool", object_id=pool.id, changes=changes, clock=clock
    )
