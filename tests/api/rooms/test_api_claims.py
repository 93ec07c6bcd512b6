"""Customers over HTTP: claims, races, idempotency, visibility, refused fields, and the realty plugin's word."""

from __future__ import annotations

import asyncio
import json
import secrets
from typing import Any

import pytest

from tests.api.rooms.conftest import Cast
from tests.api.rooms.web import USER_ERRORS, Person, Web

CLAIM = f"""
mutation ($input: CustomerClaimInput!) {{
  customerClaim(input: $input) {{ replayed customer {{ id owner {{ name }} }} {USER_ERRORS} }}
}}
"""
RELEASE = f"mutation ($input: CustomerReleaseInput!) {{ customerRelease(input: $input) {{ replayed {USER_ERRORS} }} }}"
ONE = "query ($id: ID!) { customer(id: $id) { id name owner { name } } }"
NODE = "query ($id: ID!) { node(id: $id) { id } }"
STATE = "query ($id: ID!) { customer(id: $id) { status version owner { name } ownerships(first: 5) { nodes { id } } } }"
PHONE = "query ($id: ID!) { customer(id: $id) { phone { value masked } } }"
ENABLE = f"""
mutation ($input: PluginSettingsInput!) {{
  pluginEnable(input: $input) {{ plugin {{ name isEnabled settingsVersion }} {USER_ERRORS} }}
}}
"""
DISABLE = f"""
mutation ($input: PluginDisableInput!) {{
  pluginDisable(input: $input) {{ plugin {{ isEnabled settingsVersion }} {USER_ERRORS} }}
}}
"""
CONFIGURE = ENABLE.replace("pluginEnable(", "pluginConfigure(")
PLUGINS = "{ plugins { name title version isInForce isEnabled settings settingsVersion } }"
POOLS = "{ customerPools(first: 1) { nodes { id claimLimit holdingLimit cooldownDays version } } }"
POOL = f"""
mutation ($input: CustomerPoolUpdateInput!) {{
  customerPoolUpdate(input: $input) {{ pool {{ claimLimit holdingLimit cooldownDays version }} {USER_ERRORS} }}
}}
"""


def claim_of(customer_id: str, *, key: str | None = None) -> dict[str, Any]:
    """The input of a claim."""
    return {"idempotencyKey": key or secrets.token_hex(8), "customer": {"id": customer_id}}


async def test_twenty_claims_at_once_have_one_winner(web: Web) -> None:
    owner = await web.sign_up()
    reps = [await owner.invite("rep", name=f"员工{number}") for number in range(4)]
    customer_id = await owner.create_customer("华阳科技有限公司")
    claims = [reps[number % 4].payload(CLAIM, **claim_of(customer_id)) for number in range(20)]
    answers = await asyncio.gather(*claims)
    winners = [answer for answer in answers if not answer["userErrors"]]
    losers = [answer["userErrors"][0]["code"] for answer in answers if answer["userErrors"]]
    assert (len(winners), losers) == (1, ["CONFLICT"] * 19)
    state = (await owner.data(STATE, id=customer_id))["customer"]
    assert (state["status"], state["owner"], len(state["ownerships"]["nodes"])) == (
        "OWNED",
        winners[0]["customer"]["owner"],
        1,
    )


async def test_a_repeated_claim_is_replayed_and_another_body_refused(cast: Cast, key: str) -> None:
    first, other = [await cast.owner.create_customer(f"客户{secrets.token_hex(3)}") for _ in range(2)]
    done = await cast.rep.done(CLAIM, **claim_of(first, key=key))
    assert (done["replayed"], done["customer"]["owner"]["name"]) == (False, "李雷")
    again = await cast.rep.done(CLAIM, **claim_of(first, key=key))
    assert (again["replayed"], again["customer"]) == (True, done["customer"])
    before = await cast.owner.data(STATE, id=other)
    reused = await cast.rep.refused(CLAIM, **claim_of(other, key=key))
    assert (reused["code"], reused["field"]) == ("IDEMPOTENCY_KEY_REUSED", ["input", "idempotencyKey"])
    assert await cast.owner.data(STATE, id=other) == before


async def test_another_companys_customer_is_a_missing_one(cast: Cast) -> None:
    foreign = await cast.other.create_customer(f"远山客户{secrets.token_hex(4)}")
    missing = "cus_" + "0" * 32
    key = secrets.token_hex(8)
    for query in (ONE, NODE):
        found, none = await cast.owner.post(query, id=foreign), await cast.owner.post(query, id=missing)
        assert json.loads(found.content)["data"] == json.loads(none.content)["data"]
        assert await cast.owner.answer(query, id=foreign) == await cast.owner.answer(query, id=missing)
    for mutation, more in ((CLAIM, {}), (RELEASE, {"reason": "no"})):
        answers = [
            await cast.rep.answer(mutation, input={"idempotencyKey": key, "customer": {"id": id_}, **more})
            for id_ in (foreign, missing)
        ]
        assert answers[0] == answers[1]
        (payload,) = answers[0]["data"].values()
        assert payload["userErrors"][0]["code"] == "NOT_FOUND"
    state = (await cast.other.data(STATE, id=foreign))["customer"]
    assert (state["status"], state["version"]) == ("POOLED", 1)


