"""Root fields of the identity room: sign in and out, refresh, switch of company, password, and one's own sessions."""

from __future__ import annotations

from datetime import datetime

import strawberry

from saas import identity
from saas.graphql.fields import Info, mutation
from saas.graphql.payloads import Payload
from saas.graphql.rooms.references import optional_id, placed_id
from saas.graphql.rooms.viewer import COMPANY, SESSION, CompanyMembershipView, ViewerView, begin_as, membership_views
from saas.identity import Origin, Passwords, SessionTokens, refresh_session
from saas.kernel import BadUserInput, public_id
from tenants import Database, DatabaseRole


@strawberry.type(
    name="SessionTokens", description="A session's tokens, shown this once; only their hashes are kept. Since 0.1."
)
class TokensView:
    """What a client keeps of its session."""

    access_token: str = strawberry.field(description="Goes with each request: Authorization: Bearer … Since 0.1.")
    refresh_token: str = strawberry.field(description="Good once, for sessionRefresh. Since 0.1.")
    expires_at: datetime = strawberry.field(description="When the access token ends. Since 0.1.")
    refresh_expires_at: datetime = strawberry.field(description="When the session ends at the latest. Since 0.1.")


def tokens_view(tokens: SessionTokens) -> TokensView:
    """The tokens as the API shows them."""
    return TokensView(
        access_token=tokens.access_token,
        refresh_token=tokens.refresh_token,
        expires_at=tokens.access_expires_at,
        refresh_expires_at=tokens.expires_at,
    )


def origin_of(info: Info) -> Origin:
    """Where the request comes from, as the identity room notes it."""
    return Origin(address=info.address, client=info.client, request_id=info.request_id)


@strawberry.type
class SessionPayload(Payload):
    """Base of the payloads of everything that begins a session."""

    tokens: TokensView | None = strawberry.field(
        description="The session's tokens; null when refused. Since 0.1.", default=None
    )
    viewer: ViewerView | None = strawberry.field(
        description="Who is signed in now; null when refused. Since 0.1.", default=None
    )


@strawberry.input(description="Who signs in. Since 0.1.")
class SignInInput:
    """Address and password."""

    email: str = strawberry.field(description="The account's address.")
    password: str = strawberry.field(description="The account's password.")
    company_id: strawberry.ID | None = strawberry.field(
        description="The company to begin in (com_…); the one used last when absent.", default=None
    )


@strawberry.type(description="The new session. Since 0.1.")
class SignInPayload(SessionPayload):
    """Answer of signIn."""

    companies: list[CompanyMembershipView] = strawberry.field(
        description="The companies the person can switch to, the one used last first. Since 0.1.", default_factory=list
    )


@mutation(public=True, alone=True, database=None, description="Begin a session with a password")
async def sign_in(info: Info, input: SignInInput) -> SignInPayload:  # noqa: A002
    signed_in = await identity.sign_in(
        info.room(Database),
        email=input.email,
        password=input.password,
        tenant_id=optional_id(input.company_id, prefix=COMPANY, field=("companyId",)),
        origin=origin_of(info),
        passwords=info.room(Passwords),
        clock=info.clock,
    )
    viewer = await begin_as(info, signed_in.tokens)
    return SignInPayload(
        tokens=tokens_view(signed_in.tokens),
        viewer=viewer,
        companies=membership_views(signed_in.companies, current=info.actor),
    )


@strawberry.input(description="Which session goes on. Since 0.1.")
class SessionRefreshInput:
    """The token that is spent by this."""

    refresh_token: str = strawberry.field(description="The latest refresh token of the session.")


@strawberry.type(description="The session's next tokens. Since 0.1.")
class SessionRefreshPayload(Payload):
    """Answer of sessionRefresh."""

    tokens: TokensView | None = strawberry.field(
        description="The next tokens; the former ones are spent. Null when refused. Since 0.1.", default=None
    )


@mutation(
    public=True,
    alone=True,
    database=None,
    description="Trade a refresh token for the session's next tokens; a session token that has ended may come along. "
    "A token that was spent before ends the session, since somebody else has it",
)
async def session_refresh(info: Info, input: SessionRefreshInput) -> SessionRefreshPayload:  # noqa: A002
    tokens = await refresh_session(
        info.room(Database), refresh_token=input.refresh_token, origin=origin_of(info), clock=info.clock
    )
    return SessionRefreshPayload(tokens=tokens_view(tokens))


@strawberry.type(description="The session has ended. Since 0.1.")
class SignOutPayload(Payload):
    """Answer of signOut."""

    session_id: strawberry.ID | None = strawberry.field(
        description="The session that ended (ses_…). Since 0.1.", default=None
    )


@mutation(signed_in=True, database=DatabaseRole.PLATFORM, description="End the caller's session at once")
async def sign_out(info: Info) -> SignOutPayload:
    await identity.sign_out(info.actor, clock=info.clock)
    ended = info.actor.session_id
    return SignOutPayload(session_id=None if ended is None else strawberry.ID(public_id(SESSION, ended)))


@strawberry.input(description="Which company to go on in. Since 0.1.")
class CompanySwitchInput:
    """Another company of the same person."""

    company_id: strawberry.ID = strawberry.field(description="The company (com_…), one of the list companies.")


@strawberry.type(description="The session in the other company; the former one is over. Since 0.1.")
class CompanySwitchPayload(SessionPayload):
    """Answer of companySwitch."""


@mutation(
    signed_in=True,
    database=None,
    description="Trade the session for one in another company of the same person; it ends when the former would have",
)
async def company_switch(info: Info, input: CompanySwitchInput) -> CompanySwitchPayload:  # noqa: A002
    tenant_id = placed_id(input.company_id, prefix=COMPANY, field=("companyId",))
    actor = info.actor
    async with info.room(Database).transaction(actor.tenant_id, role=DatabaseRole.PLATFORM):
        opened = await identity.switch_company(actor, tenant_id=tenant_id, origin=origin_of(info), clock=info.clock)
    viewer = await begin_as(info, opened.tokens)
    return CompanySwitchPayload(tokens=tokens_view(opened.tokens), viewer=viewer)


@strawberry.input(description="The present and the new password. Since 0.1.")
class PasswordChangeInput:
    """Both, since a found session must not be enough."""

    password: str = strawberry.field(description="The present password; wrong ones count as failed sign-ins do.")
    new_password: str = strawberry.field(description="12 to 128 characters, none of the well-known passwords.")


@strawberry.type(description="The password is changed; all other sessions of the account are over. Since 0.1.")
class PasswordChangePayload(Payload):
    """Answer of passwordChange."""


@mutation(
    signed_in=True, database=None, description="Give the caller's account a new password and end its other sessions"
)
async def password_change(info: Info, input: PasswordChangeInput) -> PasswordChangePayload:  # noqa: A002
    try:
        await identity.change_password(
            info.room(Database),
            info.actor,
            current=input.password,
            new=input.new_password,
            origin=origin_of(info),
            passwords=info.room(Passwords),
            clock=info.clock,
        )
    except BadUserInput as refused:  # whatever is malformed is the new one: the present one is right or wrong
        raise refused.at("input", "newPassword") from None
    return PasswordChangePayload()
