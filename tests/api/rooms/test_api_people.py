"""Departments and people over HTTP: who may add them, numbers that are taken, other companies' departments."""

from __future__ import annotations

import secrets
from typing import Any

from tests.api.rooms.conftest import Cast
from tests.api.rooms.web import USER_ERRORS, Web

DEPARTMENT = f"""
mutation ($input: DepartmentCreateInput!) {{
  departmentCreate(input: $input) {{ replayed department {{ id name parent {{ name }} }} {USER_ERRORS} }}
}}
"""
EMPLOYEE = f"""
mutation ($input: EmployeeCreateInput!) {{
  employeeCreate(input: $input) {{ replayed employee {{ id name number department {{ name }} }} {USER_ERRORS} }}
}}
"""
DEPARTMENTS = "{ departments(first: 10) { nodes { name } } }"
EMPLOYEES = "{ employees(first: 10) { nodes { name number } } }"


def keyed(**values: Any) -> dict[str, Any]:
    """An input with a key of its own."""
    return {"idempotencyKey": secrets.token_hex(8), **values}


async def test_departments_and_people_are_added_where_they_belong(web: Web) -> None:
    owner = await web.sign_up("晨光销售")
    north = (await owner.done(DEPARTMENT, **keyed(name="北区")))["department"]
    assert (north["name"], north["parent"]) == ("北区", {"name": "晨光销售"})
    below = (await owner.done(DEPARTMENT, **keyed(name="北一组", parentId=north["id"])))["department"]
    assert below["parent"] == {"name": "北区"}
    asked = keyed(name="李雷", number="0042", departmentId=below["id"])
    hired = await owner.done(EMPLOYEE, **asked)
    assert hired["employee"] == {
        "id": hired["employee"]["id"],
        "name": "李雷",
        "number": "0042",
        "department": {"name": "北一组"},
    }
    assert await owner.done(EMPLOYEE, **asked) == {**hired, "replayed": True}
    reused = await owner.refused(EMPLOYEE, **{**asked, "name": "韩雷"})
    assert reused["code"] == "IDEMPOTENCY_KEY_REUSED"


async def test_a_number_that_is_taken_is_refused(web: Web) -> None:
    owner, other = await web.sign_up(), await web.sign_up()
    await owner.done(EMPLOYEE, **keyed(name="李雷", number="0042"))
    before = await owner.data(EMPLOYEES)
    taken = await owner.refused(EMPLOYEE, **keyed(name="韩雷", number=" 0042 "))
    assert (taken["code"], taken["messageKey"]) == ("CONFLICT", "people.employee_number_taken")
    assert (taken["field"], taken["args"]) == (["input", "number"], [{"name": "number", "value": "0042"}])
    assert await owner.data(EMPLOYEES) == before
    assert (await other.done(EMPLOYEE, **keyed(name="韩雷", number="0042")))["employee"]["number"] == "0042"


async def test_values_that_can_not_be_kept_are_refused_at_their_field(web: Web) -> None:
    owner = await web.sign_up()
    before = (await owner.data(DEPARTMENTS), await owner.data(EMPLOYEES))
    for values, field in (
        ({"name": " ", "number": "1"}, "name"),
        ({"name": "李雷", "number": "9" * 41}, "number"),
        ({"name": "李雷", "number": "1", "phone": "12"}, "phone"),
    ):
        refused = await owner.refused(EMPLOYEE, **keyed(**values))
        assert (refused["code"], refused["field"]) == ("BAD_USER_INPUT", ["input", field])
    nameless = await owner.refused(DEPARTMENT, **keyed(name="名" * 101))
    assert (nameless["code"], nameless["field"]) == ("BAD_USER_INPUT", ["input", "name"])
    assert (await owner.data(DEPARTMENTS), await owner.data(EMPLOYEES)) == before


async def test_another_companys_department_is_a_missing_one(cast: Cast) -> None:
    theirs = (await cast.other.done(DEPARTMENT, **keyed(name="远山一部")))["department"]["id"]
    missing = "dep_" + "0" * 32
    before = (await cast.owner.data(DEPARTMENTS), await cast.owner.data(EMPLOYEES))
    for mutation, field, values in (
        (DEPARTMENT, "parentId", {"name": "分部"}),
        (EMPLOYEE, "departmentId", {"name": "间谍", "number": "0099"}),
    ):
        answers = [
            await cast.owner.answer(mutation, input=keyed(**values, **{field: id_})) for id_ in (theirs, missing)
        ]
        assert answers[0] == answers[1]
        (payload,) = answers[0]["data"].values()
        (error,) = payload["userErrors"]
        assert (error["code"], error["field"]) == ("NOT_FOUND", ["input", field])
    wrong = await cast.owner.refused(DEPARTMENT, **keyed(name="分部", parentId=cast.owner.employee_id))
    assert (wrong["code"], wrong["field"]) == ("WRONG_ID_TYPE", ["input", "parentId"])
    assert (await cast.owner.data(DEPARTMENTS), await cast.owner.data(EMPLOYEES)) == before


async def test_people_are_added_by_those_who_may(cast: Cast) -> None:
    for mutation, values in ((DEPARTMENT, {"name": "分部"}), (EMPLOYEE, {"name": "李雷", "number": "7"})):
        assert await cast.nobody.code(mutation, input=keyed(**values)) == "UNAUTHENTICATED"
        assert await cast.rep.code(mutation, input=keyed(**values)) == "FORBIDDEN"
