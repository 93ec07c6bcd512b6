"""Sessions: how long they last, how they are refreshed, switched, listed and ended."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta
from uuid import UUID

import pytest

from saas.identity import (
    OpenedSession,
    Origin,
    Purged,
    change_password,
    list_companies,
    list_sessions,
    purge_identity,
    refresh_session,
    revoke_other_sessions,
    revoke_session,
    sign_out,
    switch_company,
)
from saas.identity.errors import (
    CredentialsRefused,
    NotAMember,
    PasswordTooWeak,
    PasswordUnchanged,
    RefreshJustUsed,
    RefreshReused,
    SessionNotFound,
    SessionOver,
)
from saas.identity.tokens import TokenKind, token_hash
from saas.kernel import Actor, AppError, FrozenClock, new_id
from saas.onboarding import purge_sign_up_keys
from tenants import Database, DatabaseRole
from tests.companies import HERE, PASSWORD, actor_of, cheap_passwords, check, enter, found, platform_rows, trail

NEW_PASSWORD = "quite another sentence"
ENDS = "SELECT revoked_reason FROM platform.session WHERE id = $1"


async def test_access_token_lives_thirty_minutes(directory: Database, clock: FrozenClock) -> None:
    token = (await found(directory, clock)).tokens.access_token
    for minutes in (10, 10):
        clock.advance(timedelta(minutes=minutes))
        assert await check(directory, clock, token) is not None
    clock.advance(timedelta(minutes=10) - timedelta(microseconds=1))
    assert await check(directory, clock, token) is not None
    clock.advance(timedelta(microseconds=1))
    assert await check(directory, clock, token) is None


async def test_refresh_prolongs_a_session_that_is_used(directory: Database, clock: FrozenClock) -> None:
    tokens = (await found(directory, clock)).tokens
    clock.advance(timedelta(minutes=29))
    fresh = await refresh_session(directory, refresh_token=tokens.refresh_token, origin=HERE, clock=clock)
    assert fresh.session_id == tokens.session_id
    assert fresh.access_expires_at == clock.now() + timedelta(minutes=30)
    assert fresh.expires_at == tokens.expires_at
    assert await check(directory, clock, tokens.access_token) is None
    clock.advance(timedelta(minutes=29))
    assert await check(directory, clock, fresh.access_token) is not None


async def test_idle_session_is_over_with_its_refresh_token(directory: Database, clock: FrozenClock) -> None:
    tokens = (await found(directory, clock)).tokens
    clock.advance(timedelta(minutes=30))
    with pytest.raises(SessionOver):
        await refresh_session(directory, refresh_token=tokens.refresh_token, origin=HERE, clock=clock)


async def test_busy_session_is_over_after_twelve_hours(directory: Database, clock: FrozenClock) -> None:
    tokens = (await found(directory, clock)).tokens
    end = tokens.expires_at
    while clock.now() + timedelta(minutes=20) < end:
        clock.advance(timedelta(minutes=20))
        tokens = await refresh_session(directory, refresh_token=tokens.refresh_token, origin=HERE, clock=clock)
    assert tokens.access_expires_at == end
    clock.advance(end - clock.now())
    assert await check(directory, clock, tokens.access_token) is None
    with pytest.raises(SessionOver):
        await refresh_session(directory, refresh_token=tokens.refresh_token, origin=HERE, clock=clock)


async def test_stamp_asks_once_a_minute_to_be_seen(directory: Database, clock: FrozenClock) -> None:
    token = (await found(directory, clock)).tokens.access_token
    first = await check(directory, clock, token)
    assert first is not None
    assert await stamp_of(directory, clock, token) == first.stamp
    clock.advance(timedelta(seconds=59))
    assert await stamp_of(directory, clock, token) == first.stamp
    clock.advance(timedelta(seconds=1))
    assert await stamp_of(directory, clock, token) == f"{first.stamp}.unseen"
    again = await check(directory, clock, token)
    assert again is not None
    assert again.stamp == first.stamp
    assert await stamp_of(directory, clock, token) == first.stamp
    seen = await platform_rows(directory, "SELECT last_seen_at FROM platform.session")
    assert [row["last_seen_at"] for row in seen] == [clock.now()]


@pytest.mark.parametrize("token", ["", "fs_", "fs_" + "A" * 22, "x" * 10_000, "fs_\x00" + "A" * 21, "Bearer fs_x"])
async def test_forged_token_is_nobody(directory: Database, clock: FrozenClock, token: str) -> None:
    await found(directory, clock)
    assert await check(directory, clock, token) is None


async def test_refresh_token_opens_nothing_by_itself(directory: Database, clock: FrozenClock) -> None:
    tokens = (await found(directory, clock)).tokens
    assert await check(directory, clock, tokens.refresh_token) is None
    with pytest.raises(SessionOver):
        await refresh_session(directory, refresh_token=tokens.access_token, origin=HERE, clock=clock)


async def test_lost_answer_is_told_and_ends_nothing(directory: Database, clock: FrozenClock) -> None:
    tokens = (await found(directory, clock)).tokens
    fresh = await refresh_session(directory, refresh_token=tokens.refresh_token, origin=HERE, clock=clock)
    clock.advance(timedelta(seconds=10))
    with pytest.raises(RefreshJustUsed):
        await refresh_session(directory, refresh_token=tokens.refresh_token, origin=HERE, clock=clock)
    assert await check(directory, clock, fresh.access_token) is not None
    await refresh_session(directory, refresh_token=fresh.refresh_token, origin=HERE, clock=clock)


async def test_stolen_refresh_token_ends_the_family(directory: Database, clock: FrozenClock) -> None:
    company = await found(directory, clock)
    tokens = company.tokens
    fresh = await refresh_session(directory, refresh_token=tokens.refresh_token, origin=HERE, clock=clock)
    clock.advance(timedelta(seconds=11))
    with pytest.raises(RefreshReused):
        await refresh_session(directory, refresh_token=tokens.refresh_token, origin=HERE, clock=clock)
    assert await check(directory, clock, fresh.access_token) is None
    with pytest.raises(SessionOver):
        await refresh_session(directory, refresh_token=fresh.refresh_token, origin=HERE, clock=clock)
    assert await end_of(directory, tokens.session_id) == "refresh_reused"
    events = await platform_rows(directory, "SELECT kind, account_id FROM platform.security_event")
    assert [tuple(row.values()) for row in events] == [("refresh_reused", company.account_id)]
    assert (await trail(directory, company.tenant_id)).count("session.ended") == 1


async def test_sign_out_ends_the_session_at_once_and_twice_is_no_error(directory: Database, clock: FrozenClock) -> None:
    company = await found(directory, clock)
    actor = await actor_of(directory, clock, company.tokens.access_token)
    for _ in range(2):
        await in_platform(directory, actor, lambda: sign_out(actor, clock=clock))
    assert await check(directory, clock, company.tokens.access_token) is None
    assert await stamp_of(directory, clock, company.tokens.access_token) is None
    with pytest.raises(SessionOver):
        await refresh_session(directory, refresh_token=company.tokens.refresh_token, origin=HERE, clock=clock)
    assert (await trail(directory, company.tenant_id)).count("session.ended") == 1


async def test_own_sessions_are_listed_and_ended_one_by_one(directory: Database, clock: FrozenClock) -> None:
    company = await found(directory, clock)
    other = (await enter(directory, clock, origin=Origin(address="198.51.100.9", user_agent="Phone"))).tokens
    actor = await actor_of(directory, clock, company.tokens.access_token)
    async with directory.transaction(actor.tenant_id, role=DatabaseRole.PLATFORM):
        listed = await list_sessions(actor, now=clock.now())
    assert {(view.id, view.is_current, view.address, view.user_agent) for view in listed} == {
        (company.tokens.session_id, True, "203.0.113.7", "Firefox"),
        (other.session_id, False, "198.51.100.9", "Phone"),
    }
    await in_platform(directory, actor, lambda: revoke_session(actor, session_id=other.session_id, clock=clock))
    assert await check(directory, clock, other.access_token) is None
    assert await check(directory, clock, company.tokens.access_token) is not None
    assert await end_of(directory, other.session_id) == "revoked"


async def test_all_others_end_and_the_present_one_stays(directory: Database, clock: FrozenClock) -> None:
    company = await found(directory, clock)
    others = [(await enter(directory, clock)).tokens for _ in range(3)]
    actor = await actor_of(directory, clock, company.tokens.access_token)
    async with directory.transaction(actor.tenant_id, role=DatabaseRole.PLATFORM):
        assert await revoke_other_sessions(actor, clock=clock) == 3
    assert await check(directory, clock, company.tokens.access_token) is not None
    assert [await check(directory, clock, tokens.access_token) for tokens in others] == [None, None, None]


async def test_session_of_somebody_else_is_not_found_and_stays(directory: Database, clock: FrozenClock) -> None:
    company = await found(directory, clock)
    other = await found(directory, clock, company="远山贸易", email="wang@yuanshan.cn")
    actor = await actor_of(directory, clock, company.tokens.access_token)
    answers = []
    for session_id in (other.tokens.session_id, new_id()):
        with pytest.raises(SessionNotFound) as refused:
            async with directory.transaction(actor.tenant_id, role=DatabaseRole.PLATFORM):
                await revoke_session(actor, session_id=session_id, clock=clock)
        answers.append((refused.value.key, refused.value.values))
    assert answers[0] == answers[1]
    assert await check(directory, clock, other.tokens.access_token) is not None


async def test_switching_trades_the_session_within_its_first_twelve_hours(
    directory: Database, clock: FrozenClock
) -> None:
    first = await found(directory, clock)
    second = await found(directory, clock, company="晨光地产", key="the-second-company")
    clock.advance(timedelta(minutes=20))
    actor = await actor_of(directory, clock, first.tokens.access_token)
    opened = await switch(directory, actor, second.tenant_id, clock)
    assert opened.tokens.tenant_id == second.tenant_id
    assert opened.tokens.expires_at == first.tokens.expires_at
    assert await check(directory, clock, first.tokens.access_token) is None
    assert (await actor_of(directory, clock, opened.tokens.access_token)).tenant_id == second.tenant_id
    assert await end_of(directory, first.tokens.session_id) == "switched_company"
    assert (await trail(directory, first.tenant_id)).count("session.ended") == 1
    assert (await trail(directory, second.tenant_id)).count("session.started") == 2
    async with directory.transaction(None, role=DatabaseRole.PLATFORM):
        companies = await list_companies(actor.account_id, now=clock.now())
    assert [company.name for company in companies] == ["晨光地产", "晨光销售"]


async def test_switching_to_a_company_of_others_changes_nothing(directory: Database, clock: FrozenClock) -> None:
    company = await found(directory, clock)
    other = await found(directory, clock, company="远山贸易", email="wang@yuanshan.cn")
    actor = await actor_of(directory, clock, company.tokens.access_token)
    for tenant_id in (other.tenant_id, new_id()):
        with pytest.raises(NotAMember):
            await switch(directory, actor, tenant_id, clock)
    assert await check(directory, clock, company.tokens.access_token) is not None


async def test_changed_password_ends_the_other_sessions(directory: Database, clock: FrozenClock) -> None:
    company = await found(directory, clock)
    other = (await enter(directory, clock)).tokens
    actor = await actor_of(directory, clock, company.tokens.access_token)
    await change(directory, actor, clock, current=PASSWORD, new=NEW_PASSWORD)
    assert await check(directory, clock, company.tokens.access_token) is not None
    assert await check(directory, clock, other.access_token) is None
    assert await end_of(directory, other.session_id) == "password_changed"
    with pytest.raises(CredentialsRefused):
        await enter(directory, clock)
    await enter(directory, clock, password=NEW_PASSWORD)
    assert "account.password_changed" in await trail(directory, company.tenant_id)


@pytest.mark.parametrize(
    ("current", "new", "error"),
    [
        ("a wrong password", NEW_PASSWORD, CredentialsRefused),
        (PASSWORD, PASSWORD, PasswordUnchanged),
        (PASSWORD, "short", PasswordTooWeak),
    ],
)
async def test_refused_change_of_password_changes_nothing(
    directory: Database, clock: FrozenClock, current: str, new: str, error: type[AppError]
) -> None:
    company = await found(directory, clock)
    other = (await enter(directory, clock)).tokens
    actor = await actor_of(directory, clock, company.tokens.access_token)
    with pytest.raises(error):
        await change(directory, actor, clock, current=current, new=new)
    assert await check(directory, clock, other.access_token) is not None
    await enter(directory, clock)


async def test_what_is_long_over_is_forgotten_and_nothing_else(directory: Database, clock: FrozenClock) -> None:
    await found(directory, clock)
    with pytest.raises(CredentialsRefused):
        await enter(directory, clock, password="not the password")
    clock.advance(timedelta(days=30, hours=12))
    kept = (await enter(directory, clock)).tokens
    with pytest.raises(CredentialsRefused):
        await enter(directory, clock, email="nobody@chenguang.cn", password="not the password")
    async with directory.transaction(None, role=DatabaseRole.PLATFORM):
        assert await purge_identity(clock=clock) == Purged(sessions=0, failures=0)
        assert await purge_sign_up_keys(clock=clock) == 1
    clock.advance(timedelta(hours=1, microseconds=1))
    async with directory.transaction(None, role=DatabaseRole.PLATFORM):
        assert await purge_identity(clock=clock) == Purged(sessions=1, failures=3)
        assert await purge_sign_up_keys(clock=clock) == 0
    left = await platform_rows(
        directory, "SELECT s.id FROM platform.session s JOIN platform.refresh_token r ON r.session_id = s.id"
    )
    assert [row["id"] for row in left] == [kept.session_id]


async def in_platform(directory: Database, actor: Actor, action: Callable[[], Awaitable[object]]) -> None:
    """Run an action as the door does: in a platform transaction bound to the actor's company."""
    async with directory.transaction(actor.tenant_id, role=DatabaseRole.PLATFORM):
        await action()


async def switch(directory: Database, actor: Actor, tenant_id: UUID, clock: FrozenClock) -> OpenedSession:
    async with directory.transaction(actor.tenant_id, role=DatabaseRole.PLATFORM) as transaction:
        opened = await switch_company(actor, tenant_id=tenant_id, origin=HERE, clock=clock)
        assert transaction.tenant_id == actor.tenant_id
    return opened


async def change(directory: Database, actor: Actor, clock: FrozenClock, *, current: str, new: str) -> None:
    await change_password(
        directory, actor, current=current, new=new, origin=HERE, passwords=cheap_passwords(), clock=clock
    )


async def stamp_of(directory: Database, clock: FrozenClock, token: str) -> str | None:
    row = await directory.fetchrow(
        "SELECT platform.session_stamp($1, $2)", token_hash(token, TokenKind.SESSION), clock.now()
    )
    assert row is not None
    stamp: str | None = row[0]
    return stamp


async def end_of(directory: Database, session_id: UUID) -> str | None:
    reason: str | None = (await platform_rows(directory, ENDS, session_id))[0]["revoked_reason"]
    return reason
