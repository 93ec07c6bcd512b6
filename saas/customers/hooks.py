"""The hooks by which a plugin changes what happens to customers.

Facts and results are plain values; a plugin sees no database. Each hook here has a plugin that uses it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
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


@dataclass(frozen=True, slots=True)
class AllocationPerson:
    """Somebody who can receive customers of an allocation.

    `room` is how many more, None without a limit; `assigned` counts the cycle. `least_percent` of the customers that
    are for them is guaranteed, to newcomers. `lot` breaks ties: it is drawn anew for each allocation.
    """

    employee_id: UUID
    lot: int
    room: int | None
    assigned: int
    weight: int
    hired_on: date | None
    least_percent: Decimal


@dataclass(frozen=True, slots=True)
class AllocationCustomer:
    """A customer, or `size` records of one company together, which go to one person; facts are of the first of them.

    `barred` are people who may not have it, since they owned it too lately.
    """

    place: int
    size: int
    district_code: str | None
    industry: str | None
    source: str | None
    level: str | None
    barred: frozenset[UUID]


@dataclass(frozen=True, slots=True)
class AllocationTogether:
    """People of a department who may get `room` more together, whatever each has room for."""

    people: frozenset[UUID]
    room: int


@dataclass(frozen=True, slots=True)
class AllocationFacts:
    """A frozen roster, as a plugin's method sees it; `customers` are dealt in their order, on the tenant's day.

    `together` are the rooms that people share.
    """

    method: str
    on: date
    people: tuple[AllocationPerson, ...]
    customers: tuple[AllocationCustomer, ...]
    together: tuple[AllocationTogether, ...] = ()


@dataclass(frozen=True, slots=True)
class AllocationPlace:
    """Where a customer goes: to a person, or to nobody.

    `people` are whom it was for by the method, the receiver among them. `key` names a sentence of the plugin's locales
    that begins with ``<name>.explained.`` and says why, `args` its values.
    """

    place: int
    employee_id: UUID | None
    people: frozenset[UUID]
    key: str
    args: Mapping[str, str | int | None] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class AllocationAnswer:
    """Where a plugin's method puts the customers: a place for each of them, in any order."""

    places: tuple[AllocationPlace, ...]


class CustomerHooks:
    """Specifications of the customers room's hooks."""

    @hookspec
    def claim_guard(self, facts: ClaimFacts, settings: Any) -> Refusal | None:
        """Whether the claimant may claim the customer: None for yes, a refusal for no.

        Called before the claim, in its transaction, after the pool's own rules. Pure: the same facts and settings
        give the same answer. `settings` are the plugin's own, as of the day.
        """

    @hookspec
    def allocation_method(self, facts: AllocationFacts, settings: Any) -> AllocationAnswer | None:
        """Where the customers of an allocation go by the plugin's method `facts.method`; None where the plugin has no
        method of that name.

        Called twice when the allocation is planned, and must answer the same. Everybody given must be one of the
        people, not barred, and within their room, each and together; newcomers must get what is guaranteed of the
        customers that are for them, as far as there is room. Pure: the same facts and settings give the same answer.
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
