"""Somebody leaves, through the API: who may say so, what it answers, and that it happens once."""

from __future__ import annotations

import secrets

from tests.api.rooms.web import USER_ERRORS, Web

SEPARATE = f"""
mutation ($input: EmployeeSeparateInput!) {{
  employeeSeparate(input: $input) {{ replayed employee {{ id status leftOn }} handedOver pooled {USER_ERRORS} }}
}}
"""


async def test_a_separation_hands_over_and_is_done_once(web: Web) -> None:
    owner = await web.sign_up()
    leaver, successor = await owner.invite("rep"), await owner.invite("rep", name="韩梅")
    customer_id = await leaver.create_customer("华阳科技", keep=True)
    asked = {
        "idempotencyKey": secrets.token_hex(8),
        "employee": leaver.employee_id,
        "successor": successor.employee_id,
        "reason": "个人原因",
    }
    assert await successor.code(SEPARATE, input=asked) == "FORBIDDEN"
    done = await owner.done(SEPARATE, **asked)
    assert (done["employee"]["status"], done["handedOver"], done["pooled"]) == ("SEPARATED", 1, 0)
    shown = await successor.data("{ customers(first: 2) { nodes { id name owner { id } } } }")
    assert shown["customers"]["nodes"] == [
        {"id": customer_id, "name": "华阳科技", "owner": {"id": successor.employee_id}}
    ]
    again = await owner.done(SEPARATE, **asked)
    assert (again["replayed"], again["handedOver"]) == (True, 1)
    refusal = await owner.refused(SEPARATE, **{**asked, "idempotencyKey": secrets.token_hex(8)})
    assert (refusal["messageKey"], refusal["field"]) == ("people.left_already", ["input", "employee"])
    refusal = await owner.refused(
        SEPARATE, **{**asked, "idempotencyKey": secrets.token_hex(8), "employee": successor.employee_id, "reason": " "}
    )
    assert refusal["messageKey"] == "customers.reason_needed"
    assert (await owner.data("{ employees(first: 9) { nodes { id status } } }"))["employees"]["nodes"].count(
        {"id": successor.employee_id, "status": "ACTIVE"}
    ) == 1
