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
