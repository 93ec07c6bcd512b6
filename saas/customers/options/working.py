"""Working hours of a pool (P46): on which days and between which times people are there to be given customers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from uuid import UUID

from saas.customers.errors import PoolRuleOutOfRange
from saas.customers.options.declaring import is_time, out_of_range
from saas.kernel import Scalar

DAYS_IN_WEEK = 7
MIDNIGHT = "24:00"


@dataclass(frozen=True, slots=True)
class WorkingHours:
    """On `days` (1 is Monday, 7 Sunday) from `opens_at` until just before `closes_at`, "24:00" at the latest.

    Of everybody, or in the place of that of some departments with those below, or of some people.
    """

    days: tuple[int, ...]
    opens_at: str
    closes_at: str
    departments: tuple[UUID, ...] = field(default=())
    people: tuple[UUID, ...] = field(default=())

    def holds(self, moment: datetime) -> bool:
        """Whether a moment in the company's time zone lies within."""
        return moment.isoweekday() in self.days and self.opens_at <= f"{moment:%H:%M}" < self.closes_at

    def faults(self, at: int) -> Iterator[PoolRuleOutOfRange]:
        """What is wrong with the entry at its place in the list."""
        place = ("workingHours", str(at))
        if not self.days:
            yield PoolRuleOutOfRange("customers.pool_hours_without_day", field=(*place, "days"))
        for day in self.days:
            if not 1 <= day <= DAYS_IN_WEEK:
                fault = out_of_range("days", day, 1, DAYS_IN_WEEK)
                yield PoolRuleOutOfRange(fault.key, fault.values, field=(*place, "days"))
        for name, given in (("opensAt", self.opens_at), ("closesAt", self.closes_at)):
            if not (is_time(given) or (name == "closesAt" and given == MIDNIGHT)):
                told: dict[str, Scalar] = {"given": given[:20]}
                yield PoolRuleOutOfRange("customers.pool_time_malformed", told, field=(*place, name))
                return
        if self.closes_at <= self.opens_at:
            told = {"opens": self.opens_at, "closes": self.closes_at}
            yield PoolRuleOutOfRange("customers.pool_hours_close_early", told, field=(*place, "closesAt"))


def is_at_work(hours: Sequence[WorkingHours], employee_id: UUID, departments: Sequence[UUID], moment: datetime) -> bool:
    """Whether a person's working hours hold a moment: those that name the person, else their nearest department, else
    everybody's; who has none is always there. `departments` are theirs, the nearest first.
    """
    own = [each for each in hours if employee_id in each.people]
    for department in departments:
        own = own or [each for each in hours if department in each.departments]
    own = own or [each for each in hours if not each.people and not each.departments]
    return not own or any(each.holds(moment) for each in own)


def opens_next(hours: Sequence[WorkingHours], moment: datetime) -> datetime | None:
    """When any of the hours begins next, after a moment in the company's time zone; None where there are none."""
    openings = (
        datetime.combine(day, time.fromisoformat(each.opens_at), moment.tzinfo)
        for day in (moment.date() + timedelta(days=ahead) for ahead in range(DAYS_IN_WEEK + 1))
        for each in hours
        if day.isoweekday() in each.days
    )
    return min((each for each in openings if each > moment), default=None)
