"""Sessions that end over HTTP: by refresh, by theft, by a new password; and how a client with an ended one gets in."""

from __future__ import annotations

import pytest

from tenants import DatabaseRole
from tests.api.rooms.test_api_sessions import ME, REFRESH
from tests.api.rooms.web import SIGN_IN, USER_ERRORS, Person, Web
from tests.companies import PASSWORD

CHANGE = f"mutation ($input: PasswordChangeInput!) {{ passwordChange(input: $input) {{ {USER_ERRORS} }} }}"
REVOKE_OTHERS = f"mutation {{ sessionRevokeOthers {{ ended {USER_ERRORS} }} }}"
NEW_PASSWORD = "another horse battery"
EXPIRE = """
UPDATE platform.session s SET access_expires_at = s.created_at FROM platform.account a
 WHERE a.id = s.account_id AND a.email = $1
"""
A_MINUTE_PASSES = """
UPDATE platform.refresh_token r SET used_at = used_at - interval '1 minute'
  FROM platform.session s JOIN platform.account a ON a.id = s.account_id WHERE s.id = r.session_id AND a.email = $1
"""


async def change_rows(web: Web, sql: str, email: str) -> None:
    async with web.installation.database.transaction(None, role=DatabaseRole.PLATFORM) as transaction:
        assert await transaction.execute(sql, email) > 0


async def refresh(person: Person, refresh_token: str) -> Person:
    """The same person with the next tokens."""
    tokens = (await person.done(REFRESH, refreshToken=refresh_token))["tokens"]
    assert tokens["refreshToken"] != refresh_token
    return Person(person.web, email=person.email, token=tokens["accessToken"], refresh_token=tokens["refreshToken"])


async def test_each_refresh_gives_the_next_tokens(web: Web) -> None:
    owner = await web.sign_up()
    second = await refresh(web.nobody, owner.refresh_token)
    third = await refresh(web.nobody, second.refresh_token)
    assert [await each.code(ME) for each in (owner, second)] == ["UNAUTHENTICATED"] * 2
    assert (await third.data(ME))["viewer"]["account"]["email"] == owner.email


async def test_a_refresh_token_shown_again_at_once_is_a_lost_answer(web: Web) -> None:
    owner = await web.sign_up()
    second = await refresh(web.nobody, owner.refresh_token)
    again = await web.nobody.refused(REFRESH, refreshToken=owner.refresh_token)
    assert (again["code"], again["messageKey"]) == ("CONFLICT", "identity.refresh_just_used")
    assert (await second.data(ME))["viewer"]["account"]["email"] == owner.email


async def test_a_refresh_token_shown_again_later_ends_the_whole_family(web: Web) -> None:
    owner = await web.sign_up()
    tablet = await web.nobody.signing_in(owner.email)
    second = await refresh(web.nobody, owner.refresh_token)
    third = await refresh(web.nobody, second.refresh_token)
    await change_rows(web, A_MINUTE_PASSES, owner.email)
    assert await web.nobody.code(REFRESH, input={"refreshToken": owner.refresh_token}) == "UNAUTHENTICATED"
    assert await third.code(ME) == "UNAUTHENTICATED"
    assert await web.nobody.code(REFRESH, input={"refreshToken": third.refresh_token}) == "UNAUTHENTICATED"
    assert (await tablet.data(ME))["viewer"]["account"]["email"] == owner.email


async def test_a_client_that_sends_its_expired_token_along_is_refreshed(web: Web) -> None:
    owner = await web.sign_up()
    await change_rows(web, EXPIRE, owner.email)
    stale = await refresh(web.nobody, owner.refresh_token)
    await change_rows(web, EXPIRE, owner.email)
    assert await stale.code(ME) == "UNAUTHENTICATED"
    fresh = await refresh(stale, stale.refresh_token)
    assert (await fresh.data(ME))["viewer"]["account"]["email"] == owner.email


@pytest.mark.parametrize("token", ["x" * 400, "fs_" + "A" * 22])
async def test_who_signs_in_with_an_unusable_token_beside_is_signed_in(web: Web, token: str) -> None:
    owner = await web.sign_up()
    again = await web.nobody.bearing(token).signing_in(owner.email)
    assert (await again.data(ME))["viewer"]["account"]["email"] == owner.email
    wrong = await web.nobody.bearing(token).refused(SIGN_IN, email=owner.email, password="no such password")
    assert wrong["code"] == "INVALID_CREDENTIALS"


async def test_an_unusable_token_is_ignored_by_fields_that_stand_alone_only(web: Web) -> None:
    owner = await web.sign_up()
    bearer = web.nobody.bearing("x" * 400)
    for query in (ME, "{ __typename }", "{ __schema { queryType { name } } }", REVOKE_OTHERS):
        assert await bearer.code(query) == "UNAUTHENTICATED"
    both = f'mutation {{ signIn(input: {{email: "{owner.email}", password: "{PASSWORD}"}}) {{ {USER_ERRORS} }} '
    assert await bearer.code(both + "signOut { sessionId } }") == "LIMIT_EXCEEDED"


async def test_a_new_password_ends_all_other_sessions(web: Web) -> None:
    owner = await web.sign_up()
    phone = await web.nobody.signing_in(owner.email)
    wrong = await phone.refused(CHANGE, password="no such password", newPassword=NEW_PASSWORD)
    assert wrong["code"] == "INVALID_CREDENTIALS"
    weak = await phone.refused(CHANGE, password=PASSWORD, newPassword="short")
    assert (weak["messageKey"], weak["field"]) == ("identity.password_too_short", ["input", "newPassword"])
    same = await phone.refused(CHANGE, password=PASSWORD, newPassword=PASSWORD)
    assert same["messageKey"] == "identity.password_unchanged"
    assert (await owner.data(ME))["viewer"]["account"]["email"] == owner.email
    await phone.done(CHANGE, password=PASSWORD, newPassword=NEW_PASSWORD)
    assert await owner.code(ME) == "UNAUTHENTICATED"
    assert await web.nobody.code(REFRESH, input={"refreshToken": owner.refresh_token}) == "UNAUTHENTICATED"
    assert (await phone.data(ME))["viewer"]["account"]["email"] == owner.email
    old = await web.nobody.refused(SIGN_IN, email=owner.email, password=PASSWORD)
    assert old["code"] == "INVALID_CREDENTIALS"
    assert (await web.nobody.signing_in(owner.email, NEW_PASSWORD)).account_id == owner.account_id


async def test_nobody_changes_no_password_and_ends_no_sessions(web: Web) -> None:
    asked = {"password": PASSWORD, "newPassword": NEW_PASSWORD}
    assert await web.nobody.code(CHANGE, input=asked) == "UNAUTHENTICATED"
    assert await web.nobody.code(REVOKE_OTHERS) == "UNAUTHENTICATED"


async def test_all_other_sessions_of_one_person_end_at_once(web: Web) -> None:
    owner, bystander = await web.sign_up(), await web.sign_up()
    others = [await web.nobody.signing_in(owner.email) for _ in range(2)]
    phone = await web.nobody.signing_in(owner.email)
    assert (await phone.data(REVOKE_OTHERS))["sessionRevokeOthers"] == {"ended": 3, "userErrors": []}
    assert [await each.code(ME) for each in (owner, *others)] == ["UNAUTHENTICATED"] * 3
    assert (await phone.data(REVOKE_OTHERS))["sessionRevokeOthers"] == {"ended": 0, "userErrors": []}
    for each in (phone, bystander):
        assert (await each.data(ME))["viewer"]["account"]["email"] == each.email
