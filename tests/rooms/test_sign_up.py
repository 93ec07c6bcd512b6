"""Sign-up: everything or nothing, once per key."""

from __future__ import annotations

import pytest

from saas.identity.errors import CredentialsRefused, EmailMalformed, PasswordTooWeak
from saas.kernel import AppError, ErrorCode, FrozenClock
from saas.onboarding.errors import SignUpKeyMalformed, SignUpKeyReused
from saas.onboarding.rules import body_hash
from tenants import CurrencyUnknown, Database, PresetUnknown, get_tenant_facts
from tenants.errors import TenantNameMalformed
from tests.companies import PASSWORD, check, enter, found, platform_rows, trail

COUNTS = """
SELECT (SELECT count(*) FROM platform.tenant) AS tenants, (SELECT count(*) FROM platform.account) AS accounts,
       (SELECT count(*) FROM platform.membership) AS memberships, (SELECT count(*) FROM platform.session) AS sessions,
       (SELECT count(*) FROM platform.sign_up_key) AS keys
"""


async def counts(directory: Database) -> tuple[int, ...]:
    return tuple((await platform_rows(directory, COUNTS))[0].values())


async def test_company_begins_with_owner_staff_and_session(directory: Database, clock: FrozenClock) -> None:
    company = await found(directory, clock, preset="realty")
    assert company.replayed is False
    assert await counts(directory) == (1, 1, 1, 1, 1)
    tenant = (await platform_rows(directory, "SELECT name, status, time_zone, locale, preset FROM platform.tenant"))[0]
    assert tuple(tenant.values()) == ("晨光销售", "active", "Asia/Shanghai", "zh-CN", "realty")
    async with directory.transaction(company.tenant_id) as transaction:
        staff = await transaction.fetch("SELECT id, name, account_id FROM employee")
        departments = await transaction.fetch("SELECT name, parent_id FROM department")
        topics = await transaction.fetch("SELECT topic, payload FROM outbox")
    assert [tuple(row.values()) for row in staff] == [(company.employee_id, "李明", company.account_id)]
    assert [tuple(row.values()) for row in departments] == [("晨光销售", None)]
    assert [row["topic"] for row in topics] == ["onboarding.company_signed_up"]
    assert await trail(directory, company.tenant_id) == [
        "company.signed_up",
        "people.company_founded",
        "plugin.enabled",
        "salary_structure.saved",
        "session.started",
    ]
    authenticated = await check(directory, clock, company.tokens.access_token)
    assert authenticated is not None
    assert authenticated.actor.employee_id == company.employee_id


@pytest.mark.parametrize(("preset", "enabled"), [("realty", [("realty", True)]), ("insurance", [])])
async def test_preset_enables_its_plugins(
    directory: Database, clock: FrozenClock, preset: str, enabled: list[tuple[str, bool]]
) -> None:
    company = await found(directory, clock, preset=preset)
    async with directory.transaction(company.tenant_id) as transaction:
        rows = await transaction.fetch("SELECT plugin, enabled FROM plugin_setting")
    assert [tuple(row.values()) for row in rows] == enabled
    assert ("plugin.enabled" in await trail(directory, company.tenant_id)) is bool(enabled)
    assert await check(directory, clock, company.tokens.access_token) is not None


async def test_same_key_and_values_give_the_same_company_and_a_new_session(
    directory: Database, clock: FrozenClock
) -> None:
    first = await found(directory, clock)
    again = await found(directory, clock)
    assert again.replayed is True
    assert (again.tenant_id, again.account_id, again.employee_id) == (
        first.tenant_id,
        first.account_id,
        first.employee_id,
    )
    assert again.tokens.session_id != first.tokens.session_id
    assert await counts(directory) == (1, 1, 1, 2, 1)
    assert await check(directory, clock, again.tokens.access_token) is not None


