"""Salaries that come in sheets (定薪): what each person is paid by, from a day on. Previews hold no amount."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from saas.audit import entry_values, record_many
from saas.exchange import Applied, Difference, ImportContext, ImportKind, Row, Verdict, differences
from saas.kernel import AppError, Period, Scalar, local_date
from saas.payroll.actions.assignment_rows import (
    NewAssignment,
    WrittenAssignment,
    find_intact,
    remove_assignments,
    write_assignments,
)
from saas.payroll.actions.frozen import ToldPay, find_frozen_pay
from saas.payroll.actions.present_pay import PresentAssignment, PresentPay, find_pay, find_structures
from saas.payroll.columns import REASON, SALARY_COLUMNS, KnownStructure, StructureBook, items_of, placed
from saas.payroll.errors import EmploymentNotFound, PayChanged, PayFrozen, PayInputRefused
from saas.payroll.rules.assignments import amounts_text
from saas.payroll.rules.canonical import canonical_text
from saas.payroll.rules.runs import refuse_own_pay
from saas.payroll.rules.structures import BASE_SALARY, Structure
from saas.people import StaffBook, find_staff


class SalaryImport(ImportKind):
    """One row a person: compared with what the person is paid by on the row's first day.

    A row without one means the day of hiring for the first salary, and the first day of the current month for
    another; neither comes before the structure's first day.
    """

    name, title = "salaries", {"zh-CN": "定薪", "en": "Salaries"}
    permission, order, columns = "payroll:assign", 100, SALARY_COLUMNS

    async def plan(self, context: ImportContext, rows: Sequence[Row]) -> list[Verdict]:
        """At commit the employments are held, as for any change of pay."""
        desk, first = await _desk(context, rows), dict[UUID, int]()
        return [_verdict(desk, row, first) for row in rows]

    async def apply(self, context: ImportContext, rows: Sequence[Row], verdicts: Sequence[Verdict]) -> list[Applied]:
        """Everybody whom rows name is there by now."""
        desk = await _desk(context, rows)
        wanted = [_new(desk, row) for row in rows]
        written = await write_assignments(context.actor, wanted, keyring=context.keyring, clock=context.clock)
        at = context.clock.now()
        return [_applied(*each, at=at) for each in zip(rows, wanted, written, strict=True)]

    async def undo(self, context: ImportContext, applied: Sequence[Applied]) -> list[AppError | None]:
        """Salaries that nobody changed and no run has frozen since go, and what they superseded holds again."""
        brought = [_Brought.of(each) for each in applied]
        frozen = await find_frozen_pay([each.fact for each in brought])
        await find_pay({each.employee_id for each in brought}, keyring=context.keyring, is_locking=True)
        intact = await find_intact([each.written for each in brought])
        outcomes = [
            _refusal(context, each, is_intact=each.written.id in intact, is_frozen=is_frozen)
            for each, is_frozen in zip(brought, frozen, strict=True)
        ]
        free = [each for each, refusal in zip(brought, outcomes, strict=True) if refusal is None]
        await remove_assignments([each.written for each in free])
        await _tell(context, free)
        return outcomes


@dataclass(frozen=True, slots=True)
class _Desk:
    """What a set of rows is judged by."""

    context: ImportContext
    staff: StaffBook
    pay: Mapping[UUID, PresentPay]
    structures: StructureBook

    def pay_of(self, row: Row) -> PresentPay | None:
        """What the row's person is paid by; None for somebody who is promised only.

        :raises AppError: nobody is called so, it is whoever imports, or they have no employment.
        """
        person = self.staff.find(str(row.values["employee"]), column="employee")
        if person is None:
            return None
        refuse_own_pay(self.context.actor, person.id)
        if person.id not in self.pay:
            raise EmploymentNotFound("payroll.employment_not_found", field=("employee",))
        return self.pay[person.id]

    @property
    def month_first(self) -> date:
        """The first day of the company's current month."""
        return local_date(self.context.clock.now(), self.context.time_zone).replace(day=1)


