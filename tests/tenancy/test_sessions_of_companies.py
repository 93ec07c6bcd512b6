"""A session belongs to one company: it never yields another, and ends at once with what it stands on."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from uuid import UUID

import asyncpg
import pytest

from saas.identity import SessionTokens, create_invitation, end_membership, revoke_member_session
from saas.identity.errors import SessionNotFound
from saas.identity.tokens import TokenKind, token_hash
from saas.kernel import Clock, FrozenClock, SystemClock, new_id
from saas.onboarding import accept_invitation
from tenants import Database, DatabaseRole, resume_tenant, suspend_tenant
from tests.companies import HERE, PASSWORD, PLATFORM_TABLES, actor_of, cheap_passwords, check, found


@pytest.mark.parametrize("table", PLATFORM_TABLES)
async def test_application_role_sees_no_table_of_the_platform(
    directory: Database, clock: FrozenClock, table: str
) -> None:
    company = await found(directory, clock)
    async with directory.transaction(company.tenant_id) as transaction:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await transaction.fetch(f"SELECT * FROM platform.{table}")


async def test_application_role_writes_no_session_and_no_event_is_changed(
    directory: Database, clock: FrozenClock
) -> None:
    company = await found(directory, clock)
    for statement in (
        "UPDATE platform.session SET revoked_at = NULL",
        "INSERT INTO platform.membership SELECT * FROM platform.membership",
    ):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            async with directory.transaction(company.tenant_id) as transaction:
                await transaction.execute(statement)
    for table in ("security_event", "tenant_event"):
        for statement in (f"DELETE FROM platform.{table}", f"UPDATE platform.{table} SET at = now()"):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                async with directory.transaction(None, role=DatabaseRole.PLATFORM) as transaction:
                    await transaction.execute(statement)


async def test_definer_functions_are_the_reviewed_ones_and_closed_to_the_public(directory: Database) -> None:
    async with directory.transaction(None, role=DatabaseRole.PLATFORM) as transaction:
        rows = await transaction.fetch(
            "SELECT proname, pg_get_userbyid(proowner) AS owner, proconfig,"
            " has_function_privilege('saas_relay', oid, 'EXECUTE') AS relay,"
            " has_function_privilege('saas_app', oid, 'EXECUTE') AS app"
            " FROM pg_proc WHERE pronamespace = 'platform'::regnamespace AND prosecdef ORDER BY proname"
        )
    assert [row["proname"] for row in rows] == ["session_lookup", "session_stamp", "session_touch", "tenant_facts"]
    planned = ["enable_seqscan=off", "enable_bitmapscan=off"]  # the stamp's plan must not hang on statistics
    for row in rows:
        settings = ["search_path=pg_catalog, platform", *(planned if row["proname"] == "session_stamp" else [])]
        assert (row["owner"], row["proconfig"]) == ("saas_owner", settings)
        assert (row["relay"], row["app"]) == (False, True)


async def test_view_of_sessions_shows_the_presented_one_alone(directory: Database, clock: FrozenClock) -> None:
    """As the application role, whatever it tries; real time, since the view knows no other."""
    now = SystemClock()
    ours = await found(directory, now)
    await found(directory, now, company="远山贸易", email="wang@yuanshan.cn")
    hashed = token_hash(ours.tokens.access_token, TokenKind.SESSION)
    assert hashed is not None
    shown = "SELECT count(*), max(stamp) FROM platform.presented_session"
    telling = "SELECT count(*) FROM platform.presented_session WHERE stamp::int > 0"  # an error would hold the stamp
    async with directory.transaction(ours.tenant_id) as transaction:
        assert await transaction.fetchval(telling) == 0
        for presented, count in (("", 0), ("ab", 0), (hashed.hex(), 1), (hashed.hex()[:-2] + "00", 0)):
            await transaction.execute("SELECT set_config('app.session', $1, true)", presented)
            assert (await transaction.fetchrow(shown))[0] == count  # type: ignore[index]
        await transaction.execute("SELECT set_config('app.session', $1, true)", hashed.hex())
        assert (await transaction.fetchrow(shown))[1] == await stamp(directory, now, ours.tokens)  # type: ignore[index]
        columns = "SELECT column_name FROM information_schema.columns WHERE table_name = 'presented_session'"
        assert [row[0] for row in await transaction.fetch(columns)] == ["stamp"]


async def test_session_of_one_company_yields_that_company_whatever_is_bound(
    directory: Database, clock: FrozenClock
) -> None:
    ours = await found(directory, clock)
    theirs = await found(directory, clock, company="远山贸易", email="wang@yuanshan.cn")
    hashed = token_hash(ours.tokens.access_token, TokenKind.SESSION)
    async with directory.transaction(theirs.tenant_id) as transaction:
        rows = await transaction.fetch("SELECT tenant_id FROM platform.session_lookup($1, $2)", hashed, clock.now())
    assert [row["tenant_id"] for row in rows] == [ours.tenant_id]


async def test_facts_are_those_of_the_bound_company_alone(directory: Database, clock: FrozenClock) -> None:
    await found(directory, clock)
    theirs = await found(directory, clock, company="远山贸易", email="wang@yuanshan.cn")
    async with directory.transaction(theirs.tenant_id) as transaction:
        rows = await transaction.fetch("SELECT name FROM platform.tenant_facts()")
    assert [row["name"] for row in rows] == ["远山贸易"]
    assert await directory.fetchrow("SELECT name FROM platform.tenant_facts()") is None


async def test_end_of_a_membership_acts_at_once_on_every_session_of_it(directory: Database, clock: FrozenClock) -> None:
    company = await found(directory, clock)
    owner = await actor_of(directory, clock, company.tokens.access_token)
    async with directory.transaction(owner.tenant_id, role=DatabaseRole.PLATFORM):
        invited = await create_invitation(owner, email="zhang@chenguang.cn", roles=["rep"], clock=clock)
    tokens = await accept(directory, clock, invited.token)
    assert await stamp(directory, clock, tokens) is not None

    async def end() -> None:
        await end_membership(owner, account_id=tokens.account_id, reason="离职", clock=clock)

    await in_platform(directory, owner.tenant_id, end)
    assert await stamp(directory, clock, tokens) is None
    assert await check(directory, clock, tokens.access_token) is None


async def test_suspension_acts_at_once_and_resumption_too(directory: Database, clock: FrozenClock) -> None:
    ours = await found(directory, clock)
    theirs = await found(directory, clock, company="远山贸易", email="wang@yuanshan.cn")
    before = await stamp(directory, clock, ours.tokens)

    async def suspend() -> None:
        await suspend_tenant(ours.tenant_id, operator="ops", reason="unpaid", clock=clock)

    async def resume() -> None:
        await resume_tenant(ours.tenant_id, operator="ops", reason="paid", clock=clock)

    await in_platform(directory, ours.tenant_id, suspend)
    assert await stamp(directory, clock, ours.tokens) is None
    assert await stamp(directory, clock, theirs.tokens) is not None
    await in_platform(directory, ours.tenant_id, resume)
    assert await stamp(directory, clock, ours.tokens) not in (None, before)


async def test_another_companys_session_is_not_found_and_goes_on(directory: Database, clock: FrozenClock) -> None:
    ours = await found(directory, clock)
    theirs = await found(directory, clock, company="远山贸易", email="wang@yuanshan.cn")
    owner = await actor_of(directory, clock, ours.tokens.access_token)
    answers = []
    for session_id in (theirs.tokens.session_id, new_id()):
        with pytest.raises(SessionNotFound) as refused:
            async with directory.transaction(owner.tenant_id, role=DatabaseRole.PLATFORM):
                await revoke_member_session(owner, session_id=session_id, clock=clock)
        answers.append((refused.value.key, refused.value.values))
    assert answers[0] == answers[1]
    assert await check(directory, clock, theirs.tokens.access_token) is not None


async def accept(directory: Database, clock: FrozenClock, token: str) -> SessionTokens:
    return await accept_invitation(
        directory,
        token=token,
        name="张伟",
        password=PASSWORD,
        origin=HERE,
        passwords=cheap_passwords(),
        clock=clock,
    )


async def in_platform(directory: Database, tenant_id: UUID, action: Callable[[], Awaitable[None]]) -> None:
    async with directory.transaction(tenant_id, role=DatabaseRole.PLATFORM):
        await action()


async def stamp(directory: Database, clock: Clock, tokens: SessionTokens) -> str | None:
    hashed = token_hash(tokens.access_token, TokenKind.SESSION)
    row = await directory.fetchrow("SELECT platform.session_stamp($1, $2) AS stamp", hashed, clock.now())
    assert row is not None
    stamp: str | None = row["stamp"]
    return stamp
