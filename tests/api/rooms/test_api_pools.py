"""Pools over HTTP: settings and their history, several pools, the public ledger, handovers, what recycling foresees."""

from __future__ import annotations

import json
import secrets
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from tests.api.rooms.conftest import Cast
from tests.api.rooms.web import USER_ERRORS, Person, Web

POOLS = """{ customerPools(first: 5, orderBy: [NAME_ASC]) { nodes {
  id name status isDefault claimLimit protectionDays recycleFollowUpDays recycleDealDays reminderDays graceDays
  showsNames version settingsHistory(first: 5) { nodes { version validFrom settings } }
} } }"""
UPDATE = f"""
mutation ($input: CustomerPoolUpdateInput!) {{
  customerPoolUpdate(input: $input) {{
    pool {{ name status isDefault claimLimit recycleFollowUpDays recycleDealDays reminderDays version }} {USER_ERRORS}
  }}
}}
"""
CREATE_POOL = f"""
mutation ($input: CustomerPoolCreateInput!) {{
  customerPoolCreate(input: $input) {{ replayed pool {{ id name version }} {USER_ERRORS} }}
}}
"""
CLOSE = f"""
mutation ($input: CustomerPoolCloseInput!) {{ customerPoolClose(input: $input) {{ pool {{ status }} {USER_ERRORS} }} }}
"""
MOVE = f"""
mutation ($input: CustomerPoolMoveInput!) {{ customerPoolMove(input: $input) {{ replayed moved {USER_ERRORS} }} }}
"""
CLAIM = f"mutation ($input: CustomerClaimInput!) {{ customerClaim(input: $input) {{ replayed {USER_ERRORS} }} }}"
ASSIGN = f"""
mutation ($input: CustomerAssignInput!) {{
  customerAssign(input: $input) {{ replayed customer {{ owner {{ id }} dueOn daysLeft dueRule }} {USER_ERRORS} }}
}}
"""
TRANSFER = f"""
mutation ($input: CustomerTransferInput!) {{
  customerTransfer(input: $input) {{ replayed customer {{ owner {{ id }} }} {USER_ERRORS} }}
}}
"""
LEDGER = """{ poolLedger(first: 10, orderBy: [HAPPENED_AT_ASC]) { nodes {
  kind customerLabel reason isByJob employee { id } formerOwner { id }
} } }"""
NAMELESS = "{ poolLedger(first: 10, orderBy: [HAPPENED_AT_ASC]) { nodes { kind customerLabel reason isByJob } } }"
OWNERS = """query ($customers: [CustomerRef!]!, $on: Date!) {
  ownersOn(customers: $customers, on: $on) { customer { id } owner { id } }
}"""
PREVIEW = """query ($until: Date) { recyclePreview(first: 5, until: $until) {
  nodes { customer { id } action dueOn daysLeft explanation { depth text key } } pageInfo { hasNextPage endCursor }
} }"""
DUE = """query ($until: Date!) { customers(first: 5, filter: {dueOn: {lt: $until}}, orderBy: [DUE_ON_ASC]) {
  nodes { id dueOn daysLeft } } }"""


def today() -> date:
    return datetime.now(ZoneInfo("Asia/Shanghai")).date()


def key() -> str:
    return secrets.token_hex(8)


async def pool_of(owner: Person) -> dict[str, Any]:
    found: dict[str, Any] = (await owner.data(POOLS))["customerPools"]["nodes"][0]
    return found


