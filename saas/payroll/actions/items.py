"""Writes of one-off amounts (一次性薪资项): of one component, in one month, for a reason."""

from __future__ import annotations

from decimal import Decimal
from uuid import UUID

from saas.audit import record
from saas.kernel import Actor, Clock, Period, new_id
from saas.payroll.errors import PayInputRefused
from saas.payroll.queries import lock_employment
from saas.payroll.rules.canonical import amount_text
from saas.payroll.rules.inputs import OneOffEffect
from saas.payroll.rules.runs import checked_amount, clean_reason, refuse_own_pay
from saas.payroll.rules.structure_checks import CODE
from saas.sealing import Keyring, Place
from tenants import current_tenant_id, current_transaction, get_tenant_facts

_INSERT = """
INSERT INTO pay_item (tenant_id, id, employment_id, employee_id, month, component, effect, amount_sealed, reason,
    known_at, created_by)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
"""
_WITHDRAW = """
UPDATE pay_item SET withdrawn_at = $3 WHERE tenant_id = $1 AND id = $2 AND withdrawn_at IS NULL AND run_id IS NULL
RETURNING employee_id, component
"""


async def add_pay_item(
    actor: Actor,
    *,
    employment_id: UUID,
    month: str,
    component: str,
    effect: OneOffEffect,
    amount: Decimal,
    reason: str,
    keyring: Keyring,
    clock: Clock,
) -> UUID:
    """Add an amount to a component in one month, or put it in its place (permission ``payroll:assign``).

    :raises EmploymentNotFound: nobody has it; :raises OwnPay: it is the caller's own.
    :raises PayInputRefused: no month, no code of a component, an amount that can't be, no reason.
    """
    reason = clean_reason(reason)
    employee_id = await lock_employment(employment_id)
    refuse_own_pay(actor, employee_id)
    _check_month(month)
    if not CODE.fullmatch(component):
        raise PayInputRefused("payroll.code_malformed", {"code": component[:60]}, field=("component",))
    currency = (await get_tenant_facts()).currency
    checked_amount(amount, currency=currency, field=("amount",), may_be_negative=True)
    row_id, text = new_id(), amount_text(amount, currency)
    sealed = keyring.seal("pay", Place("pay_item", "amount_sealed", row_id), text)
    values = (employment_id, employee_id, month, component, effect.value, sealed, reason, clock.now(), actor.account_id)
    await current_transaction().execute(_INSERT, current_tenant_id(), row_id, *values)
    await record(
        actor,
        "pay_item.added",
        object_type="Employee",
        object_id=employee_id,
        changes={component: [None, keyring.digest(text)], "month": [None, month]},
        reason=reason,
        clock=clock,
    )
    return row_id


def _check_month(month: str) -> None:
    try:
        Period.of_month(month)
    except ValueError:
        raise PayInputRefused("payroll.month_malformed", {"month": month[:20]}, field=("month",)) from None


async def withdraw_pay_item(actor: Actor, *, item_id: UUID, reason: str, clock: Clock) -> None:
    """Take an amount back that no run has paid yet; runs that froze it keep it.

    :raises PayInputRefused: there is none, it was withdrawn, or a run has paid it.
    """
    reason = clean_reason(reason)
    row = await current_transaction().fetchrow(_WITHDRAW, current_tenant_id(), item_id, clock.now())
    if row is None:
        raise PayInputRefused("payroll.item_not_open", field=("id",))
    await record(
        actor,
        "pay_item.withdrawn",
        object_type="Employee",
        object_id=row["employee_id"],
        changes={row["component"]: None},
        reason=reason,
        clock=clock,
    )