async def _desk(context: ImportContext, rows: Sequence[Row]) -> _Desk:
    staff = await find_staff(context, [row.text("employee") for row in rows])
    words = {str(row.values["employee"]) for row in rows}
    clear = [word for word in words if not staff.refusals({"employee": word})]
    people = {person for word in clear if (person := staff.id_of(word, column="employee")) is not None}
    pay = await find_pay(people, keyring=context.keyring, is_locking=context.is_commit)
    return _Desk(context, staff, pay, await find_structures())


@dataclass(frozen=True, slots=True)
class _Wanted:
    """What a row says, completed by what is there. `replaced` is what it would replace."""

    known: KnownStructure
    structure: Structure
    amounts: Mapping[str, Decimal]
    text: str
    day: date
    replaced: Sequence[PresentAssignment]

    @property
    def is_same(self) -> bool:
        """Whether the person is paid so on the first day already."""
        now = self.replaced[0] if self.replaced else None
        return (
            now is not None
            and self.day in now.period
            and (now.structure_id, now.amounts) == (self.known.id, self.amounts)
        )


def _wanted(desk: _Desk, row: Row, pay: PresentPay | None) -> _Wanted:
    """:raises AppError: no such structure or item, an amount that can't be."""
    earliest = _earliest(desk, row, pay)
    replaced = pay.replaced_from(earliest) if pay else ()
    known = _structure(desk, row, replaced)
    day = row.day("valid_from") or max(earliest, known.first)
    structure, currency = known.on(day), desk.context.currency
    replaced = pay.replaced_from(day) if pay else ()
    base, items = row.figure(BASE_SALARY), items_of(row, structure, currency=currency)
    assert base is not None, "a required column"
    amounts = {BASE_SALARY: base, **(_kept_items(structure, replaced) if items is None else items)}
    return _Wanted(known, structure, amounts, amounts_text(amounts, structure, currency=currency), day, replaced)


def _earliest(desk: _Desk, row: Row, pay: PresentPay | None) -> date:
    """The row's first day, as far as the structure does not matter."""
    given = row.day("valid_from")
    if given is not None:
        return given
    if pay is None:
        return desk.month_first
    return max(desk.month_first, pay.hired_on) if pay.assigned else pay.hired_on


def _structure(desk: _Desk, row: Row, replaced: Sequence[PresentAssignment]) -> KnownStructure:
    """The row's structure, else the one that the person has, else the company's only one."""
    word = row.text("structure")
    if word is not None:
        return desk.structures.find(word)
    return desk.structures.get(replaced[0].structure_id) if replaced else desk.structures.only()


def _kept_items(structure: Structure, replaced: Sequence[PresentAssignment]) -> dict[str, Decimal]:
    """The items that the person has and the structure knows: an empty cell changes nothing."""
    known, had = {item.code for item in structure.items}, replaced[0].amounts if replaced else {}
    return {code: amount for code, amount in had.items() if code in known}


def _verdict(desk: _Desk, row: Row, first: dict[UUID, int]) -> Verdict:
    """:param first: the first good row of each person; this row is added."""
    try:
        pay = desk.pay_of(row)
        wanted = _wanted(desk, row, pay)
        if pay is not None and first.setdefault(pay.employee_id, row.number) != row.number:
            values = {"first": first[pay.employee_id]}
            raise PayInputRefused("payroll.person_twice", values, field=("employee",))
    except AppError as refused:
        return Verdict.refused(placed(refused))
    token = _token(desk, row, wanted)
    if not wanted.replaced:
        return Verdict.new(token)
    if wanted.is_same:
        return Verdict.unchanged(token)
    return Verdict.changed(token, _differences(desk, wanted), warnings=_warnings(wanted))


def _warnings(wanted: _Wanted) -> list[AppError]:
    """What the row replaces beside the salary of its first day."""
    planned = [each.period.first for each in wanted.replaced if each.period.first > wanted.day]
    if not planned:
        return []
    values: dict[str, Scalar] = {"count": len(planned), "first": planned[0].isoformat()}
    return [PayInputRefused("payroll.planned_replaced", values, field=("valid_from",))]


