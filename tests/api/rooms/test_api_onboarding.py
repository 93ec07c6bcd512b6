"""Sign-up, invitations and switching over HTTP, where the same person comes twice."""

from __future__ import annotations

import secrets
from typing import Any

from tests.api.rooms.test_api_members import INVITATIONS, ME, SWITCH
from tests.api.rooms.test_api_sessions import REFRESH
from tests.api.rooms.web import ACCEPT, INVITE, SIGN_UP, Web
from tests.companies import PASSWORD

COMPANIES = "{ companies { name roles isCurrent } }"
CUSTOMERS = "{ customers(first: 5) { nodes { name } } }"


def sign_up_of(email: str, **changes: str) -> dict[str, Any]:
    """The input of a sign-up with a key of its own."""
    return {
        "idempotencyKey": secrets.token_hex(8),
        "company": "晨光销售",
        "ownerName": "韩梅梅",
        "email": email,
        "password": PASSWORD,
        "preset": "general",
        **changes,
    }


async def test_a_repeated_sign_up_gives_the_same_company_and_a_new_session(web: Web) -> None:
    asked = sign_up_of(f"owner-{secrets.token_hex(4)}@example.cn")
    first = await web.nobody.done(SIGN_UP, **asked)
    again = await web.nobody.done(SIGN_UP, **asked)
    assert (first["replayed"], again["replayed"]) == (False, True)
    assert again["viewer"] == first["viewer"]
    assert again["tokens"]["accessToken"] != first["tokens"]["accessToken"]
    owners = [web.nobody.as_in(payload) for payload in (first, again)]
    for owner in owners:
        assert (await owner.data(COMPANIES))["companies"] == [
            {"name": "晨光销售", "roles": ["owner", "payroll_officer"], "isCurrent": True}
        ]


async def test_a_sign_ups_key_serves_no_other_body_and_no_other_password(web: Web) -> None:
    asked = sign_up_of(f"owner-{secrets.token_hex(4)}@example.cn")
    owner = web.nobody.as_in(await web.nobody.done(SIGN_UP, **asked))
    other = await web.nobody.refused(SIGN_UP, **{**asked, "company": "远山贸易"})
    assert other["code"] == "IDEMPOTENCY_KEY_REUSED"
    thief = await web.nobody.refused(SIGN_UP, **{**asked, "password": "a guess of somebody"})
    assert thief["code"] == "INVALID_CREDENTIALS"
    assert [each["name"] for each in (await owner.data(COMPANIES))["companies"]] == ["晨光销售"]


async def test_an_existing_account_founds_a_second_company_with_its_own_password(web: Web) -> None:
    owner = await web.sign_up("晨光销售")
    asked = sign_up_of(owner.email, company="远山贸易")
    refused = await web.nobody.refused(SIGN_UP, **{**asked, "password": "a guess of somebody"})
    assert refused["code"] == "INVALID_CREDENTIALS"
    second = web.nobody.as_in(await web.nobody.done(SIGN_UP, **asked))
    assert second.account_id == owner.account_id
    assert second.company_id != owner.company_id
    assert {each["name"] for each in (await owner.data(COMPANIES))["companies"]} == {"晨光销售", "远山贸易"}


async def test_a_company_chooses_its_currency(web: Web) -> None:
    email = f"owner-{secrets.token_hex(4)}@example.cn"
    refused = await web.nobody.refused(SIGN_UP, **sign_up_of(email, currency="RMB"))
    assert (refused["code"], refused["field"]) == ("BAD_USER_INPUT", ["input", "currency"])
    owner = web.nobody.as_in(await web.nobody.done(SIGN_UP, **sign_up_of(email, currency="JPY")))
    assert await owner.data("{ viewer { company { currency } } }") == {"viewer": {"company": {"currency": "JPY"}}}


async def test_an_unknown_preset_founds_nothing(web: Web) -> None:
    email = f"owner-{secrets.token_hex(4)}@example.cn"
    refused = await web.nobody.refused(SIGN_UP, **sign_up_of(email, preset="circus"))
    assert (refused["code"], refused["field"]) == ("BAD_USER_INPUT", ["input", "preset"])
    assert (await web.nobody.done(SIGN_UP, **sign_up_of(email)))["replayed"] is False


async def test_an_existing_account_accepts_with_its_own_password_only(web: Web) -> None:
    guest, owner = await web.sign_up("远山贸易"), await web.sign_up("晨光销售")
    invited = await owner.done(INVITE, email=guest.email, roles=["consultant"])
    listed = await owner.data(INVITATIONS)
    wrong = await web.nobody.refused(ACCEPT, token=invited["token"], name="别人", password="a guess of somebody")
    assert wrong["code"] == "INVALID_CREDENTIALS"
    assert await owner.data(INVITATIONS) == listed
    accepted = await web.nobody.done(ACCEPT, token=invited["token"], name="别人", password=PASSWORD)
    come = web.nobody.as_in(accepted)
    assert (come.account_id, come.company_id) == (guest.account_id, owner.company_id)
    assert (await come.data("{ viewer { account { name } roles } }"))["viewer"] == {
        "account": {"name": "韩梅梅"},
        "roles": ["consultant"],
    }
    assert {each["name"] for each in (await guest.data(COMPANIES))["companies"]} == {"晨光销售", "远山贸易"}
    again = await web.nobody.refused(ACCEPT, token=invited["token"], name="别人", password=PASSWORD)
    assert again["messageKey"] == "identity.invitation_not_valid"


async def test_roles_that_do_not_exist_are_refused_with_those_that_do(web: Web) -> None:
    owner = await web.sign_up()
    refused = await owner.refused(INVITE, email="new@example.cn", roles=["salesmanager"])
    assert (refused["code"], refused["messageKey"]) == ("BAD_USER_INPUT", "identity.role_unknown")
    assert refused["field"] == ["input", "roles"]
    known = "auditor, consultant, hr_admin, owner, partner_app, payroll_officer, rep, sales_manager"
    assert refused["args"] == [{"name": "roles", "value": "salesmanager"}, {"name": "known", "value": known}]
    assert await owner.data(INVITATIONS) == {"invitations": {"nodes": []}}


async def test_switching_there_and_back_shows_each_company_its_own(web: Web) -> None:
    first = await web.sign_up("晨光销售")
    asked = sign_up_of(first.email, company="远山贸易")
    second_id = web.nobody.as_in(await web.nobody.done(SIGN_UP, **asked)).company_id
    await first.create_customer("华阳")
    there = first.as_in(await first.done(SWITCH, companyId=second_id))
    assert (await there.data(ME))["viewer"]["company"]["name"] == "远山贸易"
    assert await there.data(CUSTOMERS) == {"customers": {"nodes": []}}
    assert await first.code(CUSTOMERS) == "UNAUTHENTICATED"
    assert await web.nobody.code(REFRESH, input={"refreshToken": first.refresh_token}) == "UNAUTHENTICATED"
    back = there.as_in(await there.done(SWITCH, companyId=first.company_id))
    assert await back.data(CUSTOMERS) == {"customers": {"nodes": [{"name": "华阳"}]}}
    assert await there.code(ME) == "UNAUTHENTICATED"
    stranger = await web.sign_up("别的公司")
    foreign = await back.refused(SWITCH, companyId=stranger.company_id)
    missing = await back.refused(SWITCH, companyId="com_" + "0" * 32)
    assert foreign == missing
    assert (await back.data(ME))["viewer"]["company"]["name"] == "晨光销售"
