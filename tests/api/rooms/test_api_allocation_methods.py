"""Traits, levels, credits, rules and plugins' methods over HTTP: who may set them, and what they do."""

from __future__ import annotations

import json
import secrets
from typing import Any

import pytest

from tests.api.rooms.test_api_allocations import COMMIT, WHY, Firm, firm
from tests.api.rooms.web import USER_ERRORS, Web

__all__ = ["firm"]

FIELDS = "id method state planHash newcomers newcomersGuaranteed newcomersGiven unplaced"
PICKS = "picks(first: 10) { nodes { employee { id } customer { id } } }"
PLAN = f"""
mutation ($input: AllocationPlanInput!) {{
  allocationPlan(input: $input) {{ allocation {{ {FIELDS} {PICKS} }} {USER_ERRORS} }}
}}
"""
TRAITS = f"""
mutation ($input: EmployeeTraitsSetInput!) {{
  employeeTraitsSet(input: $input) {{ employee {{ id }} {USER_ERRORS} }}
}}
"""
LISTED = "{ employeeTraits(first: 10) { nodes { employee { id } kind value } } }"
LEVEL = f"""
mutation ($input: AllocationLevelSetInput!) {{
  allocationLevelSet(input: $input) {{ pool {{ id }} {USER_ERRORS} }}
}}
"""
CREDIT = f"""
mutation ($input: AllocationCreditBackInput!) {{
  allocationCreditBack(input: $input) {{ replayed pool {{ id }} {USER_ERRORS} }}
}}
"""
CREDITS = "{ allocationCredits(first: 10) { nodes { employee { id } customers kind reason } } }"
POOL = f"""
mutation ($input: CustomerPoolUpdateInput!) {{
  customerPoolUpdate(input: $input) {{ pool {{ version allocationRules counterCycle newcomerDays }} {USER_ERRORS} }}
}}
"""
ENABLE = f"""
mutation ($input: PluginSettingsInput!) {{
  pluginEnable(input: $input) {{ plugin {{ name }} {USER_ERRORS} }}
}}
"""


async def planned(firm: Firm, method: str, **more: Any) -> dict[str, Any]:
    found: dict[str, Any] = (await firm.owner.done(PLAN, **firm.wish(method, **more)))["allocation"]
    return found


NEEDS = f"""
mutation ($input: CustomerNeedsSetInput!) {{
  customerNeedsSet(input: $input) {{ customer {{ language requiredSkill wantedProduct }} {USER_ERRORS} }}
}}
"""


def receivers(plan: dict[str, Any]) -> list[str | None]:
    return [None if pick["employee"] is None else pick["employee"]["id"] for pick in plan["picks"]["nodes"]]


async def test_traits_are_set_listed_and_matched(firm: Firm) -> None:
    first, second = firm.reps
    traits = [{"kind": "LEVEL", "value": " A "}, {"kind": "TERRITORY", "value": "31"}]
    done = await firm.owner.done(TRAITS, employee=first.employee_id, traits=traits)
    assert done["employee"]["id"] == first.employee_id
    listed = (await firm.owner.data(LISTED))["employeeTraits"]["nodes"]
    assert [(each["employee"]["id"], each["kind"], each["value"]) for each in listed] == [
        (first.employee_id, "TERRITORY", "31"),
        (first.employee_id, "LEVEL", "A"),
    ]
    assert (await second.data(LISTED))["employeeTraits"]["nodes"] == []
    match = {"must": [{"kind": "TERRITORY"}], "prefer": [{"kind": "LEVEL"}], "then": "LEVEL"}
    plan = await planned(firm, "MATCH", match=match)
    assert receivers(plan) == [second.employee_id] * 4
    assert plan["unplaced"] == 0
    asked = {"allocation": plan["id"], "customer": {"id": firm.customers[0]}, "employee": first.employee_id}
    (line,) = (await first.data(WHY, **asked))["allocationExplanation"]["lines"]
    assert line["text"] == "李雷 could not have “客户＊＊”: filtered by territory: 李雷's 31, the customer's –."


async def test_what_customers_need_is_set_and_matched(firm: Firm) -> None:
    first, second = firm.reps
    await firm.owner.done(TRAITS, employee=first.employee_id, traits=[{"kind": "LANGUAGE", "value": "en"}])
    customer = {"id": firm.customers[0]}
    done = await firm.owner.done(NEEDS, customer=customer, language=" en ", requiredSkill="冷链", wantedProduct="年金")
    assert done["customer"] == {"language": "en", "requiredSkill": "冷链", "wantedProduct": "年金"}
    plan = await planned(firm, "MATCH", match={"must": [{"kind": "LANGUAGE"}], "prefer": [{"kind": "LANGUAGE"}]})
    assert receivers(plan) == [first.employee_id] + [second.employee_id] * 3
    assert await first.code(NEEDS, input={"customer": customer, "language": "fr"}) == "FORBIDDEN"
    refusal = await firm.owner.refused(NEEDS, customer=customer, language="x" * 101)
    assert (refusal["messageKey"], refusal["field"]) == ("people.name_too_long", ["input", "language"])
    assert (await firm.owner.done(NEEDS, customer=customer))["customer"]["language"] is None


