"""Root fields of the identity room: sign in and out, refresh, switch of company, password, and one's own sessions."""

from __future__ import annotations

from datetime import datetime

import strawberry

from saas import identity
from saas.graphql.fields import Info, mutation
from saas.graphql.payloads import Payload
from saas.graphql.references import optional_id
from saas.graphql.viewer import COMPANY, SESSION, CompanyMembershipView, ViewerView, begin_as, membership_views
from saas.identity import Origin, Passwords, SessionTokens, refresh_session
from saas.kernel import public_id
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
    description="Trade a refresh token for the session's next tokens; it is sent without an Authorization header. "
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
