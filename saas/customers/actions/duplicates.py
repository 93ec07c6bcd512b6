"""The duplicate check: the one answer about customers that the caller may not see, so it is counted and audited."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from functools import partial
from typing import Protocol
from uuid import UUID

from saas.audit import entry_values, record, record_many
from saas.customers.errors import CustomerExists
from saas.customers.rules import NewCustomer, match_key, may_check_duplicates
from saas.customers.settings import PoolSettings
from saas.exchange import ImportContext
from saas.kernel import Actor, AppError, Clock, Scalar, local_date
from saas.people import SealedPhone
from tenants import current_tenant_id, current_transaction

_LOCK = """
SELECT pg_advisory_xact_lock_shared(hashtextextended($1::uuid || 'customer.import', 0)),
       pg_advisory_xact_lock(hashtextextended($1::uuid || 'customer.name ' || $2, 0)),
       pg_advisory_xact_lock(hashtextextended($1::uuid || 'customer.phone ' || encode($3, 'hex'), 0)),
       pg_advisory_xact_lock(hashtextextended($1::uuid || 'customer.external ' || $4 || ' ' || $5, 0))
"""
_LOCK_IMPORT = "SELECT pg_advisory_xact_lock(hashtextextended($1::uuid || 'customer.import', 0))"
_COUNT = """
INSERT INTO refused_check_count AS n (tenant_id, account_id, counted_on, refusals) VALUES ($1, $2, $3, $4)
ON CONFLICT (tenant_id, account_id, counted_on) DO UPDATE SET refusals = n.refusals + excluded.refusals
"""


@dataclass(frozen=True, slots=True)
class Duplicate:
    """What the duplicate check may tell: that there is one, by what it matched, and whom to ask.

    `matched` is the input's field: external, name or phone; `status` is pooled, locked, protected, dealt or owned.
    `customer_id` is for the audit trail, never for the caller.
    """

    customer_id: UUID
    matched: str
    status: str
    owner_name: str | None


_DUPLICATE = """
SELECT c.id, e.name AS owner_name,
       CASE WHEN c.external_system = $4 AND c.external_key = $5 THEN 'external'
            WHEN c.match_key = $2 THEN 'name' ELSE 'phone' END AS matched,
       coalesce(CASE WHEN c.owner_id IS NULL THEN 'pooled' END, (
           SELECT CASE m.kind WHEN 'lock' THEN 'locked' ELSE 'protected' END FROM holding_mark m
           WHERE m.tenant_id = $1 AND m.customer_id = c.id AND m.kind IN ('lock', 'protection')
             AND m.state = 'in_force' AND m.until_on >= $6 ORDER BY m.kind LIMIT 1
       ), CASE WHEN c.last_deal_on IS NULL THEN 'owned' ELSE 'dealt' END) AS status
FROM customer c LEFT JOIN employee e ON e.tenant_id = c.tenant_id AND e.id = c.owner_id
WHERE c.tenant_id = $1
  AND (c.match_key = $2 OR c.phone_index = $3 OR (c.external_system = $4 AND c.external_key = $5))
ORDER BY matched, c.id LIMIT 1
"""
"""The words of `matched` happen to sort as they matter: the key first, then the name."""


async def find_duplicate(
    *, match_key: str, phone_index: bytes | None, external_system: str | None, external_key: str | None, today: date
) -> Duplicate | None:
    """A customer of this company with the same key, name or phone number, whoever may see it (P38)."""
    row = await current_transaction().fetchrow(
        _DUPLICATE, current_tenant_id(), match_key, phone_index, external_system, external_key, today
    )
    return Duplicate(row["id"], row["matched"], row["status"], row["owner_name"]) if row else None


async def count_refused_checks(actor: Actor, *, on: date) -> int:
    """How often the duplicate check refused the caller on that day; those under way at this moment don't count yet."""
    found: int | None = await current_transaction().fetchval(
        "SELECT refusals FROM refused_check_count WHERE tenant_id = $1 AND account_id = $2 AND counted_on = $3",
        current_tenant_id(),
        actor.account_id,
        on,
    )
    return found or 0


