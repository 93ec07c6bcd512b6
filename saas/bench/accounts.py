"""Real sessions for the product: an owner who reads, and the people who claim."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from saas.bench.cases import Population
from saas.bench.dataset import tenant_id
from saas.identity import Candidate, Origin, grant_membership, open_session, settle_candidate
from saas.kernel import SystemClock, new_id
from tenants import Database, DatabaseRole
from tenants.database import DatabaseUrls

_NO_PASSWORD = "!"  # noqa: S105 (a hash that no password has: these accounts can't sign in)


@dataclass(frozen=True, slots=True)
class Tokens:
    """Access tokens, good for half an hour."""

    reader: str
    claimants: Sequence[str]


async def open_sessions(urls: DatabaseUrls, population: Population) -> Tokens:
    """One session for the owner, one for each claimant as a rep; with accounts made for this run."""
    database = Database(urls, size=1, platform_size=1)
    try:
        async with database.transaction(tenant_id(1), role=DatabaseRole.PLATFORM):
            reader = await _session("owner", "owner", None)
            claimants = [
                await _session(f"claimant-{number}", "rep", employee_id)
                for number, employee_id in enumerate(population.claimants)
            ]
    finally:
        await database.close()
    return Tokens(reader, claimants)


async def _session(name: str, role: str, employee_id: UUID | None) -> str:
    clock, run = SystemClock(), new_id().hex
    email = f"{name}.{run}@benchmark.invalid"
    account_id = await settle_candidate(Candidate(email, name, None, _NO_PASSWORD), locale="en", clock=clock)
    await grant_membership(
        tenant_id=tenant_id(1),
        account_id=account_id,
        email=email,
        roles=[role],
        granted_by=account_id,
        clock=clock,
        employee_id=employee_id,
    )
    opened = await open_session(
        account_id=account_id, tenant_id=tenant_id(1), origin=Origin(client="benchmark"), clock=clock
    )
    return opened.tokens.access_token
