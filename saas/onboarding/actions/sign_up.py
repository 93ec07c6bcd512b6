"""Signing up a company: one explicit sequence in one transaction, repeatable with its key."""

from __future__ import annotations

from dataclasses import dataclass, replace
from uuid import UUID

from saas.access import PAYROLL_OFFICER
from saas.audit import record
from saas.customers import create_default_pool
from saas.events import emit
from saas.extensions import PluginHost, enable_plugin
from saas.identity import (
    OWNER,
    Candidate,
    Origin,
    Passwords,
    SessionTokens,
    admit_candidate,
    grant_membership,
    normal_email,
    open_session,
    prove_password,
    settle_candidate,
    tie_to_employee,
)
from saas.kernel import Actor, Clock
from saas.onboarding.errors import SignUpKeyReused
from saas.onboarding.events import COMPANY_SIGNED_UP
from saas.onboarding.rules import body_hash, check_key
from saas.payroll import create_standard_structure
from saas.people import found_company
from saas.sales import create_first_stages
from tenants import DEFAULT_CURRENCY, Database, DatabaseRole, Preset, Transaction, create_tenant, get_preset

_POOL_NAMES = {"zh-CN": "公海", "en": "Customer pool"}
_FIND_KEY = "SELECT body_hash, tenant_id, account_id FROM platform.sign_up_key WHERE key = $1"
_LOCK_KEY = "SELECT pg_advisory_xact_lock(hashtextextended('sign_up_key ' || $1, 0))"
_KEEP_KEY = """
INSERT INTO platform.sign_up_key (key, body_hash, tenant_id, account_id, created_at) VALUES ($1, $2, $3, $4, $5)
"""


@dataclass(frozen=True, slots=True)
class CompanySignedUp:
    """A company and its owner's session; `replayed` says that the company was there already by the same key."""

    tenant_id: UUID
    account_id: UUID
    employee_id: UUID | None
    tokens: SessionTokens
    replayed: bool


@dataclass(frozen=True, slots=True)
class _SignUp:
    """A checked request."""

    company: str
    owner_name: str
    email: str
    preset: Preset
    currency: str
    key: str
    body_hash: bytes


@dataclass(frozen=True, slots=True)
class _Earlier:
    """What the key stands for."""

    body_hash: bytes
    tenant_id: UUID
    account_id: UUID


async def sign_up_company(
    database: Database,
    *,
    company: str,
    owner_name: str,
    email: str,
    password: str,
    preset: str,
    idempotency_key: str,
    origin: Origin,
    passwords: Passwords,
    host: PluginHost,
    clock: Clock,
    currency: str = DEFAULT_CURRENCY,
) -> CompanySignedUp:
    """Make a company with its owner, root department, legal entity and preset, and begin the owner's session.

    An existing account may own several companies; then `password` must be its own. The same key with the same
    values gives the same company and a new session, once the password is proven. The preset's plugins are enabled
    with their default settings, where `host` has them. It opens its own transactions.

    :raises SignUpKeyReused: the key stands for other values.
    :raises CredentialsRefused: the address has an account, and this is not its password.
    :raises PasswordTooWeak: a new account needs a better one.
    :raises PresetUnknown: there is no such preset.
    :raises CurrencyUnknown: `currency`, which all amounts of the company will be in, is no code of ISO 4217.
    """
    request = _check(company, owner_name, email, preset, currency, idempotency_key)
    async with database.transaction(None, role=DatabaseRole.PLATFORM) as transaction:
        earlier = await _find_earlier(transaction, request)
    if earlier is None:
        candidate = await admit_candidate(
            database, email=email, name=owner_name, password=password, origin=origin, passwords=passwords, clock=clock
        )
        async with database.transaction(None, role=DatabaseRole.PLATFORM) as transaction:
            await transaction.execute(_LOCK_KEY, request.key)
            earlier = await _find_earlier(transaction, request)
            if earlier is None:
                return await _found(transaction, request, candidate, origin, host, clock)
    await prove_password(database, email=email, password=password, origin=origin, passwords=passwords, clock=clock)
    return await _replay(database, earlier, origin, clock)


