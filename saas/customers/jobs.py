"""What runs beside the requests: mails about customers that go and come, and allocations of many customers."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from uuid import UUID, uuid5

from saas.customers.actions.carrying_out import give_ordered, give_up_commit
from saas.customers.actions.dry_running import Losses, find_losses
from saas.customers.actions.due_dates import ActivitySource
from saas.customers.actions.plans import deal_plan, give_up_plan
from saas.customers.events import COMMIT_AWAITED, CUSTOMER_ASSIGNED, CUSTOMERS_LOST, PLAN_AWAITED, RECYCLING_CHANGED
from saas.customers.plugin_methods import PluginMethods
from saas.customers.settings import settings_of
from saas.events import Event, Handlers
from saas.extensions import PluginHost, enabled_plugins
from saas.identity import Recipient
from saas.jobs import Mail, Postbox
from saas.kernel import Catalogue, Clock, local_date
from saas.sealing import Keyring, Sealer
from tenants import current_tenant_id, current_transaction, get_tenant_facts

WARNING_MAIL = "customers.recycle_warning_mail"
LOST_MAIL, ASSIGNED_MAIL = "customers.customers_lost_mail", "customers.customer_assigned_mail"
CHANGED_MAIL = "customers.recycling_changed_mail"
LONGEST = timedelta(minutes=15)
"""An allocation is one transaction, whole or not at all; 100,000 customers take a minute or two on two cores. So is the
look at all customers of a pool whose rules change.
"""
NAMED = 50
"""How many customers a mail names; the ledger shows all."""

FindRecipients = Callable[[UUID], Awaitable[tuple[Recipient | None, Sequence[Recipient]]]]
"""By the owner's employee id: the owner, None without an account, and those who supervise."""

_NOTICED = """
SELECT n.days, n.due_on, n.owner_id, c.name FROM pool_notice n
JOIN customer c ON c.tenant_id = n.tenant_id AND c.id = n.customer_id
WHERE n.tenant_id = $1 AND n.id = $2 AND n.delivered_at IS NULL
"""
_DELIVERED = "UPDATE pool_notice SET delivered_at = $3 WHERE tenant_id = $1 AND id = $2"


class RecycleWarning:
    """Handler of the warning event: a mail to the owner and to those who supervise; then the notice is delivered.

    Who has no account can't be warned: the notice stays undelivered, and recycling waits as long as it may.
    """

    def __init__(self, postbox: Postbox, *, recipients: FindRecipients, catalogue: Catalogue, clock: Clock) -> None:
        self._postbox, self._recipients, self._catalogue, self._clock = postbox, recipients, catalogue, clock

    async def __call__(self, event: Event) -> None:
        """Send and note; an event that comes again finds its notice delivered."""
        notice_id = UUID(str(event.payload["notice_id"]))
        row = await current_transaction().fetchrow(_NOTICED, current_tenant_id(), notice_id)
        if row is None:
            return
        owner, supervisors = await self._recipients(row["owner_id"])
        values = {"customer": row["name"], "due_on": row["due_on"].isoformat(), "days": row["days"]}
        for place, to in enumerate([owner, *supervisors]):
            if to is not None:
                await self._postbox.send(self._mail(event, to, place, values))
        if owner is not None:
            await current_transaction().execute(_DELIVERED, current_tenant_id(), notice_id, self._clock.now())

    def _mail(self, event: Event, to: Recipient, place: int, values: dict[str, object]) -> Mail:
        named = {**values, "name": to.name}
        return Mail(
            id=event.id if place == 0 else uuid5(event.id, str(place)),
            to_address=to.email,
            to_name=to.name,
            subject=self._catalogue.text(to.locale, "jobs.recycle_warning.subject", named),
            body=self._catalogue.text(to.locale, "jobs.recycle_warning.body", named),
            written_at=event.occurred_at,
        )


FindOwner = Callable[[UUID], Awaitable[Recipient | None]]
"""By a person's employee id; None without an account."""

_LOST = """
SELECT p.name AS pool, c.name, count(*) OVER () AS number FROM pool_event e
JOIN customer_pool p ON p.tenant_id = e.tenant_id AND p.id = e.pool_id
JOIN customer c ON c.tenant_id = e.tenant_id AND c.id = e.customer_id
WHERE e.tenant_id = $1 AND e.pool_id = $2 AND e.former_owner_id = $3 AND e.happened_on = $4 AND e.kind = 'recycled'
ORDER BY c.name_key, c.id LIMIT $5
"""
_ASSIGNED = """
SELECT c.name, p.name AS pool, p.settings::text AS settings FROM customer c
JOIN customer_pool p ON p.tenant_id = c.tenant_id AND p.id = c.pool_id
WHERE c.tenant_id = $1 AND c.id = $2 AND c.owner_id = $3
"""


