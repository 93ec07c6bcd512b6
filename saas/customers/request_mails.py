"""What people are told by mail of requests for claims and assignments (P49): who decides, and who asked.

Who has no account can't be told; `ownershipRequests` shows everything without.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID, uuid5

import asyncpg

from saas.customers.events import REQUEST_DECIDED, REQUESTS_WAIT
from saas.events import Event, Handlers
from saas.identity import Recipient
from saas.jobs import Mail, Postbox
from saas.kernel import Catalogue
from tenants import current_tenant_id, current_transaction

NAMES_TOLD = 10

FindDeciders = Callable[[UUID, Collection[UUID]], Awaitable[Sequence[Recipient]]]
"""By the employee id of who would own the customers, and those who may not decide: who may, the nearest."""
FindRequester = Callable[[UUID], Awaitable[Recipient | None]]

_WAITING = """
SELECT r.id, e.name AS employee, c.name AS customer, p.name AS pool, r.requester_id FROM ownership_request r
JOIN employee e ON e.tenant_id = $1 AND e.id = r.employee_id
JOIN customer c ON c.tenant_id = $1 AND c.id = r.customer_id
JOIN customer_pool p ON p.tenant_id = $1 AND p.id = r.pool_id
WHERE r.tenant_id = $1 AND r.employee_id = $2 AND r.state = 'requested' ORDER BY r.requested_at, r.id
"""
_DECIDED = """
SELECT r.state, r.requester_id, r.decision_reason, c.name AS customer, p.name AS pool FROM ownership_request r
JOIN customer c ON c.tenant_id = $1 AND c.id = r.customer_id
JOIN customer_pool p ON p.tenant_id = $1 AND p.id = r.pool_id
WHERE r.tenant_id = $1 AND r.id = $2 AND r.state IN ('granted', 'refused') AND r.requester_id IS NOT NULL
"""


@dataclass(frozen=True, slots=True)
class RequestMails:
    """The handlers; an event that comes again sends the same mail."""

    postbox: Postbox
    deciders: FindDeciders
    requester: FindRequester
    catalogue: Catalogue

    def listen(self, handlers: Handlers) -> None:
        """Hear of requests and of decisions."""
        handlers.on(REQUESTS_WAIT, name="customers.requests_mail", handler=self.tell_deciders)
        handlers.on(REQUEST_DECIDED, name="customers.decided_request_mail", handler=self.tell_requester)

    async def tell_deciders(self, event: Event) -> None:
        """One mail to each about all that waits for a person; none where everything was decided meanwhile."""
        employee_id = UUID(str(event.payload["employee_id"]))
        rows = await current_transaction().fetch(_WAITING, current_tenant_id(), employee_id)
        if not rows:
            return
        barred = {employee_id, *(row["requester_id"] for row in rows if row["requester_id"] is not None)}
        for place, to in enumerate(await self.deciders(employee_id, barred)):
            await self._send(event, place, to, "requests_mail", _told(rows))

    async def tell_requester(self, event: Event) -> None:
        """What was decided, and why."""
        request_id = UUID(str(event.payload["request_id"]))
        row = await current_transaction().fetchrow(_DECIDED, current_tenant_id(), request_id)
        if row is None:
            return
        to, values = await self.requester(row["requester_id"]), {"customer": row["customer"], "pool": row["pool"]}
        if to is not None:
            what = "request_granted_mail" if row["state"] == "granted" else "request_refused_mail"
            await self._send(event, 0, to, what, {**values, "reason": row["decision_reason"]})

    async def _send(self, event: Event, place: int, to: Recipient, what: str, values: Mapping[str, object]) -> None:
        named = {**values, "name": to.name}
        mail = Mail(
            id=event.id if place == 0 else uuid5(event.id, str(place)),
            to_address=to.email,
            to_name=to.name,
            subject=self.catalogue.text(to.locale, f"jobs.{what}.subject", named),
            body=self.catalogue.text(to.locale, f"jobs.{what}.body", named),
            written_at=event.occurred_at,
        )
        await self.postbox.send(mail)


def _told(rows: Sequence[asyncpg.Record]) -> dict[str, object]:
    names = [f"{row['customer']}（{row['pool']}）" for row in rows]
    shown = "\n".join(names[:NAMES_TOLD]) + ("\n…" if len(names) > NAMES_TOLD else "")
    return {"employee": rows[0]["employee"], "count": len(names), "customers": shown}