async def test_nobody_reads_or_claims_nothing(cast: Cast) -> None:
    id_ = await cast.owner.create_customer(f"客户{secrets.token_hex(3)}")
    assert await cast.nobody.code(ONE, id=id_) == "UNAUTHENTICATED"
    assert await cast.nobody.code(CLAIM, input=claim_of(id_)) == "UNAUTHENTICATED"
    assert (await cast.owner.data(STATE, id=id_))["customer"]["status"] == "POOLED"


async def test_a_rep_sees_masked_numbers_in_the_pool_and_whole_ones_of_their_own(cast: Cast) -> None:
    pooled = await cast.owner.create_customer(f"客户{secrets.token_hex(3)}", phone="13812345678")
    own = await cast.rep.create_customer(f"客户{secrets.token_hex(3)}", keep=True, phone="13987654321")
    assert await cast.rep.data(PHONE, id=own) == {
        "customer": {"phone": {"value": "13987654321", "masked": "139****4321"}}
    }
    body = await cast.rep.answer(PHONE, id=pooled)
    assert body["data"] == {"customer": {"phone": {"value": None, "masked": "138****5678"}}}
    assert [error["extensions"]["code"] for error in body["errors"]] == ["FIELD_FORBIDDEN"]


@pytest.mark.parametrize("rows", [0, 1])
async def test_a_refused_field_is_refused_to_filters_with_and_without_rows(web: Web, rows: int) -> None:
    owner = await web.sign_up()
    admin = await owner.invite("hr_admin", staff=False)
    for number in range(rows):
        await owner.create_customer(f"客户{number}", industry="软件")
    body = await admin.answer("{ customers(first: 5) { nodes { name industry } } }")
    assert body["data"]["customers"]["nodes"] == [{"name": f"客户{number}", "industry": None} for number in range(rows)]
    assert [error["extensions"]["code"] for error in body["errors"]] == ["FIELD_FORBIDDEN"]
    filtered = '{ customers(first: 5, filter: {industry: {eq: "软件"}}) { nodes { name } } }'
    assert await admin.code(filtered) == "FIELD_FORBIDDEN"


async def test_pool_rules_are_changed_and_bind_the_next_claim(web: Web) -> None:
    owner = await web.sign_up()
    rep = await owner.invite("rep")
    pool = (await owner.data(POOLS))["customerPools"]["nodes"][0]
    asked = {"id": pool["id"], "claimLimit": 0, "expectedVersion": pool["version"]}
    assert await rep.code(POOL, input=asked) == "FORBIDDEN"
    range_ = await owner.refused(POOL, **{**asked, "claimLimit": 201})
    assert (range_["code"], range_["field"]) == ("BAD_USER_INPUT", ["input", "claimLimit"])
    assert (await owner.data(POOLS))["customerPools"]["nodes"][0] == pool
    done = await owner.done(POOL, **asked)
    assert done["pool"] == {"claimLimit": 0, "holdingLimit": 200, "cooldownDays": 7, "version": pool["version"] + 1}
    assert (await owner.refused(POOL, **asked))["code"] == "STALE_VERSION"
    customer_id = await owner.create_customer("华阳")
    assert (await rep.refused(CLAIM, **claim_of(customer_id)))["code"] == "LIMIT_REACHED"


async def test_another_companys_pool_is_a_missing_one(cast: Cast) -> None:
    pool = (await cast.other.data(POOLS))["customerPools"]["nodes"][0]
    asked = {"claimLimit": 1, "expectedVersion": pool["version"]}
    foreign = await cast.owner.answer(POOL, input={"id": pool["id"], **asked})
    assert foreign == await cast.owner.answer(POOL, input={"id": "poo_" + "0" * 32, **asked})
    assert (await cast.other.data(POOLS))["customerPools"]["nodes"][0] == pool


async def _with_area(owner: Person, employee_id: str) -> dict[str, Any]:
    areas = [{"title": "浦东", "districtCodes": ["310115"], "employees": [employee_id]}]
    return await owner.done(  # type: ignore[no-any-return]
        ENABLE, name="realty", settings=json.dumps({"areas": areas}), reason="Exclusive areas", expectedVersion=0
    )