@dataclass(frozen=True, slots=True)
class OwnershipNotices:
    """Handlers that tell people what they lost in a night, and what was assigned to them (P29).

    Who has no account is told nothing: the ledger tells everybody.
    """

    postbox: Postbox
    recipient: FindOwner
    catalogue: Catalogue

    def listen(self, handlers: Handlers) -> None:
        """Hear of nights and assignments."""
        handlers.on(CUSTOMERS_LOST, name=LOST_MAIL, handler=self.tell_lost)
        handlers.on(CUSTOMER_ASSIGNED, name=ASSIGNED_MAIL, handler=self.tell_assigned)

    async def tell_lost(self, event: Event) -> None:
        """One mail for all that a night took from a person."""
        pool_id, owner_id = (UUID(str(event.payload[name])) for name in ("pool_id", "owner_id"))
        on = date.fromisoformat(str(event.payload["on"]))
        rows = await current_transaction().fetch(_LOST, current_tenant_id(), pool_id, owner_id, on, NAMED)
        if rows:
            more = ["…"] if rows[0]["number"] > NAMED else []
            names = "\n".join([*(row["name"] for row in rows), *more])
            values = {"pool": rows[0]["pool"], "count": rows[0]["number"], "customers": names, "on": on.isoformat()}
            await self._send(event, owner_id, "recycled_notice", values)

    async def tell_assigned(self, event: Event) -> None:
        """A mail for an assignment that still stands."""
        customer_id, owner_id = (UUID(str(event.payload[name])) for name in ("customer_id", "owner_id"))
        row = await current_transaction().fetchrow(_ASSIGNED, current_tenant_id(), customer_id, owner_id)
        if row is not None and settings_of(row["settings"]).notify_new_owner:
            values = {"customer": row["name"], "pool": row["pool"]}
            await self._send(event, owner_id, "assigned_notice", values)

    async def _send(self, event: Event, owner_id: UUID, key: str, values: dict[str, object]) -> None:
        to = await self.recipient(owner_id)
        if to is None:
            return
        named = {**values, "name": to.name}
        mail = Mail(
            id=event.id,
            to_address=to.email,
            to_name=to.name,
            subject=self.catalogue.text(to.locale, f"jobs.{key}.subject", named),
            body=self.catalogue.text(to.locale, f"jobs.{key}.body", named),
            written_at=event.occurred_at,
        )
        await self.postbox.send(mail)


@dataclass(frozen=True, slots=True)
class RuleChangeNotice:
    """Handler that tells people when new rules of recycling will take customers from them that the old would not (L28).

    Whoever tightens rules tells nobody anything: the product does, on the day of the change.
    """

    postbox: Postbox
    recipient: FindOwner
    activity: ActivitySource
    catalogue: Catalogue

    def listen(self, handlers: Handlers) -> None:
        """Hear of changes."""
        handlers.on(RECYCLING_CHANGED, name=CHANGED_MAIL, handler=self.tell, longest=LONGEST)

    async def tell(self, event: Event) -> None:
        """A mail to each who would lose a customer on the first day after the grace, were nothing done until then."""
        pool_id, version = UUID(str(event.payload["pool_id"])), int(str(event.payload["version"]))
        zone = (await get_tenant_facts()).time_zone
        losses = await find_losses(pool_id=pool_id, version=version, activity=self.activity, time_zone=zone)
        if losses is None:
            return
        for owner_id, number in losses.customers.items():
            to = await self.recipient(owner_id)
            if to is not None:
                await self.postbox.send(self._mail(event, owner_id, to, losses, number))

    def _mail(self, event: Event, owner_id: UUID, to: Recipient, losses: Losses, number: int) -> Mail:
        values: dict[str, object] = {"name": to.name, "pool": losses.pool_name, "count": number}
        values |= {"from": losses.valid_from.isoformat(), "not_before": losses.not_before.isoformat()}
        return Mail(
            id=uuid5(event.id, str(owner_id)),
            to_address=to.email,
            to_name=to.name,
            subject=self.catalogue.text(to.locale, "jobs.rules_changed.subject", values),
            body=self.catalogue.text(to.locale, "jobs.rules_changed.body", values),
            written_at=event.occurred_at,
        )


DEAL, GIVE = "customers.deal", "customers.give"

PATIENCE = """
SET LOCAL lock_timeout = '60s'; SET LOCAL statement_timeout = '120s';
SET LOCAL idle_in_transaction_session_timeout = '600s'
"""
"""A job may wait where a request may not: for an import's locks, and while it deals, with the transaction open."""


@dataclass(frozen=True, slots=True)
class AllocationJobs:
    """The handlers of large allocations. An event that comes again finds its allocation in another state.

    Methods of plugins are those that the company has enabled on the day of the work.
    """

    sealer: Sealer
    clock: Clock
    host: PluginHost | None = None

    def listen(self, handlers: Handlers) -> None:
        """Hear what is asked of a worker."""
        handlers.on(PLAN_AWAITED, name=DEAL, handler=self.deal, longest=LONGEST, given_up=self.give_up_plan)
        handlers.on(COMMIT_AWAITED, name=GIVE, handler=self.give, longest=LONGEST, given_up=self.give_up_commit)

    async def deal(self, event: Event) -> None:
        """Make the plan."""
        keyring, zone = await self._begin(event)
        plugins = None
        if self.host is not None:
            enabled = await enabled_plugins(self.host, on=local_date(self.clock.now(), zone))
            plugins = PluginMethods(self.host, enabled)
        await deal_plan(_allocation_id(event), keyring=keyring, time_zone=zone, clock=self.clock, plugins=plugins)

    async def give(self, event: Event) -> None:
        """Carry the plan out."""
        keyring, zone = await self._begin(event)
        await give_ordered(_allocation_id(event), keyring=keyring, time_zone=zone)

    async def give_up_plan(self, event: Event) -> None:
        """Tell who waits for the plan that it will not come."""
        await give_up_plan(_allocation_id(event), clock=self.clock)

    async def give_up_commit(self, event: Event) -> None:
        """Tell who waits for the commit that nothing was given."""
        await give_up_commit(_allocation_id(event))

    async def _begin(self, event: Event) -> tuple[Keyring, str]:
        await current_transaction().execute(PATIENCE)
        return await self.sealer.keyring(event.tenant_id), (await get_tenant_facts()).time_zone


def _allocation_id(event: Event) -> UUID:
    return UUID(str(event.payload["allocation_id"]))
