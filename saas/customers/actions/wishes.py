"""What an allocation is asked for; kept as JSON until a job deals it, or gives it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from typing import Any
from uuid import UUID

from saas.customers.allocation import MatchPlan, Method, PerformancePlan, TraitKind
from saas.kernel import Actor, Period

AT_ONCE = 2_000
"""Customers of an allocation that a request deals, or gives, while its caller waits; more are a job's."""


def is_large(customers: int) -> bool:
    """Whether so many are a job's."""
    return customers > AT_ONCE


@dataclass(frozen=True, slots=True)
class Participant:
    """A person who may receive customers, with what only the caller knows.

    `attainment` is a fraction of the target in the plan's closed period; `most` bounds how many this allocation gives
    (P13); `weight` is of the methods by weight.
    """

    employee_id: UUID
    weight: int = 1
    attainment: Decimal | None = None
    most: int | None = None
    is_absent: bool = False


@dataclass(frozen=True, slots=True)
class AllocationWish:
    """What to allocate: the named customers of the pool, else the `take` that wait longest, to `people` by `method`.

    `plan` is of performance first, `match` of match first, `plugin` a plugin and its method. `seed_source` names the
    public value that a draw takes its seed from; without one the seed is a secret of the company until the commit.
    `is_on_arrival` says that nobody asked: the pool allocates by itself (P04). `keeps_hours` is false where a job
    runs at an hour of its own, so that nobody is off hours (P46).
    """

    pool_id: UUID
    method: Method
    people: Sequence[Participant]
    customer_ids: Sequence[UUID] | None = None
    take: int = 100
    plan: PerformancePlan | None = None
    seed_source: str | None = None
    match: MatchPlan | None = None
    plugin: tuple[str, str] | None = None
    is_on_arrival: bool = False
    keeps_hours: bool = True

    @property
    def size(self) -> int:
        """How many customers are asked for."""
        return self.take if self.customer_ids is None else len(self.customer_ids)

    def plain(self) -> dict[str, Any]:
        """As JSON values."""
        return {
            "pool": str(self.pool_id),
            "method": self.method.value,
            "people": [_plain_participant(each) for each in self.people],
            "customers": None if self.customer_ids is None else [str(each) for each in self.customer_ids],
            "take": self.take,
            "plan": None if self.plan is None else plain_plan(self.plan),
            "seed_source": self.seed_source,
            "match": None if self.match is None else plain_match(self.match),
            "plugin": None if self.plugin is None else list(self.plugin),
            "is_on_arrival": self.is_on_arrival,
            "keeps_hours": self.keeps_hours,
        }

    @classmethod
    def of_plain(cls, plain: Mapping[str, Any]) -> AllocationWish:
        """The wish that `plain` described."""
        named = plain["customers"]
        return cls(
            UUID(plain["pool"]),
            Method(plain["method"]),
            [_restored_participant(each) for each in plain["people"]],
            customer_ids=None if named is None else [UUID(each) for each in named],
            take=plain["take"],
            plan=None if plain["plan"] is None else restored_plan(plain["plan"]),
            seed_source=plain["seed_source"],
            match=None if plain.get("match") is None else restored_match(plain["match"]),
            plugin=None if plain.get("plugin") is None else (plain["plugin"][0], plain["plugin"][1]),
            is_on_arrival=plain.get("is_on_arrival", False),
            keeps_hours=plain.get("keeps_hours", True),
        )


class OnChange(Enum):
    """What a commit does with customers and people that have changed since the plan."""

    REFUSE = "refuse"
    SKIP = "skip"


@dataclass(frozen=True, slots=True)
class CommitOrder:
    """Who has a plan carried out, since when, and how: ledger and trail tell of that moment, whenever a job gets to it.

    `seed_value` is the public value of a draw that names its source.
    """

    by: Actor
    at: datetime
    on_change: OnChange
    seed_value: str | None = None

    def plain(self) -> dict[str, Any]:
        """As JSON values."""
        return {
            "by": self.by.plain(),
            "at": self.at.isoformat(),
            "on_change": self.on_change.value,
            "seed_value": self.seed_value,
        }

    @classmethod
    def of_plain(cls, plain: Mapping[str, Any], *, tenant_id: UUID) -> CommitOrder:
        """The order that `plain` described, in the tenant that kept it."""
        return cls(
            Actor.of_plain(plain["by"], tenant_id=tenant_id),
            datetime.fromisoformat(plain["at"]),
            OnChange(plain["on_change"]),
            plain["seed_value"],
        )


def _plain_participant(each: Participant) -> dict[str, Any]:
    return {
        "employee": str(each.employee_id),
        "weight": each.weight,
        "attainment": None if each.attainment is None else str(each.attainment),
        "most": each.most,
        "is_absent": each.is_absent,
    }


def _restored_participant(plain: Mapping[str, Any]) -> Participant:
    attainment = plain["attainment"]
    return Participant(
        UUID(plain["employee"]),
        weight=plain["weight"],
        attainment=None if attainment is None else Decimal(attainment),
        most=plain["most"],
        is_absent=plain["is_absent"],
    )


def plain_plan(plan: PerformancePlan) -> dict[str, Any]:
    """A plan of performance first as JSON values."""
    return {
        "first": plan.period.first.isoformat(),
        "until": None if plan.period.until is None else plan.period.until.isoformat(),
        "curve": [[str(attainment), str(weight)] for attainment, weight in plan.curve],
        "cap": str(plan.cap),
        "floor_rate": str(plan.floor_rate),
        "newcomer_days": plan.newcomer_days,
        "newcomer_rate": str(plan.newcomer_rate),
    }


def restored_plan(plain: Mapping[str, Any]) -> PerformancePlan:
    """The plan that `plain_plan` described."""
    until = plain["until"]
    return PerformancePlan(
        period=Period(date.fromisoformat(plain["first"]), None if until is None else date.fromisoformat(until)),
        curve=tuple((Decimal(attainment), Decimal(weight)) for attainment, weight in plain["curve"]),
        cap=Decimal(plain["cap"]),
        floor_rate=Decimal(plain["floor_rate"]),
        newcomer_days=plain["newcomer_days"],
        newcomer_rate=Decimal(plain["newcomer_rate"]),
    )


def plain_match(plan: MatchPlan) -> dict[str, Any]:
    """A plan of match first as JSON values."""
    return {
        "must": [each.value for each in plan.must],
        "prefer": [each.value for each in plan.prefer],
        "then": plan.then.value,
        "quota": plan.quota,
    }


def restored_match(plain: Mapping[str, Any]) -> MatchPlan:
    """The plan that `plain_match` described."""
    must, prefer = (tuple(map(TraitKind, plain[name])) for name in ("must", "prefer"))
    return MatchPlan(must, prefer, Method(plain["then"]), plain["quota"])
