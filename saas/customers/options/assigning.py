"""How much is assigned to a person, and whether what arrives is allocated by itself (P04, P13, P14)."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from uuid import UUID

from saas.customers.allocation import Method
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
NOT_ON_ARRIVAL = "off"
ARRIVAL_METHOD = EnumKind(
    "ArrivalMethod",
    "By which method what arrives in a pool is allocated by itself (P04); all its people count alike.",
    {
        "OFF": (NOT_ON_ARRIVAL, "Nothing is: somebody begins each allocation."),
        "FLEXIBLE": (Method.FLEXIBLE.value, "To whoever was served least recently."),
        "STRICT": (Method.STRICT.value, "In the fixed order."),
        "WEIGHTED": (Method.WEIGHTED.value, "By equal weights, with the pool's ramps."),
        "LOAD_ABSOLUTE": (Method.LOAD_ABSOLUTE.value, "To whoever has most room left."),
        "LOAD_RELATIVE": (Method.LOAD_RELATIVE.value, "To whoever has most room left, as a part of the limit."),
        "LEVEL": (Method.LEVEL.value, "To whoever has the lowest level."),
        "RULES": (Method.RULES.value, "By the pool's ordered rules."),
    },
)
_BY_LOAD = frozenset({Method.LOAD_ABSOLUTE.value, Method.LOAD_RELATIVE.value})
"""Methods that need a holding limit of everybody."""


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

    assignment_overflow_to: UUID | None = option(
        "P13",
        None,
        "Who gets what an allocation could give to nobody for the thresholds alone; null: it stays in the pool.",
        reference="emp",
    )
    arrival_method: str = option(
        "P04",
        NOT_ON_ARRIVAL,
        "By which method what arrives in the pool is allocated by itself.",
        choices=ARRIVAL_METHOD,
    )

    @property
    def allocates_arrivals(self) -> bool:
        """Whether what arrives is allocated by itself."""
        return self.arrival_method != NOT_ON_ARRIVAL

    def assigning_faults(
        self, *, rule_methods: Collection[str], holding_limit: int | None
    ) -> Iterator[PoolRuleOutOfRange]:
        """Exceptions out of range, or twice of the same person; an overflow of nothing; a method of arrivals that lacks
        what it goes by: `rule_methods` are those of the pool's ordered rules.
        """
        yield from person_limit_faults("assignmentThresholdsOfPeople", self.assignment_thresholds_of_people)
        limits = (self.assignment_threshold, self.capacity_per_30_days, *self.assignment_thresholds_of_people)
        if self.assignment_overflow_to is not None and not any(each is not None for each in limits):
            yield PoolRuleOutOfRange("customers.overflow_without_threshold", field=("assignmentOverflowTo",))
        is_ruled = self.arrival_method == Method.RULES.value
        if is_ruled and not rule_methods:
            yield PoolRuleOutOfRange("customers.arrival_without_rules", field=("arrivalMethod",))
        deciding = rule_methods if is_ruled else (self.arrival_method,)
        if holding_limit is None and not _BY_LOAD.isdisjoint(deciding):
            yield PoolRuleOutOfRange("customers.arrival_without_limit", field=("arrivalMethod",))