@pytest.mark.parametrize(
    "change",
    [
        {"company": "晨光集团"},
        {"owner_name": "王芳"},
        {"email": "wang@chenguang.cn"},
        {"preset": "insurance"},
        {"currency": "USD"},
    ],
)
async def test_same_key_with_other_values_is_refused(
    directory: Database, clock: FrozenClock, change: dict[str, str]
) -> None:
    await found(directory, clock, key="one-and-the-same")
    before = await counts(directory)
    with pytest.raises(SignUpKeyReused) as refused:
        await found(directory, clock, key="one-and-the-same", **change)  # type: ignore[arg-type]
    assert refused.value.code is ErrorCode.IDEMPOTENCY_KEY_REUSED
    assert await counts(directory) == before


async def test_repetition_with_another_password_is_a_failed_sign_in(directory: Database, clock: FrozenClock) -> None:
    await found(directory, clock)
    before = await counts(directory)
    with pytest.raises(CredentialsRefused):
        await found(directory, clock, password="another long password")
    assert await counts(directory) == before
    events = await platform_rows(directory, "SELECT kind FROM platform.security_event")
    assert [event["kind"] for event in events] == ["sign_in_failed"]


async def test_existing_account_may_own_a_second_company_with_its_password(
    directory: Database, clock: FrozenClock
) -> None:
    first = await found(directory, clock)
    second = await found(directory, clock, company="晨光地产", preset="realty", key="the-second-company")
    assert second.account_id == first.account_id
    assert second.tenant_id != first.tenant_id
    assert await counts(directory) == (2, 1, 2, 2, 2)
    names = [company.name for company in (await enter(directory, clock)).companies]
    assert sorted(names) == ["晨光地产", "晨光销售"]


async def test_existing_account_with_a_wrong_password_founds_nothing(directory: Database, clock: FrozenClock) -> None:
    await found(directory, clock)
    before = await counts(directory)
    with pytest.raises(CredentialsRefused):
        await found(directory, clock, company="远山贸易", password="a guess of somebody", key="another-key")
    assert await counts(directory) == before


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"email": "not an address"}, EmailMalformed),
        ({"password": "short"}, PasswordTooWeak),
        ({"preset": "mining"}, PresetUnknown),
        ({"currency": "XAU"}, CurrencyUnknown),
        ({"currency": "usd"}, CurrencyUnknown),
        ({"key": "short"}, SignUpKeyMalformed),
        ({"key": "with a space"}, SignUpKeyMalformed),
        ({"company": "   "}, TenantNameMalformed),
        ({"company": "a" * 201}, TenantNameMalformed),
    ],
)
async def test_bad_value_is_named_and_leaves_nothing(
    directory: Database, clock: FrozenClock, change: dict[str, str], error: type[AppError]
) -> None:
    with pytest.raises(error) as refused:
        await found(directory, clock, **change)  # type: ignore[arg-type]
    assert refused.value.field != ()
    assert await counts(directory) == (0, 0, 0, 0, 0)


@pytest.mark.parametrize(("given", "currency"), [({}, "CNY"), ({"currency": "KWD"}, "KWD")])
async def test_a_company_and_its_sessions_have_one_currency(
    directory: Database, clock: FrozenClock, given: dict[str, str], currency: str
) -> None:
    company = await found(directory, clock, **given)  # type: ignore[arg-type]
    async with directory.transaction(company.tenant_id):
        assert (await get_tenant_facts()).currency == currency
    authenticated = await check(directory, clock, company.tokens.access_token)
    assert authenticated is not None
    assert authenticated.currency == currency


async def test_unknown_preset_lists_the_known_ones(directory: Database, clock: FrozenClock) -> None:
    with pytest.raises(PresetUnknown) as refused:
        await found(directory, clock, preset="mining")
    assert refused.value.values == {"preset": "mining", "known": "general, realty, insurance, software"}


async def test_no_fast_digest_of_the_password_is_kept(directory: Database, clock: FrozenClock) -> None:
    first = await found(directory, clock, email="a@chenguang.cn", key="key-one-one")
    second = await found(directory, clock, email="b@chenguang.cn", key="key-two-two", password=PASSWORD + " and more")
    assert first.tenant_id != second.tenant_id
    rows = await platform_rows(directory, "SELECT body_hash FROM platform.sign_up_key ORDER BY key")
    assert rows[0]["body_hash"] == body_hash(
        company="晨光销售", owner_name="李明", email="a@chenguang.cn", preset="general", currency="CNY"
    )
