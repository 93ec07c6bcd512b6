"""The duplicate check: the one answer about customers that the caller may not see, so it is counted and audited."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from functools import partial
from typing import Protocol
from uuid import UUID

from saas.audit import entry_values, record, record_many
from saas.customers.errors import CustomerExists
from saas.customers.queries import Duplicate, count_refused_checks, find_duplicate
from saas.customers.rules import NewCustomer, match_key, may_check_duplicates
from saas.exchange import ImportContext
from saas.kernel import Actor, AppError, Clock, local_date
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


async def refuse_duplicate(
    actor: Actor, new: NewCustomer, phone: SealedPhone | None, *, today: date, clock: Clock
) -> None:
    """Refuse a customer that is there already, whoever may see it; a refusal is recorded once it has rolled back.

    Two that create the same customer at once follow each other: the locks are on name, number and external key.

    :raises CustomerExists: telling that there is one, by what it matched, and whom to ask; nothing else (P38).
    :raises DuplicateChecksUsedUp: the caller was told so too often today.
    """
    refusal = may_check_duplicates(await count_refused_checks(actor, on=today), today=today)
    if refusal is not None:
        raise refusal
    key, index = match_key(new.name), phone.index if phone else None
    await current_transaction().fetchval(_LOCK, current_tenant_id(), key, index, new.external_system, new.external_key)
    found = await find_duplicate(
        match_key=key, phone_index=index, external_system=new.external_system, external_key=new.external_key
    )
    if found is None:
        return
    current_transaction().afterwards(
        partial(_record_refusal, actor, found.customer_id, matched=found.matched, today=today, clock=clock)
    )
    raise _exists(found, new)


def _exists(found: Duplicate, new: NewCustomer) -> CustomerExists:
    if found.matched == "external":
        refusal = CustomerExists("customers.exists_by_key", {"key": new.external_key})
    elif found.owner_name is None:
        refusal = CustomerExists("customers.exists_in_pool")
    else:
        refusal = CustomerExists("customers.exists_owned", {"owner": found.owner_name})
    refusal.field = ("input", found.matched)
    return refusal


async def _record_refusal(actor: Actor, customer_id: UUID, *, matched: str, today: date, clock: Clock) -> None:
    """Who learned of which customer, and by what; what they entered stays out, since nothing of it was kept."""
    await current_transaction().execute(_COUNT, actor.tenant_id, actor.account_id, today, 1)
    await record(
        actor,
        "customer.duplicate_check",
        object_type="Customer",
        object_id=customer_id,
        changes={"matched": [None, matched]},
        outcome="refused",
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
