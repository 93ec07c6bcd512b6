"""Rounding as cities and funds do it."""

from __future__ import annotations

from collections.abc import Callable
from decimal import ROUND_DOWN, ROUND_HALF_UP, ROUND_UP, Decimal

from plugins.china.tables.rounding_modes import Direction, RoundingMode
from saas.sdk import EXACT, rounded

_ROUNDINGS = {Direction.HALF_UP: ROUND_HALF_UP, Direction.UP: ROUND_UP, Direction.DOWN: ROUND_DOWN}


def rounded_by(amount: Decimal, mode: RoundingMode) -> Decimal:
    """`amount` in yuan by a mode: the first cut drops digits, the second rounds; up and down are away from and to 0."""
    cut = amount if mode.first_cut is None else rounded(amount, mode.first_cut, ROUND_DOWN)
    return rounded(cut, mode.digits, _ROUNDINGS[mode.direction])


def rounder(mode: RoundingMode) -> Callable[[Decimal], Decimal]:
    """`rounded_by` of one mode, for many amounts."""
    if mode.first_cut is not None:
        return lambda amount: rounded_by(amount, mode)
    unit, rounding = Decimal(1).scaleb(-mode.digits), _ROUNDINGS[mode.direction]
    return lambda amount: amount.quantize(unit, rounding, EXACT)
