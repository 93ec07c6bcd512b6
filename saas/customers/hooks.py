"""The hooks by which a plugin changes what happens to customers.

Facts and results are plain values; a plugin sees no database. Each hook here has a plugin that uses it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any
from uuid import UUID

from saas.extensions import PluginHost, TenantPlugins, hookspec
from saas.kernel import RuleRefused, Scalar


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


class CustomerHooks:
    """Specifications of the customers room's hooks."""

    @hookspec
    def claim_guard(self, facts: ClaimFacts, settings: Any) -> Refusal | None:
        """Whether the claimant may claim the customer: None for yes, a refusal for no.

        Called before the claim, in its transaction, after the pool's own rules. Pure: the same facts and settings
        give the same answer. `settings` are the plugin's own, as of the day.
        """


def refuse_by_plugins(host: PluginHost, enabled: TenantPlugins, facts: ClaimFacts) -> None:
    """Ask the tenant's plugins about a claim.

    :raises RuleRefused: the first plugin that refuses, in its own words.
    :raises PluginFailed: a plugin failed; :raises PluginUnusable: one can't be asked.
    """
    refused = host.first("claim_guard", enabled, facts=facts)
    if refused:
        _, refusal = refused
        raise RuleRefused(refusal.key, refusal.args)
