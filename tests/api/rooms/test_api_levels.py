"""customerLevelChange over HTTP: who may, who may not, and nobody else's customers."""

from __future__ import annotations

import secrets

from tests.api.rooms.conftest import Cast
from tests.api.rooms.web import USER_ERRORS, Web

CHANGE = f"""
mutation ($input: CustomerLevelChangeInput!) {{
  customerLevelChange(input: $input) {{ replayed customer {{ level }} {USER_ERRORS} }}
}}
"""
LEVEL = "query ($id: ID!) { customer(id: $id) { level } }"


def wish(customer_id: str, level: str | None = "A") -> dict[str, object]:
    key = secrets.token_hex(8)
    return {"idempotencyKey": key, "customer": {"id": customer_id}, "level": level, "reason": "年采购额核实"}


async def test_a_level_is_changed_by_who_may(web: Web) -> None:
    owner = await web.sign_up()
    rep, manager = await owner.invite("rep", name="李雷"), await owner.invite("sales_manager", name="韩梅")
    customer_id = await owner.create_customer("华阳科技")
    asked = wish(customer_id)
    assert await rep.code(CHANGE, input=asked) == "FORBIDDEN"
    assert (await owner.data(LEVEL, id=customer_id))["customer"] == {"level": None}
    assert (await manager.done(CHANGE, **asked))["customer"] == {"level": "A"}
    assert (await manager.done(CHANGE, **asked))["replayed"] is True
    refusal = await owner.refused(CHANGE, **{**wish(customer_id), "reason": " "})
    assert (refusal["code"], refusal["field"]) == ("BAD_USER_INPUT", ["input", "reason"])
    refusal = await owner.refused(CHANGE, **wish(customer_id, "A" * 21))
    assert (refusal["code"], refusal["field"]) == ("BAD_USER_INPUT", ["input", "level"])
    assert (await owner.done(CHANGE, **wish(customer_id, None)))["customer"] == {"level": None}


async def test_another_companys_customer_is_a_missing_one(cast: Cast) -> None:
    theirs = await cast.other.create_customer("远山贸易")
    answers = []
    for customer_id in (theirs, "cus_" + "0" * 32):
        answer = await cast.owner.answer(CHANGE, input={**wish(customer_id), "idempotencyKey": secrets.token_hex(8)})
        answers.append(answer["data"]["customerLevelChange"]["userErrors"])
    assert answers[0] == answers[1]
    assert answers[0][0]["code"] == "NOT_FOUND"
    assert (await cast.other.data(LEVEL, id=theirs))["customer"] == {"level": None}
