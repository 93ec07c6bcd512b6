"""Mails about proposed changes of pools: to all who may decide, and to who proposed one when it is decided (L28)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from uuid import UUID, uuid5

import asyncpg

from saas.customers.events import SETTINGS_DECIDED, SETTINGS_PROPOSED
from saas.customers.options import camel
from saas.customers.settings import wanted_of
from saas.events import Event, Handlers
from saas.identity import Holder, Recipient
from saas.jobs import Mail, Postbox
from saas.kernel import Catalogue
from tenants import current_tenant_id, current_transaction

PROPOSED_MAIL, DECIDED_MAIL = "customers.settings_proposed_mail", "customers.settings_decided_mail"
FindHolders = Callable[[], Awaitable[Sequence[Holder]]]
"""Everybody who configures pools in the company at hand."""

FindAccount = Callable[[UUID], Awaitable[Recipient | None]]
"""By an account's id."""

_PROPOSAL = """
SELECT a.state, a.settings::text AS settings, a.reason, a.decision_reason, a.proposed_by, a.proposer_id,
       p.name AS pool, e.name AS proposer
FROM pool_proposal a JOIN customer_pool p ON p.tenant_id = $1 AND p.id = a.pool_id
LEFT JOIN employee e ON e.tenant_id = $1 AND e.id = a.proposer_id
WHERE a.tenant_id = $1 AND a.id = $2
"""


@dataclass(frozen=True, slots=True)
class ProposalMails:
    """Handlers of the two events; one that comes again sends the same mails, by their ids."""

    postbox: Postbox
    holders: FindHolders
    account: FindAccount
    catalogue: Catalogue

    def listen(self, handlers: Handlers) -> None:
        """Hear of proposals and decisions."""
        handlers.on(SETTINGS_PROPOSED, name=PROPOSED_MAIL, handler=self.tell_proposed)
        handlers.on(SETTINGS_DECIDED, name=DECIDED_MAIL, handler=self.tell_decided)

    async def tell_proposed(self, event: Event) -> None:
        """A mail to each who may decide, while the proposal waits; not to who made it, with whichever account."""
        row = await _found(event)
        if row is None or row["state"] != "proposed":
            return
        options = ", ".join(map(camel, wanted_of(row["settings"])))
        values = {"pool": row["pool"], "proposer": row["proposer"] or "—", "reason": row["reason"], "options": options}
        for each in await self.holders():
            is_person = each.employee_id is not None and each.employee_id == row["proposer_id"]
            if not is_person and each.account_id != row["proposed_by"]:
                await self._send(uuid5(event.id, str(each.account_id)), event, each.recipient, "proposed", values)

    async def tell_decided(self, event: Event) -> None:
        """A mail to who proposed it: approved, refused, or lapsed since the settings are others now."""
        row = await _found(event)
        to = None if row is None else await self.account(row["proposed_by"])
        if row is not None and to is not None:
            values = {"pool": row["pool"], "reason": row["decision_reason"] or "—"}
            await self._send(event.id, event, to, row["state"], values)

    async def _send(self, mail_id: UUID, event: Event, to: Recipient, state: str, values: dict[str, str]) -> None:
        named: dict[str, object] = {**values, "name": to.name}
        await self.postbox.send(
            Mail(
                id=mail_id,
                to_address=to.email,
                to_name=to.name,
                subject=self.catalogue.text(to.locale, f"jobs.pool_proposal_{state}.subject", named),
                body=self.catalogue.text(to.locale, f"jobs.pool_proposal_{state}.body", named),
                written_at=event.occurred_at,
            )
        )


async def _found(event: Event) -> asyncpg.Record | None:
    proposal_id = UUID(str(event.payload["proposal_id"]))
    return await current_transaction().fetchrow(_PROPOSAL, current_tenant_id(), proposal_id)
