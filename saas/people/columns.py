"""Lists of staff: their columns, and how other sheets call a person: by staff number, or by a name that one has."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from uuid import UUID

from saas.exchange import ImportColumn, ImportContext, day, phone, text
from saas.kernel import AppError
from saas.people.errors import EmployeeNotFound, PersonUnclear
from saas.people.queries import NamedPerson, find_named_people, load_department_tree
from saas.people.rules import COMPANY_NAME_MAX, NAME_MAX, NUMBER_MAX, POSITION_MAX
from saas.reads.mapping import DataClass
from saas.sealing import Keyring

STAFF = "employees"
"""The kind's name, by which other kinds ask what a sheet before theirs promises."""

COLUMNS = (
    ImportColumn(
        "number",
        {"zh-CN": "工号", "en": "Staff number"},
        text(longest=NUMBER_MAX),
        ("员工编号", "员工号", "employee number", "employee id"),
        required=True,
        unique=True,
    ),
    ImportColumn(
        "name",
        {"zh-CN": "姓名", "en": "Name"},
        text(longest=NAME_MAX),
        ("员工姓名", "员工", "employee name", "employee"),
        required=True,
        is_name=True,
    ),
    ImportColumn(
        "department",
        {"zh-CN": "部门", "en": "Department"},
        text(longest=400),
        ("部门路径", "所属部门", "所在部门", "department path", "team"),
    ),
    ImportColumn(
        "manager",
        {"zh-CN": "直属上级", "en": "Manager"},
        text(longest=NAME_MAX),
        ("上级", "主管", "直接上级", "汇报对象", "supervisor", "reports to"),
    ),
    ImportColumn(
        "position",
        {"zh-CN": "岗位", "en": "Position"},
        text(longest=POSITION_MAX),
        ("职位", "职务", "job title", "title"),
    ),
    ImportColumn("hired_on", {"zh-CN": "入职日期", "en": "Hired on"}, day, ("入职时间", "hire date", "start date")),
    ImportColumn("left_on", {"zh-CN": "离职日期", "en": "Left on"}, day, ("最后工作日", "leave date", "last day")),
    ImportColumn(
        "legal_entity",
        {"zh-CN": "法人主体", "en": "Legal entity"},
        text(longest=COMPANY_NAME_MAX),
        ("合同主体", "签约公司", "company"),
    ),
    ImportColumn(
        "phone",
        {"zh-CN": "手机", "en": "Phone"},
        phone,
        ("手机号", "手机号码", "联系电话", "mobile"),
        data_class=DataClass.PERSONAL,
    ),
)


@dataclass(frozen=True, slots=True)
class StaffBook:
    """People as rows call them; those promised by a sheet before have no record yet."""

    by_number: Mapping[str, NamedPerson]
    by_name: Mapping[str, Collection[NamedPerson]]
    promised: Collection[str]

    def find(self, word: str, *, column: str) -> NamedPerson | None:
        """Whom the word means; None for somebody who is promised only yet.

        :raises PersonUnclear: several people are called so.
        :raises EmployeeNotFound: nobody is.
        """
        known = self.by_number.get(word)
        if known is not None:
            return known
        called = list(self.by_name.get(word, ()))
        if len(called) > 1:
            raise PersonUnclear("people.name_shared", {"name": word, "count": len(called)}, field=(column,))
        if not called and word not in self.promised:
            raise EmployeeNotFound("people.nobody_called_so", {"name": word}, field=(column,))
        return called[0] if called else None

    def id_of(self, word: str | None, *, column: str) -> UUID | None:
        """The person's id, None without a word or a record.

        :raises AppError: as `find`.
        """
        found = self.find(word, column=column) if word else None
        return found.id if found else None

    def refusals(self, words: Mapping[str, str | None]) -> list[AppError]:
        """What is wrong with a row's people, by column."""
        found = []
        for column, word in words.items():
            try:
                self.id_of(word, column=column)
            except AppError as refused:
                found.append(refused)
        return found


async def find_staff(context: ImportContext, words: Iterable[str | None]) -> StaffBook:
    """The people of a set of rows, on the staff or promised by an earlier row, in a few statements."""
    wanted = sorted({word for word in words if word})
    people = await find_named_people(wanted)
    by_number = {person.number: person for person in people if person.number in set(wanted)}
    by_name: dict[str, list[NamedPerson]] = {}
    for person in people:
        by_name.setdefault(person.name, []).append(person)
    rest = [word for word in wanted if word not in by_number]
    numbers = await context.promises.made(STAFF, "number", rest)
    names = await context.promises.made(STAFF, "name", [word for word in rest if word not in by_name])
    return StaffBook(by_number, by_name, {str(word) for word in numbers | names})


_PATH_KEPT = 130
"""Longer paths are left out of a token: such a person counts as one of the company's, of no department below it."""


def promise_of(keyring: Keyring, number: str, name: str, department: str | None) -> str:
    """The token of a row that brings a person: the path of the department, number and name by keyed digests alone."""
    path = department if department is not None and len(department) <= _PATH_KEPT else ""
    return f"{_digest(keyring, number)} {_digest(keyring, name)} {path}"


def _digest(keyring: Keyring, word: str) -> str:
    return keyring.blind_index("import.promise", word).hex()


async def find_promised_departments(context: ImportContext, words: Collection[str]) -> dict[str, UUID]:
    """The departments of people whom earlier rows promise, by the words that call them; the nearest that is there."""
    if not words:
        return {}
    paths: dict[str, str] = {}
    for token in await context.promises.pledged(STAFF):
        number, name, path = token.split(" ", 2)
        paths |= {number: path, name: path}
    tree, found = await load_department_tree(), {}
    for word in words:
        path = paths.get(_digest(context.keyring, word), "")
        found[word] = tree.find(path)[0] if path else tree.root.id
    return found
