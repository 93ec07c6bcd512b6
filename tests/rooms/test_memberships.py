"""Invitations and memberships: who comes in, with which roles, and how it ends."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from uuid import UUID

import pytest

from saas.identity import (
    Invited,
    OpenedSession,
    SessionTokens,
    change_roles,
    create_invitation,
    end_membership,
    end_membership_of_employee,
    list_invitations,
    list_member_sessions,
    list_members,
    revoke_invitation,
    revoke_member_session,
    switch_company,
)
from saas.identity.errors import (
    AccessUntilPast,
    AlreadyMember,
    CredentialsRefused,
    InvitationForAnother,
    InvitationNotValid,
    InvitationOpen,
    LastOwner,
    MembershipChanged,
    NotAMember,
    OwnRolesUnchangeable,
    PasswordTooWeak,
    RolesNotGrantable,
    RoleUnknown,
)
from saas.kernel import Actor, FrozenClock, new_id
from saas.onboarding import accept_invitation, join_company
from tenants import Database, DatabaseRole, TenantQuotaExceeded
from tests.companies import HERE, PASSWORD, actor_of, cheap_passwords, check, enter, found, platform_rows, trail

GUEST = "zhang@chenguang.cn"


@pytest.fixture
async def owner(directory: Database, clock: FrozenClock) -> Actor:
    """The owner of 晨光销售."""
    return await actor_of(directory, clock, (await found(directory, clock)).tokens.access_token)


async def test_invited_person_comes_in_with_a_new_account(
    directory: Database, clock: FrozenClock, owner: Actor
) -> None:
    tokens = await bring_in(directory, owner, clock, roles=["rep"])
    actor = await actor_of(directory, clock, tokens.access_token)
    assert (actor.tenant_id, actor.roles) == (owner.tenant_id, frozenset({"rep"}))
    async with directory.transaction(owner.tenant_id, role=DatabaseRole.PLATFORM):
        members = await list_members(owner, now=clock.now())
        assert await list_invitations(owner, now=clock.now()) == ()
    assert {(member.email, member.name, member.roles) for member in members} == {
        ("li@chenguang.cn", "李明", ("owner", "payroll_officer")),
        (GUEST, "张伟", ("rep",)),
    }
    assert await trail(directory, owner.tenant_id) == [
        "company.signed_up",
        "invitation.accepted",
        "invitation.created",
        "membership.granted",
        "people.company_founded",
        "salary_structure.saved",
        "session.started",
        "session.started",
    ]
    await enter(directory, clock, email=GUEST)


async def test_invitation_for_somebody_on_the_staff_ties_the_account_to_them(
    directory: Database, clock: FrozenClock, owner: Actor
) -> None:
    assert owner.employee_id is not None
    async with directory.transaction(owner.tenant_id, role=DatabaseRole.PLATFORM) as transaction:
        employee_id: UUID = await transaction.fetchval(
            "INSERT INTO employee SELECT (jsonb_populate_record(e, jsonb_build_object("
            "'id', gen_random_uuid(), 'number', '0002', 'account_id', NULL))).* FROM employee e RETURNING id"
        )
    invited = await invite(directory, owner, clock, roles=["rep"], employee_id=employee_id)
    tokens = await accept(directory, clock, invited.token)
    assert (await actor_of(directory, clock, tokens.access_token)).employee_id == employee_id
    async with directory.transaction(owner.tenant_id) as transaction:
        linked = await transaction.fetchval("SELECT account_id FROM employee WHERE id = $1", employee_id)
    assert linked == tokens.account_id


async def test_invitation_serves_once(directory: Database, clock: FrozenClock, owner: Actor) -> None:
    invited = await invite(directory, owner, clock)
    await accept(directory, clock, invited.token)
    with pytest.raises(InvitationNotValid):
        await accept(directory, clock, invited.token)
    assert await members(directory, owner) == 2


@pytest.mark.parametrize("way", ["expired", "withdrawn", "unknown", "malformed"])
async def test_closed_invitation_lets_nobody_in(
    directory: Database, clock: FrozenClock, owner: Actor, way: str
) -> None:
    invited = await invite(directory, owner, clock)
    token = {"unknown": "fi_" + "A" * 22, "malformed": "fi_"}.get(way, invited.token)
    if way == "expired":
        clock.advance(timedelta(days=7))
    if way == "withdrawn":
        async with directory.transaction(owner.tenant_id, role=DatabaseRole.PLATFORM):
            await revoke_invitation(owner, invitation_id=invited.id, clock=clock)
    with pytest.raises(InvitationNotValid) as refused:
        await accept(directory, clock, token)
    assert (refused.value.key, refused.value.values) == ("identity.invitation_not_valid", {})
    assert await members(directory, owner) == 1
    assert len(await platform_rows(directory, "SELECT id FROM platform.account")) == 1


async def test_address_has_one_open_invitation_until_it_expires(
    directory: Database, clock: FrozenClock, owner: Actor
) -> None:
    await invite(directory, owner, clock)
    with pytest.raises(InvitationOpen):
        await invite(directory, owner, clock, email=GUEST.upper())
    clock.advance(timedelta(days=7))
    await accept(directory, clock, (await invite(directory, owner, clock)).token)


async def test_weak_password_leaves_the_invitation_open(directory: Database, clock: FrozenClock, owner: Actor) -> None:
    invited = await invite(directory, owner, clock)
    with pytest.raises(PasswordTooWeak):
        await accept(directory, clock, invited.token, password="short")
    await accept(directory, clock, invited.token)


async def test_existing_account_comes_in_with_its_own_password_only(
    directory: Database, clock: FrozenClock, owner: Actor
) -> None:
    wang = await found(directory, clock, company="远山贸易", email="wang@yuanshan.cn")
    invited = await invite(directory, owner, clock, email="wang@yuanshan.cn", roles=["consultant"])
    with pytest.raises(CredentialsRefused):
        await accept(directory, clock, invited.token, password="a guess of somebody")
    assert await members(directory, owner) == 1
    tokens = await accept(directory, clock, invited.token)
    assert (tokens.account_id, tokens.tenant_id) == (wang.account_id, owner.tenant_id)


async def test_signed_in_person_joins_and_then_switches(directory: Database, clock: FrozenClock, owner: Actor) -> None:
    wang = await found(directory, clock, company="远山贸易", email="wang@yuanshan.cn")
    guest = await actor_of(directory, clock, wang.tokens.access_token)
    invited = await invite(directory, owner, clock, email="wang@yuanshan.cn", roles=["consultant"])
    async with directory.transaction(guest.tenant_id, role=DatabaseRole.PLATFORM) as transaction:
        assert await join_company(guest, token=invited.token, clock=clock) == owner.tenant_id
        assert transaction.tenant_id == guest.tenant_id
    assert (await actor_of(directory, clock, wang.tokens.access_token)).tenant_id == wang.tenant_id
    async with directory.transaction(guest.tenant_id, role=DatabaseRole.PLATFORM):
        opened: OpenedSession = await switch_company(guest, tenant_id=owner.tenant_id, origin=HERE, clock=clock)
    assert opened.actor.roles == frozenset({"consultant"})


async def test_invitation_of_another_address_is_refused(directory: Database, clock: FrozenClock, owner: Actor) -> None:
    wang = await found(directory, clock, company="远山贸易", email="wang@yuanshan.cn")
    guest = await actor_of(directory, clock, wang.tokens.access_token)
    invited = await invite(directory, owner, clock)
    with pytest.raises(InvitationForAnother):
        async with directory.transaction(guest.tenant_id, role=DatabaseRole.PLATFORM):
            await join_company(guest, token=invited.token, clock=clock)
    assert await members(directory, owner) == 1


async def test_membership_with_an_end_ends(directory: Database, clock: FrozenClock, owner: Actor) -> None:
    until = clock.now() + timedelta(minutes=5)
    tokens = await accept(
        directory, clock, (await invite(directory, owner, clock, roles=["consultant"], access_until=until)).token
    )
    clock.advance(timedelta(minutes=5) - timedelta(microseconds=1))
    assert await check(directory, clock, tokens.access_token) is not None
    clock.advance(timedelta(microseconds=1))
    assert await check(directory, clock, tokens.access_token) is None
    with pytest.raises(AccessUntilPast):
        await invite(directory, owner, clock, access_until=until)


async def test_seats_are_limited_by_the_quota(directory: Database, clock: FrozenClock, owner: Actor) -> None:
    async with directory.transaction(None, role=DatabaseRole.PLATFORM) as transaction:
        await transaction.execute("UPDATE platform.tenant SET quotas = '{\"seats\": 1}' WHERE id = $1", owner.tenant_id)
    invited = await invite(directory, owner, clock)
    with pytest.raises(TenantQuotaExceeded) as refused:
        await accept(directory, clock, invited.token)
    assert refused.value.key == "tenants.quota_exceeded.seats"
    assert refused.value.values == {"limit": 1, "used": 1, "adding": 1}
    assert await members(directory, owner) == 1
    assert len(await platform_rows(directory, "SELECT id FROM platform.account")) == 1


async def test_only_an_owner_invites_administrators(directory: Database, clock: FrozenClock, owner: Actor) -> None:
    tokens = await bring_in(directory, owner, clock, roles=["hr_admin"])
    hr_admin = await actor_of(directory, clock, tokens.access_token)
    with pytest.raises(RolesNotGrantable) as refused:
        await invite(directory, hr_admin, clock, email="friend@chenguang.cn", roles=["owner", "rep"])
    assert refused.value.values["roles"] == "owner"
    await invite(directory, hr_admin, clock, email="new@chenguang.cn", roles=["rep", "sales_manager"])


async def test_roles_that_the_company_does_not_have_are_refused(
    directory: Database, clock: FrozenClock, owner: Actor
) -> None:
    tokens = await bring_in(directory, owner, clock, roles=["rep"])
    before = await platform_rows(directory, "SELECT id, roles, version FROM platform.membership ORDER BY id")
    trail_before = await trail(directory, owner.tenant_id)
    known = "auditor, consultant, hr_admin, owner, partner_app, payroll_officer, rep, sales_manager"
    with pytest.raises(RoleUnknown) as refused:
        await invite(directory, owner, clock, email="new@chenguang.cn", roles=["rep", "salesmanager", "boss"])
    assert refused.value.values == {"roles": "boss, salesmanager", "known": known}
    assert refused.value.field == ("roles",)
    with pytest.raises(RoleUnknown) as refused:
        async with directory.transaction(owner.tenant_id, role=DatabaseRole.PLATFORM):
            await change_roles(owner, account_id=tokens.account_id, roles=["boss"], expected_version=1, clock=clock)
    assert refused.value.values == {"roles": "boss", "known": known}
    assert await platform_rows(directory, "SELECT id, roles, version FROM platform.membership ORDER BY id") == before
    assert await platform_rows(directory, "SELECT 1 FROM platform.invitation WHERE accepted_at IS NULL") == []
    assert await trail(directory, owner.tenant_id) == trail_before


async def test_a_role_of_the_companys_own_can_be_given_in_that_company_only(
    directory: Database, clock: FrozenClock, owner: Actor
) -> None:
    async with directory.transaction(owner.tenant_id, role=DatabaseRole.PLATFORM) as transaction:
        await transaction.execute(
            "INSERT INTO access_role (tenant_id, id, name, parent, created_by, created_at)"
            " VALUES ($1, $2, 'district_lead', 'rep', $3, now())",
            owner.tenant_id,
            new_id(),
            owner.account_id,
        )
    tokens = await bring_in(directory, owner, clock, roles=["district_lead"])
    assert (await actor_of(directory, clock, tokens.access_token)).roles == frozenset({"district_lead"})
    wang = await found(directory, clock, company="远山贸易", email="wang@yuanshan.cn")
    other = await actor_of(directory, clock, wang.tokens.access_token)
    with pytest.raises(RoleUnknown):
        await invite(directory, other, clock, email="new@yuanshan.cn", roles=["district_lead"])


async def test_member_and_the_invited_are_not_invited_again(
    directory: Database, clock: FrozenClock, owner: Actor
) -> None:
    with pytest.raises(AlreadyMember):
        await invite(directory, owner, clock, email="li@chenguang.cn")
    assert await platform_rows(directory, "SELECT id FROM platform.invitation") == []


async def test_changed_roles_act_with_the_next_request(directory: Database, clock: FrozenClock, owner: Actor) -> None:
    tokens = await bring_in(directory, owner, clock, roles=["rep"])
    before = await check(directory, clock, tokens.access_token)
    async with directory.transaction(owner.tenant_id, role=DatabaseRole.PLATFORM):
        version = await change_roles(
            owner, account_id=tokens.account_id, roles=["sales_manager"], expected_version=1, clock=clock
        )
    after = await check(directory, clock, tokens.access_token)
    assert version == 2
    assert before is not None
    assert after is not None
    assert after.actor.roles == frozenset({"sales_manager"})
    assert after.stamp != before.stamp
    with pytest.raises(MembershipChanged) as stale:
        async with directory.transaction(owner.tenant_id, role=DatabaseRole.PLATFORM):
            await change_roles(owner, account_id=tokens.account_id, roles=["rep"], expected_version=1, clock=clock)
    assert stale.value.values == {"expected": 1, "actual": 2}


async def test_nobody_changes_their_own_roles_or_an_owners(
    directory: Database, clock: FrozenClock, owner: Actor
) -> None:
    tokens = await bring_in(directory, owner, clock, roles=["hr_admin"])
    hr_admin = await actor_of(directory, clock, tokens.access_token)
    async with directory.transaction(owner.tenant_id, role=DatabaseRole.PLATFORM):
        with pytest.raises(OwnRolesUnchangeable):
            await change_roles(
                hr_admin, account_id=hr_admin.account_id, roles=["owner"], expected_version=1, clock=clock
            )
        with pytest.raises(RolesNotGrantable):
            await change_roles(hr_admin, account_id=owner.account_id, roles=["rep"], expected_version=2, clock=clock)
        with pytest.raises(RolesNotGrantable):
            await end_membership(hr_admin, account_id=owner.account_id, reason="", clock=clock)
    assert (await actor_of(directory, clock, tokens.access_token)).roles == frozenset({"hr_admin"})


async def test_ended_membership_ends_its_sessions_and_no_others(
    directory: Database, clock: FrozenClock, owner: Actor
) -> None:
    wang = await found(directory, clock, company="远山贸易", email="wang@yuanshan.cn")
    tokens = await accept(directory, clock, (await invite(directory, owner, clock, email="wang@yuanshan.cn")).token)
    async with directory.transaction(owner.tenant_id, role=DatabaseRole.PLATFORM):
        await end_membership(owner, account_id=wang.account_id, reason="项目结束", clock=clock)
    assert await check(directory, clock, tokens.access_token) is None
    assert await check(directory, clock, wang.tokens.access_token) is not None
    assert await members(directory, owner) == 1
    again = await accept(
        directory, clock, (await invite(directory, owner, clock, email="wang@yuanshan.cn", roles=["auditor"])).token
    )
    assert (await actor_of(directory, clock, again.access_token)).roles == frozenset({"auditor"})
    assert await check(directory, clock, tokens.access_token) is None


async def test_leaver_loses_access_by_their_place_on_the_staff(
    directory: Database, clock: FrozenClock, owner: Actor
) -> None:
    await bring_in(directory, owner, clock, roles=["owner"])
    assert owner.employee_id is not None
    second = await actor_of(directory, clock, (await enter(directory, clock, email=GUEST)).tokens.access_token)
    async with directory.transaction(owner.tenant_id, role=DatabaseRole.PLATFORM):
        assert await end_membership_of_employee(second, employee_id=owner.employee_id, reason="离职", clock=clock)
        assert not await end_membership_of_employee(second, employee_id=new_id(), reason="离职", clock=clock)
    assert await members(directory, second) == 1


async def test_last_owner_stays(directory: Database, clock: FrozenClock, owner: Actor) -> None:
    await bring_in(directory, owner, clock, roles=["rep"])
    with pytest.raises(LastOwner):
        async with directory.transaction(owner.tenant_id, role=DatabaseRole.PLATFORM):
            await end_membership(owner, account_id=owner.account_id, reason="", clock=clock)
    assert await members(directory, owner) == 2


async def test_company_ends_a_members_session_but_only_its_own(
    directory: Database, clock: FrozenClock, owner: Actor
) -> None:
    wang = await found(directory, clock, company="远山贸易", email="wang@yuanshan.cn")
    tokens = await accept(directory, clock, (await invite(directory, owner, clock, email="wang@yuanshan.cn")).token)
    async with directory.transaction(owner.tenant_id, role=DatabaseRole.PLATFORM):
        views = await list_member_sessions(owner, now=clock.now())
        await revoke_member_session(owner, session_id=tokens.session_id, clock=clock)
    assert {view.id for view in views} == {owner.session_id, tokens.session_id}
    assert await check(directory, clock, tokens.access_token) is None
    assert await check(directory, clock, wang.tokens.access_token) is not None


async def test_person_of_another_company_is_not_found(directory: Database, clock: FrozenClock, owner: Actor) -> None:
    wang = await found(directory, clock, company="远山贸易", email="wang@yuanshan.cn")
    answers = []
    for account_id in (wang.account_id, new_id()):
        with pytest.raises(NotAMember) as refused:
            async with directory.transaction(owner.tenant_id, role=DatabaseRole.PLATFORM):
                await end_membership(owner, account_id=account_id, reason="", clock=clock)
        answers.append((refused.value.key, refused.value.values))
    assert answers[0] == answers[1]
    assert await check(directory, clock, wang.tokens.access_token) is not None


async def invite(
    directory: Database,
    actor: Actor,
    clock: FrozenClock,
    *,
    email: str = GUEST,
    roles: Iterable[str] = ("rep",),
    **more: object,
) -> Invited:
    async with directory.transaction(actor.tenant_id, role=DatabaseRole.PLATFORM):
        return await create_invitation(actor, email=email, roles=roles, clock=clock, **more)  # type: ignore[arg-type]


async def accept(directory: Database, clock: FrozenClock, token: str, *, password: str = PASSWORD) -> SessionTokens:
    return await accept_invitation(
        directory,
        token=token,
        name="张伟",
        password=password,
        origin=HERE,
        passwords=cheap_passwords(),
        clock=clock,
    )


async def bring_in(directory: Database, owner: Actor, clock: FrozenClock, *, roles: Iterable[str]) -> SessionTokens:
    return await accept(directory, clock, (await invite(directory, owner, clock, roles=roles)).token)


async def members(directory: Database, actor: Actor) -> int:
    sql = "SELECT id FROM platform.membership WHERE tenant_id = $1 AND valid_to IS NULL"
    return len(await platform_rows(directory, sql, actor.tenant_id))