async def test_settings_change_by_field_and_null_switches_a_rule_off(web: Web) -> None:
    owner = await web.sign_up()
    pool = await pool_of(owner)
    assert (pool["recycleFollowUpDays"], pool["recycleDealDays"], pool["reminderDays"]) == (30, 180, "[7, 3, 1]")
    done = await owner.done(
        UPDATE, id=pool["id"], expectedVersion=1, recycleDealDays=None, reminderDays=[1, 5, 5], claimLimit=3
    )
    assert done["pool"] == {
        "name": "公海",
        "status": "OPEN",
        "isDefault": True,
        "claimLimit": 3,
        "recycleFollowUpDays": 30,
        "recycleDealDays": None,
        "reminderDays": "[5, 1]",
        "version": 2,
    }
    history = (await pool_of(owner))["settingsHistory"]["nodes"]
    assert [(each["version"], json.loads(each["settings"])["claim_limit"]) for each in history] == [(2, 3), (1, 10)]
    assert json.loads(history[0]["settings"])["not_before"] == str(today() + timedelta(days=7))
    kinds = [{"kind": "CALL", "leastSeconds": 60}, {"kind": "VISIT", "needsCheckIn": True}]
    await owner.done(UPDATE, id=pool["id"], expectedVersion=2, followUpKinds=kinds)
    stored = json.loads((await pool_of(owner))["settingsHistory"]["nodes"][0]["settings"])["follow_up_kinds"]
    assert [(each["kind"], each["least_seconds"], each["needs_check_in"]) for each in stored] == [
        ("call", 60, False),
        ("visit", 0, True),
    ]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"graceDays": 0}, ["input", "graceDays"]),
        ({"recycleFollowUpDays": 0}, ["input", "recycleFollowUpDays"]),
        ({"reminderDays": [-1]}, ["input", "reminderDays"]),
        ({"followUpKinds": []}, ["input", "followUpKinds"]),
        ({"name": " "}, ["input", "name"]),
        ({"departments": ["dep_" + "0" * 32] * 101}, ["input", "departments"]),
        ({"departments": ["emp_" + "0" * 32]}, ["input", "departments", "0"]),
    ],
)
async def test_a_refused_setting_names_its_field(web: Web, change: dict[str, Any], field: list[str]) -> None:
    owner = await web.sign_up()
    before = await pool_of(owner)
    refusal = await owner.refused(UPDATE, id=before["id"], expectedVersion=1, **change)
    assert refusal["field"] == field
    assert await pool_of(owner) == before


async def test_several_pools_are_made_filled_and_closed(web: Web) -> None:
    owner = await web.sign_up()
    rep = await owner.invite("rep")
    first = await pool_of(owner)
    await owner.create_customer("华阳科技")
    asked = {"idempotencyKey": key(), "name": "乙公海"}
    made = await owner.done(CREATE_POOL, **asked)
    assert await rep.code(CREATE_POOL, input={"idempotencyKey": key(), "name": "丙公海"}) == "FORBIDDEN"
    assert (await owner.done(CREATE_POOL, **asked))["pool"] == made["pool"]
    assert (await owner.refused(CREATE_POOL, idempotencyKey=key(), name="乙公海"))["code"] == "CONFLICT"
    assert (await owner.refused(CLOSE, id=first["id"], expectedVersion=1))["messageKey"] == "customers.pool_is_default"
    await owner.done(UPDATE, id=made["pool"]["id"], expectedVersion=1, isDefault=True)
    refusal = await owner.refused(CLOSE, id=first["id"], expectedVersion=2)
    assert (refusal["code"], refusal["messageKey"]) == ("RULE_REFUSED", "customers.pool_holds_customers")
    moved = await owner.done(MOVE, idempotencyKey=key(), fromPool=first["id"], toPool=made["pool"]["id"])
    assert moved["moved"] == 1
    assert (await owner.done(CLOSE, id=first["id"], expectedVersion=2))["pool"] == {"status": "CLOSED"}


async def test_another_companys_pool_is_a_missing_one(cast: Cast) -> None:
    theirs, missing = (await pool_of(cast.other))["id"], "poo_" + "0" * 32
    mine = (await pool_of(cast.owner))["id"]
    before = await pool_of(cast.other)
    asked: tuple[tuple[str, str, dict[str, Any]], ...] = (
        (UPDATE, "id", {"expectedVersion": 1, "claimLimit": 1}),
        (CLOSE, "id", {"expectedVersion": 1}),
        (MOVE, "toPool", {"idempotencyKey": key(), "fromPool": mine}),
        (MOVE, "fromPool", {"idempotencyKey": key(), "toPool": mine}),
    )
    for mutation, field, rest in asked:
        answers = [await cast.owner.answer(mutation, input={**rest, field: pool}) for pool in (theirs, missing)]
        assert answers[0] == answers[1]
        (payload,) = answers[0]["data"].values()
        assert payload["userErrors"][0]["code"] == "NOT_FOUND"
    assert await pool_of(cast.other) == before


