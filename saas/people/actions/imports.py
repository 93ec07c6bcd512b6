"""Staff that comes in sheets: new people, and what a list changes in those who are known by their number."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any
from uuid import UUID

from saas.access import require
from saas.audit import entry_values, record_many
from saas.exchange import (
    Applied,
    Difference,
    ImportContext,
    ImportKind,
    Outcome,
    Row,
    Verdict,
    differences,
    take_back,
)
from saas.kernel import AppError, local_date, new_id
from saas.people.actions.employments import (
    find_employments,
    plain_employments,
    restore_employments,
    settle_employments,
)
from saas.people.actions.staff import insert_department, seal_phone
from saas.people.actions.staff_rows import (
    PersonValues,
    StoredPerson,
    find_people_by_number,
    insert_people,
    remove_people,
    set_managers,
    update_people,
)
from saas.people.columns import COLUMNS, STAFF, StaffBook, find_staff, promise_of
from saas.people.errors import LegalEntityNotFound, PhoneOfAnother, StaffChanged, StaffInUse, StaffRowRefused
from saas.people.persons import find_known_phones
from saas.people.queries import list_legal_entities, load_department_tree
from saas.people.rules import DepartmentNode, DepartmentTree, person_name_key
from saas.sealing import mask_phone
from tenants import current_tenant_id, current_transaction

_LOCK_TREE = "SELECT pg_advisory_xact_lock(hashtextextended('departments of ' || $1::uuid, 0))"


@dataclass(frozen=True, slots=True)
class _Desk:
    """What a set of rows is judged by."""

    context: ImportContext
    stored: Mapping[str, StoredPerson]
    tree: DepartmentTree
    entities: Mapping[str, UUID]
    book: StaffBook
    phones: Collection[bytes]

    @property
    def today(self) -> date:
        return local_date(self.context.clock.now(), self.context.time_zone)


class EmployeeImport(ImportKind):
    """People are known by their staff number. A cell that is left empty changes nothing."""

    name, title = STAFF, {"zh-CN": "员工", "en": "Employees"}
    permission, order, columns = "employee:create", 10, COLUMNS

    async def plan(self, context: ImportContext, rows: Sequence[Row]) -> list[Verdict]:
        """People who are promised may be managers: those of earlier rows, and of any row of the set."""
        desk = await _desk(context, rows)
        verdicts = [_verdict(desk, row) for row in rows]
        _require(desk, rows, verdicts)
        return verdicts

    async def apply(self, context: ImportContext, rows: Sequence[Row], verdicts: Sequence[Verdict]) -> list[Applied]:
        """Departments that a path names and that are not there are made on the way."""
        await current_transaction().fetchval(_LOCK_TREE, current_tenant_id())
        desk = await _desk(context, rows)
        await _make_departments(desk, rows)
        fresh = [row for row in rows if row.values["number"] not in desk.stored]
        ids = {row.number: new_id() for row in fresh}
        people = [(ids[row.number], str(row.values["number"]), _values(desk, row, ids[row.number])) for row in fresh]
        await insert_people(people, at=context.clock.now())
        applied = [Applied(row.number, ids[row.number], {"version": 1}) for row in fresh]
        applied += await _change(desk, [row for row in rows if row.number not in ids])
        await _set_managers(context, rows, {each.number: each.object_id for each in applied if each.object_id})
        await _tell(desk, rows, verdicts, applied)
        return applied

    async def undo(self, context: ImportContext, applied: Sequence[Applied]) -> list[AppError | None]:
        """People whom nothing else refers to are removed; changed ones get their former values back."""
        return await take_back(
            applied,
            _take_back,
            changed=lambda each: StaffChanged("people.staff_changed", {"row": each.number}),
            in_use=lambda each: StaffInUse("people.staff_in_use", {"row": each.number}),
        )


async def _desk(context: ImportContext, rows: Sequence[Row]) -> _Desk:
    numbers = [str(row.values["number"]) for row in rows]
    book = await find_staff(context, [row.text("manager") for row in rows])
    names = [str(row.values["name"]) for row in rows]
    own = {*numbers, *(name for name in names if names.count(name) == 1)}
    return _Desk(
        context,
        await find_people_by_number(numbers, is_locking=context.is_commit),
        await load_department_tree(),
        await list_legal_entities(),
        replace(book, promised={*book.promised, *own}),
        await find_known_phones([index for row in rows if (index := _phone_index(context, row)) is not None]),
    )


def _phone_index(context: ImportContext, row: Row) -> bytes | None:
    number = row.text("phone")
    return context.keyring.blind_index("employee.phone", number) if number else None


def _verdict(desk: _Desk, row: Row) -> Verdict:
    stored = desk.stored.get(str(row.values["number"]))
    refusals = [*desk.book.refusals({"manager": row.text("manager")}), *_contradictions(desk, row, stored)]
    if refusals:
        return Verdict.refused(*refusals)
    if stored is None:
        return Verdict.new(_promise(desk, row), warnings=_alike(desk, row))
    return Verdict.against(str(stored.version), _differences(desk, row, stored))


def _alike(desk: _Desk, row: Row) -> list[AppError]:
    """That somebody of the staff has the new person's number (L08)."""
    if _phone_index(desk.context, row) not in desk.phones:
        return []
    told = {"phone": mask_phone(str(row.text("phone")))}
    return [PhoneOfAnother("people.phone_of_another", told, field=("phone",))]


