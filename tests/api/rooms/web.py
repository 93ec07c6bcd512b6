"""The real product behind a real HTTP server, and the people who speak to it."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, replace
from typing import Any

import httpx2
import orjson

from saas.main import Installation
from tests.companies import PASSWORD

USER_ERRORS = "userErrors { code field message messageKey hint args { name value } }"
TOKENS = "tokens { accessToken refreshToken expiresAt refreshExpiresAt }"
VIEWER = "viewer { account { id email } company { id name } employee { id name } roles permissions }"

SIGN_UP = f"""
mutation ($input: CompanySignUpInput!) {{ companySignUp(input: $input) {{ replayed {TOKENS} {VIEWER} {USER_ERRORS} }} }}
"""
SIGN_IN = f"""
mutation ($input: SignInInput!) {{
  signIn(input: $input) {{
    {TOKENS} {VIEWER} companies {{ id name roles isActive isCurrent accessUntil }} {USER_ERRORS}
  }}
}}
"""
INVITE = f"""
mutation ($input: InvitationCreateInput!) {{
  invitationCreate(input: $input) {{ token invitation {{ id email roles }} {USER_ERRORS} }}
}}
"""
ACCEPT = f"""
mutation ($input: InvitationAcceptInput!) {{ invitationAccept(input: $input) {{ {TOKENS} {VIEWER} {USER_ERRORS} }} }}
"""
HIRE = f"""
mutation ($input: EmployeeCreateInput!) {{ employeeCreate(input: $input) {{ employee {{ id name }} {USER_ERRORS} }} }}
"""
CREATE = f"""
mutation ($input: CustomerCreateInput!) {{ customerCreate(input: $input) {{ customer {{ id name }} {USER_ERRORS} }} }}
"""


@dataclass(frozen=True)
class Web:
    """A running server."""

    installation: Installation
    client: httpx2.AsyncClient

    @property
    def nobody(self) -> Person:
        """A caller without a session."""
        return Person(self)

    async def sign_up(self, company: str = "晨光销售", *, preset: str = "general", currency: str = "CNY") -> Person:
        """A new company's owner."""
        return await self.nobody.founding(company, preset=preset, currency=currency)


@dataclass(frozen=True)
class Person:
    """Somebody who speaks to the server in their own name."""

    web: Web
    email: str = ""
    token: str | None = None
    refresh_token: str = ""
    account_id: str = ""
    company_id: str = ""
    employee_id: str = ""
    locale: str = "en"

    def speaking(self, locale: str) -> Person:
        """The same person, asking for another language."""
        return replace(self, locale=locale)

    def bearing(self, token: str | None) -> Person:
        """The same person with another token."""
        return replace(self, token=token)

    async def post(self, query: str, **variables: Any) -> httpx2.Response:
        """One request, whatever it answers."""
        headers = {
            "Content-Type": "application/json",
            "Accept": "application/graphql-response+json",
            "Accept-Language": self.locale,
        }
        if self.token is not None:
            headers["Authorization"] = f"Bearer {self.token}"
        body = orjson.dumps({"query": query, "variables": variables})
        return await self.web.client.post("/graphql", content=body, headers=headers)

    async def answer(self, query: str, **variables: Any) -> dict[str, Any]:
        """Data and errors; what differs from request to request (id, cost) is left out."""
        body: dict[str, Any] = (await self.post(query, **variables)).json()
        body.pop("extensions", None)
        for error in body.get("errors", ()):
            error["extensions"].pop("requestId")
        return body

    async def data(self, query: str, **variables: Any) -> Any:
        """The data of a request without errors."""
        body = await self.answer(query, **variables)
        assert "errors" not in body, body
        return body["data"]

    async def payload(self, query: str, **input_: Any) -> Any:
        """The payload of the one mutation in `query`, which takes ``$input``."""
        data = await self.data(query, input=input_)
        (payload,) = data.values()
        return payload

    async def done(self, query: str, **input_: Any) -> Any:
        """The payload of a mutation that must not be refused."""
        payload = await self.payload(query, **input_)
        assert payload["userErrors"] == []
        return payload

    async def refused(self, query: str, **input_: Any) -> dict[str, Any]:
        """The one user error of a mutation that is refused, and nothing else in its payload."""
        payload = await self.payload(query, **input_)
        (error,) = payload.pop("userErrors")
        assert all(value in (None, [], False) for value in payload.values()), payload
        found: dict[str, Any] = error
        return found

    async def code(self, query: str, **variables: Any) -> str:
        """The code of the one top-level error of a request that gives nothing."""
        body = await self.answer(query, **variables)
        assert not any((body.get("data") or {}).values()), body
        (error,) = body["errors"]
        code: str = error["extensions"]["code"]
        return code

    async def founding(self, company: str, *, preset: str = "general", currency: str = "CNY") -> Person:
        """Whoever signs up a company."""
        email = f"owner-{secrets.token_hex(4)}@example.cn"
        payload = await self.done(
            SIGN_UP,
            idempotencyKey=secrets.token_hex(8),
            company=company,
            ownerName="韩梅梅",
            email=email,
            password=PASSWORD,
            preset=preset,
            currency=currency,
        )
        return self.as_in(payload)

    async def signing_in(self, email: str, password: str = PASSWORD) -> Person:
        """Whoever signs in with the address."""
        return self.as_in(await self.done(SIGN_IN, email=email, password=password))

    async def hire(self, name: str = "李雷") -> str:
        """A new person on the staff; their id."""
        made = await self.done(HIRE, idempotencyKey=secrets.token_hex(8), name=name, number=secrets.token_hex(4))
        employee_id: str = made["employee"]["id"]
        return employee_id

    async def invite(self, *roles: str, name: str = "李雷", staff: bool = True) -> Person:
        """Somebody hired (with `staff`), invited and come in, with the roles."""
        employee_id = await self.hire(name) if staff else None
        email = f"person-{secrets.token_hex(4)}@example.cn"
        invited = await self.done(INVITE, email=email, roles=list(roles), employeeId=employee_id)
        nobody = self.bearing(None)
        return self.as_in(await nobody.done(ACCEPT, token=invited["token"], name=name, password=PASSWORD))

    async def create_customer(self, name: str, *, keep: bool = False, **more: Any) -> str:
        """A new customer; its id."""
        made = await self.done(CREATE, idempotencyKey=secrets.token_hex(8), name=name, keep=keep, **more)
        customer_id: str = made["customer"]["id"]
        return customer_id

    def as_in(self, payload: dict[str, Any]) -> Person:
        """Whoever a payload that begins a session has signed in."""
        viewer = payload["viewer"]
        return replace(
            self,
            email=viewer["account"]["email"],
            token=payload["tokens"]["accessToken"],
            refresh_token=payload["tokens"]["refreshToken"],
            account_id=viewer["account"]["id"],
            company_id=viewer["company"]["id"],
            employee_id=(viewer["employee"] or {}).get("id", ""),
        )
