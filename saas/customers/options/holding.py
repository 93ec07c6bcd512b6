"""How much a person may hold, lock, protect and extend (P09 to P12, P15, P16, P33, P49)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from uuid import UUID

from saas.customers.errors import PoolRuleOutOfRange
from saas.customers.options.declaring import camel, option
from saas.kernel import Scalar
from saas.reads.mapping import EnumKind

DAYS_MAX = 3650
HOLDING_MAX = 10_000
EXCEPTIONS_MAX = 500
PROTECTION_END = EnumKind(
    "RepProtectionEnd",
    "What becomes of a customer when the protection by its rep is over.",
    {
        "UNPROTECT": ("unprotect", "It goes by the other rules."),
        "RECYCLE": ("recycle", "It goes back to the pool on the day after, unless there is a deal."),
    },
)


@dataclass(frozen=True, slots=True)
class PersonLimit:
    """The holding limit of one person, in the place of the pool's."""

    employee: UUID
    limit: int


@dataclass(frozen=True, slots=True)
class DepartmentLimit:
    """Limits of a department: how many each of its people may hold, and how many all of them together.

    `each` stands in the place of the pool's limit; `together` holds in addition, for it and all departments below.
    Either may be None.
    """

    department: UUID
    each: int | None = None
    together: int | None = None


@dataclass(frozen=True)
class HoldingOptions:
    """Options of what people have in hand; limits are counts, days are calendar days."""

    holding_limit: int | None = option(
        "P09", 200, "Customers a person may hold; null: no limit.", least=0, most=HOLDING_MAX
    )
    holding_limits_of_people: tuple[PersonLimit, ...] = option(
        "P09", (), "Other holding limits of some people.", length=EXCEPTIONS_MAX
    )
    holding_limits_of_departments: tuple[DepartmentLimit, ...] = option(
        "P09", (), "Holding limits of some departments: of each of their people, and of all together.", length=100
    )
    counts_dealt: bool = option("P10", False, "Whether customers with a deal count for the holding limit.")
    uncounted_levels: tuple[str, ...] = option(
        "P11", (), "Levels whose customers don't count for the holding limit.", longest=20, length=50
    )
    uncounted_sources: tuple[str, ...] = option(
        "P11", (), "Sources whose customers don't count for the holding limit.", longest=40, length=50
    )
    uncounted_industries: tuple[str, ...] = option(
        "P11", (), "Industries whose customers don't count for the holding limit.", longest=100, length=50
    )
    first_follow_up_limit: int | None = option(
        "P12",
        None,
        "Customers of the pool that a person may have without a first effective follow-up; null: no limit.",
        least=1,
        most=HOLDING_MAX,
    )
    lock_limit: int = option("P15", 5, "Customers a person may lock at once; 0: none.", least=0, most=HOLDING_MAX)
    lock_days: int = option("P15", 90, "Days that a lock holds at the longest.", least=1, most=DAYS_MAX)
    rep_protection_limit: int = option(
        "P16", 10, "Customers a person may protect at once; 0: none.", least=0, most=HOLDING_MAX
    )
    rep_protection_days: int = option(
        "P16", 30, "Days that a protection by its rep holds at the longest.", least=1, most=DAYS_MAX
    )
    rep_protection_end: str = option(
        "P16",
        "unprotect",
        "What becomes of a customer when the protection by its rep is over.",
        choices=PROTECTION_END,
        moves_due=True,
    )
    extension_times: int = option("P33", 1, "How often a holding may be extended; 0: never.", least=0, most=10)
    extension_days: int = option("P33", 15, "Days of an extension at the longest.", least=1, most=365)
    extension_needs_approval: bool = option("P49", True, "Whether a supervisor decides about extensions.")

    def holding_faults(self) -> Iterator[PoolRuleOutOfRange]:
        """Exceptions out of range, twice the same person or department, one that says nothing; an end of protections
        where nobody may protect.
        """
        if self.rep_protection_end == "recycle" and self.rep_protection_limit == 0:
            yield PoolRuleOutOfRange("customers.pool_protection_of_nobody", field=(camel("rep_protection_end"),))
        yield from person_limit_faults("holdingLimitsOfPeople", self.holding_limits_of_people)
        departments = self.holding_limits_of_departments
        yield from _doublets("holdingLimitsOfDepartments", [each.department for each in departments])
        for at, one in enumerate(departments):
            yield from _beyond("holdingLimitsOfDepartments", at, "each", one.each)
            yield from _beyond("holdingLimitsOfDepartments", at, "together", one.together)
            if one.each is None and one.together is None:
                yield PoolRuleOutOfRange("customers.pool_limit_empty", field=("holdingLimitsOfDepartments", str(at)))


def person_limit_faults(name: str, people: tuple[PersonLimit, ...]) -> Iterator[PoolRuleOutOfRange]:
    """Of a list of exceptions: a number out of range, twice the same person."""
    yield from _doublets(name, [each.employee for each in people])
    for at, each in enumerate(people):
        yield from _beyond(name, at, "limit", each.limit)


def _beyond(name: str, at: int, part: str, given: int | None) -> Iterator[PoolRuleOutOfRange]:
    if given is not None and not 0 <= given <= HOLDING_MAX:
        values: dict[str, Scalar] = {"given": given, "least": 0, "most": HOLDING_MAX}
        yield PoolRuleOutOfRange("customers.pool_rule_out_of_range", values, field=(name, str(at), part))


def _doublets(name: str, ids: list[UUID]) -> Iterator[PoolRuleOutOfRange]:
    for at, each in enumerate(ids):
        if each in ids[:at]:
            yield PoolRuleOutOfRange("customers.pool_limit_twice", {"place": at + 1}, field=(name, str(at)))