async def test_realty_refuses_a_claim_in_both_languages_until_it_is_disabled(web: Web) -> None:
    owner = await web.sign_up("晨光地产")
    rep, local = await owner.invite("rep", name="李雷"), await owner.invite("rep", name="王芳")
    enabled = await _with_area(owner, local.employee_id)
    assert enabled["plugin"] == {"name": "realty", "isEnabled": True, "settingsVersion": 1}
    customer_id = await owner.create_customer("浦东客户", districtCode="310115")
    before = await owner.data(STATE, id=customer_id)
    english = await rep.refused(CLAIM, **claim_of(customer_id))
    chinese = await rep.speaking("zh-CN").refused(CLAIM, **claim_of(customer_id))
    assert (english["code"], english["messageKey"]) == ("RULE_REFUSED", "realty.area_exclusive")
    catalogue = web.installation.product.catalogue
    values = {"area": "浦东", "count": 1}
    assert english["message"] == catalogue.text("en", "realty.area_exclusive", values)
    assert chinese["message"] == catalogue.text("zh-CN", "realty.area_exclusive", values)
    assert english["message"] != chinese["message"]
    assert await owner.data(STATE, id=customer_id) == before
    await owner.done(DISABLE, name="realty", reason="Open to all", expectedVersion=1)
    assert (await rep.done(CLAIM, **claim_of(customer_id)))["customer"]["owner"] == {"name": "李雷"}


async def test_plugin_settings_are_refused_by_their_place(web: Web) -> None:
    owner = await web.sign_up()
    rep = await owner.invite("rep")
    before = await owner.data(PLUGINS)
    (realty,) = [plugin for plugin in before["plugins"] if plugin["name"] == "realty"]
    assert (realty["title"], realty["isEnabled"], realty["settingsVersion"]) == ("Real estate", False, 0)
    assert json.loads(realty["settings"]) == {"areas": [], "unassigned": "OPEN"}
    assert await rep.code(PLUGINS) == "FORBIDDEN"
    for settings, place in (
        ("{", ["input", "settings"]),
        ("[]", ["input", "settings"]),
        ('{"unassigned": "HALF"}', ["input", "settings", "unassigned"]),
        (
            json.dumps({"areas": [{"title": "x", "districtCodes": [], "employees": [rep.employee_id]}]}),
            ["input", "settings", "areas", "0", "districtCodes"],
        ),
        ('{"areas": [{"title": "\\u0000", "districtCodes": [], "employees": []}]}', None),
    ):
        refused = await owner.refused(ENABLE, name="realty", settings=settings, reason="Try", expectedVersion=0)
        assert refused["code"] == "BAD_USER_INPUT"
        assert place is None or refused["field"] == place
    assert await owner.data(PLUGINS) == before
    not_yet = await owner.refused(CONFIGURE, name="realty", reason="Try", expectedVersion=0)
    assert not_yet["messageKey"] == "extensions.plugin_not_enabled"


async def test_several_are_given_back_with_one_word(cast: Cast) -> None:
    release = f"""mutation ($input: CustomersReleaseInput!) {{
      customersRelease(input: $input) {{ replayed customers {{ status owner {{ id }} }} {USER_ERRORS} }}
    }}"""
    mine = [await cast.rep.create_customer(f"客户{secrets.token_hex(3)}", keep=True) for _ in range(2)]
    named = {"customers": [{"id": each} for each in mine], "reason": "无需求"}
    pooled = await cast.owner.create_customer(f"客户{secrets.token_hex(3)}")
    with_pooled = {**named, "customers": [*named["customers"], {"id": pooled}]}
    refused = await cast.rep.refused(release, idempotencyKey=secrets.token_hex(8), **with_pooled)
    assert refused["code"] == "RULE_REFUSED"
    too_many = {**named, "customers": [{"id": mine[0]}] * 101}
    refused = await cast.rep.refused(release, idempotencyKey=secrets.token_hex(8), **too_many)
    assert refused["code"] == "BAD_USER_INPUT"
    assert [(await cast.rep.data(STATE, id=each))["customer"]["status"] for each in mine] == ["OWNED", "OWNED"]
    key = secrets.token_hex(8)
    done = await cast.rep.done(release, idempotencyKey=key, **named)
    assert done["customers"] == [{"status": "POOLED", "owner": None}] * 2
    assert (await cast.rep.done(release, idempotencyKey=key, **named))["replayed"] is True


async def test_several_are_claimed_at_once_or_none(cast: Cast) -> None:
    claim = f"""mutation ($input: CustomersClaimInput!) {{
      customersClaim(input: $input) {{ replayed customers {{ status owner {{ name }} }} {USER_ERRORS} }}
    }}"""
    wanted = [await cast.owner.create_customer(f"客户{secrets.token_hex(3)}") for _ in range(2)]
    taken = await cast.owner.create_customer(f"客户{secrets.token_hex(3)}", keep=True)
    named = [{"id": each} for each in (wanted[0], taken, wanted[1])]
    refused = await cast.rep.refused(claim, idempotencyKey=secrets.token_hex(8), customers=named)
    assert (refused["code"], refused["field"]) == ("NOT_FOUND", ["input", "customers", "1"])
    assert [(await cast.rep.data(STATE, id=each))["customer"]["status"] for each in wanted] == ["POOLED", "POOLED"]
    done = await cast.rep.done(claim, idempotencyKey=secrets.token_hex(8), customers=[named[0], named[2]])
    assert done["customers"] == [{"status": "OWNED", "owner": {"name": "李雷"}}] * 2
