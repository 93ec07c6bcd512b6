"""The hooks by which a plugin changes what happens to customers.

Facts and results are plain values; a plugin sees no database. Each hook here has a plugin that uses it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from uuid import UUID

from saas.kernel import Scalar


@dataclass(frozen=True, slots=True)
class ClaimFacts:
    """What is known when a person claims a customer from the pool.

    `on` is the tenant's day. `claimant_department_id` is None for people without a department.
    """

    tenant_id: UUID
    customer_id: UUID
    district_code: str | None
    industry: str | None
    level: str | None
    claimant_id: UUID
    claimant_department_id: UUID | None
    on: date


@dataclass(frozen=True, slots=True)
class Refusal:
    """A plugin says no. `key` names a sentence in the plugin's locales, `args` its values."""

    key: str
    args: Mapping[str, Scalar] = field(default_factory=dict)
