"""How much is assigned to a person (P13, P14)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from saas.customers.errors import PoolRuleOutOfRange
from saas.customers.options.declaring import option
from saas.customers.options.holding import EXCEPTIONS_MAX, HOLDING_MAX, PersonLimit, person_limit_faults
from saas.reads.mapping import EnumKind

ASSIGNMENT_CYCLE = EnumKind(
    "AssignmentCycle",
    "For how long assignments are counted against the threshold, in the company's calendar.",
    {
        "DAY": ("day", "From midnight."),
        "WEEK": ("week", "From Monday."),
        "MONTH": ("month", "From the first of the month."),
    },
)


@dataclass(frozen=True)
class AssigningOptions:
    """Options of assignments; counts are customers. An allocation keeps them, an assignment by hand is only warned."""

    assignment_threshold: int | None = option(
        "P13",
        None,
        "Customers of the pool that are assigned to a person in a cycle; null: no threshold.",
        least=0,
        most=HOLDING_MAX,
    )
    assignment_cycle: str = option("P13", "day", "The cycle of the threshold.", choices=ASSIGNMENT_CYCLE)
    assignment_thresholds_of_people: tuple[PersonLimit, ...] = option(
        "P13", (), "Other thresholds of some people.", length=EXCEPTIONS_MAX
    )
    capacity_per_30_days: int | None = option(
        "P14",
        None,
        "Customers that a person can take in 30 days; a thirtieth, rounded half up, is a day's most; null: off.",
        least=1,
        most=HOLDING_MAX,
    )

    def assigning_faults(self) -> Iterator[PoolRuleOutOfRange]:
        """Exceptions out of range, or twice of the same person."""
        yield from person_limit_faults("assignmentThresholdsOfPeople", self.assignment_thresholds_of_people)
