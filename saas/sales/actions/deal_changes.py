"""What happens to a deal that is there: other credits, or its end."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from saas.access import AccessTable
from saas.audit import record
from saas.customers import lock_customers
from saas.events import emit
from saas.kernel import Actor, BadUserInput, Clock, local_date
from saas.people import find_departments_on
from saas.people.errors import EmployeeNotFound
from saas.sales.actions.deal_rows import credits_text, replace_credits
from saas.sales.actions.performance import settle_performance
from saas.sales.errors import DealChanged, DealNotFound
from saas.sales.events import DEAL_CANCELLED, DEAL_CREDITED
from saas.sales.queries import find_first_days, find_visible_deals, get_deals
from saas.sales.rules.collections import deal_cancelled
from saas.sales.rules.credits import CreditPart, check_parts
from saas.sales.rules.deals import StoredDeal, has_collections
from tenants import current_tenant_id, current_transaction

REASON_MAX = 200
_RAISE_VERSION = "UPDATE deal SET version = version + 1 WHERE tenant_id = $1 AND id = $2"
_CANCEL = """
UPDATE deal SET status = 'cancelled', cancelled_on = $3, version = version + 1 WHERE tenant_id = $1 AND id = $2
"""


async def set_credits(
    actor: Actor,
    *,
    deal_id: UUID,
    parts: Sequence[CreditPart],
    expected_version: int,
    access: AccessTable,
    clock: Clock,
) -> UUID:
    """Credit a deal, and all that was received for it, to other people or by other shares (业绩分成).

    Lines of performance are reversed and written anew, under the days on which things happened.

    :raises SharesRefused: the shares don't make up the whole, naming the sum and what is missing or too much.
    :raises DealNotFound: missing, another company's, or not visible.
    :raises EmployeeNotFound: somebody credited is not on the staff.
    :raises DealChanged: somebody changed the deal meanwhile.
    :raises DealCancelled: it was cancelled.
    """
    shares = check_parts(parts)
    deal = await _lock(actor, access, deal_id, expected_version=expected_version)
    day = deal.values.signed_on
    departments = await find_departments_on([(part.employee_id, day) for part in shares])
    if any((part.employee_id, day) not in departments for part in shares):
        raise EmployeeNotFound("people.employee_not_found", field=("credits",))
    await replace_credits([(deal_id, day, shares)], departments)
    await current_transaction().execute(_RAISE_VERSION, current_tenant_id(), deal_id)
    await settle_performance([deal_id], at=clock.now())
    await record(
        actor,
        "deal.credited",
        object_type="Deal",
        object_id=deal_id,
        changes={"credits": [credits_text(deal.credits), credits_text(shares)]},
        clock=clock,
    )
    await emit(DEAL_CREDITED, {"deal_id": str(deal_id)})
    return deal_id


async def cancel_deal(
    actor: Actor,
    *,
    deal_id: UUID,
    reason: str,
    expected_version: int,
    access: AccessTable,
    currency: str,
    time_zone: str,
    clock: Clock,
) -> UUID:
    """End a deal that came to nothing, today: its performance is taken back under this day.

    :raises BadUserInput: no reason is given, or too long a one.
    :raises DealNotFound: missing, another company's, or not visible.
    :raises DealChanged: somebody changed the deal meanwhile.
    :raises DealCancelled: it was cancelled before.
    :raises DealHasCollections: money was received for it that was not paid back.
    """
    reason = reason.strip()
    if not reason or len(reason) > REASON_MAX:
        raise BadUserInput("sales.reason_needed", {"longest": REASON_MAX}, field=("reason",))
    deal = await _lock(actor, access, deal_id, expected_version=expected_version)
    if deal.collected_minor:
        raise has_collections(deal, currency=currency).at("deal")
    customer_id, today = deal.values.customer_id, local_date(clock.now(), time_zone)
    before = (await find_first_days([customer_id])).get(customer_id)
    await current_transaction().execute(_CANCEL, current_tenant_id(), deal_id, today)
    await settle_performance([deal_id], at=clock.now(), first_days_before={customer_id: before})
    await record(
        actor,
        "deal.cancelled",
        object_type="Deal",
        object_id=deal_id,
        changes={"status": ["signed", "cancelled"]},
        reason=reason,
        clock=clock,
    )
    await emit(DEAL_CANCELLED, {"deal_id": str(deal_id), "customer_id": str(customer_id)})
    return deal_id


async def _lock(actor: Actor, access: AccessTable, deal_id: UUID, *, expected_version: int) -> StoredDeal:
    """A deal that the caller may see and may change, with its customer locked."""
    customers = await find_visible_deals(actor, access, [deal_id])
    if deal_id not in customers:
        raise DealNotFound("sales.deal_not_found", field=("deal",))
    await lock_customers(customers.values())
    deal = (await get_deals([deal_id]))[deal_id]
    if deal.version != expected_version:
        raise DealChanged("sales.deal_changed", {"expected": expected_version, "actual": deal.version})
    if deal.cancelled_on is not None:
        raise deal_cancelled(deal.values.number, deal.cancelled_on)
    return deal
