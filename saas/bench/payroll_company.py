"""The company that `saas bench payroll` pays: signed up and set up by the product, its people entered in bulk.

What would take the product's own writes, one by one, an hour is written here as they write it, sealed with its keys.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

from saas.bench.wages import FUND_RATE, INJURY_RATE, MONTH, PAY_DAYS, PAYS_ON, Wages, amounts_of, wages_of
from saas.extensions import enable_plugin
from saas.identity import Origin
from saas.kernel import Actor, FrozenClock, new_id, public_id
from saas.main import Installation
from saas.onboarding import sign_up_company
from saas.payroll import (
    ComponentKind,
    MonthlyItem,
    Nature,
    PayComponent,
    Structure,
    cancel_run,
    open_run,
    save_structure,
)
from saas.payroll.rules.canonical import canonical_text
from saas.sealing import Keyring, Place
from tenants import DatabaseRole, current_tenant_id, current_transaction

_SET_UP = datetime(2026, 5, 4, tzinfo=UTC)
_OPENED = datetime(2026, 6, 24, tzinfo=UTC)
_AFTER = date(2026, 7, 1)
"""The founder is employed from here on, and so not paid in the month."""
_AT_ONCE = 1_000
_DEPARTMENTS = 20
_YEAR = 2026
_CONFIRMED = (
    "shanghai/unemployment/employer/rate/2026-01-01",
    "shanghai/unemployment/employee/rate/2026-01-01",
    "shanghai/minimum_wage/2025-07-01",
)

_FOUNDED = "SELECT legal_entity_id, department_id FROM employee WHERE tenant_id = $1 AND id = $2"
_FOUNDER_BEGINS_LATER = "UPDATE employment SET valid_from = $3 WHERE tenant_id = $1 AND employee_id = $2"
_DEPARTMENT = """
INSERT INTO department (tenant_id, id, parent_id, name, name_key, created_at) VALUES ($1, $2, $3, $4, $5, $6)
"""
_CLOSURE = """
INSERT INTO department_closure (tenant_id, ancestor_id, descendant_id, depth) VALUES ($1, $2, $2, 0), ($1, $3, $2, 1)
"""
_EMPLOYEES = """
INSERT INTO employee (tenant_id, id, number, name, name_key, department_id, legal_entity_id, position, hired_on,
    created_at)
SELECT $1, id, 'E' || lpad(number::text, 5, '0'), '员工' || number, 'yuangong ' || lpad(number::text, 5, '0'),
    department, $2, '销售顾问', hired_on, $3
FROM unnest($4::uuid[], $5::int[], $6::uuid[], $7::date[]) AS told (id, number, department, hired_on)
"""
_EMPLOYMENTS = """
INSERT INTO employment (tenant_id, id, employee_id, legal_entity_id, department_id, position, valid_from, known_at)
SELECT $1, told.id, e.id, $2, e.department_id, e.position, e.hired_on, $3
FROM unnest($4::uuid[], $5::uuid[]) AS told (id, employee_id)
JOIN employee e ON e.tenant_id = $1 AND e.id = told.employee_id
"""
_ASSIGNMENTS = """
INSERT INTO pay_assignment (tenant_id, id, employment_id, employee_id, structure_id, amounts_sealed, valid_from,
    known_at, created_by, reason)
SELECT $1, id, employment_id, employee_id, $2, sealed, $3, $4, $5, '定薪'
FROM unnest($6::uuid[], $7::uuid[], $8::uuid[], $9::bytea[]) AS told (id, employment_id, employee_id, sealed)
"""
_DECLARATIONS = """
INSERT INTO pay_declaration (tenant_id, id, employee_id, legal_entity_id, document_sealed, valid_from, known_at,
    created_by)
