"""Days that come in sheets: a row replaces all that is known of a person's month."""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from saas.attendance.actions.days import hold_employments, replace_counts, set_day_counts
from saas.attendance.columns import ATTENDANCE_COLUMNS, days_of
from saas.attendance.errors import DayCountRefused, DaysChanged, DaysFrozen
from saas.attendance.queries import Count, Employed, find_counts, find_employed
from saas.attendance.rules import DAY_KINDS, MonthOfDays, ToldDays, check_days
from saas.audit import entry_values, record_many
from saas.exchange import Applied, ImportContext, ImportKind, Row, Verdict, differences
from saas.kernel import AppError, Period, Scalar
from saas.people import StaffBook, find_staff

FrozenDays = Callable[[Sequence[ToldDays]], Awaitable[Sequence[bool]]]
"""Whether a payroll run has frozen these days since they are known; until the transaction ends, none will."""


class AttendanceImport(ImportKind):
    """A month is known by person and month. Payroll, which stands above, says what it has frozen."""

    name, title = "attendance", {"zh-CN": "考勤", "en": "Attendance"}
    permission, order, columns, identity = "attendance:write", 110, ATTENDANCE_COLUMNS, ("employee", "month")

    def __init__(self, *, frozen: FrozenDays) -> None:
        self._frozen = frozen

    async def plan(self, context: ImportContext, rows: Sequence[Row]) -> list[Verdict]:
        """Compares with the days that are kept, whichever employments of the month they were told for."""
        desk, first = await _desk(context, rows), dict[tuple[UUID, str], int]()
        return [_verdict(desk, row, first) for row in rows]

    async def apply(self, context: ImportContext, rows: Sequence[Row], verdicts: Sequence[Verdict]) -> list[Applied]:
        """The days are told for the employment with which the month ends, and for no other of the legal entity."""
        desk = await _desk(context, rows)
        months = [desk.month(row) for row in rows]
        told = [each for row, month in zip(rows, months, strict=True) for each in month.told(days_of(row))]
        await set_day_counts(context.actor, told, clock=context.clock)
        at = context.clock.now()
        return [_applied(row, month, at=at) for row, month in zip(rows, months, strict=True)]

    async def undo(self, context: ImportContext, applied: Sequence[Applied]) -> list[AppError | None]:
        """Months that nobody told anew and no run has frozen since get their former days back."""
        told = [_Told.of(each) for each in applied]
        frozen = await self._frozen([each.fact for each in told])
        await hold_employments([employment for each in told for employment in each.employments])
        present = await find_counts([key for each in told for key in each.keys])
        outcomes = [_refusal(each, present, is_frozen) for each, is_frozen in zip(told, frozen, strict=True)]
        free = [each for each, refusal in zip(told, outcomes, strict=True) if refusal is None]
        await replace_counts([key for each in free for key in each.keys], (row for each in free for row in each.before))
        await _tell(context, free)
        return outcomes


@dataclass(frozen=True, slots=True)
class _Month:
    """A person's month: where it is told, and what is kept of it, for other employments at the legal entity too."""

    employee_id: UUID
    employment_id: UUID
    month: str
    kept: tuple[Count, ...]

    @property
    def token(self) -> str:
        """Stands for what is kept; empty for nothing."""
        parts = [f"{c.employment_id} {c.kind} {c.days} {c.known_at.isoformat()}" for c in self.kept]
        return hashlib.sha256("\n".join(parts).encode()).hexdigest() if parts else ""

    def told(self, days: Mapping[str, Decimal]) -> list[MonthOfDays]:
        """The month as it is to be, other employments emptied."""
        others = dict.fromkeys(each.employment_id for each in self.kept if each.employment_id != self.employment_id)
        own = MonthOfDays(self.employment_id, self.month, days)
        return [own, *(MonthOfDays(other, self.month, {}) for other in others)]


@dataclass(frozen=True, slots=True)
class _Desk:
    staff: StaffBook
    employed: Mapping[UUID, Sequence[Employed]]
    counts: Mapping[tuple[UUID, str], Sequence[Count]]

    def month(self, row: Row) -> _Month:
        """The month of a person who is there.

        :raises DayCountRefused: they were not employed in it.
        """
        word, text = str(row.values["employee"]), str(row.values["month"])
        person = self.staff.find(word, column="employee")
        assert person is not None, "asked of people who are there"
        until, known = Period.of_month(text), self.employed[person.id]
        inside = [each for each in known if each.period.overlap(until)]
        if not inside:
            raise DayCountRefused("attendance.not_employed", {"name": word, "month": text}, field=("month",))
        last = inside[-1]
        beside = [each.id for each in known if each.legal_entity_id == last.legal_entity_id]
        return _Month(person.id, last.id, text, tuple(c for each in beside for c in self.counts.get((each, text), ())))


async def _desk(context: ImportContext, rows: Sequence[Row]) -> _Desk:
    staff = await find_staff(context, [row.text("employee") for row in rows])
    called = {row.number: _called(staff, row) for row in rows}
    employed = await find_employed({person for person in called.values() if person is not None})
    if context.is_commit:
        await hold_employments([each.id for known in employed.values() for each in known])
    pairs = {
        (each.id, str(row.values["month"]))
        for row in rows
        if (person := called[row.number]) is not None
        for each in employed[person]
    }
    return _Desk(staff, employed, await find_counts(sorted(pairs)))