async def test_who_may_not_set_them_is_refused(firm: Firm, web: Web) -> None:
    rep = firm.reps[0]
    named = {"pool": firm.pool, "employee": rep.employee_id}
    credit = {**named, "idempotencyKey": secrets.token_hex(8), "kind": "NO_SHOW", "reason": "x"}
    for caller in (rep, web.nobody):
        codes = {
            await caller.code(TRAITS, input={"employee": rep.employee_id, "traits": []}),
            await caller.code(LEVEL, input={**named, "calibration": 1}),
            await caller.code(CREDIT, input=credit),
        }
        assert codes == {"FORBIDDEN" if caller is rep else "UNAUTHENTICATED"}


async def test_levels_and_credits(firm: Firm) -> None:
    first, second = firm.reps
    await firm.owner.done(LEVEL, pool=firm.pool, employee=first.employee_id, calibration=3, priority=1)
    plan = await planned(firm, "LEVEL", take=2)
    assert receivers(plan) == [second.employee_id] * 2
    await firm.owner.done(COMMIT, **firm.commit(plan))
    asked = {"idempotencyKey": "once", "pool": firm.pool, "employee": second.employee_id, "kind": "NO_SHOW"}
    credit = {**asked, "customers": 2, "reason": "客户未到店"}
    assert (await firm.owner.done(CREDIT, **credit))["replayed"] is False
    assert (await firm.owner.done(CREDIT, **credit))["replayed"] is True
    assert (await second.data(CREDITS))["allocationCredits"]["nodes"] == [
        {"employee": {"id": second.employee_id}, "customers": 2, "kind": "NO_SHOW", "reason": "客户未到店"}
    ]
    refusal = await firm.owner.refused(CREDIT, **{**credit, "idempotencyKey": "twice"})
    assert (refusal["code"], refusal["messageKey"]) == ("RULE_REFUSED", "customers.credit_of_nobody")
    assert receivers(await planned(firm, "LEVEL")) == [second.employee_id] * 2


async def test_rules_are_set_with_the_pool_and_decide(firm: Firm) -> None:
    first, second = firm.reps
    vip = {"title": "VIP", "levels": ["A"], "people": [first.employee_id], "method": "FLEXIBLE"}
    others = {"title": "其余", "people": [second.employee_id], "method": "LEVEL"}
    refusal = await firm.owner.refused(POOL, id=firm.pool, expectedVersion=1, allocationRules=[vip])
    assert (refusal["messageKey"], refusal["field"]) == (
        "customers.rules_without_catch_all",
        ["input", "allocationRules"],
    )
    wanted = {"allocationRules": [vip, others], "counterCycle": "QUARTER", "newcomerDays": 30}
    done = (await firm.owner.done(POOL, id=firm.pool, expectedVersion=1, **wanted))["pool"]
    assert (done["counterCycle"], done["newcomerDays"]) == ("QUARTER", 30)
    plan = await planned(firm, "RULES")
    assert receivers(plan) == [second.employee_id] * 4
    assert (plan["newcomers"], plan["newcomersGuaranteed"], plan["newcomersGiven"]) == (2, "20.00", 4)


async def test_a_plugins_method_deals_once_the_company_has_it(firm: Firm) -> None:
    first, _ = firm.reps
    wish = firm.wish("PLUGIN", plugin={"name": "pharma", "method": "territories"})
    refusal = await firm.owner.refused(PLAN, **wish)
    assert refusal["messageKey"] == "extensions.plugin_not_enabled"
    territory = {"title": "华东", "districtCodes": ["31"], "employees": [first.employee_id]}
    settings = json.dumps({"territories": [territory], "outside": "EVERYBODY"})
    await firm.owner.done(ENABLE, name="pharma", settings=settings, reason="试用", expectedVersion=0)
    plan = await planned(firm, "PLUGIN", plugin={"name": "pharma", "method": "territories"})
    assert sorted(map(str, receivers(plan))) == sorted(str(rep.employee_id) for rep in firm.reps for _ in range(2))
    done = (await firm.owner.done(COMMIT, **firm.commit(plan)))["allocation"]
    assert (done["state"], done["given"]) == ("COMMITTED", 4)
    told = await firm.owner.data(WHY, allocation=plan["id"], customer={"id": firm.customers[0]})
    assert [line["key"] for line in told["allocationExplanation"]["lines"]] == [
        "customers.allocated_plugin",
        "pharma.explained.least_work",
    ]
    unknown = await firm.owner.refused(PLAN, **firm.wish("PLUGIN", plugin={"name": "pharma", "method": "x"}))
    assert unknown["messageKey"] == "customers.plugin_method_unknown"


@pytest.mark.parametrize(("method", "key"), [("MATCH", "roster_match_missing"), ("RULES", "roster_rules_missing")])
async def test_a_method_without_what_it_needs_is_refused(firm: Firm, method: str, key: str) -> None:
    assert (await firm.owner.refused(PLAN, **firm.wish(method)))["messageKey"] == f"customers.{key}"