SELECT $1, id, employee_id, $2, sealed, $3, $4, $5
FROM unnest($6::uuid[], $7::uuid[], $8::bytea[]) AS told (id, employee_id, sealed)
"""
_DAYS = """
INSERT INTO attendance_day_count (tenant_id, id, employment_id, month, kind, days, known_at)
SELECT $1, id, employment_id, $2, kind, days, $3
FROM unnest($4::uuid[], $5::uuid[], $6::text[], $7::int[]) AS told (id, employment_id, kind, days)
"""
_YEARS = """
INSERT INTO year_to_date (tenant_id, id, legal_entity_id, employee_id, tax_year, document_sealed, run_id, known_at)
SELECT $1, id, $2, employee_id, $3, sealed, $4, $5
FROM unnest($6::uuid[], $7::uuid[], $8::bytea[]) AS told (id, employee_id, sealed)
"""


def _component(code: str, formula: str, kind: ComponentKind = ComponentKind.EARNING, **more: Any) -> PayComponent:
    chinese, english = _TITLES[code]
    return PayComponent(code=code, titles={"zh-CN": chinese, "en": english}, kind=kind, formula=formula, **more)


_TITLES = {
    "basic_pay": ("基本工资", "Basic pay"),
    "post_pay": ("岗位工资", "Post pay"),
    "car_pay": ("车补", "Car pay"),
    "meals": ("餐补", "Meals"),
    "seniority": ("工龄工资", "Seniority pay"),
    "full_attendance": ("全勤奖", "Full attendance"),
    "performance": ("绩效工资", "Performance pay"),
    "night_shifts": ("夜班津贴", "Night shifts"),
    "phone": ("话费补贴", "Phone"),
    "union_dues": ("工会会费", "Union dues"),
    "training": ("教育经费", "Training fund"),
    "attendance_ratio": ("出勤率", "Attendance ratio"),
}
STRUCTURE = Structure(
    code="bench",
    titles={"zh-CN": "测速", "en": "Benchmark"},
    items=(
        MonthlyItem(code="post", titles={"zh-CN": "岗位", "en": "Post"}),
        MonthlyItem(code="car", titles={"zh-CN": "车", "en": "Car"}),
    ),
    components=(
        _component("basic_pay", "应得底薪"),
        _component("post_pay", "post.earned"),
        _component("car_pay", "car.earned"),
        _component("meals", "days_paid * 20", is_taxed=False),
        _component("seniority", "min(floor(months_of_service / 12) * 50, 500)"),
        _component("full_attendance", "if(days_paid = days_due, 300, 0)"),
        _component("performance", "if(底薪 > 20000, 基本工资 * 12%, 基本工资 * 8%)"),
        _component("night_shifts", "days_worked * 10", nature=Nature.HARDSHIP),
        _component("phone", "100"),
        _component("union_dues", "基本工资 * 0.5%", ComponentKind.DEDUCTION, is_taxed=False),
        _component("training", "(基本工资 + 绩效工资) * 1.5%", ComponentKind.EMPLOYER_COST),
        _component("attendance_ratio", "days_paid / days_due", ComponentKind.STATISTIC, digits=4),
    ),
)
"""Twelve components, as `saas.bench.wages` computes them by hand."""


@dataclass(frozen=True, slots=True)
class PaidCompany:
    """A company ready to be paid; `numbers` is the number of each person, by employee."""

    actor: Actor
    legal_entity_id: UUID
    numbers: Mapping[UUID, int]


async def found_paid_company(installation: Installation, *, people: int) -> PaidCompany:
    """Sign a company up, with the pack of China, the structure, and so many people with everything they are paid by."""
    actor = await _signed_up(installation)
    keyring = await installation.sealer.keyring(actor.tenant_id)
    async with installation.database.transaction(actor.tenant_id, role=DatabaseRole.PLATFORM):
        row = await current_transaction().fetchrow(_FOUNDED, actor.tenant_id, actor.employee_id)
        assert row is not None, "a company has its founder"
        entity: UUID = row["legal_entity_id"]
        await _enabled(installation, actor, entity)
        structure_id = await save_structure(
            actor, STRUCTURE, valid_from=date(2016, 1, 1), reason="测速", expected_version=0, clock=FrozenClock(_SET_UP)
        )
        departments = [await _department(row["department_id"], number) for number in range(_DEPARTMENTS)]
    run_id = await begin_run(installation, actor, entity)  # what the year so far names as its source
    await give_up_run(installation, actor, run_id)
    async with installation.database.transaction(actor.tenant_id) as transaction:
        await transaction.execute(_FOUNDER_BEGINS_LATER, actor.tenant_id, actor.employee_id, _AFTER)
    entering = _Entering(actor, entity, structure_id, run_id, keyring, departments)
    numbers: dict[UUID, int] = {}
    for first in range(0, people, _AT_ONCE):
        async with installation.database.transaction(actor.tenant_id):
            numbers |= await entering.enter(range(first, min(first + _AT_ONCE, people)))
    return PaidCompany(actor, entity, numbers)


async def begin_run(installation: Installation, actor: Actor, legal_entity_id: UUID) -> UUID:
    """Open the month's run; a worker begins to freeze its inputs."""
    async with installation.database.transaction(actor.tenant_id):
        return await open_run(
            actor,
            legal_entity_id=legal_entity_id,
            month=MONTH,
            pays_on=PAYS_ON,
            host=installation.product.host,
            clock=FrozenClock(_OPENED),
        )