async def check_duplicate(
    actor: Actor, new: NewCustomer, phone: SealedPhone | None, settings: PoolSettings, *, today: date, clock: Clock
) -> CustomerExists | None:
    """Refuse a customer that is there already, whoever may see it; a refusal is recorded once it has rolled back.

    Where the pool only warns, the warning is given back, and counted and recorded like a refusal: it tells as much.
    Two that create the same customer at once follow each other: the locks are on name, number and external key.

    :raises CustomerExists: telling that there is one, by what it matched, its status and whom to ask; nothing else
        (P38). A key of another system is refused whatever the pool's check.
    :raises DuplicateChecksUsedUp: the caller was told so too often today.
    """
    if settings.duplicate_check == "off" and new.external_key is None:
        return None
    refusal = may_check_duplicates(await count_refused_checks(actor, on=today), today=today)
    if refusal is not None:
        raise refusal
    key, index = match_key(new.name), phone.index if phone else None
    await current_transaction().fetchval(_LOCK, current_tenant_id(), key, index, new.external_system, new.external_key)
    found = await find_duplicate(
        match_key=key,
        phone_index=index,
        external_system=new.external_system,
        external_key=new.external_key,
        today=today,
    )
    if found is None or (settings.duplicate_check == "off" and found.matched != "external"):
        return None
    exists = _exists(found, new)
    if settings.duplicate_check == "warn" and found.matched != "external":
        await _record_answer(actor, found, outcome="done", today=today, clock=clock)
        return exists
    current_transaction().afterwards(partial(_record_answer, actor, found, outcome="refused", today=today, clock=clock))
    raise exists


def _exists(found: Duplicate, new: NewCustomer) -> CustomerExists:
    place = ("input", found.matched)
    if found.matched == "external":
        return CustomerExists("customers.exists_by_key", {"key": new.external_key}, field=place)
    if found.owner_name is None:
        return CustomerExists("customers.exists_in_pool", field=place)
    owner: dict[str, Scalar] = {"owner": found.owner_name}
    match found.status:
        case "locked":
            return CustomerExists("customers.exists_locked", owner, field=place)
        case "protected":
            return CustomerExists("customers.exists_protected", owner, field=place)
        case "dealt":
            return CustomerExists("customers.exists_dealt", owner, field=place)
    return CustomerExists("customers.exists_owned", owner, field=place)


async def _record_answer(actor: Actor, found: Duplicate, *, outcome: str, today: date, clock: Clock) -> None:
    """Who learned of which customer, and by what; what they entered stays out, since nothing of it was kept."""
    await current_transaction().execute(_COUNT, actor.tenant_id, actor.account_id, today, 1)
    await record(
        actor,
        "customer.duplicate_check",
        object_type="Customer",
        object_id=found.customer_id,
        changes={"matched": [None, found.matched]},
        outcome=outcome,
        clock=clock,
    )


async def lock_for_import() -> None:
    """Let nobody enter a customer until a set of rows of a list is written: a lock for each row would be too many."""
    await current_transaction().fetchval(_LOCK_IMPORT, current_tenant_id())


class Alike(Protocol):
    """A customer that a row of a list is like."""

    @property
    def id(self) -> UUID: ...
    @property
    def owner_name(self) -> str | None: ...
    @property
    def is_visible(self) -> bool: ...


_COLUMNS = {"external": "external_key", "name": "name", "phone": "phone"}


@dataclass(slots=True)
class ImportDuplicates:
    """What a list tells its importer of customers: of those they may not see as little, and as seldom, as elsewhere."""

    refused_today: int = 0
    today: date = date.max
    found: list[tuple[UUID, str]] = field(default_factory=list)

    @classmethod
    async def of_today(cls, context: ImportContext) -> ImportDuplicates:
        """With the checks that refused the importer today already."""
        today = local_date(context.clock.now(), context.time_zone)
        return cls(await count_refused_checks(context.actor, on=today), today)

    def refusal(self, found: Alike, matched: str, *, key: str | None = None) -> AppError:
        """Why the row may not be entered beside the customer (P38); `matched` as in `Duplicate`."""
        if not found.is_visible:
            used_up = may_check_duplicates(self.refused_today + len(self.found), today=self.today)
            if used_up is not None:
                return used_up
            self.found.append((found.id, matched))
        if matched == "external":
            refusal = CustomerExists("customers.exists_by_key", {"key": key})
        elif found.owner_name is None:
            refusal = CustomerExists("customers.exists_in_pool")
        else:
            refusal = CustomerExists("customers.exists_owned", {"owner": found.owner_name})
        return refusal.at(_COLUMNS[matched])

    async def record(self, context: ImportContext) -> None:
        """Count and record what was told of others' customers; a set that is judged again tells nothing new."""
        if not self.found or context.is_commit:
            return
        actor = context.actor
        await current_transaction().execute(_COUNT, actor.tenant_id, actor.account_id, self.today, len(self.found))
        await record_many(
            [
                entry_values(
                    actor,
                    "customer.duplicate_check",
                    object_type="Customer",
                    object_id=customer_id,
                    changes={"matched": [None, matched]},
                    outcome="refused",
                    clock=context.clock,
                )
                for customer_id, matched in self.found
            ]
        )