def _promise(desk: _Desk, row: Row) -> str:
    return promise_of(desk.context.keyring, str(row.values["number"]), str(row.values["name"]), row.text("department"))


def _contradictions(desk: _Desk, row: Row, stored: StoredPerson | None) -> list[AppError]:
    values, found = row.values, list[AppError]()
    entity = row.text("legal_entity")
    if entity is not None and entity not in desk.entities:
        known = "、".join(desk.entities)
        found.append(
            LegalEntityNotFound(
                "people.legal_entity_unknown", {"name": entity, "known": known}, field=("legal_entity",)
            )
        )
    if values.get("manager") in (values["number"], values["name"]) and values.get("manager") is not None:
        found.append(StaffRowRefused("people.manages_self", {"name": str(values["name"])}, field=("manager",)))
    hired, left = _hired_on(desk, row, stored), row.day("left_on")
    if left is not None and not hired <= left <= desk.today:
        days = {"left_on": left.isoformat(), "hired_on": hired.isoformat(), "today": desk.today.isoformat()}
        found.append(StaffRowRefused("people.left_out_of_range", days, field=("left_on",)))
    return found


def _hired_on(desk: _Desk, row: Row, stored: StoredPerson | None) -> date:
    """The first day: the row's, else the one known, else the last day where only that is given, else today."""
    known = stored.values.hired_on if stored else None
    return row.day("hired_on") or known or row.day("left_on") or desk.today


def _differences(desk: _Desk, row: Row, stored: StoredPerson) -> tuple[Difference, ...]:
    was, phone = stored.values, row.text("phone")
    before = {
        "name": was.name,
        "department": desk.tree.path(was.department_id),
        "manager": stored.manager,
        "position": was.position,
        "hired_on": was.hired_on,
        "left_on": was.left_on,
        "legal_entity": stored.legal_entity,
    }
    wanted = {**row.values, "department": _path(desk, row), "manager": _manager(desk, row)}
    found = differences(before, {key: value for key, value in wanted.items() if key in before})
    if phone is not None and desk.context.keyring.blind_index("employee.phone", phone) != was.phone_index:
        found += (Difference("phone", was.phone_masked, mask_phone(phone)),)
    return found


def _path(desk: _Desk, row: Row) -> str | None:
    """The department as its path, with those parts that are still to be made."""
    given = row.text("department")
    if given is None:
        return None
    at, missing = desk.tree.find(given)
    if not missing:
        return desk.tree.path(at)
    above = () if at == desk.tree.root.id else (desk.tree.path(at),)
    return "/".join((*above, *missing))


def _manager(desk: _Desk, row: Row) -> str | None:
    word = row.text("manager")
    known = desk.book.find(word, column="manager") if word else None
    return known.number if known else word


def _require(desk: _Desk, rows: Sequence[Row], verdicts: Sequence[Verdict]) -> None:
    """What a list does beside entering people needs the verb for that."""
    access, touched = desk.context.access, [each for each in verdicts if each.outcome is Outcome.CHANGED]
    if touched:
        require(access, "employee:update")
    if any(each.key == "left_on" for verdict in touched for each in verdict.differences):
        require(access, "employee:separate")
    paths = {path for row in rows if (path := row.text("department")) is not None}
    if any(desk.tree.find(path)[1] for path in paths):
        require(access, "department:write")


