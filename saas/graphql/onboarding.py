"""Root fields of the onboarding room: a company signs up, a person accepts an invitation."""

from __future__ import annotations

import strawberry

from saas.extensions import PluginHost
from saas.graphql.fields import Info, mutation
from saas.graphql.identity import SessionPayload, origin_of, tokens_view
from saas.graphql.payloads import IdempotentPayload
from saas.graphql.viewer import begin_as
from saas.identity import Passwords
from saas.onboarding import sign_up_company
from tenants import Database


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
        idempotency_key=input.idempotency_key,
        origin=origin_of(info),
        passwords=info.room(Passwords),
        clock=info.clock,
    )
    viewer = await begin_as(info, signed_up.tokens)
    return CompanySignUpPayload(tokens=tokens_view(signed_up.tokens), viewer=viewer, replayed=signed_up.replayed)
