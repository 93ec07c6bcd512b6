"""Roles and rights over HTTP: who may change them, and that a change acts with the next request."""

from __future__ import annotations

import pytest

from tests.api.rooms.conftest import Cast
from tests.api.rooms.web import USER_ERRORS, Web

ROLES = "{ roles(first: 100) { nodes { name parent isBuiltIn } } }"
RULES = "{ accessRules(first: 100) { nodes { id role action object effect scope reason } } }"
GRANT = f"mutation ($input: RightGrantInput!) {{ rightGrant(input: $input) {{ ruleId {USER_ERRORS} }} }}"
REVOKE = f"mutation ($input: RightRevokeInput!) {{ rightRevoke(input: $input) {{ ruleId {USER_ERRORS} }} }}"
CREATE = (
    f"mutation ($input: RoleCreateInput!) {{ roleCreate(input: $input) {{ role {{ name parent }} {USER_ERRORS} }} }}"
)
INDUSTRIES = "{ customers(first: 5) { nodes { name industry } } }"


async def test_rights_are_for_those_who_configure_them(cast: Cast) -> None:
    grant = {"role": "rep", "action": "DO", "object": "customer:assign", "reason": "Trial"}
    for query in (ROLES, RULES):
        assert await cast.nobody.code(query) == "UNAUTHENTICATED"
        assert await cast.rep.code(query) == "FORBIDDEN"
    assert await cast.nobody.code(GRANT, input=grant) == "UNAUTHENTICATED"
    assert await cast.rep.code(GRANT, input=grant) == "FORBIDDEN"
    assert await cast.owner.data(RULES) == {"accessRules": {"nodes": []}}


async def test_a_denied_field_is_refused_at_the_next_request_until_the_rule_is_taken_back(web: Web) -> None:
    owner = await web.sign_up()
    rep = await owner.invite("rep")
    await owner.create_customer("华阳", industry="软件")
    whole = {"customers": {"nodes": [{"name": "华阳", "industry": "软件"}]}}
    assert await rep.data(INDUSTRIES) == whole
    rule = {"role": "rep", "action": "READ", "object": "Customer.industry", "effect": "DENY"}
    rule_id = (await owner.done(GRANT, **rule, reason="Trial"))["ruleId"]
    body = await rep.answer(INDUSTRIES)
    assert body["data"] == {"customers": {"nodes": [{"name": "华阳", "industry": None}]}}
    (error,) = body["errors"]
    assert (error["extensions"]["code"], error["extensions"]["args"]["permission"]) == (
        "FIELD_FORBIDDEN",
        "Customer.industry",
    )
    listed = [{"id": rule_id, **rule, "scope": "all", "reason": "Trial"}]
    assert await owner.data(RULES) == {"accessRules": {"nodes": listed}}
    twice = await owner.refused(GRANT, **rule, reason="Trial")
    assert twice["code"] == "CONFLICT"
    await owner.done(REVOKE, id=rule_id, reason="Trial is over")
    assert await rep.data(INDUSTRIES) == whole


async def test_a_role_of_the_companys_own_is_listed(web: Web, cast: Cast) -> None:
    owner = await web.sign_up()
    made = await owner.done(CREATE, name="senior_rep", parent="rep", reason="Ladder")
    assert made["role"] == {"name": "senior_rep", "parent": "rep"}
    found = (await owner.data(ROLES))["roles"]["nodes"]
    assert {"name": "senior_rep", "parent": "rep", "isBuiltIn": False} in found
    assert {"name": "sales_manager", "parent": "rep", "isBuiltIn": True} in found
    assert [role["name"] for role in found] == sorted(role["name"] for role in found)
    assert "senior_rep" not in [role["name"] for role in (await cast.other.data(ROLES))["roles"]["nodes"]]
    assert (await owner.refused(CREATE, name="senior_rep", reason="Again"))["code"] == "CONFLICT"


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"object": "Customer.nothing"}, ["input", "object"]),
        ({"role": "nobody"}, ["input", "role"]),
        ({"reason": " "}, ["input", "reason"]),
    ],
)
async def test_a_right_that_makes_no_sense_is_refused(cast: Cast, wrong: dict[str, str], field: list[str]) -> None:
    asked = {"role": "rep", "action": "READ", "object": "Customer.name", "effect": "DENY", "reason": "Trial", **wrong}
    refused = await cast.owner.refused(GRANT, **asked)
    assert (refused["code"], refused["field"]) == ("BAD_USER_INPUT", field)
    assert await cast.owner.data(RULES) == {"accessRules": {"nodes": []}}


async def test_another_companys_rule_is_a_missing_one(web: Web, cast: Cast) -> None:
    owner = await web.sign_up()
    asked = {"role": "rep", "action": "DO", "object": "customer:assign", "reason": "Trial"}
    rule_id = (await owner.done(GRANT, **asked))["ruleId"]
    foreign = await cast.other.refused(REVOKE, id=rule_id, reason="Not mine")
    assert (foreign["code"], foreign["messageKey"]) == ("NOT_FOUND", "access.rule_not_found")
    assert [rule["id"] for rule in (await owner.data(RULES))["accessRules"]["nodes"]] == [rule_id]
