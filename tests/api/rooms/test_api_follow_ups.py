"""Follow-ups over HTTP, customers named by another system's key, and what the duplicate check tells."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime, timedelta
from typing import Any

from tenants import DatabaseRole
from tests.api.rooms.conftest import Cast
from tests.api.rooms.test_api_claims import CLAIM, RELEASE
from tests.api.rooms.web import CREATE, USER_ERRORS, Person, Web

FOLLOW_UP = f"""
mutation ($input: FollowUpCreateInput!) {{
  followUpCreate(input: $input) {{ replayed followUp {{ id kind content customer {{ id }} }} {USER_ERRORS} }}
}}
"""
FOLLOW_UPS = "query ($id: ID!) { customer(id: $id) { lastFollowUpAt followUps(first: 5) { nodes { content } } } }"


def about(customer: dict[str, Any], **values: Any) -> dict[str, Any]:
    """The input of a follow-up with a key of its own."""
    return {
        "idempotencyKey": secrets.token_hex(8),
        "customer": customer,
        "kind": "CALL",
        "content": "谈妥下周见面",
        **values,
    }


async def own_customer(person: Person, **more: Any) -> str:
    return await person.create_customer(f"客户{secrets.token_hex(4)}", keep=True, **more)


async def test_a_follow_up_is_recorded_once(cast: Cast) -> None:
    customer_id = await own_customer(cast.rep)
    asked = about({"id": customer_id})
    made = await cast.rep.done(FOLLOW_UP, **asked)
    assert made["followUp"] == {
        "id": made["followUp"]["id"],
        "kind": "CALL",
        "content": "谈妥下周见面",
        "customer": {"id": customer_id},
    }
    assert await cast.rep.done(FOLLOW_UP, **asked) == {**made, "replayed": True}
    other_body = await cast.rep.refused(FOLLOW_UP, **{**asked, "content": "别的"})
    assert other_body["code"] == "IDEMPOTENCY_KEY_REUSED"
    found = (await cast.rep.data(FOLLOW_UPS, id=customer_id))["customer"]
    assert found["followUps"]["nodes"] == [{"content": "谈妥下周见面"}]


async def test_follow_ups_that_can_not_be_are_refused_and_leave_nothing(cast: Cast) -> None:
    own = await own_customer(cast.rep)
    pooled = await cast.owner.create_customer(f"客户{secrets.token_hex(4)}")
    hidden = await own_customer(cast.owner)
    foreign = await cast.other.create_customer(f"远山客户{secrets.token_hex(4)}")
    tomorrow = (datetime.now(UTC) + timedelta(days=1)).isoformat()
    for customer_id, values, code, field in (
        (own, {"content": " "}, "BAD_USER_INPUT", "content"),
        (own, {"content": "长" * 4001}, "BAD_USER_INPUT", "content"),
        (own, {"occurredAt": tomorrow}, "BAD_USER_INPUT", "occurredAt"),
        (pooled, {}, "RULE_REFUSED", "customer"),
        (hidden, {}, "NOT_FOUND", "customer"),
        (foreign, {}, "NOT_FOUND", "customer"),
        ("cus_" + "0" * 32, {}, "NOT_FOUND", "customer"),
    ):
        refused = await cast.rep.refused(FOLLOW_UP, **about({"id": customer_id}, **values))
        assert (refused["code"], refused["field"]) == (code, ["input", field])
    nothing: dict[str, Any] = {"customer": {"lastFollowUpAt": None, "followUps": {"nodes": []}}}
    assert await cast.rep.data(FOLLOW_UPS, id=own) == nothing
    for customer_id in (pooled, hidden):
        assert await cast.owner.data(FOLLOW_UPS, id=customer_id) == nothing
    assert await cast.rep.code(FOLLOW_UP, input=about({"id": own}, kind="SHOUT")) == "BAD_USER_INPUT"
    assert await cast.nobody.code(FOLLOW_UP, input=about({"id": own})) == "UNAUTHENTICATED"


async def test_a_customer_is_named_by_another_systems_key(cast: Cast) -> None:
    key = secrets.token_hex(4)
    external = {"system": "crm", "key": key}
    customer_id = await cast.owner.create_customer(f"客户{key}", external=external)
    claimed = await cast.rep.done(CLAIM, idempotencyKey=secrets.token_hex(8), customer={"external": external})
    assert claimed["customer"] == {"id": customer_id, "owner": {"name": "李雷"}}
    assert (await cast.rep.done(FOLLOW_UP, **about({"external": external})))["followUp"]["customer"] == {
        "id": customer_id
    }
    released = {"idempotencyKey": secrets.token_hex(8), "customer": {"external": external}, "reason": "无法联系"}
    await cast.rep.done(RELEASE, **released)


async def test_a_key_that_names_nothing_here_is_a_missing_customer(cast: Cast) -> None:
    theirs = {"system": "crm", "key": secrets.token_hex(4)}
    await cast.other.create_customer(f"远山客户{secrets.token_hex(4)}", external=theirs)
    for external in (theirs, {**theirs, "system": "erp"}, {**theirs, "key": ""}):
        refused = await cast.rep.refused(FOLLOW_UP, **about({"external": external}))
        assert (refused["code"], refused["field"]) == ("NOT_FOUND", ["input", "customer", "external"])
    both = about({"id": "cus_" + "0" * 32, "external": theirs})
    for wrong in (both, about({}), about({"id": None})):
        assert await cast.rep.code(FOLLOW_UP, input=wrong) == "BAD_USER_INPUT"


async def test_a_duplicate_key_is_refused(cast: Cast) -> None:
    external = {"system": "crm", "key": secrets.token_hex(4)}
    await cast.owner.create_customer(f"客户{external['key']}", external=external)
    again = await cast.owner.refused(CREATE, idempotencyKey=secrets.token_hex(8), name="别的名字", external=external)
    assert (again["code"], again["messageKey"]) == ("CONFLICT", "customers.exists_by_key")
    assert again["field"] == ["input", "external"]


async def told(web: Web, person: Person) -> list[tuple[str, str]]:
    """Action and outcome of what the company's trail says about the person's duplicate checks."""
    async with web.installation.database.transaction(None, role=DatabaseRole.PLATFORM) as transaction:
        tenant_id = await transaction.fetchval(
            "SELECT m.tenant_id FROM platform.membership m JOIN platform.account a ON a.id = m.account_id"
            " WHERE a.email = $1",
            person.email,
        )
        await transaction.bind_tenant(tenant_id)
        rows = await transaction.fetch(
            "SELECT e.action, e.outcome FROM audit_entry e JOIN platform.account a ON a.id = e.account_id"
            " WHERE a.email = $1 AND e.action LIKE 'customer.%' ORDER BY e.at, e.id",
            person.email,
        )
    return [(row["action"], row["outcome"]) for row in rows]


async def test_a_hidden_duplicate_is_told_audited_and_no_more(web: Web) -> None:
    owner = await web.sign_up()
    rep, other = await owner.invite("rep", name="李雷"), await owner.invite("rep", name="王芳")
    await other.create_customer("华阳科技", keep=True, phone="13812345678")
    asked = {"idempotencyKey": secrets.token_hex(8), "name": "别名", "phone": "13812345678"}
    refused = await rep.refused(CREATE, **asked)
    assert (refused["code"], refused["messageKey"]) == ("CONFLICT", "customers.exists_owned")
    assert (refused["field"], refused["args"]) == (["input", "phone"], [{"name": "owner", "value": "王芳"}])
    assert await rep.refused(CREATE, **asked) == refused
    assert await told(web, rep) == [("customer.duplicate_check", "refused")] * 2
    assert await rep.data("{ customers(first: 5) { nodes { name } } }") == {"customers": {"nodes": []}}


async def test_a_used_up_duplicate_check_is_a_user_error(web: Web) -> None:
    owner = await web.sign_up()
    await owner.create_customer("华阳科技")
    again = {"name": "华阳科技"}
    await owner.refused(CREATE, idempotencyKey=secrets.token_hex(8), **again)
    async with web.installation.database.transaction(None, role=DatabaseRole.PLATFORM) as transaction:
        found = await transaction.fetchval("SELECT id FROM platform.account WHERE email = $1", owner.email)
        await transaction.bind_tenant(
            await transaction.fetchval("SELECT tenant_id FROM platform.membership WHERE account_id = $1", found)
        )
        assert await transaction.execute("UPDATE refused_check_count SET refusals = 100 WHERE account_id = $1", found)
    refused = await owner.refused(CREATE, idempotencyKey=secrets.token_hex(8), **again)
    assert (refused["code"], refused["messageKey"]) == ("LIMIT_REACHED", "customers.duplicate_checks_used_up")
    assert "100" in refused["message"]
