"""Invitations, members, roles and sessions of a company, as four kinds of caller meet them."""

from __future__ import annotations

from tests.api.rooms.conftest import Cast
from tests.api.rooms.web import ACCEPT, INVITE, USER_ERRORS, Web

MEMBERS = (
    "{ members(first: 100) { nodes { accountId name employee { name } roles version } pageInfo { hasNextPage } } }"
)
INVITATIONS = "{ invitations(first: 100) { nodes { id email roles } } }"
SESSIONS = "{ sessions(first: 100) { nodes { id companyName isCurrent } } }"
REVOKE = f"mutation ($input: InvitationRevokeInput!) {{ invitationRevoke(input: $input) {{ {USER_ERRORS} }} }}"
ROLES = f"""
mutation ($input: MembershipRolesChangeInput!) {{ membershipRolesChange(input: $input) {{ version {USER_ERRORS} }} }}
"""
END = f"mutation ($input: MembershipEndInput!) {{ membershipEnd(input: $input) {{ accountId {USER_ERRORS} }} }}"
END_SESSION = f"mutation ($input: SessionRevokeInput!) {{ sessionRevoke(input: $input) {{ sessionId {USER_ERRORS} }} }}"
END_MEMBERS_SESSION = END_SESSION.replace("sessionRevoke(", "memberSessionRevoke(")
JOIN = f"mutation ($input: CompanyJoinInput!) {{ companyJoin(input: $input) {{ companyId {USER_ERRORS} }} }}"
SWITCH = f"""
mutation ($input: CompanySwitchInput!) {{
  companySwitch(input: $input) {{
    tokens {{ accessToken refreshToken }} viewer {{ account {{ id email }} company {{ id name }} employee {{ id }} }}
    {USER_ERRORS}
  }}
}}
"""
ME = "{ viewer { account { email } company { name } roles } }"


async def test_lists_are_for_those_who_manage_them(cast: Cast) -> None:
    for query in (MEMBERS, INVITATIONS, "{ memberSessions(first: 1) { nodes { id } } }"):
        assert await cast.nobody.code(query) == "UNAUTHENTICATED"
        assert await cast.rep.code(query) == "FORBIDDEN"
        assert "errors" not in await cast.owner.answer(query)


async def test_members_are_those_of_the_callers_company(web: Web, cast: Cast) -> None:
    owner = await web.sign_up()
    rep = await owner.invite("rep", name="李雷")
    found = (await owner.data(MEMBERS))["members"]
    assert [(node["accountId"], node["employee"]["name"], node["roles"]) for node in found["nodes"]] == [
        (owner.account_id, "韩梅梅", ["owner", "payroll_officer"]),
        (rep.account_id, "李雷", ["rep"]),
    ]
    assert found["pageInfo"] == {"hasNextPage": False}


async def test_pages_of_members_follow_each_other(web: Web) -> None:
    owner = await web.sign_up()
    rep = await owner.invite("rep")
    page = "members(first: 1, after: $after) { nodes { accountId } pageInfo { hasNextPage endCursor } }"
    query = f"query ($after: String) {{ {page} }}"
    first = (await owner.data(query))["members"]
    assert (first["nodes"], first["pageInfo"]["hasNextPage"]) == ([{"accountId": owner.account_id}], True)
    second = (await owner.data(query, after=first["pageInfo"]["endCursor"]))["members"]
    assert (second["nodes"], second["pageInfo"]["hasNextPage"]) == ([{"accountId": rep.account_id}], False)
    foreign = "query ($after: String) { invitations(first: 1, after: $after) { nodes { id } } }"
    assert await owner.code(foreign, after=first["pageInfo"]["endCursor"]) == "BAD_USER_INPUT"
    for size in (0, 101, -1):
        assert await owner.code(f"{{ members(first: {size}) {{ nodes {{ name }} }} }}") == "BAD_USER_INPUT"


async def test_invitation_is_withdrawn_and_then_as_good_as_none(web: Web, cast: Cast) -> None:
    owner = await web.sign_up()
    invited = await owner.done(INVITE, email="han@example.cn", roles=["rep"])
    id_ = invited["invitation"]["id"]
    listed = {"invitations": {"nodes": [{"id": id_, "email": "han@example.cn", "roles": ["rep"]}]}}
    assert await owner.data(INVITATIONS) == listed
    foreign = await cast.other.answer(REVOKE, input={"id": id_})
    missing = await cast.other.answer(REVOKE, input={"id": "inv_" + "0" * 32})
    assert foreign == missing
    assert foreign["data"]["invitationRevoke"]["userErrors"][0]["code"] == "NOT_FOUND"
    assert await owner.data(INVITATIONS) == listed
    await owner.done(REVOKE, id=id_)
    assert await owner.data(INVITATIONS) == {"invitations": {"nodes": []}}
    refused = await web.nobody.refused(ACCEPT, token=invited["token"], name="韩", password="correct horse battery")
    assert (refused["code"], refused["messageKey"]) == ("NOT_FOUND", "identity.invitation_not_valid")


async def test_another_companys_employee_is_a_missing_one(cast: Cast) -> None:
    foreign = await cast.owner.answer(
        INVITE, input={"email": "x@example.cn", "roles": ["rep"], "employeeId": cast.other.employee_id}
    )
    missing = await cast.owner.answer(
        INVITE, input={"email": "x@example.cn", "roles": ["rep"], "employeeId": "emp_" + "0" * 32}
    )
    assert foreign == missing
    (error,) = foreign["data"]["invitationCreate"]["userErrors"]
    assert (error["code"], error["field"]) == ("NOT_FOUND", ["input", "employeeId"])


