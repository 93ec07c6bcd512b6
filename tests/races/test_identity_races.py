"""Many at once: one company per key, one successor per refresh token, every failure counted, one owner left."""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import timedelta

from saas.identity import SessionTokens, create_invitation, end_membership, refresh_session
from saas.identity.errors import CredentialsRefused, LastOwner, NotAMember, RefreshJustUsed, RefreshReused, SignInLocked
from saas.kernel import FrozenClock
from saas.onboarding import CompanySignedUp, accept_invitation
from tenants import Database, DatabaseRole
from tests.companies import HERE, PASSWORD, actor_of, cheap_passwords, check, enter, found, platform_rows

TWENTY = range(20)


async def test_twenty_sign_ups_with_one_key_make_one_company(directory: Database, clock: FrozenClock) -> None:
    passwords = cheap_passwords()
    outcomes = await asyncio.gather(*(found(directory, clock, passwords=passwords) for _ in TWENTY))
    assert len({outcome.tenant_id for outcome in outcomes}) == 1
    assert Counter(outcome.replayed for outcome in outcomes) == {False: 1, True: 19}
    counted = await platform_rows(
        directory,
        "SELECT (SELECT count(*) FROM platform.tenant) AS t, (SELECT count(*) FROM platform.account) AS a,"
        " (SELECT count(*) FROM platform.membership) AS m, (SELECT count(*) FROM platform.session) AS s",
    )
    assert tuple(counted[0].values()) == (1, 1, 1, 20)


async def test_twenty_sign_ups_of_one_address_make_one_account(directory: Database, clock: FrozenClock) -> None:
    outcomes = await asyncio.gather(
        *(found(directory, clock, company=f"公司{n}", key=f"key-number-{n}") for n in TWENTY), return_exceptions=True
    )
    founded = [outcome for outcome in outcomes if isinstance(outcome, CompanySignedUp)]
    assert len({company.account_id for company in founded}) == 1
    accounts = await platform_rows(directory, "SELECT id FROM platform.account")
    tenants = await platform_rows(directory, "SELECT id FROM platform.tenant")
    assert (len(accounts), len(tenants)) == (1, len(founded))


async def test_sessions_that_begin_while_a_membership_changes_know_its_last_version(
    directory: Database, clock: FrozenClock
) -> None:
    company = await found(directory, clock)
    before = (await platform_rows(directory, "SELECT version FROM platform.membership"))[0]["version"]

    async def change() -> None:
        async with directory.transaction(company.tenant_id, role=DatabaseRole.PLATFORM) as transaction:
            await transaction.execute("UPDATE platform.membership SET version = version + 1")

    passwords = cheap_passwords()
    begun = [enter(directory, clock, passwords=passwords) for _ in TWENTY]
    await asyncio.gather(*begun, *(change() for _ in TWENTY))
    versions = await platform_rows(
        directory,
        "SELECT s.member_version, m.version FROM platform.session s"
        " JOIN platform.membership m ON (m.tenant_id, m.account_id) = (s.tenant_id, s.account_id)",
    )
    assert [tuple(row.values()) for row in versions] == [(before + 20, before + 20)] * 21


async def test_twenty_refreshes_of_one_token_give_one_successor(directory: Database, clock: FrozenClock) -> None:
    token = (await found(directory, clock)).tokens.refresh_token
    outcomes = await asyncio.gather(
        *(refresh_session(directory, refresh_token=token, origin=HERE, clock=clock) for _ in TWENTY),
        return_exceptions=True,
    )
    assert Counter(type(outcome) for outcome in outcomes) == {SessionTokens: 1, RefreshJustUsed: 19}
    successor = next(outcome for outcome in outcomes if isinstance(outcome, SessionTokens))
    assert await check(directory, clock, successor.access_token) is not None
    unused = "SELECT id FROM platform.refresh_token WHERE used_at IS NULL"
    assert len(await platform_rows(directory, unused)) == 1


