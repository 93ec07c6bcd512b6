"""How people and departments are read."""

from __future__ import annotations

from saas.people.policies import DEPARTMENT_SCOPES, EMPLOYEE_SCOPES, LEAVE_SCOPES, LEGAL_ENTITY_SCOPES
from saas.reads.mapping import (
    EXACT,
    RANGE,
    Column,
    DataClass,
    EnumKind,
    FilterOp,
    ListRoot,
    OneRoot,
    ReadType,
    RoomReads,
    ScalarKind,
    Sealed,
    ToMany,
    ToOne,
)

EMPLOYEE_STATUS = EnumKind(
    "EmployeeStatus",
    "Whether a person is on the staff.",
    {"ACTIVE": ("active", "On the staff."), "SEPARATED": ("separated", "Left the company (离职).")},
)

employee = ReadType(
    name="Employee",
    table="employee",
    prefix="emp",
    doc="A person on the company's staff (员工).",
    scopes=EMPLOYEE_SCOPES,
    fields=(
        Column(
            "name",
            ScalarKind.STRING,
            "name",
            "Full name; ordered by pinyin.",
            filters=frozenset({FilterOp.EQ, FilterOp.STARTS_WITH}),
            orderable=True,
            order_column="name_key",
        ),
        Column(
            "number", ScalarKind.STRING, "number", "Staff number, unique in the company.", filters=EXACT, orderable=True
        ),
        Column("position", ScalarKind.STRING, "position", "Job title (岗位)."),
        Column(
            "status",
            EMPLOYEE_STATUS,
            "status",
            "Whether the person is on the staff.",
            structural=True,
            filters=EXACT,
        ),
        Column("hiredOn", ScalarKind.DATE, "hired_on", "First day of work.", filters=RANGE, orderable=True),
        Column("leftOn", ScalarKind.DATE, "left_on", "Last day of work; null while employed."),
        Sealed(
            "phone",
            "MaskedPhone",
            "phone_sealed",
            "phone_masked",
            "Mobile number: sealed, with its masked form.",
            index_column="phone_index",
        ),
        ToOne(
            "department",
            "Department",
            "department_id",
            "The department the person works in.",
            filters=EXACT,
            groupable=True,
        ),
        ToOne("legalEntity", "LegalEntity", "legal_entity_id", "The company in law that employs the person."),
        ToOne("manager", "Employee", "manager_id", "Whom the person reports to (直属上级); null if nobody is named."),
        Column(
            "createdAt", ScalarKind.DATETIME, "created_at", "When the record was made.", data_class=DataClass.INTERNAL
        ),
    ),
)

department = ReadType(
    name="Department",
    table="department",
    prefix="dep",
    doc="A node of the department tree (部门).",
    scopes=DEPARTMENT_SCOPES,
    fields=(
        Column("name", ScalarKind.STRING, "name", "Name; ordered by pinyin.", orderable=True, order_column="name_key"),
        ToOne("parent", "Department", "parent_id", "The department above; null at the root.", filters=EXACT),
        ToMany("children", "Department", "parent_id", "NAME_ASC", "The departments directly below."),
        ToMany("employees", "Employee", "department_id", "NAME_ASC", "The people who work in it, without those below."),
    ),
)

legal_entity = ReadType(
    name="LegalEntity",
    table="legal_entity",
    prefix="ent",
    doc="A company in law that employs people (法人主体).",
    scopes=LEGAL_ENTITY_SCOPES,
    fields=(Column("name", ScalarKind.STRING, "name", "Registered name."),),
)

employee_leave = ReadType(
    name="EmployeeLeave",
    table="employee_leave",
    prefix="lea",
    doc="Whole days on which a person is away (请假).",
    scopes=LEAVE_SCOPES,
    fields=(
        ToOne("employee", "Employee", "employee_id", "The person.", filters=EXACT),
        Column("firstOn", ScalarKind.DATE, "first_on", "The first day away.", filters=RANGE, orderable=True),
        Column("lastOn", ScalarKind.DATE, "last_on", "The last day away.", filters=RANGE),
        Column("kind", ScalarKind.STRING, "kind", "The kind, a word of the company's; it may tell of an illness."),
        Column("enteredAt", ScalarKind.DATETIME, "entered_at", "When it was entered."),
        Column("cancelledAt", ScalarKind.DATETIME, "cancelled_at", "When it was cancelled; null while it holds."),
    ),
)

reads = RoomReads(
    types=(employee, department, legal_entity, employee_leave),
    roots=(
        OneRoot("employee", "Employee", "A person by id."),
        ListRoot("employees", "Employee", "NAME_ASC", "The people the caller may see."),
        OneRoot("department", "Department", "A department by id."),
        ListRoot("departments", "Department", "NAME_ASC", "The departments the caller may see."),
        OneRoot("employeeLeave", "EmployeeLeave", "A leave by id."),
        ListRoot("employeeLeaves", "EmployeeLeave", "FIRST_ON_DESC", "Who is away when, as far as the caller may see."),
    ),
    extends={"ImportBatch": (ToOne("uploadedBy", "Employee", "employee_id", "Who uploaded the file."),)},
)
