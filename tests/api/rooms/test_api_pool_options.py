"""The options of pools through the API: all of them told, each given and read back, and refusals by their place."""

from __future__ import annotations

import json
import secrets
from typing import Any

from saas.customers import OPTIONS, Option, OptionKind
from tests.api.rooms.web import USER_ERRORS, Person, Web

ALL = """{ customerPoolOptions { number name meaning productValue mayBeOff least most length choices } }"""
UPDATE = f"""
mutation ($input: CustomerPoolUpdateInput!) {{
  customerPoolUpdate(input: $input) {{ pool {{ version }} {USER_ERRORS} }}
}}
"""
CREATE = f"""
mutation ($input: CustomerCreateInput!) {{
  customerCreate(input: $input) {{ replayed customer {{ id }} warnings {{ messageKey field }} {USER_ERRORS} }}
}}
"""
ASSIGN = f"""
mutation ($input: CustomerAssignInput!) {{
  customerAssign(input: $input) {{ customer {{ owner {{ id }} }} warnings {{ messageKey }} {USER_ERRORS} }}
}}
"""
NAMES = " ".join(sorted(each.api_name for each in OPTIONS.values()))
POOL = f"{{ customerPools(first: 1) {{ nodes {{ id version {NAMES} }} }} }}"


async def pool_of(owner: Person) -> dict[str, Any]:
    found: dict[str, Any] = (await owner.data(POOL))["customerPools"]["nodes"][0]
    return found


async def test_every_option_is_told_in_the_caller_s_language(web: Web) -> None:
    owner = await web.sign_up()
    told = {each["name"]: each for each in (await owner.speaking("zh-CN").data(ALL))["customerPoolOptions"]}
    assert set(told) == {each.api_name for each in OPTIONS.values()}
    assert told["claimLimit"] == {
        "number": "P05",
        "name": "claimLimit",
        "meaning": "领取上限：每人每个当地自然日可从公海领取的客户数；0 表示不可自行领取，空值表示不限。",
        "productValue": "10",
        "mayBeOff": True,
        "least": 0,
        "most": 200,
        "length": None,
        "choices": [],
    }
    assert told["duplicateCheck"]["choices"] == ["OFF", "REFUSE", "WARN"]


def other(option: Option) -> tuple[Any, Any] | None:
    """What to give in the place of the default, and what is read then; of a list of items nothing."""
    told, default = option.declared, option.default
    match option.kind:
        case OptionKind.SWITCH:
            return not default, not default
        case OptionKind.NUMBER:
            number = told.least if default == told.most else told.most
            return number, number
        case OptionKind.TIME:
            return "22:59", "22:59"
        case OptionKind.CHOICE:
            name = next(name for name, (stored, _) in option.choices.values.items() if stored != default)
            return name, name
        case OptionKind.WORDS:
            return [" 甲 ", "乙"], '["甲", "乙"]'
        case OptionKind.NUMBERS:
            return [told.most], f"[{told.most}]"
        case _:
            return None


async def test_each_option_is_given_and_read_back(web: Web) -> None:
    """One at a time, since some contradict others; what contradicts the product's own values is left out."""
    owner = await web.sign_up()
    given, version = 0, 1
    for each in OPTIONS.values():
        pair = other(each)
        if pair is None:
            continue
        pool_id, before = (await pool_of(owner))["id"], each.default
        payload = await owner.payload(UPDATE, id=pool_id, expectedVersion=version, **{each.api_name: pair[0]})
        if payload["userErrors"]:
            continue
        assert (await pool_of(owner))[each.api_name] == pair[1], each.name
        back = before if each.kind is not OptionKind.CHOICE else _name_of(each, before)
        back = list(back) if isinstance(back, tuple) else back
        await owner.done(UPDATE, id=pool_id, expectedVersion=version + 1, **{each.api_name: back})
        given, version = given + 1, version + 2
    assert given >= 0.9 * sum(other(each) is not None for each in OPTIONS.values())
    pool = await pool_of(owner)
    for each in OPTIONS.values():
        if each.kind in (OptionKind.SWITCH, OptionKind.NUMBER):
            assert pool[each.api_name] == each.default, each.name


def _name_of(option: Option, stored: str) -> str:
    return next(name for name, (text, _) in option.choices.values.items() if text == stored)


