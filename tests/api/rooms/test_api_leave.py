"""Leave through the API: who sees that somebody is away, and who sees why."""

from __future__ import annotations

import secrets
from typing import Any

from tests.api.rooms.web import ACCEPT, USER_ERRORS, Person, Web
from tests.companies import PASSWORD

ENTER = f"""
mutation ($input: EmployeeLeaveEnterInput!) {{
  employeeLeaveEnter(input: $input) {{ replayed leave {{ id firstOn lastOn kind }} {USER_ERRORS} }}
}}
"""
SHORTEN = f"""
mutation ($input: EmployeeLeaveShortenInput!) {{
  employeeLeaveShorten(input: $input) {{ leave {{ lastOn }} {USER_ERRORS} }}
}}
"""
CANCEL = f"""
mutation ($input: EmployeeLeaveCancelInput!) {{
  employeeLeaveCancel(input: $input) {{ leave {{ cancelledAt }} {USER_ERRORS} }}
}}
"""
AWAY = """
{ employeeLeaves(first: 9, filter: {firstOn: {lt: "2030-05-03"}, lastOn: {gte: "2030-05-02"}}) {
    nodes { employee { id } firstOn lastOn } } }
"""
KINDS = "{ employeeLeaves(first: 9) { nodes { kind } } }"


async def entered(owner: Person, employee_id: str, **more: Any) -> Any:
    wanted = {"idempotencyKey": secrets.token_hex(8), "employee": employee_id, "kind": "病假"}
    return await owner.done(ENTER, **wanted, **{"firstOn": "2030-05-01", "lastOn": "2030-05-03", **more})


async def test_who_allocates_sees_who_is_away_and_the_kind_stays_with_those_it_concerns(web: Web) -> None:
    owner = await web.sign_up()
    rep, colleague = await owner.invite("rep"), await owner.invite("rep", name="韩梅")
    leave = (await entered(owner, rep.employee_id))["leave"]
    assert (leave["firstOn"], leave["lastOn"], leave["kind"]) == ("2030-05-01", "2030-05-03", "病假")
    away = [{"employee": {"id": rep.employee_id}, "firstOn": "2030-05-01", "lastOn": "2030-05-03"}]
    for person, rows in ((owner, away), (rep, away), (colleague, [])):
        assert (await person.data(AWAY))["employeeLeaves"]["nodes"] == rows
    for person, kinds in ((owner, ["病假"]), (rep, ["病假"]), (colleague, [])):
        assert [each["kind"] for each in (await person.data(KINDS))["employeeLeaves"]["nodes"]] == kinds
    wanted = {"employee": colleague.employee_id, "firstOn": "2030-05-01", "lastOn": "2030-05-03", "kind": "年假"}
    assert await rep.code(ENTER, input={"idempotencyKey": secrets.token_hex(8), **wanted}) == "FORBIDDEN"


async def test_a_manager_of_elsewhere_sees_the_days_and_not_the_kind(web: Web) -> None:
    owner = await web.sign_up()
    made = await owner.done(
        "mutation ($input: DepartmentCreateInput!) { departmentCreate(input: $input) { department { id } "
        + USER_ERRORS
        + " } }",
        idempotencyKey=secrets.token_hex(8),
        name="华东",
    )
    hired = await owner.done(
        "mutation ($input: EmployeeCreateInput!) { employeeCreate(input: $input) { employee { id } "
        + USER_ERRORS
        + " } }",
        idempotencyKey=secrets.token_hex(8),
        name="李雷",
        number="0007",
        departmentId=made["department"]["id"],
        hiredOn="2020-01-01",
    )
    rep = await owner.invite("rep")
    await entered(owner, rep.employee_id)
    invited = await owner.done(
        "mutation ($input: InvitationCreateInput!) { invitationCreate(input: $input) { token " + USER_ERRORS + " } }",
        email=f"manager-{secrets.token_hex(4)}@example.cn",
        roles=["sales_manager"],
        employeeId=hired["employee"]["id"],
    )
    manager = await accepted(web, invited["token"])
    assert [each["employee"]["id"] for each in (await manager.data(AWAY))["employeeLeaves"]["nodes"]] == [
        rep.employee_id
    ]
    body = await manager.answer(KINDS)
    assert body["data"]["employeeLeaves"]["nodes"] == [{"kind": None}]
    assert {each["extensions"]["code"] for each in body["errors"]} == {"FIELD_FORBIDDEN"}
    wanted = {"employee": rep.employee_id, "firstOn": "2030-06-01", "lastOn": "2030-06-03", "kind": "年假"}
    refusal = await manager.refused(ENTER, idempotencyKey=secrets.token_hex(8), **wanted)
    assert (refusal["messageKey"], refusal["field"]) == ("people.employee_not_found", ["input", "employee"])


async def accepted(web: Web, token: str) -> Person:

    return web.nobody.as_in(await web.nobody.done(ACCEPT, token=token, name="李雷", password=PASSWORD))


async def test_leave_is_shortened_cancelled_and_refused_by_its_place(web: Web) -> None:
    owner = await web.sign_up()
    rep = await owner.invite("rep")
    leave_id = (await entered(owner, rep.employee_id))["leave"]["id"]
    assert (await owner.done(SHORTEN, leave=leave_id, lastOn="2030-05-02"))["leave"] == {"lastOn": "2030-05-02"}
    wanted = {"employee": rep.employee_id, "firstOn": "2030-05-02", "lastOn": "2030-05-03", "kind": "年假"}
    refusal = await owner.refused(ENTER, idempotencyKey=secrets.token_hex(8), **wanted)
    assert (refusal["messageKey"], refusal["field"]) == ("people.leave_overlaps", ["input", "firstOn"])
    refusal = await owner.refused(SHORTEN, leave=leave_id, lastOn="2030-05-03")
    assert (refusal["messageKey"], refusal["field"]) == ("people.leave_day_outside", ["input", "lastOn"])
    assert (await owner.done(CANCEL, leave=leave_id))["leave"]["cancelledAt"] is not None
    refusal = await owner.refused(CANCEL, leave="lea_" + "0" * 32)
    assert refusal["messageKey"] == "people.leave_not_found"
    other = await web.sign_up("远山贸易")
    assert (await other.refused(CANCEL, leave=leave_id))["messageKey"] == "people.leave_not_found"
    refusal = await owner.refused(ENTER, idempotencyKey=secrets.token_hex(8), **wanted | {"employee": "emp_x"})
    assert refusal["field"] == ["input", "employee"]
