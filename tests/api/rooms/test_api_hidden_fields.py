"""What a pool hides (P36, P37) is hidden wherever it could show, from all who don't administer pools (L16)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.api.live import socket_to
from tests.api.rooms.test_api_pool_ledger import LEDGER, UPDATE, claim, pool_of, release
from tests.api.rooms.web import USER_ERRORS, Person, Web

FIELDS = "id name shortName contactName districtName phone { masked value }"
ONE = f"query ($id: ID!) {{ customer(id: $id) {{ {FIELDS} }} node(id: $id) {{ ... on Customer {{ contactName }} }} }}"
LIST = f"query {{ customers(first: 5) {{ totalCount nodes {{ {FIELDS} }} }} }}"
WHOLE = {
    "name": "蓝海科技",
    "shortName": "蓝海",
    "contactName": "王芳",
    "districtName": "朝阳区",
    "phone": {"masked": "138****8000", "value": "13800138000"},
}
HIDDEN = {**WHOLE, "shortName": None, "contactName": None, "districtName": None}
HIDES = {"hidesShortName": True, "hidesContactName": True, "hidesDistrict": True}


async def configure(owner: Person, **settings: Any) -> None:
    pool = await pool_of(owner)
    await owner.done(UPDATE, id=pool["id"], expectedVersion=pool["version"], **settings)


async def shown(person: Person, customer_id: str) -> tuple[dict[str, Any], set[tuple[str, str]]]:
    """The customer as the person sees it by id, and what is refused: places and sentences."""
    body = await person.answer(f"query ($id: ID!) {{ customer(id: $id) {{ {FIELDS} }} }}", id=customer_id)
    found = dict(body["data"]["customer"])
    assert found.pop("id") == customer_id
    errors = {(".".join(each["path"]), each["extensions"]["messageKey"]) for each in body.get("errors", ())}
    assert {each["extensions"]["code"] for each in body.get("errors", ())} <= {"FIELD_FORBIDDEN"}
    return found, errors


@pytest.fixture
async def pooled(web: Web) -> tuple[Person, Person, str]:
    """An owner, a rep, and a customer of the pool with all that can be hidden."""
    owner = await web.sign_up()
    rep = await owner.invite("rep", name="李雷")
    customer_id = await owner.create_customer(
        "蓝海科技",
        shortName="蓝海",
        contactName="王芳",
        phone="13800138000",
        districtCode="110105",
        districtName="朝阳区",
    )
    return owner, rep, customer_id


Pooled = tuple[Person, Person, str]
PLACE = "customer.phone.value"
NOT_MINE, HIDDEN_BY_POOL = (PLACE, "reads.field_forbidden_in_row"), (PLACE, "customers.hidden_in_pool")


async def test_a_number_is_masked_until_the_claim_unless_the_pool_says_otherwise(pooled: Pooled) -> None:
    owner, rep, customer_id = pooled
    masked = {**WHOLE, "phone": {"masked": "138****8000", "value": None}}
    assert await shown(rep, customer_id) == (masked, {NOT_MINE})
    assert await shown(owner, customer_id) == (WHOLE, set())
    await claim(rep, customer_id)
    assert await shown(rep, customer_id) == (WHOLE, set())
    await configure(owner, phoneMasking="BEFORE_AND_AFTER")
    assert await shown(rep, customer_id) == (masked, {HIDDEN_BY_POOL})
    assert await shown(owner, customer_id) == (WHOLE, set())


async def test_a_hidden_number_is_absent_where_none_is_masked(pooled: Pooled) -> None:
    owner, rep, customer_id = pooled
    await configure(owner, phoneMasking="NEVER")
    absent, errors = await shown(rep, customer_id)
    assert (absent["phone"], errors) == (None, {("customer.phone", "customers.hidden_in_pool")})
    await configure(owner, hidesPhone=False)
    found, errors = await shown(rep, customer_id)
    assert found["phone"] == {"masked": "138****8000", "value": None}
    assert errors == {NOT_MINE}


async def test_hidden_fields_are_hidden_by_every_way_to_them(pooled: Pooled) -> None:
    owner, rep, customer_id = pooled
    await configure(owner, **HIDES)
    hidden = {**HIDDEN, "phone": {"masked": "138****8000", "value": None}}
    body = await rep.answer(ONE, id=customer_id)
    assert body["data"]["customer"] == {"id": customer_id, **hidden}
    assert body["data"]["node"] == {"contactName": None}
    body = await rep.answer(LIST)
    assert body["data"]["customers"] == {"totalCount": 1, "nodes": [{"id": customer_id, **hidden}]}
    assert "王芳" not in str(body)
    assert (await owner.data(LIST))["customers"]["nodes"] == [{"id": customer_id, **WHOLE}]


async def test_hidden_fields_answer_no_filter_and_no_group(pooled: Pooled) -> None:
    owner, rep, customer_id = pooled
    filters = ('{districtCode: {eq: "110105"}}', '{phone: {eq: "13800138000"}}')
    found = "{ customers(first: 5, filter: FILTER) { totalCount nodes { id } } }"
    groups = "{ customerGroups(first: 5, groupBy: DISTRICT_CODE) { nodes { key count } } }"
    before = [(await owner.data(found.replace("FILTER", each)))["customers"]["totalCount"] for each in filters]
    assert before == [1, 1]
    assert (await rep.data(groups))["customerGroups"]["nodes"] == [{"key": "110105", "count": 1}]
    await configure(owner, **HIDES)
    for each in filters:
        wrong = each.replace("110105", "999999").replace("13800138000", "13900139000")
        assert await rep.answer(found.replace("FILTER", each)) == await rep.answer(found.replace("FILTER", wrong))
        assert (await owner.data(found.replace("FILTER", each)))["customers"]["nodes"] == [{"id": customer_id}]
    assert (await rep.data(groups))["customerGroups"]["nodes"] == [{"key": None, "count": 1}]


async def test_hidden_fields_show_in_no_refusal_payload_or_ledger(pooled: Pooled) -> None:
    owner, rep, customer_id = pooled
    await configure(owner, **HIDES)
    create = f"mutation ($input: CustomerCreateInput!) {{ customerCreate(input: $input) {{ {USER_ERRORS} }} }}"
    refusals = [
        await rep.refused(create, idempotencyKey="a", name="别的公司", phone="13800138000", keep=False),
        await rep.refused(create, idempotencyKey="b", name="蓝海科技", keep=False),
    ]
    ledger = "{ poolLedger(first: 5) { nodes { customerLabel customer { contactName shortName } } } }"
    await claim(rep, customer_id)
    colleague = await owner.invite("rep", name="韩雪")
    seen = [*refusals, await colleague.answer(ledger)]
    for word in ("王芳", "朝阳", "110105", '蓝海"'):
        assert word not in str(seen)
    assert (await rep.data(ledger))["poolLedger"]["nodes"][0]["customer"] == {
        "contactName": "王芳",
        "shortName": "蓝海",
    }


async def test_hidden_fields_are_hidden_in_what_is_told_live(web: Web, pooled: Pooled) -> None:
    owner, rep, customer_id = pooled
    await configure(owner, **HIDES)
    await claim(rep, customer_id)
    (line,) = (await owner.data(LEDGER))["poolLedger"]["nodes"]
    query = "subscription ($after: ID) { poolLedgerLine(after: $after) { customer { name contactName } } }"
    async with socket_to(web.client) as socket:
        await socket.init(rep.token)
        await socket.subscribe(query, after=line["id"])
        await release(rep, customer_id, "无法联系")
        payload = (await socket.hear())["payload"]
        assert payload["data"] == {"poolLedgerLine": {"customer": {"name": "蓝海科技", "contactName": None}}}
        (error,) = payload["errors"]
        assert (error["path"], error["extensions"]["messageKey"]) == (
            ["poolLedgerLine", "customer", "contactName"],
            "customers.hidden_in_pool",
        )


async def test_no_door_gives_the_whole_pool_at_once(web: Web, pooled: Pooled) -> None:
    """L29: there is no export; a list is a page of a hundred at most, with what is hidden hidden, and costs points."""
    _, rep, _ = pooled
    schema = web.installation.product.schema
    doors = {*schema.queries, *schema.mutations, *schema.registry.roots_by_name}
    assert not [name for name in doors if "export" in name.lower() or "download" in name.lower()]
    assert await rep.code("{ customers(first: 101) { nodes { id } } }") == "BAD_USER_INPUT"
    page = await rep.post("{ customers(first: 100) { nodes { id } } }")
    assert page.json()["extensions"]["cost"]["actual"] >= 100
