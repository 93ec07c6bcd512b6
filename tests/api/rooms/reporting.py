"""The steps of reports taken as the product's own worker takes them."""

from __future__ import annotations

from uuid import UUID

from saas.events import Delivery
from saas.kernel import parse_public_id
from saas.main import worker_services
from saas.reports import REPORT_STEP_DUE
from tests.api.rooms.web import Web


async def take_steps(web: Web, company_id: str) -> int:
    """Deliver the steps that wait until none does, as the product's own worker does; how many."""
    services, tenant_id, taken = worker_services(web.installation), parse_public_id(company_id, prefix="com"), 0
    delivery = Delivery(services.database, services.handlers, retry=services.retry, clock=services.clock)
    while waiting := await _waiting(web, tenant_id):
        for event_id, attempts in waiting:
            await delivery(str(tenant_id), str(event_id), attempts)
            taken += 1
    return taken


async def _waiting(web: Web, tenant_id: UUID) -> list[tuple[UUID, int]]:
    async with web.installation.database.transaction(tenant_id) as transaction:
        rows = await transaction.fetch(
            "SELECT id, attempts FROM outbox WHERE done_at IS NULL AND topic = $1", REPORT_STEP_DUE
        )
    return [(row["id"], row["attempts"]) for row in rows]
