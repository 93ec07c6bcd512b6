"""Root fields of the onboarding room: a company signs up, a person accepts an invitation."""

from __future__ import annotations

import strawberry

from saas.extensions import PluginHost
from saas.graphql.fields import Info, mutation
from saas.graphql.payloads import IdempotentPayload, Payload
from saas.graphql.rooms.identity import SessionPayload, origin_of, tokens_view
from saas.graphql.rooms.viewer import COMPANY, begin_as
from saas.identity import Passwords
from saas.kernel import public_id
from saas.onboarding import accept_invitation, join_company, sign_up_company
from tenants import DEFAULT_CURRENCY, Database, DatabaseRole


@strawberry.input(description="A new company and its owner. Since 0.1.")
class CompanySignUpInput:
    """What a company begins with."""

    idempotency_key: str = strawberry.field(
        description="8 to 100 characters, unguessable; the same key with the same values gives the same company."
    )
    company: str = strawberry.field(description="The company's name, 1 to 200 characters.")
    owner_name: str = strawberry.field(description="The owner's full name, 1 to 100 characters.")
    email: str = strawberry.field(description="The owner's address; an existing account may own several companies.")
    password: str = strawberry.field(
        description="12 to 128 characters for a new account; the present password of an existing one."
    )
    preset: str = strawberry.field(
        description="Industry preset: general, realty, insurance or software.", default="general"
    )
    currency: str = strawberry.field(
        description="ISO 4217 code of the currency of all amounts; it can't be changed afterwards.",
        default=DEFAULT_CURRENCY,
    )


@strawberry.type(description="The company and its owner's session. Since 0.1.")
class CompanySignUpPayload(SessionPayload, IdempotentPayload):
    """Answer of companySignUp."""


@mutation(
    public=True,
    alone=True,
    database=None,
    description="Sign up a company: its owner, root department, legal entity, customer pool, and the owner's session",
)
async def company_sign_up(info: Info, input: CompanySignUpInput) -> CompanySignUpPayload:  # noqa: A002
    signed_up = await sign_up_company(
        info.room(Database),
        host=info.room(PluginHost),
        company=input.company,
        owner_name=input.owner_name,
        email=input.email,
        password=input.password,
        preset=input.preset,
        currency=input.currency,
        idempotency_key=input.idempotency_key,
        origin=origin_of(info),
        passwords=info.room(Passwords),
        clock=info.clock,
    )
    viewer = await begin_as(info, signed_up.tokens)
    return CompanySignUpPayload(tokens=tokens_view(signed_up.tokens), viewer=viewer, replayed=signed_up.replayed)


@strawberry.input(description="An invitation's token, and who comes. Since 0.1.")
class InvitationAcceptInput:
    """What proves that the invited person is here."""

    token: str = strawberry.field(description="The invitation's token.")
    name: str = strawberry.field(description="The person's name, for a new account; 1 to 100 characters.")
    password: str = strawberry.field(
        description="12 to 128 characters for a new account; the present password of an existing one."
    )


@strawberry.type(description="The session of whoever accepted. Since 0.1.")
class InvitationAcceptPayload(SessionPayload):
    """Answer of invitationAccept."""


@mutation(
    public=True,
    alone=True,
    database=None,
    description="Come into a company with the invited address's account, made now if it is new, and begin a session",
)
async def invitation_accept(info: Info, input: InvitationAcceptInput) -> InvitationAcceptPayload:  # noqa: A002
    tokens = await accept_invitation(
        info.room(Database),
        token=input.token,
        name=input.name,
        password=input.password,
        origin=origin_of(info),
        passwords=info.room(Passwords),
        clock=info.clock,
    )
    viewer = await begin_as(info, tokens)
    return InvitationAcceptPayload(tokens=tokens_view(tokens), viewer=viewer)


@strawberry.input(description="An invitation's token. Since 0.1.")
class CompanyJoinInput:
    """For somebody who is signed in already."""

    token: str = strawberry.field(description="The invitation's token; it must be for the caller's own address.")


@strawberry.type(description="The company that the person belongs to now. Since 0.1.")
class CompanyJoinPayload(Payload):
    """Answer of companyJoin."""

    company_id: strawberry.ID | None = strawberry.field(
        description="The company (com_…), for companySwitch; null when refused. Since 0.1.", default=None
    )


@mutation(
    signed_in=True,
    database=DatabaseRole.PLATFORM,
    description="Accept an invitation with the account that is signed in; the session stays in its company",
)
async def company_join(info: Info, input: CompanyJoinInput) -> CompanyJoinPayload:  # noqa: A002
    joined = await join_company(info.actor, token=input.token, clock=info.clock)
    return CompanyJoinPayload(company_id=strawberry.ID(public_id(COMPANY, joined)))
