"""Customers that came back to whoever had had them: directly, or through others who held them meanwhile (L08)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from enum import Enum
from typing import Any
from uuid import UUID

from saas.analytics.behaviour.facts import Terms
from saas.customers import HeldCustomer, HeldOwnership
from saas.kernel import Period

TIMES = 2
"""A return is one inside twice the cooldown (再领间隔) of the pool."""

_FIRST_KINDS = frozenset({"created", "imported"})
_IDS = ("customer_id", "pool_id", "former_id", "receiver_id", "department_id")
_DAYS = ("ended_on", "received_on")


class ReturnKind(Enum):
    """To whom a customer came back: PERSON, the former owner; DEPARTMENT, somebody of the former owner's department
    after people of others had it.
    """

    PERSON = "person"
    DEPARTMENT = "department"


@dataclass(frozen=True, slots=True)
class Return:
    """A customer that `receiver_id` got on a day, `days` after `former_id` had lost it; `through` held it meanwhile."""

    kind: ReturnKind
    customer_id: UUID
    pool_id: UUID
    former_id: UUID
    receiver_id: UUID
    department_id: UUID
    through: tuple[UUID, ...]
    ended_on: date
    received_on: date
    end_kind: str
    start_kind: str

    @property
    def days(self) -> int:
        """Days from the former owner's last to the receiver's first."""
        return (self.received_on - self.ended_on).days

    def plain(self) -> dict[str, Any]:
        """As JSON values."""
        return {
            "kind": self.kind.value,
            **{name: str(getattr(self, name)) for name in _IDS},
            "through": [str(each) for each in self.through],
            **{name: getattr(self, name).isoformat() for name in _DAYS},
            "end_kind": self.end_kind,
            "start_kind": self.start_kind,
        }

    @classmethod
    def of_plain(cls, plain: Mapping[str, Any]) -> Return:
        """What `plain` described."""
        values = {
            **plain,
            "kind": ReturnKind(plain["kind"]),
            **{name: UUID(plain[name]) for name in _IDS},
            "through": tuple(UUID(each) for each in plain["through"]),
            **{name: date.fromisoformat(plain[name]) for name in _DAYS},
        }
        return cls(**values)


def returns(customer: HeldCustomer, period: Period, terms: Terms) -> Iterator[Return]:
    """The returns of a customer in a period, of the pools and people of the report."""
    rows = customer.ownerships
    for place, received in enumerate(rows):
        is_asked = terms.asks(received) and received.started_on in period
        if place == 0 or not is_asked or received.start_kind in _FIRST_KINDS:
            continue
        most = TIMES * terms.pools[received.pool_id].cooldown_days
        former = _same_person(rows, place, most) or _same_department(rows, place, most)
        if former is not None:
            yield _return(customer.customer_id, rows, former, place)


def _same_person(rows: tuple[HeldOwnership, ...], place: int, most: int) -> tuple[ReturnKind, int] | None:
    owner_id = rows[place].owner_id
    former = next((at for at in reversed(range(place)) if rows[at].owner_id == owner_id), None)
    return (ReturnKind.PERSON, former) if former is not None and _is_inside(rows[former], rows[place], most) else None


def _same_department(rows: tuple[HeldOwnership, ...], place: int, most: int) -> tuple[ReturnKind, int] | None:
    """Only where somebody of another department had it meanwhile: within a department customers go round."""
    department_id = rows[place].department_id
    former = next((at for at in reversed(range(place)) if rows[at].department_id == department_id), None)
    if former is None or former == place - 1 or not _is_inside(rows[former], rows[place], most):
        return None
    return ReturnKind.DEPARTMENT, former


def _is_inside(former: HeldOwnership, received: HeldOwnership, most: int) -> bool:
    return former.ended_on is not None and (received.started_on - former.ended_on).days <= most


def _return(customer_id: UUID, rows: tuple[HeldOwnership, ...], former: tuple[ReturnKind, int], place: int) -> Return:
    kind, at = former
    before, received = rows[at], rows[place]
    assert before.ended_on is not None and before.end_kind is not None, "it ended before the other began"  # noqa: PT018
    return Return(
        kind=kind,
        customer_id=customer_id,
        pool_id=received.pool_id,
        former_id=before.owner_id,
        receiver_id=received.owner_id,
        department_id=received.department_id,
        through=tuple(dict.fromkeys(each.owner_id for each in rows[at + 1 : place])),
        ended_on=before.ended_on,
        received_on=received.started_on,
        end_kind=before.end_kind,
        start_kind=received.start_kind,
    )
