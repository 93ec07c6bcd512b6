"""The salary structure that every company begins with: a base salary by the days kept; commission comes by itself.

It may be changed or left unused like any other.
"""

from __future__ import annotations

from datetime import date
from uuid import UUID

from saas.kernel import Actor, Clock, minor_digits
from saas.payroll.actions.structures import save_structure
from saas.payroll.rules.structures import ComponentKind, PayComponent, Structure

STANDARD = "standard"
"""Its code."""

_SINCE = date(2000, 1, 1)
"""Early enough for whatever history a company brings."""


def standard_structure(currency: str) -> Structure:
    """The structure, with amounts in the digits of a currency."""
    basic = PayComponent(
        code="basic_pay",
        titles={"zh-CN": "基本工资", "en": "Basic pay"},
        kind=ComponentKind.EARNING,
        formula="base_salary.earned",
        digits=minor_digits(currency),
    )
    return Structure(code=STANDARD, titles={"zh-CN": "标准薪资", "en": "Standard pay"}, components=(basic,))


async def create_standard_structure(actor: Actor, *, currency: str, clock: Clock) -> UUID:
    """Save it for a company that has just signed up; its id."""
    structure = standard_structure(currency)
    return await save_structure(actor, structure, valid_from=_SINCE, reason="sign-up", expected_version=0, clock=clock)
