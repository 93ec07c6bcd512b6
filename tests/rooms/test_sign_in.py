"""Sign-in: what a right password gives, what a wrong one leaves, and how the lock-out grows."""

from __future__ import annotations

from datetime import timedelta

import pytest

from saas.identity import HashCost, Origin, Passwords
from saas.identity.errors import CredentialsRefused, NoCompany, NotAMember, SignInBusy, SignInLocked
from saas.kernel import AppError, FrozenClock, new_id
from tenants import Database, DatabaseRole, TenantSuspended, suspend_tenant
from tests.companies import PASSWORD, cheap_passwords, check, enter, found, platform_rows, trail

EVENTS = "SELECT kind, account_id, address FROM platform.security_event ORDER BY kind DESC, account_id"
THROTTLE = "SELECT failures, locked_until FROM platform.sign_in_throttle ORDER BY failures, subject"
ELSEWHERE = Origin(address="198.51.100.9")


async def test_right_password_begins_a_session_of_known_length(directory: Database, clock: FrozenClock) -> None:
    company = await found(directory, clock)
    signed_in = await enter(directory, clock, email=" LI@chenguang.CN")
    tokens = signed_in.tokens
    assert (tokens.tenant_id, tokens.account_id) == (company.tenant_id, company.account_id)
    assert tokens.access_expires_at == clock.now() + timedelta(minutes=30)
    assert tokens.expires_at == clock.now() + timedelta(hours=12)
    assert [(listed.name, listed.roles) for listed in signed_in.companies] == [
        ("晨光销售", ("owner", "payroll_officer"))
    ]
    authenticated = await check(directory, clock, tokens.access_token)
    assert authenticated is not None
    assert authenticated.actor.account_id == company.account_id
    assert authenticated.actor.employee_id == company.employee_id
    assert authenticated.actor.roles == frozenset({"owner", "payroll_officer"})
    assert authenticated.actor.session_id == tokens.session_id
    assert (authenticated.time_zone, authenticated.currency) == ("Asia/Shanghai", "CNY")
    assert (await trail(directory, company.tenant_id)).count("session.started") == 2


async def test_tokens_and_passwords_are_shown_nowhere(directory: Database, clock: FrozenClock) -> None:
    await found(directory, clock)
    tokens = (await enter(directory, clock)).tokens
    assert tokens.access_token not in repr(tokens)
    assert tokens.refresh_token not in repr(tokens)
    dump = repr(
        await platform_rows(directory, "SELECT s::text, r::text FROM platform.session s, platform.refresh_token r")
    )
    assert tokens.access_token not in dump
    assert tokens.refresh_token not in dump


async def test_unknown_address_and_wrong_password_are_one_answer_and_one_cost(
    directory: Database, clock: FrozenClock
) -> None:
    company = await found(directory, clock)
    answers: list[tuple[object, ...]] = []
    for email in ("li@chenguang.cn", "nobody@chenguang.cn"):
        passwords = cheap_passwords()
        with pytest.raises(CredentialsRefused) as refused:
            await enter(directory, clock, email=email, password="not the password", passwords=passwords)
        error = refused.value
        answers.append((error.code, error.key, error.values, error.field, passwords.computed))
    assert answers[0] == answers[1]
    assert answers[0][-1] == 1
    events = await platform_rows(directory, EVENTS)
    assert [(event["kind"], event["account_id"]) for event in events] == [
        ("sign_in_failed", company.account_id),
        ("sign_in_failed", None),
    ]
    assert {event["address"] for event in events} == {"203.0.113.7"}


@pytest.mark.parametrize("email", ["li@chenguang.cn", "nobody@chenguang.cn"])
async def test_five_failures_lock_for_a_minute_whoever_it_is(
    directory: Database, clock: FrozenClock, email: str
) -> None:
    await found(directory, clock)
    passwords = cheap_passwords()
    for _ in range(5):
        with pytest.raises(CredentialsRefused):
            await enter(directory, clock, email=email, password="not the password", passwords=passwords)
    with pytest.raises(SignInLocked) as locked:
        await enter(directory, clock, email=email, password=PASSWORD, passwords=passwords)
    assert locked.value.values == {"until": "2026-11-23T02:01:00+00:00"}
    assert passwords.computed == 5
    events = [event["kind"] for event in await platform_rows(directory, EVENTS)]
    assert events == ["sign_in_failed"] * 5 + ["locked_out"]


async def test_lock_ends_by_itself_and_success_forgets_the_failures(directory: Database, clock: FrozenClock) -> None:
    await found(directory, clock)
    await fail(directory, clock, times=5)
    clock.advance(timedelta(minutes=1))
    await enter(directory, clock)
    rows = await platform_rows(directory, THROTTLE)
    assert [(row["failures"], row["locked_until"]) for row in rows] == [(5, None)]
    await fail(directory, clock, times=4)
    await enter(directory, clock)