async def test_twenty_reuses_of_a_spent_token_end_the_family_once(directory: Database, clock: FrozenClock) -> None:
    token = (await found(directory, clock)).tokens.refresh_token
    successor = await refresh_session(directory, refresh_token=token, origin=HERE, clock=clock)
    clock.advance(timedelta(seconds=11))
    outcomes = await asyncio.gather(
        *(refresh_session(directory, refresh_token=token, origin=HERE, clock=clock) for _ in TWENTY),
        return_exceptions=True,
    )
    assert Counter(type(outcome) for outcome in outcomes)[RefreshReused] == 1
    assert all(isinstance(outcome, Exception) for outcome in outcomes)
    assert await check(directory, clock, successor.access_token) is None
    assert len(await platform_rows(directory, "SELECT id FROM platform.security_event")) == 1


async def test_parallel_failures_count_exactly_and_stop_at_the_fifth(directory: Database, clock: FrozenClock) -> None:
    await found(directory, clock)
    passwords = cheap_passwords()
    outcomes = await asyncio.gather(
        *(enter(directory, clock, password="not the password", passwords=passwords) for _ in TWENTY),
        return_exceptions=True,
    )
    assert Counter(type(outcome) for outcome in outcomes) == {CredentialsRefused: 5, SignInLocked: 15}
    assert passwords.computed == 5
    rows = await platform_rows(directory, "SELECT failures FROM platform.sign_in_throttle")
    assert [row["failures"] for row in rows] == [5, 5, 5]


async def test_one_invitation_accepted_by_many_lets_one_in(directory: Database, clock: FrozenClock) -> None:
    company = await found(directory, clock)
    owner = await actor_of(directory, clock, company.tokens.access_token)
    async with directory.transaction(owner.tenant_id, role=DatabaseRole.PLATFORM):
        invited = await create_invitation(owner, email="zhang@chenguang.cn", roles=["rep"], clock=clock)
    passwords = cheap_passwords()
    outcomes = await asyncio.gather(
        *(
            accept_invitation(
                directory,
                token=invited.token,
                name="张伟",
                password=PASSWORD,
                origin=HERE,
                passwords=passwords,
                clock=clock,
            )
            for _ in TWENTY
        ),
        return_exceptions=True,
    )
    assert Counter(isinstance(outcome, SessionTokens) for outcome in outcomes) == {True: 1, False: 19}
    assert len(await platform_rows(directory, "SELECT id FROM platform.membership")) == 2


async def test_two_owners_who_remove_each_other_leave_one(directory: Database, clock: FrozenClock) -> None:
    company = await found(directory, clock)
    owner = await actor_of(directory, clock, company.tokens.access_token)
    async with directory.transaction(owner.tenant_id, role=DatabaseRole.PLATFORM):
        invited = await create_invitation(owner, email="zhang@chenguang.cn", roles=["owner"], clock=clock)
    tokens = await accept_invitation(
        directory,
        token=invited.token,
        name="张伟",
        password=PASSWORD,
        origin=HERE,
        passwords=cheap_passwords(),
        clock=clock,
    )
    second = await actor_of(directory, clock, tokens.access_token)

    async def remove(by: object, of: object) -> None:
        async with directory.transaction(owner.tenant_id, role=DatabaseRole.PLATFORM):
            await end_membership(by, account_id=of.account_id, reason="", clock=clock)  # type: ignore[arg-type,attr-defined]

    outcomes = await asyncio.gather(remove(owner, second), remove(second, owner), return_exceptions=True)
    assert [outcome for outcome in outcomes if outcome is None] == [None]
    assert {type(outcome) for outcome in outcomes if outcome is not None} <= {LastOwner, NotAMember}
    left = await platform_rows(directory, "SELECT account_id FROM platform.membership WHERE valid_to IS NULL")
    assert len(left) == 1