async def test_exceptions_name_people_and_departments(web: Web) -> None:
    owner = await web.sign_up()
    employee_id, pool = await owner.hire(), await pool_of(owner)
    limits = [{"employee": employee_id, "limit": 5}]
    await owner.done(UPDATE, id=pool["id"], expectedVersion=1, holdingLimitsOfPeople=limits)
    (stored,) = json.loads((await pool_of(owner))["holdingLimitsOfPeople"])
    assert (stored["employee"].replace("-", ""), stored["limit"]) == (employee_id.removeprefix("emp_"), 5)
    for wrong, field, key in (
        (limits * 2, ["input", "holdingLimitsOfPeople", "1"], "customers.pool_limit_twice"),
        (
            [{"employee": employee_id, "limit": -1}],
            ["input", "holdingLimitsOfPeople", "0", "limit"],
            "customers.pool_rule_out_of_range",
        ),
    ):
        refusal = await owner.refused(UPDATE, id=pool["id"], expectedVersion=2, holdingLimitsOfPeople=wrong)
        assert (refusal["field"], refusal["messageKey"]) == (field, key)
    empty = [{"department": "dep_" + "0" * 32}]
    refusal = await owner.refused(UPDATE, id=pool["id"], expectedVersion=2, holdingLimitsOfDepartments=empty)
    assert refusal["messageKey"] == "customers.pool_limit_empty"


async def test_working_hours_are_given_read_back_and_refused_by_their_place(web: Web) -> None:
    owner = await web.sign_up()
    employee_id, pool = await owner.hire(), await pool_of(owner)
    hours = {"days": [5, 1, 1], "opensAt": "09:00", "closesAt": "24:00", "people": [employee_id]}
    await owner.done(UPDATE, id=pool["id"], expectedVersion=1, workingHours=[hours])
    (stored,) = json.loads((await pool_of(owner))["workingHours"])
    assert (stored["days"], stored["opens_at"], stored["closes_at"]) == ([1, 5], "09:00", "24:00")
    for wrong, place, key in (
        ({"days": [8]}, "days", "customers.pool_rule_out_of_range"),
        ({"closesAt": "08:00"}, "closesAt", "customers.pool_hours_close_early"),
    ):
        given = [hours, {**hours, **wrong}]
        refusal = await owner.refused(UPDATE, id=pool["id"], expectedVersion=2, workingHours=given)
        assert (refusal["field"], refusal["messageKey"]) == (["input", "workingHours", "1", place], key)


async def test_two_fair_windows_and_no_time_of_day_are_refused(web: Web) -> None:
    owner = await web.sign_up()
    pool = await pool_of(owner)
    refusal = await owner.refused(
        UPDATE, id=pool["id"], expectedVersion=1, fairWindowHours=2, fairWindowOpensAt="09:00"
    )
    assert (refusal["field"], refusal["messageKey"]) == (["input", "fairWindowOpensAt"], "customers.pool_two_windows")
    refusal = await owner.refused(UPDATE, id=pool["id"], expectedVersion=1, fairWindowOpensAt="24:00")
    assert refusal["messageKey"] == "customers.pool_time_malformed"
    assert await pool_of(owner) == pool


async def test_a_warning_comes_with_the_customer_and_again_with_the_same_key(web: Web) -> None:
    owner = await web.sign_up()
    pool = await pool_of(owner)
    await owner.done(UPDATE, id=pool["id"], expectedVersion=1, duplicateCheck="WARN")
    await owner.create_customer("华阳科技")
    entry = {"idempotencyKey": secrets.token_hex(8), "name": "华阳科技"}
    made = await owner.done(CREATE, **entry)
    assert made["warnings"] == [{"messageKey": "customers.exists_in_pool", "field": ["input", "name"]}]
    again = await owner.done(CREATE, **entry)
    assert (again["replayed"], again["customer"], again["warnings"]) == (True, made["customer"], made["warnings"])


async def test_who_holds_more_than_a_lower_limit_is_named_and_keeps_all(web: Web) -> None:
    owner = await web.sign_up()
    rep = await owner.invite("rep")
    for name in ("华阳", "远山", "晨光"):
        await rep.create_customer(name, keep=True)
    pool = await pool_of(owner)
    update = UPDATE.replace("pool { version }", "pool { version } overLimit { employee { id } holding limit }")
    done = await owner.done(update, id=pool["id"], expectedVersion=1, holdingLimit=2)
    assert done["overLimit"] == [{"employee": {"id": rep.employee_id}, "holding": 3, "limit": 2}]
    held = await rep.data("{ customers(first: 5) { totalCount } }")
    assert held["customers"]["totalCount"] == 3
    done = await owner.done(update, id=pool["id"], expectedVersion=2, claimLimit=2)
    assert done["overLimit"] == []


async def test_p13_an_assignment_over_the_threshold_is_made_and_warned_of(web: Web) -> None:
    owner = await web.sign_up()
    employee_id, pool = await owner.hire(), await pool_of(owner)
    await owner.done(UPDATE, id=pool["id"], expectedVersion=1, assignmentThreshold=1, assignmentCycle="WEEK")
    warned = []
    for name in ("华阳", "远山"):
        customer_id = await owner.create_customer(name)
        done = await owner.done(
            ASSIGN,
            idempotencyKey=secrets.token_hex(8),
            customer={"id": customer_id},
            employee=employee_id,
            reason="试用",
        )
        assert done["customer"]["owner"] == {"id": employee_id}
        warned.append([each["messageKey"] for each in done["warnings"]])
    assert warned == [[], ["customers.threshold_passed"]]
