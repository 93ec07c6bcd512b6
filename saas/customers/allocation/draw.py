"""The verifiable draw: picks by the published arithmetic of `verifier`, over a list that can be committed to first.

The entries made here are what the commitment and the certificate hold, so what is drawn is what is verified.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any
from uuid import UUID

from saas.customers.allocation.dealing import Allocation, DrawnNumber, May, Table, deal, filter_rule
from saas.customers.allocation.roster import Candidate, Roster, Unit
from saas.customers.allocation.verifier import deal as drawn_picks
from saas.customers.allocation.weights import drawn_weights

Entry = Mapping[str, Any]


def candidate_entries(roster: Roster, units: tuple[Unit, ...]) -> list[Entry]:
    """The candidates as the certificate lists them, by id: weight, room, why filtered, where in cooldown.

    :raises GuaranteesExceedWhole: what newcomers are guaranteed is more than all customers.
    """
    places = {record.customer_id: unit.place for unit in units for record in unit.records}
    weights = published_weights_of_draw(roster)
    return [_entry(each, weights, places) for each in sorted(roster.candidates, key=lambda each: each.employee_id)]


def published_weights_of_draw(roster: Roster) -> dict[UUID, int]:
    """The weight of each who can receive any customer, with newcomers' guarantees in it; as it is committed to.

    :raises GuaranteesExceedWhole: what newcomers are guaranteed is more than all customers.
    """
    standing = [each for each in roster.candidates if filter_rule(each, needs_weight=True) is None]
    weights = drawn_weights(roster, standing)
    return {each.employee_id: weight for each, weight in zip(standing, weights, strict=True)}


def _entry(candidate: Candidate, weights: Mapping[UUID, int], places: Mapping[UUID, int]) -> Entry:
    rule = filter_rule(candidate, needs_weight=True)
    return {
        "id": str(candidate.employee_id),
        "weight": weights.get(candidate.employee_id, candidate.weight),
        "room": candidate.room,
        "filtered": None if rule is None else rule.value,
        "excluded": sorted({places[each] for each in candidate.cooldown_customers if each in places}),
    }


def customer_entries(units: tuple[Unit, ...]) -> list[Entry]:
    """The customers as the certificate lists them, in the order of the draw: ids only, no label."""
    return [{"records": [str(record.customer_id) for record in unit.records]} for unit in units]


class _AsDrawn:
    """The order that the drawn picks are in."""

    def __init__(self, picks: list[Entry], table: Table) -> None:
        seats = {str(candidate.employee_id): seat for seat, candidate in enumerate(table.seats)}
        self._seats = iter([None if pick["candidate"] is None else seats[pick["candidate"]] for pick in picks])

    def choose(self, may: May) -> int | None:
        """The seat that was drawn."""
        seat = next(self._seats)
        assert seat is None or may(seat)
        return seat

    def served(self, seat: int, *, records: int, has_room: bool) -> None:
        """The draw has counted it already."""

    def leave(self, seats: Iterable[int]) -> None:
        """As `served`."""


def draw(roster: Roster) -> Allocation:
    """Each customer to a candidate drawn by weight, independently, among all who may have it.

    :raises DrawSeedRefused: the roster has no seed yet.
    """
    units, seed = roster.units(), roster.drawn_seed()
    entries = candidate_entries(roster, units), customer_entries(units)
    picks = list(drawn_picks(*entries, seed=seed, draw=str(roster.allocation_id)))
    table = Table(roster, units, needs_weight=True)
    numbers = (DrawnNumber(each["attempt"], each["number"], each["start"], each["total"]) for each in picks)
    return replace(deal(roster, table, units, _AsDrawn(picks, table)), drawn=tuple(numbers))
