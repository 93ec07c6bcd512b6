"""Who is signed in: the person, the company, what they may do there; and the companies they can switch to."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

import strawberry

from saas.access import AccessTable, AccessTables
from saas.graphql.fields import Info, query
from saas.graphql.payloads import Ref, mapped
from saas.identity import (
    Company,
    Recipient,
    SessionAuthenticator,
    SessionTokens,
    find_recipient,
    list_companies,
)
from saas.kernel import Actor, Unauthenticated, public_id
from tenants import Database, DatabaseRole, TenantFacts, get_tenant_facts

ACCOUNT, COMPANY, SESSION = "acc", "com", "ses"
"""Prefixes of ids that no mapped type has."""


@strawberry.type(name="Account", description="A person's one account in the whole installation. Since 0.1.")
class AccountView:
    """Who signs in."""

    id: strawberry.ID = strawberry.field(description="acc_… Since 0.1.")
    email: str = strawberry.field(description="The address that the person signs in with. Since 0.1.")
    name: str = strawberry.field(description="The person's name. Since 0.1.")
    locale: str = strawberry.field(description="Language of mails and messages, zh-CN or en. Since 0.1.")


@strawberry.type(name="Company", description="A company that uses the product. Since 0.1.")
class CompanyView:
    """The company of a session."""

    id: strawberry.ID = strawberry.field(description="com_… Since 0.1.")
    name: str = strawberry.field(description="Its name. Since 0.1.")
    time_zone: str = strawberry.field(description="IANA time zone of its days, e.g. Asia/Shanghai. Since 0.1.")
    currency: str = strawberry.field(description="ISO 4217 code of the currency of all its amounts. Since 0.1.")
    locale: str = strawberry.field(description="Its language, zh-CN or en. Since 0.1.")
    preset: str = strawberry.field(description="The industry preset it began with. Since 0.1.")


@strawberry.type(name="Viewer", description="Whoever is signed in, in the company of the session. Since 0.1.")
class ViewerView:
    """The caller as they see themselves."""

    account: AccountView = strawberry.field(description="The person's account. Since 0.1.")
    company: CompanyView = strawberry.field(description="The company of this session. Since 0.1.")
    employee: Ref | None = mapped(
        "Employee",
        description="The person on the company's staff; null for an outsider. Since 0.1.",
    )
    roles: list[str] = strawberry.field(
        description="Roles in the company, at most 20, by name. Since 0.1.", default_factory=list
    )
    permissions: list[str] = strawberry.field(
        description="What the roles allow, at most 1000 verbs such as customer:claim, by name. Since 0.1.",
        default_factory=list,
    )


@strawberry.type(name="CompanyMembership", description="A company that the person belongs to. Since 0.1.")
class CompanyMembershipView:
    """Its name and what the person is there, nothing of its data."""

    id: strawberry.ID = strawberry.field(description="The company's id, com_… Since 0.1.")
    name: str = strawberry.field(description="The company's name. Since 0.1.")
    roles: list[str] = strawberry.field(description="The person's roles there, at most 20, by name. Since 0.1.")
    is_active: bool = strawberry.field(description="False while the company is suspended. Since 0.1.")
    is_current: bool = strawberry.field(description="Whether this session is in it. Since 0.1.")
    access_until: datetime | None = strawberry.field(
        description="When the person's access ends; null for an open end. Since 0.1."
    )


@query(signed_in=True, description="Whoever is signed in, in the company of the session")
async def viewer(info: Info) -> ViewerView:
    account = await find_recipient(info.room(Database), info.actor.account_id)
    return _viewer(info.actor, account, await get_tenant_facts(), info.rights)


@query(
    signed_in=True,
    database=DatabaseRole.PLATFORM,
    description="The companies that the person belongs to, the one used last first, at most 100",
)
async def companies(info: Info) -> list[CompanyMembershipView]:
    found = await list_companies(info.actor.account_id, now=info.now)
    return membership_views(found, current=info.actor)


def membership_views(found: Iterable[Company], *, current: Actor) -> list[CompanyMembershipView]:
    """The companies of a person as the API shows them."""
    return [
        CompanyMembershipView(
            id=strawberry.ID(public_id(COMPANY, company.tenant_id)),
            name=company.name,
            roles=sorted(company.roles),
            is_active=company.is_active,
            is_current=company.tenant_id == current.tenant_id,
            access_until=company.valid_to,
        )
        for company in found
    ]


async def begin_as(info: Info, tokens: SessionTokens) -> ViewerView:
    """Read the payload as whoever the new session stands for; they, as a viewer. Opens its own transactions.

    :raises Unauthenticated: the session has ended in this very moment.
    """
    found = await info.room(SessionAuthenticator).authenticate(
        tokens.access_token, address=info.address, request_id=info.request_id, client=info.client
    )
    if found is None:
        raise Unauthenticated("graphql.session_ended")
    info.act_as(found.actor, time_zone=found.time_zone, currency=found.currency)
    access = await info.room(AccessTables).table(found.actor)
    database = info.room(Database)
    account = await find_recipient(database, found.actor.account_id)
    async with database.transaction(found.actor.tenant_id):
        return _viewer(found.actor, account, await get_tenant_facts(), access)


def _viewer(actor: Actor, account: Recipient | None, company: TenantFacts, access: AccessTable) -> ViewerView:
    if account is None:
        raise LookupError("a session without an account")
    return ViewerView(
        account=AccountView(
            id=strawberry.ID(public_id(ACCOUNT, actor.account_id)),
            email=account.email,
            name=account.name,
            locale=account.locale,
        ),
        company=CompanyView(
            id=strawberry.ID(public_id(COMPANY, actor.tenant_id)),
            name=company.name,
            time_zone=company.time_zone,
            currency=company.currency,
            locale=company.locale,
            preset=company.preset,
        ),
        employee=None if actor.employee_id is None else Ref("Employee", actor.employee_id),
        roles=sorted(actor.roles),
        permissions=sorted(access.permissions),
    )