async def _make_departments(desk: _Desk, rows: Sequence[Row]) -> None:
    made = []
    for path in dict.fromkeys(row.text("department") for row in rows):
        at, missing = desk.tree.find(path) if path else (desk.tree.root.id, ())
        for name in missing:
            department = await insert_department(name[:200], parent_id=at)
            desk.tree.add(DepartmentNode(department.id, at, department.name))
            made.append((department.id, at, name))
            at = department.id
    await record_many(
        [
            entry_values(
                desk.context.actor,
                "department.created",
                object_type="Department",
                object_id=department_id,
                changes={"name": [None, name], "parent": [None, str(parent_id)]},
                clock=desk.context.clock,
            )
            for department_id, parent_id, name in made
        ]
    )


def _values(desk: _Desk, row: Row, person_id: UUID, stored: StoredPerson | None = None) -> PersonValues:
    """The person's row; the manager is set when everybody is written."""
    was, given = stored.values if stored else None, row.values
    department = row.text("department")
    entity, phone = row.text("legal_entity"), row.text("phone")
    left_on = row.day("left_on") or (was.left_on if was else None)
    sealed = seal_phone(phone, keyring=desk.context.keyring, table="employee", row_id=person_id) if phone else None
    former = (was.phone_sealed, was.phone_masked, was.phone_index) if was else (None, None, None)
    return PersonValues(
        str(given["name"]),
        person_name_key(str(given["name"])),
        desk.tree.find(department)[0] if department else was.department_id if was else desk.tree.root.id,
        desk.entities[entity] if entity else was.legal_entity_id if was else next(iter(desk.entities.values())),
        was.manager_id if was else None,
        row.text("position") or (was.position if was else None),
        "separated" if left_on else "active",
        _hired_on(desk, row, stored),
        left_on,
        *(sealed.columns() if sealed else former),
    )


async def _change(desk: _Desk, rows: Sequence[Row]) -> list[Applied]:
    """Other values for people who are there; their employments follow."""
    stored = {row.number: desk.stored[str(row.values["number"])] for row in rows}
    employments = await find_employments([each.id for each in stored.values()])
    applied, changes = [], []
    for row in rows:
        was = stored[row.number]
        wanted, known = _values(desk, row, was.id, was), employments.get(was.id, ())
        changes.append((was.id, was.version, wanted))
        await settle_employments(known, was.id, wanted, today=desk.today, at=desk.context.clock.now())
        before = {"values": was.values.plain(), "employments": plain_employments(known)}
        applied.append(Applied(row.number, was.id, {"version": was.version + 1, "before": before}))
    await update_people(changes)
    return applied


async def _set_managers(context: ImportContext, rows: Sequence[Row], ids: Mapping[int, UUID]) -> None:
    named = {row.number: word for row in rows if (word := row.text("manager")) is not None}
    book = await find_staff(context, named.values())
    managers = {ids[number]: book.id_of(word, column="manager") for number, word in named.items()}
    await set_managers({person: manager for person, manager in managers.items() if manager is not None})


async def _tell(desk: _Desk, rows: Sequence[Row], verdicts: Sequence[Verdict], applied: Sequence[Applied]) -> None:
    """The trail: of changed people the names of fields and their values, of telephone numbers the masks."""
    ids = {each.number: each.object_id for each in applied}
    await record_many(
        [
            entry_values(
                desk.context.actor,
                "employee.created" if verdict.outcome is Outcome.NEW else "employee.changed",
                object_type="Employee",
                object_id=ids[row.number],
                changes=_changes(row, verdict),
                clock=desk.context.clock,
            )
            for row, verdict in zip(rows, verdicts, strict=True)
        ]
    )


def _changes(row: Row, verdict: Verdict) -> dict[str, list[Any]]:
    if verdict.outcome is Outcome.NEW:
        return {"number": [None, str(row.values["number"])], "department": [None, row.text("department")]}
    return {each.key: [each.before, each.after] for each in verdict.differences}


async def _take_back(applied: Sequence[Applied]) -> set[int]:
    numbers = {each.object_id: each.number for each in applied if each.object_id is not None}
    fresh = [(person, each.undo["version"]) for person, each in _by_id(applied) if "before" not in each.undo]
    changed = [(person, each) for person, each in _by_id(applied) if "before" in each.undo]
    done = await remove_people(fresh)
    restored = await update_people(
        [
            (person, each.undo["version"], PersonValues.of_plain(each.undo["before"]["values"]))
            for person, each in changed
        ]
    )
    for person, each in changed:
        if person in restored:
            await restore_employments(person, each.undo["before"]["employments"])
    return {numbers[person] for person in done | restored}


def _by_id(applied: Sequence[Applied]) -> list[tuple[UUID, Applied]]:
    return [(each.object_id, each) for each in applied if each.object_id is not None]
