"""Who acts: the product of a checked session, handed to every action and read."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Actor:
    """One person acting in one tenant.

    `roles` are role names of that tenant; `employee_id` is None for people who are not staff there
    (consultants, partner apps, auditors from outside).
    """

    tenant_id: UUID
    account_id: UUID
    employee_id: UUID | None
    roles: frozenset[str]
    locale: str = "zh-CN"
    session_id: UUID | None = None
    client: str = "web"
    address: str = ""
    request_id: str = ""

    def asking(self, *, address: str, request_id: str, client: str) -> Actor:
        """The same person in one request: from which address, under which id, through which client."""
        return Actor(
            tenant_id=self.tenant_id,
            account_id=self.account_id,
            employee_id=self.employee_id,
            roles=self.roles,
            locale=self.locale,
            session_id=self.session_id,
            client=client,
            address=address,
            request_id=request_id,
        )
