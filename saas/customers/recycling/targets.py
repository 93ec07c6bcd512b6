"""Where a recycled customer goes: to which pool (P30), or to a person in its place (P31)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import Enum, StrEnum
from types import MappingProxyType
from uuid import UUID

from saas.kernel import Explanation


class TargetWay(StrEnum):
    """How the pool is found."""

    DEPARTMENT = "department"
    FIXED = "fixed"
    LISTED = "listed"


class Receiver(StrEnum):
    """Who gets the customer."""

    POOL = "pool"
    SUPERVISOR = "supervisor"
    BACKUP = "backup"


class Unfit(Enum):
    """Why nobody gets it after all."""

    NOBODY = "nobody"
    LEFT = "left"
    FORMER_OWNER = "former_owner"
    COOLDOWN = "cooldown"
    FULL = "full"


@dataclass(frozen=True, slots=True)
class TargetRules:
    """What a pool says of where its customers go; `pool_ids` are those of a fixed or listed target, in their order."""

    way: TargetWay = TargetWay.DEPARTMENT
    pool_ids: tuple[UUID, ...] = ()
    receiver: Receiver = Receiver.POOL


@dataclass(frozen=True, slots=True)
class PoolFacts:
    """An open pool, and the departments that it names; one that names nobody at all is everybody's."""

    id: UUID
    name: str
    is_default: bool = False
    department_ids: frozenset[UUID] = frozenset()
    is_everybodys: bool = True


@dataclass(frozen=True, slots=True)
class PersonFacts:
    """Whom the rules name. `free_on` is the first day on which they may own this customer again, None: any day."""

    employee_id: UUID
    is_on_staff: bool = True
    is_full: bool = False
    free_on: date | None = None


@dataclass(frozen=True, slots=True)
class Target:
    """The pool that the customer belongs to from now on, and the person who gets it; `unfit` says why nobody does."""

    pool_id: UUID
    employee_id: UUID | None = None
    unfit: Unfit | None = None


def recycle_target(
    rules: TargetRules,
    *,
    own_pool_id: UUID,
    former_owner_id: UUID,
    pools: Sequence[PoolFacts],
    departments: Sequence[UUID],
    person: PersonFacts | None,
    today: date,
) -> Target:
    """Where a customer goes that a rule takes back today.

    A person who can't get it is passed over, never silently: then it goes to the pool. Who gets it keeps it in the pool
    it belonged to. `departments` are the former owner's and those above, the nearest first.
    """
    pool_id = _pool(rules, own_pool_id, pools, departments)
    if rules.receiver is Receiver.POOL:
        return Target(pool_id)
    if person is None:
        return Target(pool_id, unfit=Unfit.NOBODY)
    unfit = _unfit(person, former_owner_id, today)
    return Target(own_pool_id, person.employee_id) if unfit is None else Target(pool_id, unfit=unfit)


def _unfit(person: PersonFacts, former_owner_id: UUID, today: date) -> Unfit | None:
    if not person.is_on_staff:
        return Unfit.LEFT
    if person.employee_id == former_owner_id:
        return Unfit.FORMER_OWNER
    if person.free_on is not None and today < person.free_on:
        return Unfit.COOLDOWN
    return Unfit.FULL if person.is_full else None


def _pool(rules: TargetRules, own_pool_id: UUID, pools: Sequence[PoolFacts], departments: Sequence[UUID]) -> UUID:
    """Of several that are as good: the pool that it belongs to, then the default, then by name; never the newest."""
    known = {each.id: each for each in pools}
    if rules.way is not TargetWay.DEPARTMENT:
        named = next((each for each in rules.pool_ids if each in known), None)
        return named or _best(own_pool_id, (each for each in pools if each.is_default))
    for department in departments:
        naming = [each for each in pools if department in each.department_ids]
        if naming:
            return _best(own_pool_id, naming)
    everybodys = [each for each in pools if each.is_everybodys]
    return _best(own_pool_id, everybodys or (each for each in pools if each.is_default))


def _best(own_pool_id: UUID, pools: Iterable[PoolFacts]) -> UUID:
    """Its own pool where there is none: one that is disabled keeps its customers."""
    ordered = sorted(pools, key=lambda each: (each.id != own_pool_id, not each.is_default, each.name, each.id))
    return ordered[0].id if ordered else own_pool_id


_TO: Mapping[Receiver, Explanation] = MappingProxyType(
    {
        Receiver.SUPERVISOR: Explanation("customers.recycle_to_supervisor"),
        Receiver.BACKUP: Explanation("customers.recycle_to_backup"),
    }
)
_UNFIT: Mapping[Unfit, Explanation] = MappingProxyType(
    {
        Unfit.NOBODY: Explanation("customers.recycle_person_unknown"),
        Unfit.LEFT: Explanation("customers.recycle_person_left"),
        Unfit.FORMER_OWNER: Explanation("customers.recycle_person_owned_it"),
        Unfit.COOLDOWN: Explanation("customers.recycle_person_cooling"),
        Unfit.FULL: Explanation("customers.recycle_person_full"),
    }
)


def told_target(target: Target, *, receiver: Receiver) -> tuple[Explanation, ...]:
    """The sentence about the person, where the pool's rules ask for one."""
    if target.employee_id is not None:
        return (_TO[receiver],)
    return () if target.unfit is None else (_UNFIT[target.unfit],)
