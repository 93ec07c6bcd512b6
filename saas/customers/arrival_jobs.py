"""The worker's part of allocations on arrival (P04): hear of arrivals, allocate them, tell who administers the pool."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from uuid import UUID, uuid5

from saas.customers.actions.arrivals import (
    FindClaimants,
    allocate_arrivals,
    await_arrivals,
    gather_arrivals,
    give_up_arrivals,
    note_arrival,
)
from saas.customers.actions.problems import restored_problems
from saas.customers.events import (
    ARRIVALS_AWAITED,
    ARRIVALS_GATHERED,
    ARRIVALS_STUCK,
    CUSTOMER_CREATED,
    CUSTOMER_RECYCLED,
    CUSTOMER_RELEASED,
    CUSTOMERS_MOVED,
)
from saas.customers.jobs import LONGEST, PATIENCE
from saas.events import Event, Handlers
from saas.identity import Recipient
from saas.jobs import Mail, Postbox
from saas.kernel import Catalogue, Clock, InputProblem
from saas.sealing import Sealer
from tenants import current_tenant_id, current_transaction, get_tenant_facts

ARRIVED, GATHER, ALLOCATE = "customers.arrived", "customers.gather", "customers.allocate"
STUCK_MAIL = "customers.arrivals_stuck_mail"
ASSESSED = "assessment"
"""The rule of what an assessment reclaimed: it is given on by the assessment itself, in a moment."""

FindAdministrators = Callable[[UUID], Awaitable[Sequence[Recipient]]]
"""By a pool's id: those who administer it."""

_ALERT = """
SELECT n.pool_id, n.reason, p.name AS pool, n.customers, a.problems::text AS problems FROM pool_alert n
JOIN customer_pool p ON p.tenant_id = $1 AND p.id = n.pool_id
JOIN pool_allocation a ON a.tenant_id = $1 AND a.id = n.allocation_id WHERE n.tenant_id = $1 AND n.id = $2
"""


@dataclass(frozen=True, slots=True)
class ArrivalJobs:
    """The handlers. An event that comes again finds nothing that waits, or its allocation asked for."""

    sealer: Sealer
    claimants: FindClaimants
    clock: Clock

    def listen(self, handlers: Handlers) -> None:
        """Hear of all ways into a pool, and of what they ask for."""
        for topic in (CUSTOMER_CREATED, CUSTOMER_RELEASED, CUSTOMER_RECYCLED):
            handlers.on(topic, name=ARRIVED, handler=self.note)
        handlers.on(CUSTOMERS_MOVED, name=ARRIVED, handler=self.note_moved)
        handlers.on(ARRIVALS_AWAITED, name=GATHER, handler=self.gather)
        handlers.on(ARRIVALS_GATHERED, name=ALLOCATE, handler=self.allocate, longest=LONGEST, given_up=self.give_up)

    async def note(self, event: Event) -> None:
        """A customer came, and may be in a pool that allocates what arrives."""
        is_kept = event.topic == CUSTOMER_CREATED and event.payload["owner_id"] is not None
        if not is_kept and event.payload.get("rule") != ASSESSED:
            await note_arrival(UUID(str(event.payload["customer_id"])), clock=self.clock)

    async def note_moved(self, event: Event) -> None:
        """Many came at once, or a pool has just begun to allocate what arrives."""
        await await_arrivals(_pool_id(event), clock=self.clock)

    async def gather(self, event: Event) -> None:
        """All that arrived meanwhile is one allocation."""
        await gather_arrivals(_pool_id(event))

    async def allocate(self, event: Event) -> None:
        """Plan and give, in one transaction."""
        await current_transaction().execute(PATIENCE)
        await allocate_arrivals(
            _pool_id(event),
            claimants=self.claimants,
            keyring=await self.sealer.keyring(event.tenant_id),
            time_zone=(await get_tenant_facts()).time_zone,
            clock=self.clock,
        )

    async def give_up(self, event: Event) -> None:
        """Tell that it failed again and again."""
        zone = (await get_tenant_facts()).time_zone
        await give_up_arrivals(_pool_id(event), time_zone=zone, clock=self.clock)


@dataclass(frozen=True, slots=True)
class ArrivalAlerts:
    """Handler that tells those who administer a pool what it could not allocate, and why."""

    postbox: Postbox
    administrators: FindAdministrators
    catalogue: Catalogue

    def listen(self, handlers: Handlers) -> None:
        """Hear of alerts."""
        handlers.on(ARRIVALS_STUCK, name=STUCK_MAIL, handler=self.tell)

    async def tell(self, event: Event) -> None:
        """A mail to each."""
        alert_id = UUID(str(event.payload["alert_id"]))
        row = await current_transaction().fetchrow(_ALERT, current_tenant_id(), alert_id)
        if row is None:
            return
        problems = _of(row["reason"], restored_problems(row["problems"] or "[]"))
        for to in await self.administrators(row["pool_id"]):
            reasons = "\n".join(self.catalogue.text(to.locale, each.key, dict(each.values)) for each in problems)
            values = {"name": to.name, "pool": row["pool"], "count": row["customers"], "reasons": reasons}
            await self.postbox.send(self._mail(event, to, values))

    def _mail(self, event: Event, to: Recipient, values: dict[str, object]) -> Mail:
        return Mail(
            id=uuid5(event.id, to.email),
            to_address=to.email,
            to_name=to.name,
            subject=self.catalogue.text(to.locale, "jobs.arrivals_stuck.subject", values),
            body=self.catalogue.text(to.locale, "jobs.arrivals_stuck.body", values),
            written_at=event.occurred_at,
        )


def _of(reason: str, problems: Sequence[InputProblem]) -> Sequence[InputProblem]:
    """An allocation that left some for one reason and some for another has an alert for each."""
    return [each for each in problems if each.key == f"customers.arrivals_{reason}"] or problems


def _pool_id(event: Event) -> UUID:
    return UUID(str(event.payload["pool_id"]))