async def give_up_run(installation: Installation, actor: Actor, run_id: UUID) -> None:
    """Cancel a run, so that the next one can be opened."""
    async with installation.database.transaction(actor.tenant_id):
        await cancel_run(actor, run_id=run_id, reason="测速", clock=FrozenClock(_OPENED + timedelta(hours=1)))


async def _signed_up(installation: Installation) -> Actor:
    made = await sign_up_company(
        installation.database,
        company="薪资测速",
        owner_name="测速",
        email=f"bench-{new_id().hex}@example.com",
        password=new_id().hex,
        preset="general",
        idempotency_key=new_id().hex,
        origin=Origin(client="bench"),
        passwords=installation.passwords,
        host=installation.product.host,
        clock=FrozenClock(_SET_UP),
    )
    return Actor(made.tenant_id, account_id=made.account_id, employee_id=made.employee_id, roles=frozenset({"owner"}))


async def _enabled(installation: Installation, actor: Actor, legal_entity_id: UUID) -> None:
    assert actor.employee_id is not None, "the founder is on the staff"
    founder = public_id("emp", actor.employee_id)
    entity = {
        "legalEntity": public_id("ent", legal_entity_id),
        "city": "SHANGHAI",
        "fundRate": str(FUND_RATE),
        "injuryRate": str(INJURY_RATE),
    }
    confirmed = [{"row": row, "confirmedBy": founder, "confirmedOn": "2026-05-04"} for row in _CONFIRMED]
    await enable_plugin(
        actor,
        host=installation.product.host,
        plugin="china",
        settings={"entities": [entity], "confirmations": confirmed},
        reason="测速",
        expected_version=0,
        clock=FrozenClock(_SET_UP),
    )


async def _department(root_id: UUID, number: int) -> UUID:
    department_id, transaction, tenant_id = new_id(), current_transaction(), current_tenant_id()
    names = (f"部门{number:02}", f"bumen {number:02}")
    await transaction.execute(_DEPARTMENT, tenant_id, department_id, root_id, *names, _SET_UP)
    await transaction.execute(_CLOSURE, tenant_id, department_id, root_id)
    return department_id


@dataclass(frozen=True, slots=True)
class _Person:
    """One person's ids, and what the month is computed from."""

    number: int
    employee_id: UUID
    employment_id: UUID
    wages: Wages


