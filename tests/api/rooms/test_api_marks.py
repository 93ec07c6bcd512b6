"""Marks over HTTP: a rep locks and asks, a supervisor decides, everybody reads what is theirs to read."""

from __future__ import annotations

import secrets
from typing import Any

from tests.api.rooms.conftest import Cast
from tests.api.rooms.web import USER_ERRORS, Person

MARKED = (
    f"replayed mark {{ id kind state days reason untilOn isRunning customer {{ id dueOn daysLeft }} }} {USER_ERRORS}"
)
MARK = f"mutation ($input: CustomerMarkInput!) {{ customerMark(input: $input) {{ {MARKED} }} }}"
END = f"mutation ($input: HoldingMarkEndInput!) {{ holdingMarkEnd(input: $input) {{ {MARKED} }} }}"
DECIDE = f"mutation ($input: HoldingMarkDecideInput!) {{ holdingMarkDecide(input: $input) {{ {MARKED} }} }}"
MARKS = "query ($id: ID!) { customer(id: $id) { marks(first: 5) { nodes { kind state } } } }"
WAITING = """
{ holdingMarks(first: 50, filter: {state: {eq: REQUESTED}}) { nodes { id reason owner { name } customer { id } } } }
"""
LEDGER = "query ($id: ID!) { poolLedger(first: 1, filter: {customer: {eq: $id}}) { nodes { kind reason } } }"


def keyed(**more: Any) -> dict[str, Any]:
    return {"idempotencyKey": secrets.token_hex(8), "reason": "年度招标", **more}


async def held(rep: Person) -> str:
    return await rep.create_customer(f"客户{secrets.token_hex(3)}", keep=True)


async def test_a_rep_locks_and_takes_it_back(cast: Cast) -> None:
    customer_id = await held(cast.rep)
    wanted = keyed(customer={"id": customer_id}, kind="LOCK", days=60)
    done = await cast.rep.done(MARK, **wanted)
    mark = done["mark"]
    assert (mark["kind"], mark["state"], mark["days"], mark["isRunning"]) == ("LOCK", "IN_FORCE", 60, True)
    assert mark["customer"] == {"id": customer_id, "dueOn": mark["customer"]["dueOn"], "daysLeft": 60}
    assert (await cast.rep.done(MARK, **wanted))["replayed"] is True
    ledger = await cast.owner.data(LEDGER, id=customer_id)
    assert ledger["poolLedger"]["nodes"] == [{"kind": "LOCKED", "reason": "年度招标"}]
    ended = (await cast.rep.done(END, **keyed(mark=mark["id"])))["mark"]
    assert (ended["state"], ended["isRunning"], ended["customer"]["daysLeft"]) == ("ENDED", False, 30)
    assert (await cast.rep.data(MARKS, id=customer_id))["customer"]["marks"]["nodes"] == [
        {"kind": "LOCK", "state": "ENDED"}
    ]


async def test_a_supervisor_finds_and_grants_an_extension(cast: Cast) -> None:
    customer_id = await held(cast.rep)
    asked = (await cast.rep.done(MARK, **keyed(customer={"id": customer_id}, kind="EXTENSION")))["mark"]
    assert (asked["state"], asked["untilOn"], asked["customer"]["daysLeft"]) == ("REQUESTED", None, 30)
    waiting = (await cast.owner.data(WAITING))["holdingMarks"]["nodes"]
    assert {
        "id": asked["id"],
        "reason": "年度招标",
        "owner": {"name": "李雷"},
        "customer": {"id": customer_id},
    } in waiting
    granted = (await cast.owner.done(DECIDE, **keyed(mark=asked["id"], isGranted=True)))["mark"]
    assert (granted["state"], granted["isRunning"], granted["customer"]["daysLeft"]) == ("IN_FORCE", True, 45)
    again = await cast.owner.refused(DECIDE, **keyed(mark=asked["id"], isGranted=False))
    assert again["code"] == "CONFLICT"


async def test_refusals_name_the_rule_and_change_nothing(cast: Cast) -> None:
    customer_id = await held(cast.rep)
    too_long = await cast.rep.refused(MARK, **keyed(customer={"id": customer_id}, kind="LOCK", days=91))
    assert (too_long["code"], too_long["field"], too_long["message"]) == (
        "BAD_USER_INPUT",
        ["input", "days"],
        "91 days; the pool allows 1 to 90.",
    )
    in_chinese = await cast.rep.speaking("zh-CN").refused(
        MARK, **keyed(customer={"id": customer_id}, kind="LOCK", days=91)
    )
    assert in_chinese["message"] == "给出的天数为 91；公海允许 1 至 90 天。"
    assert (await cast.rep.data(MARKS, id=customer_id))["customer"]["marks"]["nodes"] == []


async def test_nobody_marks_or_decides_without_the_right(cast: Cast) -> None:
    customer_id = await held(cast.rep)
    mark = (await cast.rep.done(MARK, **keyed(customer={"id": customer_id}, kind="EXTENSION")))["mark"]
    assert await cast.rep.code(DECIDE, input=keyed(mark=mark["id"], isGranted=True)) == "FORBIDDEN"
    assert (await cast.other.refused(DECIDE, **keyed(mark=mark["id"], isGranted=True)))["code"] == "NOT_FOUND"
    missing = "hmk_" + "0" * 32
    assert (await cast.owner.refused(DECIDE, **keyed(mark=missing, isGranted=True)))["code"] == "NOT_FOUND"
    assert (await cast.other.refused(MARK, **keyed(customer={"id": customer_id}, kind="LOCK")))["code"] == "NOT_FOUND"
    assert (await cast.rep.data(MARKS, id=customer_id))["customer"]["marks"]["nodes"] == [
        {"kind": "EXTENSION", "state": "REQUESTED"}
    ]
