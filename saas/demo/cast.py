"""Who acts in the demonstration: companies that sign up, people who are invited and sign in."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from saas.demo import documents
from saas.demo.client import Client
from saas.kernel import split_public_id

PASSWORD = "fairlead-demo-2026"  # noqa: S105 (printed for whoever tries the demonstration; local only)


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who signs in."""

    title: str
    name: str
    email: str
    token: str


@dataclass(frozen=True, slots=True)
class Company:
    """A signed-up company and its owner."""

    id: UUID
    name: str
    owner: Person


async def sign_up(client: Client, name: str, *, owner: str, email: str, currency: str = "CNY") -> Company:
    """Sign a company up, or in again."""
    answer = await client.do(
        documents.SIGN_UP,
        input={
            "idempotencyKey": f"demo:{email}",
            "company": name,
            "ownerName": owner,
            "email": email,
            "password": PASSWORD,
            "preset": "general",
            "currency": currency,
        },
    )
    payload = answer["companySignUp"]
    token = payload["tokens"]["accessToken"]
    viewer = (await client.signed_in(token).do(documents.VIEWER))["viewer"]
    _, tenant_id = split_public_id(viewer["company"]["id"])
    return Company(tenant_id, name, Person("Owner", owner, email, token))


async def join(
    client: Client, company: Company, *, title: str, name: str, email: str, role: str, employee_id: str | None = None
) -> Person:
    """Somebody with an account, as they would get one: invited by the owner, accepted by themselves."""
    earlier = await client.ask(documents.SIGN_IN, input={"email": email, "password": PASSWORD})
    payload = earlier.data.get("signIn") or {}
    if not payload.get("tokens"):
        wanted = {"email": email, "roles": [role], "employeeId": employee_id}
        invited = await client.signed_in(company.owner.token).do(documents.INVITE, input=wanted)
        accepted = await client.do(
            documents.ACCEPT,
            input={"token": invited["invitationCreate"]["token"], "name": name, "password": PASSWORD},
        )
        payload = accepted["invitationAccept"]
    return Person(title, name, email, payload["tokens"]["accessToken"])