def _token(desk: _Desk, row: Row, wanted: _Wanted) -> str:
    """Stands for what the row would do, and to what; keyed, for it would tell an amount to whoever guesses it.

    A first salary without a day begins when the person is hired, which is not known yet of who is promised only.
    """
    begins = wanted.day.isoformat() if wanted.replaced or row.day("valid_from") else "hired"
    replaced = [each.id.hex for each in wanted.replaced]
    return desk.context.keyring.digest(canonical_text([row.number, begins, wanted.known.code, wanted.text, replaced]))


def _differences(desk: _Desk, wanted: _Wanted) -> list[Difference]:
    """What changes against the salary of the first day, or against the first one planned behind it."""
    was = wanted.replaced[0]
    before = _as_fields(desk.structures.get(was.structure_id).code, was.amounts, was.period.first)
    return list(differences(before, _as_fields(wanted.known.code, wanted.amounts, wanted.day)))


def _as_fields(structure: str, amounts: Mapping[str, Decimal], first: date) -> dict[str, object]:
    """A salary by the keys of columns. The engine masks the amounts, as their columns hold pay."""
    return {
        "structure": structure,
        BASE_SALARY: amounts[BASE_SALARY],
        "items": _items_text(amounts),
        "valid_from": first,
    }


def _items_text(amounts: Mapping[str, Decimal]) -> str:
    items = sorted((code, amount) for code, amount in amounts.items() if code != BASE_SALARY)
    return "、".join(f"{code} {amount:f}" for code, amount in items)


def _new(desk: _Desk, row: Row) -> NewAssignment:
    """:raises AppError: the row can't be taken any more."""
    pay = desk.pay_of(row)
    assert pay is not None, "everybody is there by now"
    wanted = _wanted(desk, row, pay)
    return NewAssignment(
        employment_id=pay.employment_on(wanted.day),
        employee_id=pay.employee_id,
        structure_id=wanted.known.id,
        structure_code=wanted.known.code,
        amounts=wanted.text,
        valid_from=wanted.day,
        reason=row.text("reason") or REASON[desk.context.actor.locale],
    )


def _applied(row: Row, new: NewAssignment, written: WrittenAssignment, *, at: datetime) -> Applied:
    undo = {
        "person": new.employee_id.hex,
        "from": new.valid_from.isoformat(),
        "at": at.isoformat(),
        "superseded": [each.hex for each in written.superseded],
        "kept": [each.hex for each in written.kept],
    }
    return Applied(row.number, written.id, undo)


@dataclass(frozen=True, slots=True)
class _Brought:
    """A row that was written, as its undo needs it."""

    number: int
    employee_id: UUID
    valid_from: date
    known_at: datetime
    written: WrittenAssignment

    @classmethod
    def of(cls, applied: Applied) -> _Brought:
        plain: Mapping[str, Any] = applied.undo
        assert applied.object_id is not None, "the assignment"
        superseded, kept = (tuple(UUID(hex=each) for each in plain[name]) for name in ("superseded", "kept"))
        return cls(
            applied.number,
            UUID(hex=plain["person"]),
            date.fromisoformat(plain["from"]),
            datetime.fromisoformat(plain["at"]),
            WrittenAssignment(applied.object_id, superseded, kept),
        )

    @property
    def fact(self) -> ToldPay:
        return ToldPay(self.employee_id, Period(self.valid_from), self.known_at)


def _refusal(context: ImportContext, brought: _Brought, *, is_intact: bool, is_frozen: bool) -> AppError | None:
    """Why a row stays, if it must."""
    try:
        refuse_own_pay(context.actor, brought.employee_id)
    except AppError as refused:
        return refused
    if not is_intact:
        return PayChanged("payroll.pay_changed", {"row": brought.number})
    return PayFrozen("payroll.pay_frozen", {"row": brought.number}) if is_frozen else None


async def _tell(context: ImportContext, undone: Sequence[_Brought]) -> None:
    await record_many(
        [
            entry_values(
                context.actor,
                "pay.assignment_undone",
                object_type="Employee",
                object_id=each.employee_id,
                changes={"from": [each.valid_from.isoformat(), None]},
                clock=context.clock,
            )
            for each in undone
        ]
    )
