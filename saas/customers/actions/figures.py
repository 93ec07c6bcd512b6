"""What an allocation reports of itself: newcomers with a guarantee and what they get, and what nobody could have."""

from __future__ import annotations

from decimal import Decimal

from saas.customers.allocation import Allocation, Roster, guaranteed_newcomers
from saas.kernel import EXACT, rounded


def newcomer_figures(roster: Roster) -> tuple[int, Decimal]:
    """How many newcomers are guaranteed something, and how many percent of the customers together.

    :raises GuaranteesExceedWhole: it is more than all.
    """
    guarantee, newcomers = guaranteed_newcomers(roster)
    together = guarantee.rate * len(newcomers) * 100
    return len(newcomers), rounded(EXACT.divide(Decimal(together.numerator), Decimal(together.denominator)), 2)


def outcome_figures(roster: Roster, allocation: Allocation | None) -> tuple[int | None, int | None]:
    """How many customers go to those newcomers, and how many to nobody; None before a draw."""
    if allocation is None:
        return None, None
    _, newcomers = guaranteed_newcomers(roster)
    given = sum(len(pick.customer_ids) for pick in allocation.picks if pick.employee_id in newcomers)
    nobody = (pick for pick in allocation.picks if allocation.receiver(pick.place) is None)
    return given, sum(len(pick.customer_ids) for pick in nobody)