def _check(company: str, owner_name: str, email: str, preset: str, currency: str, key: str) -> _SignUp:
    address, chosen = normal_email(email), get_preset(preset)
    return _SignUp(
        company=company,
        owner_name=owner_name,
        email=address,
        preset=chosen,
        currency=currency,
        key=check_key(key),
        body_hash=body_hash(company=company, owner_name=owner_name, email=address, preset=preset, currency=currency),
    )


async def _find_earlier(transaction: Transaction, request: _SignUp) -> _Earlier | None:
    row = await transaction.fetchrow(_FIND_KEY, request.key)
    if row is None:
        return None
    if row["body_hash"] != request.body_hash:
        raise SignUpKeyReused
    return _Earlier(**row)


async def _found(
    transaction: Transaction,
    request: _SignUp,
    candidate: Candidate,
    origin: Origin,
    host: PluginHost,
    clock: Clock,
) -> CompanySignedUp:
    """The sequence itself. The owner's membership comes before the staff, since founding is the owner's act."""
    account_id = await settle_candidate(candidate, locale=request.preset.locale, clock=clock)
    tenant_id = await create_tenant(
        name=request.company, preset=request.preset, operator="sign-up", clock=clock, currency=request.currency
    )
    await grant_membership(
        tenant_id=tenant_id,
        account_id=account_id,
        email=request.email,
        roles=[OWNER, PAYROLL_OFFICER],  # there is nobody else yet to prepare the first run
        granted_by=account_id,
        clock=clock,
    )
    opened = await open_session(account_id=account_id, tenant_id=tenant_id, origin=origin, clock=clock)
    founded = await found_company(opened.actor, legal_name=request.company, owner_name=request.owner_name, clock=clock)
    await create_default_pool(name=_POOL_NAMES[request.preset.locale])
    await create_first_stages()
    await tie_to_employee(tenant_id=tenant_id, account_id=account_id, employee_id=founded.employee_id)
    owner = replace(opened.actor, employee_id=founded.employee_id)
    await create_standard_structure(owner, currency=request.currency, clock=clock)
    await _enable_plugins(owner, request.preset, host, clock)
    await _keep_key(transaction, request, tenant_id, account_id, clock)
    await _tell(owner, request, opened.tokens.session_id, clock)
    return CompanySignedUp(tenant_id, account_id, founded.employee_id, opened.tokens, replayed=False)


async def _enable_plugins(owner: Actor, preset: Preset, host: PluginHost, clock: Clock) -> None:
    for plugin in preset.plugins:
        if plugin in host.manifests:
            await enable_plugin(
                owner,
                host=host,
                plugin=plugin,
                settings={},
                reason=f"preset {preset.name}",
                expected_version=0,
                clock=clock,
            )


async def _keep_key(
    transaction: Transaction, request: _SignUp, tenant_id: UUID, account_id: UUID, clock: Clock
) -> None:
    values = (request.key, request.body_hash, tenant_id, account_id, clock.now())
    await transaction.execute(_KEEP_KEY, *values)


async def _tell(actor: Actor, request: _SignUp, session_id: UUID, clock: Clock) -> None:
    """The trail begins with the company, its owner and the session; the welcome mail leaves after commit."""
    await record(
        actor,
        "company.signed_up",
        object_type="Tenant",
        object_id=actor.tenant_id,
        changes={"preset": [None, request.preset.name]},
        clock=clock,
    )
    await record(actor, "session.started", object_type="Session", object_id=session_id, clock=clock)
    await emit(COMPANY_SIGNED_UP, {"tenant_id": str(actor.tenant_id), "account_id": str(actor.account_id)})


async def _replay(database: Database, earlier: _Earlier, origin: Origin, clock: Clock) -> CompanySignedUp:
    """The company of the first request, with a new session: the tokens of the first were stored nowhere."""
    async with database.transaction(earlier.tenant_id, role=DatabaseRole.PLATFORM):
        opened = await open_session(
            account_id=earlier.account_id, tenant_id=earlier.tenant_id, origin=origin, clock=clock
        )
        await record(
            opened.actor, "session.started", object_type="Session", object_id=opened.tokens.session_id, clock=clock
        )
    return CompanySignedUp(
        earlier.tenant_id, earlier.account_id, opened.actor.employee_id, opened.tokens, replayed=True
    )
