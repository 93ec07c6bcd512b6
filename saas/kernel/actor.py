"""Who acts: the product of a checked session, handed to every action and read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
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

    def plain(self) -> dict[str, Any]:
        """As JSON values, without tenant and session: a job acts for them when they are long gone."""
        return {
            "account_id": str(self.account_id),
            "employee_id": str(self.employee_id) if self.employee_id else None,
            "roles": sorted(self.roles),
            "locale": self.locale,
            "client": self.client,
            "address": self.address,
            "request_id": self.request_id,
        }

    @classmethod
    def of_plain(cls, plain: Mapping[str, Any], *, tenant_id: UUID) -> Actor:
        """The person that `plain` described, in the tenant that kept it."""
        return cls(
            tenant_id,
            account_id=UUID(plain["account_id"]),
            employee_id=UUID(plain["employee_id"]) if plain["employee_id"] else None,
            roles=frozenset(plain["roles"]),
            locale=plain["locale"],
            client=plain["client"],
            address=plain["address"],
            request_id=plain["request_id"],
        )
