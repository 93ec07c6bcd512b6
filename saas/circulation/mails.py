"""What people are told by mail: customers that decline, what an assessment reclaims, appeals and their decisions.

Who has no account can't be told: the notice stays undelivered, and customers wait as long as they may.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from uuid import UUID, uuid5

import asyncpg

from saas.circulation.events import APPEAL_DECIDED, APPEAL_FILED, DECLINES_FOUND, PERSON_NOTIFIED
from saas.events import Event, Handlers
from saas.identity import Recipient
from saas.jobs import Mail, Postbox
from saas.kernel import Catalogue, Clock
from tenants import current_tenant_id, current_transaction

NAMES_TOLD = 10

FindRecipients = Callable[[UUID], Awaitable[tuple[Recipient | None, Sequence[Recipient]]]]
"""By the owner's employee id: the owner, None without an account, and those who supervise."""

_DECLINES = """
SELECT f.id, c.name, f.counts_from FROM customer_decline f JOIN customer c ON c.tenant_id = $1 AND c.id = f.customer_id
WHERE f.tenant_id = $1 AND f.owner_id = $2 AND f.warned_at IS NULL AND f.state = 'open' ORDER BY f.counts_from, c.name
"""
_WARNED = "UPDATE customer_decline SET warned_at = $3 WHERE tenant_id = $1 AND id = ANY ($2)"
_PERSON = """
SELECT p.moving, a.appeal_until, a.due_on, l.name AS pool FROM assessment_person p
JOIN assessment a ON a.tenant_id = $1 AND a.id = p.assessment_id AND a.state = 'announced'
JOIN customer_pool l ON l.tenant_id = $1 AND l.id = a.pool_id
WHERE p.tenant_id = $1 AND p.assessment_id = $2 AND p.employee_id = $3 AND p.notified_at IS NULL
"""
_NOTIFIED = """
UPDATE assessment_person SET notified_at = $4 WHERE tenant_id = $1 AND assessment_id = $2 AND employee_id = $3
"""
_LINE = """
SELECT l.employee_id, l.state, l.appeal_reason, l.decision_reason, c.name AS customer, e.name AS owner
FROM assessment_customer l JOIN customer c ON c.tenant_id = $1 AND c.id = l.customer_id
JOIN employee e ON e.tenant_id = $1 AND e.id = l.employee_id WHERE l.tenant_id = $1 AND l.id = $2
"""


@dataclass(frozen=True, slots=True)
class CirculationMails:
    """The handlers of what people are told of; an event that comes again sends the same mail, or none."""

    postbox: Postbox
    recipients: FindRecipients
    catalogue: Catalogue
    clock: Clock

    def listen(self, handlers: Handlers) -> None:
        """Hear what people are to be told of."""
        handlers.on(DECLINES_FOUND, name="circulation.declines_mail", handler=self.declines)
        handlers.on(PERSON_NOTIFIED, name="circulation.assessment_mail", handler=self.assessment)
        handlers.on(APPEAL_FILED, name="circulation.appeal_mail", handler=self.appeal)
        handlers.on(APPEAL_DECIDED, name="circulation.decision_mail", handler=self.decision)

    async def declines(self, event: Event) -> None:
        """Warn an owner, and who supervises them, of all their customers that decline and were not warned of."""
        owner_id = UUID(str(event.payload["employee_id"]))
        rows = await current_transaction().fetch(_DECLINES, current_tenant_id(), owner_id)
        if not rows:
            return
        names = list(dict.fromkeys(row["name"] for row in rows))
        values: dict[str, object] = {"count": len(names), "from": rows[0]["counts_from"].isoformat()}
        values["customers"] = "\n".join(names[:NAMES_TOLD]) + ("\n…" if len(names) > NAMES_TOLD else "")
        if await self._tell_all(event, owner_id, "declines", values):
            ids = [row["id"] for row in rows]
            await current_transaction().execute(_WARNED, current_tenant_id(), ids, self.clock.now())

    async def assessment(self, event: Event) -> None:
        """Tell a rep, and who supervises them, how many customers an assessment reclaims, and until when to appeal."""
        asked = UUID(str(event.payload["assessment_id"])), UUID(str(event.payload["employee_id"]))
        row = await current_transaction().fetchrow(_PERSON, current_tenant_id(), *asked)
        if row is None:
            return
        values = {"count": row["moving"], "pool": row["pool"], "due_on": row["due_on"].isoformat()}
        values["until"] = row["appeal_until"].isoformat()
        if await self._tell_all(event, asked[1], "assessment", values):
            await current_transaction().execute(_NOTIFIED, current_tenant_id(), *asked, self.clock.now())

    async def appeal(self, event: Event) -> None:
        """Tell who supervises an owner that there is an appeal to decide."""
        row = await self._line(event)
        _, supervisors = await self.recipients(row["employee_id"])
        values = {"owner": row["owner"], "customer": row["customer"], "reason": row["appeal_reason"]}
        await self._send(event, supervisors, "appeal", values)

    async def decision(self, event: Event) -> None:
        """Tell an owner what became of an appeal."""
        row = await self._line(event)
        owner, _ = await self.recipients(row["employee_id"])
        values = {"customer": row["customer"], "reason": row["decision_reason"]}
        if owner is not None:
            what = "appeal_granted" if row["state"] == "granted" else "appeal_refused"
            await self._send(event, [owner], what, values)

    async def _line(self, event: Event) -> asyncpg.Record:
        line_id = UUID(str(event.payload["line_id"]))
        row = await current_transaction().fetchrow(_LINE, current_tenant_id(), line_id)
        assert row is not None, "customers of assessments are never deleted"
        return row

    async def _tell_all(self, event: Event, owner_id: UUID, what: str, values: dict[str, object]) -> bool:
        """Whether it reached the owner."""
        owner, supervisors = await self.recipients(owner_id)
        await self._send(event, [owner, *supervisors], what, values)
        return owner is not None

    async def _send(
        self, event: Event, people: Sequence[Recipient | None], what: str, values: dict[str, object]
    ) -> None:
        for place, to in enumerate(people):
            if to is not None:
                await self.postbox.send(self._mail(event, to, place, what, values))

    def _mail(self, event: Event, to: Recipient, place: int, what: str, values: dict[str, object]) -> Mail:
        named = {**values, "name": to.name}
        return Mail(
            id=event.id if place == 0 else uuid5(event.id, str(place)),
            to_address=to.email,
            to_name=to.name,
            subject=self.catalogue.text(to.locale, f"jobs.{what}_mail.subject", named),
            body=self.catalogue.text(to.locale, f"jobs.{what}_mail.body", named),
            written_at=event.occurred_at,
        )