async def test_assigning_and_transferring_over_http(web: Web) -> None:
    owner = await web.sign_up()
    rep, other = await owner.invite("rep", name="李雷"), await owner.invite("rep", name="王芳")
    customer_id = await owner.create_customer("华阳科技")
    asked = {
        "idempotencyKey": key(),
        "customer": {"id": customer_id},
        "employee": rep.employee_id,
        "reason": "重点客户",
    }
    assert await rep.code(ASSIGN, input=asked) == "FORBIDDEN"
    done = await owner.done(ASSIGN, **asked)
    assert done["customer"] == {
        "owner": {"id": rep.employee_id},
        "dueOn": str(today() + timedelta(days=31)),
        "daysLeft": 30,
        "dueRule": "NO_FOLLOW_UP",
    }
    assert (await owner.done(ASSIGN, **asked))["replayed"] is True
    assert (await owner.refused(ASSIGN, **{**asked, "idempotencyKey": key()}))["code"] == "CONFLICT"
    over = {**asked, "idempotencyKey": key(), "employee": other.employee_id, "reason": "区域调整"}
    assert await rep.code(TRANSFER, input=over) == "FORBIDDEN"
    assert (await owner.done(TRANSFER, **over))["customer"] == {"owner": {"id": other.employee_id}}
    refusal = await owner.refused(TRANSFER, **{**over, "idempotencyKey": key(), "employee": "emp_" + "0" * 32})
    assert (refusal["code"], refusal["field"]) == ("NOT_FOUND", ["input", "employee"])


async def test_the_ledger_is_for_every_member_and_names_people_as_the_pool_says(web: Web) -> None:
    owner = await web.sign_up()
    rep, other = await owner.invite("rep", name="李雷"), await owner.invite("rep", name="王芳")
    first, second = await owner.create_customer("华阳科技"), await owner.create_customer("远山贸易")
    await rep.done(CLAIM, idempotencyKey=key(), customer={"id": first})
    asked = {"customer": {"id": second}, "employee": rep.employee_id, "reason": "重点客户"}
    await owner.done(ASSIGN, idempotencyKey=key(), **asked)
    lines: list[dict[str, Any]] = [
        {
            "kind": "CLAIMED",
            "customerLabel": "华阳＊＊",
            "reason": None,
            "isByJob": False,
            "employee": {"id": rep.employee_id},
            "formerOwner": None,
        },
        {
            "kind": "ASSIGNED",
            "customerLabel": "远山＊＊",
            "reason": "重点客户",
            "isByJob": False,
            "employee": {"id": rep.employee_id},
            "formerOwner": None,
        },
    ]
    for person in (owner, rep, other):
        assert (await person.data(LEDGER))["poolLedger"]["nodes"] == lines
    await owner.done(UPDATE, id=(await pool_of(owner))["id"], expectedVersion=1, showsNames=False)
    assert (await rep.data(LEDGER))["poolLedger"]["nodes"] == lines
    body = await other.answer(LEDGER)
    assert [line["employee"] for line in body["data"]["poolLedger"]["nodes"]] == [None, None]
    assert {error["extensions"]["code"] for error in body["errors"]} == {"FIELD_FORBIDDEN"}
    bare = [{name: line[name] for name in ("kind", "customerLabel", "reason", "isByJob")} for line in lines]
    assert (await other.data(NAMELESS))["poolLedger"]["nodes"] == bare
    filtered = "query ($id: ID!) { poolLedger(first: 5, filter: {employee: {eq: $id}}) { nodes { kind } } }"
    assert await other.code(filtered, id=rep.employee_id) == "FIELD_FORBIDDEN"


async def test_who_is_no_member_of_a_pool_reads_none_of_its_ledger(web: Web) -> None:
    owner = await web.sign_up()
    rep = await owner.invite("rep")
    create = f"""mutation ($input: DepartmentCreateInput!) {{
      departmentCreate(input: $input) {{ department {{ id }} {USER_ERRORS} }} }}"""
    made = await owner.done(create, idempotencyKey=key(), name="华东")
    customer_id = await owner.create_customer("华阳科技")
    await owner.done(CLAIM, idempotencyKey=key(), customer={"id": customer_id})
    assert len((await rep.data(NAMELESS))["poolLedger"]["nodes"]) == 1
    pool = await pool_of(owner)
    await owner.done(UPDATE, id=pool["id"], expectedVersion=1, departments=[made["department"]["id"]])
    assert (await rep.data(NAMELESS))["poolLedger"]["nodes"] == []
    second = await owner.create_customer("远山贸易")
    refusal = await rep.refused(CLAIM, idempotencyKey=key(), customer={"id": second})
    assert refusal["messageKey"] == "customers.not_found"
    shown = "{ customers(first: 5) { nodes { id } } customerPools(first: 1) { nodes { departments members } } }"
    found = await rep.data(shown)
    assert found["customers"]["nodes"] == []
    departments = json.dumps([made["department"]["id"]])
    assert found["customerPools"]["nodes"] == [{"departments": departments, "members": "[]"}]
    await owner.done(UPDATE, id=pool["id"], expectedVersion=2, members=[rep.employee_id])
    assert [each["id"] for each in (await rep.data(shown))["customers"]["nodes"]] == [second]
    await owner.done(UPDATE, id=pool["id"], expectedVersion=3, members=[], visibleToAll=True)
    refusal = await rep.refused(CLAIM, idempotencyKey=key(), customer={"id": second})
    assert refusal["messageKey"] == "customers.not_a_pool_member"


