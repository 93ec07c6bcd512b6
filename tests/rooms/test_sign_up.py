"""Sign-up: everything or nothing, once per key."""

from __future__ import annotations

import pytest

from saas.identity.errors import CredentialsRefused, EmailMalformed, PasswordTooWeak
from saas.kernel import AppError, ErrorCode, FrozenClock
from saas.onboarding.errors import SignUpKeyMalformed, SignUpKeyReused
from saas.onboarding.rules import body_hash
from tenants import Database, PresetUnknown
from tenants.errors import TenantNameMalformed
from tests.companies import PASSWORD, check, enter, found, platform_rows, trail

COUNTS = """
SELECT (SELECT count(*) FROM platform.tenant) AS tenants, (SELECT count(*) FROM platform.account) AS accounts,
       (SELECT count(*) FROM platform.membership) AS memberships, (SELECT count(*) FROM platform.session) AS sessions,
       (SELECT count(*) FROM platform.sign_up_key) AS keys
"""


async def counts(database: Database) -> tuple[int, ...]:
    return tuple((await platform_rows(database, COUNTS))[0].values())


async def test_company_begins_with_owner_staff_and_session(database: Database, clock: FrozenClock) -> None:
    company = await found(database, clock, preset="realty")
    assert company.replayed is False
    assert await counts(database) == (1, 1, 1, 1, 1)
    tenant = (await platform_rows(database, "SELECT name, status, time_zone, locale, preset FROM platform.tenant"))[0]
    assert tuple(tenant.values()) == ("晨光销售", "active", "Asia/Shanghai", "zh-CN", "realty")
    async with database.transaction(company.tenant_id) as transaction:
        staff = await transaction.fetch("SELECT id, name, account_id FROM employee")
        departments = await transaction.fetch("SELECT name, parent_id FROM department")
        topics = await transaction.fetch("SELECT topic, payload FROM outbox")
    assert [tuple(row.values()) for row in staff] == [(company.employee_id, "李明", company.account_id)]
    assert [tuple(row.values()) for row in departments] == [("晨光销售", None)]
    assert [row["topic"] for row in topics] == ["onboarding.company_signed_up"]
    assert await trail(database, company.tenant_id) == [
        "company.signed_up",
        "people.company_founded",
        "session.started",
    ]
    authenticated = await check(database, clock, company.tokens.access_token)
    assert authenticated is not None
    assert authenticated.actor.employee_id == company.employee_id


async def test_same_key_and_values_give_the_same_company_and_a_new_session(
    database: Database, clock: FrozenClock
) -> None:
    first = await found(database, clock)
    again = await found(database, clock)
    assert again.replayed is True
    assert (again.tenant_id, again.account_id, again.employee_id) == (
        first.tenant_id,
        first.account_id,
        first.employee_id,
    )
    assert again.tokens.session_id != first.tokens.session_id
    assert await counts(database) == (1, 1, 1, 2, 1)
    assert await check(database, clock, again.tokens.access_token) is not None


@pytest.mark.parametrize(
    "change", [{"company": "晨光集团"}, {"owner_name": "王芳"}, {"email": "wang@chenguang.cn"}, {"preset": "insurance"}]
)
async def test_same_key_with_other_values_is_refused(
    database: Database, clock: FrozenClock, change: dict[str, str]
) -> None:
    await found(database, clock, key="one-and-the-same")
    before = await counts(database)
    with pytest.raises(SignUpKeyReused) as refused:
        await found(database, clock, key="one-and-the-same", **change)  # type: ignore[arg-type]
    assert refused.value.code is ErrorCode.IDEMPOTENCY_KEY_REUSED
    assert await counts(database) == before


async def test_repetition_with_another_password_is_a_failed_sign_in(database: Database, clock: FrozenClock) -> None:
    await found(database, clock)
    before = await counts(database)
    with pytest.raises(CredentialsRefused):
        await found(database, clock, password="another long password")
    assert await counts(database) == before
    events = await platform_rows(database, "SELECT kind FROM platform.security_event")
    assert [event["kind"] for event in events] == ["sign_in_failed"]


async def test_existing_account_may_own_a_second_company_with_its_password(
    database: Database, clock: FrozenClock
) -> None:
    first = await found(database, clock)
    second = await found(database, clock, company="晨光地产", preset="realty", key="the-second-company")
    assert second.account_id == first.account_id
    assert second.tenant_id != first.tenant_id
    assert await counts(database) == (2, 1, 2, 2, 2)
    names = [company.name for company in (await enter(database, clock)).companies]
    assert sorted(names) == ["晨光地产", "晨光销售"]


async def test_existing_account_with_a_wrong_password_founds_nothing(database: Database, clock: FrozenClock) -> None:
    await found(database, clock)
    before = await counts(database)
    with pytest.raises(CredentialsRefused):
        await found(database, clock, company="远山贸易", password="a guess of somebody", key="another-key")
    assert await counts(database) == before


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"email": "not an address"}, EmailMalformed),
        ({"password": "short"}, PasswordTooWeak),
        ({"preset": "mining"}, PresetUnknown),
        ({"key": "short"}, SignUpKeyMalformed),
        ({"key": "with a space"}, SignUpKeyMalformed),
        ({"company": "   "}, TenantNameMalformed),
        ({"company": "a" * 201}, TenantNameMalformed),
    ],
)
async def test_bad_value_is_named_and_leaves_nothing(
    database: Database, clock: FrozenClock, change: dict[str, str], error: type[AppError]
) -> None:
    with pytest.raises(error) as refused:
        await found(database, clock, **change)  # type: ignore[arg-type]
    assert refused.value.field != ()
    assert await counts(database) == (0, 0, 0, 0, 0)


async def test_unknown_preset_lists_the_known_ones(database: Database, clock: FrozenClock) -> None:
    with pytest.raises(PresetUnknown) as refused:
        await found(database, clock, preset="mining")
    assert refused.value.values == {"preset": "mining", "known": "general, realty, insurance, software"}


async def test_no_fast_digest_of_the_password_is_kept(database: Database, clock: FrozenClock) -> None:
    first = await found(database, clock, email="a@chenguang.cn", key="key-one-one")
    second = await found(database, clock, email="b@chenguang.cn", key="key-two-two", password=PASSWORD + " and more")
    assert first.tenant_id != second.tenant_id
    rows = await platform_rows(database, "SELECT body_hash FROM platform.sign_up_key ORDER BY key")
    assert rows[0]["body_hash"] == body_hash(
        company="晨光销售", owner_name="李明", email="a@chenguang.cn", preset="general"
    )