async def test_each_further_failure_doubles_the_wait(directory: Database, clock: FrozenClock) -> None:
    await found(directory, clock)
    await fail(directory, clock, times=5)
    waits = []
    for wait in (1, 2, 4, 8, 15, 15):
        with pytest.raises(SignInLocked):
            await enter(directory, clock)
        clock.advance(timedelta(minutes=wait) - timedelta(seconds=1))
        with pytest.raises(SignInLocked):
            await enter(directory, clock)
        clock.advance(timedelta(seconds=1))
        await fail(directory, clock, times=1)
        waits.append(wait)
    assert sum(waits) == 45


async def test_failures_from_one_place_do_not_lock_the_person_out_elsewhere(
    directory: Database, clock: FrozenClock
) -> None:
    await found(directory, clock)
    await fail(directory, clock, times=5)
    await enter(directory, clock, origin=ELSEWHERE)
    with pytest.raises(SignInLocked):
        await enter(directory, clock)


async def test_failures_are_forgotten_after_a_quiet_hour(directory: Database, clock: FrozenClock) -> None:
    company = await found(directory, clock)
    await fail(directory, clock, times=4)
    clock.advance(timedelta(hours=1, seconds=1))
    await fail(directory, clock, times=4)
    assert (await enter(directory, clock)).tokens.account_id == company.account_id


async def test_guessing_many_accounts_from_one_place_slows_the_place_down(
    directory: Database, clock: FrozenClock
) -> None:
    await found(directory, clock)
    for guess in range(25):
        await fail(directory, clock, times=4, email=f"guess{guess}@chenguang.cn")
    with pytest.raises(SignInLocked):
        await enter(directory, clock)
    await enter(directory, clock, origin=ELSEWHERE)


async def test_hash_of_an_older_cost_is_renewed_at_sign_in(directory: Database, clock: FrozenClock) -> None:
    company = await found(directory, clock)
    stored = "SELECT password_hash FROM platform.account WHERE id = $1"
    before = (await platform_rows(directory, stored, company.account_id))[0]["password_hash"]
    dearer = Passwords(HashCost(memory_kib=16, passes=1))
    await enter(directory, clock, passwords=dearer)
    after = (await platform_rows(directory, stored, company.account_id))[0]["password_hash"]
    assert "$m=8,t=1,p=1$" in before
    assert "$m=16,t=1,p=1$" in after
    await enter(directory, clock, passwords=dearer)
    assert (await platform_rows(directory, stored, company.account_id))[0]["password_hash"] == after


def test_default_cost_is_the_published_minimum() -> None:
    cost = HashCost()
    assert (cost.memory_kib, cost.passes, cost.lanes) == (19_456, 2, 1)


async def test_more_waiting_passwords_than_the_process_takes_on_are_refused() -> None:
    passwords = Passwords(HashCost(memory_kib=8, passes=1), at_once=1, waiting=0)
    stored = await passwords.hash(PASSWORD)
    passwords._present = 1
    with pytest.raises(SignInBusy) as busy:
        await passwords.verify(stored, PASSWORD)
    assert busy.value.values == {"retry_after": 5}


async def test_suspended_company_is_named_after_the_password_was_right(directory: Database, clock: FrozenClock) -> None:
    company = await found(directory, clock)
    async with directory.transaction(None, role=DatabaseRole.PLATFORM):
        await suspend_tenant(company.tenant_id, operator="ops", reason="unpaid", clock=clock)
    with pytest.raises(TenantSuspended) as refused:
        await enter(directory, clock)
    assert refused.value.values == {"company": "晨光销售"}
    assert await check(directory, clock, company.tokens.access_token) is None


@pytest.mark.parametrize("wanted", [True, False])
async def test_person_without_a_company_is_refused(directory: Database, clock: FrozenClock, wanted: bool) -> None:
    company = await found(directory, clock)
    async with directory.transaction(None, role=DatabaseRole.PLATFORM) as transaction:
        await transaction.execute("UPDATE platform.membership SET valid_to = $1", clock.now())
    expected: type[AppError] = NotAMember if wanted else NoCompany
    with pytest.raises(expected):
        await enter(directory, clock, tenant_id=company.tenant_id if wanted else None)


async def test_company_that_is_not_mine_is_as_one_that_does_not_exist(directory: Database, clock: FrozenClock) -> None:
    await found(directory, clock)
    other = await found(directory, clock, company="远山贸易", email="wang@yuanshan.cn")
    answers = []
    for tenant_id in (other.tenant_id, new_id()):
        with pytest.raises(NotAMember) as refused:
            await enter(directory, clock, tenant_id=tenant_id)
        answers.append((refused.value.key, refused.value.values))
    assert answers[0] == answers[1]


async def fail(directory: Database, clock: FrozenClock, *, times: int, email: str = "li@chenguang.cn") -> None:
    """So many failed sign-ins."""
    for _ in range(times):
        with pytest.raises(CredentialsRefused):
            await enter(directory, clock, email=email, password="not the password")