async def test_who_owned_customers_on_a_day(web: Web) -> None:
    owner = await web.sign_up()
    rep = await owner.invite("rep")
    own = await rep.create_customer("华阳科技", keep=True)
    pooled = await owner.create_customer("远山贸易")
    asked = {"customers": [{"id": pooled}, {"id": own}], "on": str(today())}
    assert (await owner.data(OWNERS, **asked))["ownersOn"] == [
        {"customer": {"id": pooled}, "owner": None},
        {"customer": {"id": own}, "owner": {"id": rep.employee_id}},
    ]
    yesterday = str(today() - timedelta(days=1))
    assert (await owner.data(OWNERS, customers=[{"id": own}], on=yesterday))["ownersOn"] == [
        {"customer": {"id": own}, "owner": None}
    ]
    assert await rep.code(OWNERS, **asked) == "FORBIDDEN"
    for missing in ("cus_" + "0" * 32, await (await web.sign_up()).create_customer("别家客户")):
        body = await owner.answer(OWNERS, customers=[{"id": missing}], on=yesterday)
        assert [error["extensions"]["code"] for error in body["errors"]] == ["NOT_FOUND"]


async def test_what_goes_before_long_is_foreseen_with_its_reasons(web: Web) -> None:
    owner = await web.sign_up()
    rep, other = await owner.invite("rep"), await owner.invite("rep")
    own = await rep.create_customer("华阳科技", keep=True)
    await owner.create_customer("远山贸易")
    in_a_month = str(today() + timedelta(days=31))
    assert (await rep.data(PREVIEW))["recyclePreview"]["nodes"] == []
    (node,) = (await rep.data(PREVIEW, until=in_a_month))["recyclePreview"]["nodes"]
    assert (node["customer"], node["action"], node["dueOn"], node["daysLeft"]) == ({"id": own}, "KEEP", in_a_month, 30)
    assert [(line["depth"], line["key"]) for line in node["explanation"]] == [
        (0, "customers.recycle_later"),
        (1, "customers.recycle_rule_no_follow_up"),
        (2, "customers.recycle_from_received"),
        (1, "customers.recycle_rule_no_deal"),
        (2, "customers.recycle_from_received"),
    ]
    assert in_a_month in node["explanation"][0]["text"]
    assert (await other.data(PREVIEW, until=in_a_month))["recyclePreview"]["nodes"] == []
    assert (await rep.data(DUE, until=str(today() + timedelta(days=32))))["customers"]["nodes"] == [
        {"id": own, "dueOn": in_a_month, "daysLeft": 30}
    ]
    assert (await rep.data(DUE, until=in_a_month))["customers"]["nodes"] == []


@pytest.mark.parametrize("query", [POOLS, LEDGER, PREVIEW])
async def test_nobody_reads_nothing(cast: Cast, query: str) -> None:
    assert await cast.nobody.code(query) == "UNAUTHENTICATED"


async def test_levels_have_days_of_their_own(web: Web) -> None:
    owner = await web.sign_up("晨光销售")
    query = "{ customerPools(first: 1) { nodes { id version recycleFollowUpDaysByLevel recycleDealDaysByLevel } } }"
    (pool,) = (await owner.data(query))["customerPools"]["nodes"]
    assert (pool["recycleFollowUpDaysByLevel"], pool["recycleDealDaysByLevel"]) == ("[]", "[]")
    wanted = {"id": pool["id"], "expectedVersion": pool["version"]}
    twice = [{"level": "A", "days": 60}, {"level": "A ", "days": 90}]
    refused = await owner.refused(UPDATE, **wanted, recycleFollowUpDaysByLevel=twice)
    assert (refused["code"], refused["field"], refused["messageKey"]) == (
        "BAD_USER_INPUT",
        ["input", "recycleFollowUpDaysByLevel", "1", "level"],
        "customers.pool_level_refused",
    )
    levels = [{"level": "A", "days": 90}, {"level": "C", "days": 10}]
    await owner.done(UPDATE, **wanted, recycleFollowUpDaysByLevel=levels)
    (pool,) = (await owner.data(query))["customerPools"]["nodes"]
    assert json.loads(pool["recycleFollowUpDaysByLevel"]) == levels
