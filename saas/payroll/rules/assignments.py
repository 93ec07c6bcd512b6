"""Pure decisions about what a person is paid by (定薪): which amounts a structure takes, and their one form."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from saas.payroll.errors import PayInputRefused
from saas.payroll.rules.canonical import amount_text, canonical_text
from saas.payroll.rules.runs import checked_amount
from saas.payroll.rules.structures import BASE_SALARY, Structure


def amounts_text(amounts: Mapping[str, Decimal], structure: Structure, *, currency: str) -> str:
    """The canonical text of monthly amounts: what is sealed, and compared.

    :raises PayInputRefused: no base salary, an amount that can't be, an item that the structure does not have.
    """
    known = {BASE_SALARY, *(item.code for item in structure.items)}
    for code in amounts:
        if code not in known:
            values = {"item": code[:60], "structure": structure.code, "known": ", ".join(sorted(known))}
            raise PayInputRefused("payroll.item_unknown", values, field=("amounts", code))
        checked_amount(amounts[code], currency=currency, field=("amounts", code))
    if BASE_SALARY not in amounts:
        raise PayInputRefused("payroll.base_salary_missing", field=("amounts",))
    return canonical_text({code: amount_text(amount, currency) for code, amount in amounts.items()})
