"""Sign-up, sign-in, refresh and sign-out over HTTP."""

from __future__ import annotations

from tests.api.rooms.web import USER_ERRORS, Web

REFRESH = f"""
mutation ($input: SessionRefreshInput!) {{
  sessionRefresh(input: $input) {{ tokens {{ accessToken refreshToken }} {USER_ERRORS} }}
}}
"""
SIGN_OUT = f"mutation {{ signOut {{ sessionId {USER_ERRORS} }} }}"
ME = "{ viewer { account { email } company { name } roles } }"


async def test_company_signs_up_and_its_owner_sees_themselves(web: Web) -> None:
    owner = await web.sign_up("晨光销售")
    assert (
        await owner.data("{ viewer { company { name timeZone currency locale preset } employee { name } roles } }")
    ) == {
        "viewer": {
            "company": {
                "name": "晨光销售",
                "timeZone": "Asia/Shanghai",
                "currency": "CNY",
                "locale": "zh-CN",
                "preset": "general",
            },
            "employee": {"name": "韩梅梅"},
            "roles": ["owner", "payroll_officer"],
        }
    }


async def test_owner_signs_in_refreshes_and_signs_out(web: Web) -> None:
    owner = await web.sign_up()
    again = await web.nobody.signing_in(owner.email)
    seen = {
        "viewer": {
            "account": {"email": owner.email},
            "company": {"name": "晨光销售"},
            "roles": ["owner", "payroll_officer"],
        }
    }
    assert await again.data(ME) == seen
    renewed = (await web.nobody.done(REFRESH, refreshToken=again.refresh_token))["tokens"]["accessToken"]
    assert await again.code(ME) == "UNAUTHENTICATED"
    assert await again.bearing(renewed).data(ME) == seen
    ended = (await again.bearing(renewed).data(SIGN_OUT))["signOut"]
    assert ended["sessionId"].startswith("ses_")
    assert await again.bearing(renewed).code(ME) == "UNAUTHENTICATED"
    assert await owner.data(ME) == seen