def _called(staff: StaffBook, row: Row) -> UUID | None:
    """Whom a row means, where that is one person who is there."""
    word = str(row.values["employee"])
    return None if staff.refusals({"employee": word}) else staff.id_of(word, column="employee")


def _verdict(desk: _Desk, row: Row, first: dict[tuple[UUID, str], int]) -> Verdict:
    """:param first: the first good row of each person's month; this one is added."""
    try:
        days, month = days_of(row), _checked(desk, row, first)
    except AppError as refused:
        return Verdict.refused(refused)
    if month is None or not month.kept:
        return Verdict.new()
    before = _summed(month.kept)
    told = {kind: days.get(kind, Decimal(0) if kind in before else None) for kind in DAY_KINDS}
    return Verdict.against(month.token, differences(before, told))


def _checked(desk: _Desk, row: Row, first: dict[tuple[UUID, str], int]) -> _Month | None:
    """The row's month; None for somebody who is promised only.

    :raises AppError: nobody is called so, the days can't be, or the month stands in an earlier row.
    """
    days, text = days_of(row), str(row.values["month"])
    if not days:
        raise DayCountRefused("attendance.no_days", {"month": text}, field=("worked",))
    check_days(text, days)
    if desk.staff.find(str(row.values["employee"]), column="employee") is None:
        return None
    month = desk.month(row)
    earlier = first.setdefault((month.employee_id, text), row.number)
    if earlier != row.number:
        raise DayCountRefused("attendance.month_twice", {"month": text, "first": earlier}, field=("employee",))
    return month


def _applied(row: Row, month: _Month, *, at: datetime) -> Applied:
    undo = {
        "month": month.month,
        "employments": [each.employment_id.hex for each in month.told({})],
        "at": at.isoformat(),
        "days": {kind: str(days) for kind, days in days_of(row).items()},
        "before": [[c.employment_id.hex, c.kind, str(c.days), c.known_at.isoformat()] for c in month.kept],
    }
    return Applied(row.number, month.employee_id, undo)


@dataclass(frozen=True, slots=True)
class _Told:
    """A row that was written, as its undo needs it."""

    number: int
    employee_id: UUID
    month: str
    employments: tuple[UUID, ...]
    known_at: datetime
    days: Mapping[str, Decimal]
    before: tuple[Count, ...]

    @classmethod
    def of(cls, applied: Applied) -> _Told:
        plain: Mapping[str, Any] = applied.undo
        assert applied.object_id is not None, "the person"
        return cls(
            applied.number,
            applied.object_id,
            plain["month"],
            tuple(UUID(hex=each) for each in plain["employments"]),
            datetime.fromisoformat(plain["at"]),
            {kind: Decimal(days) for kind, days in plain["days"].items()},
            tuple(
                Count(UUID(hex=employment), plain["month"], kind, Decimal(days), datetime.fromisoformat(known_at))
                for employment, kind, days, known_at in plain["before"]
            ),
        )

    @property
    def keys(self) -> list[tuple[UUID, str]]:
        return [(employment, self.month) for employment in self.employments]

    @property
    def fact(self) -> ToldDays:
        return ToldDays(self.employee_id, Period.of_month(self.month), self.known_at)

    def is_kept(self, present: Iterable[Count]) -> bool:
        """Whether what is kept is what the row told."""
        wanted = {(self.employments[0], kind, days, self.known_at) for kind, days in self.days.items()}
        return wanted == {(each.employment_id, each.kind, each.days, each.known_at) for each in present}


def _refusal(told: _Told, present: Mapping[tuple[UUID, str], Sequence[Count]], is_frozen: bool) -> AppError | None:
    values: dict[str, Scalar] = {"row": told.number, "month": told.month}
    if not told.is_kept(count for key in told.keys for count in present.get(key, ())):
        return DaysChanged("attendance.days_changed", values)
    return DaysFrozen("attendance.days_frozen", values) if is_frozen else None


async def _tell(context: ImportContext, undone: Sequence[_Told]) -> None:
    await record_many(
        [
            entry_values(
                context.actor,
                "attendance.days_set",
                object_type="Employee",
                object_id=told.employee_id,
                changes=_changes(told.month, told.days, _summed(told.before)),
                clock=context.clock,
            )
            for told in undone
        ]
    )


def _changes(
    month: str, before: Mapping[str, Decimal], after: Mapping[str, Decimal]
) -> dict[str, list[str | int | bool | None]]:
    kinds = [kind for kind in DAY_KINDS if kind in before or kind in after]
    return {f"{month} {kind}": [_shown(before.get(kind)), _shown(after.get(kind))] for kind in kinds}


def _shown(days: Decimal | None) -> str | None:
    return None if days is None else format(days, "f")


def _summed(counts: Iterable[Count]) -> dict[str, Decimal]:
    """Days by kind, those of several employments added up, as payroll does."""
    found: dict[str, Decimal] = {}
    for count in counts:
        found[count.kind] = found.get(count.kind, Decimal(0)) + count.days
    return found