@dataclass(frozen=True, slots=True)
class _Entering:
    """Enters people by the thousand, in the transaction of the caller."""

    actor: Actor
    legal_entity_id: UUID
    structure_id: UUID
    run_id: UUID
    keyring: Keyring
    departments: Sequence[UUID]

    async def enter(self, numbers: Sequence[int]) -> Mapping[UUID, int]:
        """People with employment, assignment, declarations, attendance and the year so far; number by employee."""
        people = [_Person(number, new_id(), new_id(), wages_of(number)) for number in numbers]
        await self._staff(people)
        await self._assignments(people)
        await self._declarations(people)
        await self._days(people)
        await self._years(people)
        return {person.employee_id: person.number for person in people}

    async def _staff(self, people: Sequence[_Person]) -> None:
        ids = [person.employee_id for person in people]
        homes = [self.departments[person.number % len(self.departments)] for person in people]
        hired = [person.wages.hired_on for person in people]
        numbers = [person.number for person in people]
        await self._insert(_EMPLOYEES, self.legal_entity_id, _SET_UP, ids, numbers, homes, hired)
        employments = [person.employment_id for person in people]
        await self._insert(_EMPLOYMENTS, self.legal_entity_id, _SET_UP, employments, ids)

    async def _assignments(self, people: Sequence[_Person]) -> None:
        texts = [{code: f"{amount:.2f}" for code, amount in amounts_of(each.wages).items()} for each in people]
        ids, sealed = self._sealed("pay_assignment", "amounts_sealed", texts)
        whose = [person.employment_id for person in people], [person.employee_id for person in people]
        by = (self.structure_id, date(2026, 1, 1), _SET_UP, self.actor.account_id)
        await self._insert(_ASSIGNMENTS, *by, ids, *whose, sealed)

    async def _declarations(self, people: Sequence[_Person]) -> None:
        ids, sealed = self._sealed("pay_declaration", "document_sealed", [declared_by(each.wages) for each in people])
        by = (self.legal_entity_id, date(2026, 1, 1), _SET_UP, self.actor.account_id)
        await self._insert(_DECLARATIONS, *by, ids, [person.employee_id for person in people], sealed)

    async def _days(self, people: Sequence[_Person]) -> None:
        days = [
            (new_id(), person.employment_id, kind, count)
            for person in people
            for kind, count in (("worked", PAY_DAYS - person.wages.sick_days), ("sick_leave", person.wages.sick_days))
            if count
        ]
        await self._insert(_DAYS, MONTH, _SET_UP, *map(list, zip(*days, strict=True)))

    async def _years(self, people: Sequence[_Person]) -> None:
        ids, sealed = self._sealed("year_to_date", "document_sealed", [year_before(each.wages) for each in people])
        by = (self.legal_entity_id, _YEAR, self.run_id, _SET_UP)
        await self._insert(_YEARS, *by, ids, [person.employee_id for person in people], sealed)

    def _sealed(self, table: str, column: str, documents: Sequence[object]) -> tuple[list[UUID], list[bytes]]:
        ids = [new_id() for _ in documents]
        pairs = zip(ids, documents, strict=True)
        return ids, [self.keyring.seal("pay", Place(table, column, id_), canonical_text(each)) for id_, each in pairs]

    async def _insert(self, sql: str, *values: object) -> None:
        await current_transaction().execute(sql, self.actor.tenant_id, *values)


def declared_by(wages: Wages) -> Mapping[str, Any]:
    """What a person declared, as the pack of China reads it."""
    schemes = ("PENSION", "MEDICAL", "UNEMPLOYMENT", "INJURY", "HOUSING_FUND")
    bases = dict.fromkeys(schemes, f"{wages.declared:.2f}")
    return {"bases": bases, "specialAdditional": str(wages.special_additional)}


def year_before(wages: Wages) -> Mapping[str, Any]:
    """January to May of a person, as the pack of China keeps it."""
    year = wages.year
    return {
        "income": f"{year.income:.2f}",
        "exempt": "0.00",
        "special": f"{year.special:.2f}",
        "special_additional": f"{year.special_additional:.2f}",
        "other": "0.00",
        "credits": "0.00",
        "withheld": f"{year.withheld:.2f}",
        "months_employed": 5,
        "has_full_year_deduction": False,
        "month": 5,
        "withheld_in_month": "0.00",
        "tax_year": _YEAR,
        "bonus_taken_on": None,
    }
