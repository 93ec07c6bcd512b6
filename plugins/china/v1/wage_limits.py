"""What a wage must not fall below: minimum wage, wage on probation, and wages after a deduction for damage."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from plugins.china.tables.minimum_wages import MinimumWage
from plugins.china.v1.explaining import yuan
from plugins.china.v1.findings import Finding
from plugins.china.v1.income_tax import ZERO
from saas.sdk import EXACT, rounded

PROBATION_SHARE = Decimal("0.8")
"""Least part of the agreed wage on probation (Labour Contract Law art. 20)."""

DAMAGE_SHARE = Decimal("0.2")
"""Largest part of a month's wage that may be deducted for damage (Laobufa 1994 No.489 art. 16)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NormalPay:
    """A month's gross pay and what of it is not tested, yuan: overtime, allowances for special surroundings and shifts,
    statutory benefits; and the employee's contributions, which some places take off as well.
    """

    gross: Decimal
    overtime: Decimal = ZERO
    hardship_allowances: Decimal = ZERO
    statutory_benefits: Decimal = ZERO
    employee_shares: Decimal = ZERO


def minimum_wage_findings(pay: NormalPay, *, minimum: MinimumWage) -> tuple[Finding, ...]:
    """A blocking finding with the missing amount where pay for normal hours is below the minimum wage."""
    tested = pay.gross - pay.overtime - pay.hardship_allowances - pay.statutory_benefits
    if minimum.excludes_shares:
        tested -= pay.employee_shares
    if tested >= minimum.monthly:
        return ()
    missing = minimum.monthly - tested
    values = {"tested": yuan(tested), "minimum": yuan(minimum.monthly), "missing": yuan(missing)}
    return (Finding(key="china.below_minimum_wage", args=values, amount=missing, is_blocking=True),)


def probation_findings(wage: Decimal, *, agreed: Decimal, minimum: MinimumWage) -> tuple[Finding, ...]:
    """A blocking finding where a wage on probation is below 80 % of the agreed one, or below the minimum wage."""
    least = max(EXACT.multiply(agreed, PROBATION_SHARE), minimum.monthly)
    if wage >= least:
        return ()
    values = {"wage": yuan(wage), "least": yuan(least), "agreed": yuan(agreed), "minimum": yuan(minimum.monthly)}
    return (Finding(key="china.below_probation_wage", args=values, amount=least - wage, is_blocking=True),)


def damage_limit(wage: Decimal, *, minimum: MinimumWage) -> Decimal:
    """The most that may be deducted from a month's wage for damage, yuan: 20 %, and the rest at least the minimum wage.

    Whole fen, never rounded up.
    """
    fifth = rounded(EXACT.multiply(wage, DAMAGE_SHARE), rounding="ROUND_DOWN")
    return max(ZERO, min(fifth, wage - minimum.monthly))


def damage_findings(deduction: Decimal, *, wage: Decimal, minimum: MinimumWage) -> tuple[Finding, ...]:
    """A blocking finding where more than `damage_limit` is deducted."""
    limit = damage_limit(wage, minimum=minimum)
    if deduction <= limit:
        return ()
    values = {
        "deduction": yuan(deduction),
        "limit": yuan(limit),
        "wage": yuan(wage),
        "minimum": yuan(minimum.monthly),
    }
    return (Finding(key="china.damage_above_limit", args=values, amount=deduction - limit, is_blocking=True),)