async def test_only_an_owner_gives_administrative_roles(web: Web) -> None:
    owner = await web.sign_up()
    admin = await owner.invite("hr_admin", staff=False)
    before = await owner.data(INVITATIONS)
    assert await admin.code(INVITE, input={"email": "eve@example.cn", "roles": ["owner"]}) == "FORBIDDEN"
    assert await owner.data(INVITATIONS) == before


async def test_a_change_of_roles_acts_with_the_next_request(web: Web) -> None:
    owner = await web.sign_up()
    rep = await owner.invite("rep")
    assert await rep.code(MEMBERS) == "FORBIDDEN"
    stale = await owner.refused(ROLES, accountId=rep.account_id, roles=["hr_admin"], expectedVersion=7)
    assert (stale["code"], stale["args"]) == (
        "STALE_VERSION",
        [{"name": "expected", "value": "7"}, {"name": "actual", "value": "1"}],
    )
    assert await rep.code(MEMBERS) == "FORBIDDEN"
    changed = await owner.done(ROLES, accountId=rep.account_id, roles=["hr_admin"], expectedVersion=1)
    assert changed["version"] == 2
    assert len((await rep.data(MEMBERS))["members"]["nodes"]) == 2
    await owner.done(ROLES, accountId=rep.account_id, roles=["rep"], expectedVersion=2)
    assert await rep.code(MEMBERS) == "FORBIDDEN"


async def test_nobody_changes_their_own_roles_and_the_last_owner_stays(web: Web) -> None:
    owner = await web.sign_up()
    own = await owner.refused(ROLES, accountId=owner.account_id, roles=["rep"], expectedVersion=1)
    assert own["messageKey"] == "identity.own_roles_unchangeable"
    last = await owner.refused(END, accountId=owner.account_id, reason="Leaving")
    assert last["messageKey"] == "identity.last_owner"
    assert (await owner.data(ME))["viewer"]["roles"] == ["owner", "payroll_officer"]


async def test_an_ended_membership_ends_its_sessions_at_once(web: Web, cast: Cast) -> None:
    owner = await web.sign_up()
    rep = await owner.invite("rep")
    assert (await rep.data(ME))["viewer"]["roles"] == ["rep"]
    foreign = await cast.other.refused(END, accountId=rep.account_id, reason="Not mine")
    assert foreign["messageKey"] == "identity.not_a_member"
    assert (await rep.data(ME))["viewer"]["roles"] == ["rep"]
    await owner.done(END, accountId=rep.account_id, reason="Left the company")
    assert await rep.code(ME) == "UNAUTHENTICATED"


async def test_sessions_are_listed_and_ended(web: Web) -> None:
    owner = await web.sign_up("晨光销售")
    phone = await web.nobody.signing_in(owner.email)
    found = (await phone.data(SESSIONS))["sessions"]["nodes"]
    assert [(node["companyName"], node["isCurrent"]) for node in found] == [("晨光销售", True), ("晨光销售", False)]
    await phone.done(END_SESSION, id=found[1]["id"])
    assert await owner.code(ME) == "UNAUTHENTICATED"
    assert len((await phone.data(SESSIONS))["sessions"]["nodes"]) == 1
    again = await phone.refused(END_SESSION, id=found[1]["id"])
    assert again["code"] == "NOT_FOUND"


async def test_a_session_of_another_company_is_a_missing_one(cast: Cast) -> None:
    id_ = (await cast.other.data(SESSIONS))["sessions"]["nodes"][0]["id"]
    for mutation in (END_SESSION, END_MEMBERS_SESSION):
        foreign = await cast.owner.answer(mutation, input={"id": id_})
        missing = await cast.owner.answer(mutation, input={"id": "ses_" + "0" * 32})
        assert foreign == missing
    assert "errors" not in await cast.other.answer(ME)
    wrong = await cast.owner.refused(END_SESSION, id=cast.owner.employee_id)
    assert (wrong["code"], wrong["field"]) == ("WRONG_ID_TYPE", ["input", "id"])


async def test_one_person_joins_a_second_company_and_switches(web: Web) -> None:
    first, second = await web.sign_up("晨光销售"), await web.sign_up("远山贸易")
    token = (await second.done(INVITE, email=first.email, roles=["consultant"]))["token"]
    stranger = await second.refused(JOIN, token=token)
    assert stranger["messageKey"] == "identity.invitation_for_another"
    joined = await first.done(JOIN, token=token)
    assert joined["companyId"] == second.company_id
    listed = (await first.data("{ companies { name roles isCurrent } }"))["companies"]
    assert sorted(listed, key=lambda each: str(each["name"])) == [
        {"name": "晨光销售", "roles": ["owner", "payroll_officer"], "isCurrent": True},
        {"name": "远山贸易", "roles": ["consultant"], "isCurrent": False},
    ]
    switched = first.as_in(await first.done(SWITCH, companyId=second.company_id))
    assert (await switched.data(ME))["viewer"]["company"]["name"] == "远山贸易"
    assert await first.code(ME) == "UNAUTHENTICATED"
    nowhere = await switched.refused(SWITCH, companyId="com_" + "0" * 32)
    assert nowhere["code"] == "NOT_FOUND"
    assert (await switched.data(ME))["viewer"]["roles"] == ["consultant"]
