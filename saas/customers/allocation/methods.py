"""The methods by name: one signature, one entry."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from types import MappingProxyType
from uuid import UUID

from saas.customers.allocation.choices import Method
from saas.customers.allocation.dealing import Allocation, Filtered, FilterRule, May, PassingOrder, Table, deal
from saas.customers.allocation.draw import draw
from saas.customers.allocation.lines import InLine
from saas.customers.allocation.missed import OwedFirst, made_up_places
from saas.customers.allocation.newcomers import NewcomersFirst, guarantee_of
from saas.customers.allocation.overflow import with_overflow
from saas.customers.allocation.performance import PerformancePlan, filled_shares
from saas.customers.allocation.performance import weights as performance_weights
from saas.customers.allocation.roster import Candidate, Roster, Unit, check_roster
from saas.customers.allocation.rotation import FixedTurns, LeastRecentlyServed, MostRoom
from saas.customers.allocation.weights import ByShare, weighted_shares, whole_weights


def allocate(roster: Roster) -> Allocation:
    """Deal the roster's customers by its method.

    :raises AppErrors: the roster can't be dealt from; it holds everything that is wrong.
    :raises DrawSeedRefused: the seed is missing or malformed.
    :raises PeriodStillOpen: performance decides, and its period is not over.
    :raises GuaranteesExceedWhole: what newcomers and the plan are guaranteed is more than all customers.
    """
    check_roster(roster)
    return with_overflow(roster, METHODS[roster.method](roster))


def _in_order(roster: Roster, order: Callable[[Sequence[Candidate]], PassingOrder]) -> Allocation:
    units = roster.units()
    table = Table(roster, units, needs_weight=False)
    guarantee, turns = guarantee_of(roster, table.seats), order(table.seats)
    is_deciding = guarantee.decides(roster.method)
    return deal(roster, table, units, NewcomersFirst(turns, guarantee) if is_deciding else turns)


def _owed_or(roster: Roster, order: Callable[[Sequence[Candidate]], PassingOrder]) -> Allocation:
    """In a line, where those stand first who are owed something; where nobody is, by the order itself."""
    return _in_line(roster) if any(each.owed for each in roster.candidates) else _in_order(roster, order)


def _flexible(roster: Roster) -> Allocation:
    return _owed_or(roster, LeastRecentlyServed)


def _turns(roster: Roster, seats: Sequence[Candidate]) -> PassingOrder:
    turns, owed = FixedTurns(seats, roster.turn_after), [each.owed for each in seats]
    return OwedFirst(turns, owed) if any(owed) else turns


def _strict(roster: Roster) -> Allocation:
    allocation = _in_order(roster, lambda seats: _turns(roster, seats))
    turns, beside = {each.employee_id: each.turn for each in roster.candidates}, made_up_places(roster, allocation)
    served = [
        turns[pick.employee_id]
        for pick in allocation.picks
        if pick.employee_id is not None and pick.place not in beside
    ]
    return replace(allocation, turn_after=served[-1] if served else roster.turn_after)


def _load_absolute(roster: Roster) -> Allocation:
    return _owed_or(roster, lambda seats: MostRoom(seats, relative=False))


def _load_relative(roster: Roster) -> Allocation:
    return _owed_or(roster, lambda seats: MostRoom(seats, relative=True))


def _in_line(roster: Roster) -> Allocation:
    units = roster.units()
    table = Table(roster, units, needs_weight=False)
    guarantee, line = guarantee_of(roster, table.seats), InLine(roster, units, table.seats)
    is_deciding = guarantee.decides(roster.method)
    return deal(roster, table, units, NewcomersFirst(line, guarantee, line.entitled) if is_deciding else line)


class _Answered:
    """The order that a plugin's method answered in; that it may be so was checked when it answered."""

    def __init__(self, units: Sequence[Unit], seats: Sequence[Candidate]) -> None:
        by_id = {each.employee_id: seat for seat, each in enumerate(seats)}
        answers = (unit.records[0].answer for unit in units)
        self._seats = iter(
            [None if each is None or each.employee_id is None else by_id[each.employee_id] for each in answers]
        )

    def choose(self, may: May) -> int | None:
        seat = next(self._seats)
        assert seat is None or may(seat)
        return seat

    def served(self, seat: int, *, records: int, has_room: bool) -> None:
        """The plugin has counted it already."""

    def leave(self, seats: Iterable[int]) -> None:
        """As `served`."""


def _answered(roster: Roster) -> Allocation:
    units = roster.units()
    table = Table(roster, units, needs_weight=False)
    return deal(roster, table, units, _Answered(units, table.seats))


def _weighted(roster: Roster) -> Allocation:
    units = roster.units()
    table = Table(roster, units, needs_weight=True)
    return _by_share(roster, table, units, weighted_shares(roster, table.seats), [each.owed for each in table.seats])


def _performance(roster: Roster) -> Allocation:
    assert roster.performance is not None
    units = roster.units()
    table = Table(roster, units, needs_weight=False)
    shares = performance_shares(table.seats, roster.performance, roster)
    left_out = (seat.employee_id for seat, share in zip(table.seats, shares, strict=True) if not share)
    table.filtered += [Filtered(employee_id, FilterRule.NO_WEIGHT) for employee_id in left_out]
    return _by_share(roster, table, units, shares, [0] * len(shares))


def performance_shares(seats: Sequence[Candidate], plan: PerformancePlan, roster: Roster) -> list[Fraction]:
    """The share of each by a plan, on the roster's day; they add up to 1 where there is anybody.

    :raises PeriodStillOpen: the plan's period is not over on that day.
    :raises GuaranteesExceedWhole: what it guarantees is more than all customers.
    """
    plan.check(roster.day)
    newcomers = [plan.is_newcomer(each.hired_on, roster.day) for each in seats]
    floors = [plan.guarantee(len(seats), is_newcomer=each) for each in newcomers]
    least = list(map(max, floors, guarantee_of(roster, seats).least()))
    return filled_shares(performance_weights(plan, [each.attainment for each in seats]), least)


def shares_of(roster: Roster) -> Mapping[UUID, Fraction]:
    """The share of each who may receive any customers at all, as `allocate` deals by it; empty where none decides."""
    if roster.method is Method.WEIGHTED:
        seats = Table(roster, (), needs_weight=True).seats
        return _named(seats, weighted_shares(roster, seats))
    if roster.method is Method.PERFORMANCE and roster.performance is not None:
        seats = Table(roster, (), needs_weight=False).seats
        return _named(seats, performance_shares(seats, roster.performance, roster))
    return {}


def _named(seats: Sequence[Candidate], shares: Sequence[Fraction]) -> dict[UUID, Fraction]:
    return {each.employee_id: share for each, share in zip(seats, shares, strict=True)}


def _by_share(
    roster: Roster, table: Table, units: tuple[Unit, ...], shares: Sequence[Fraction], owed_first: Sequence[int]
) -> Allocation:
    order = ByShare(whole_weights(shares), [each.balance for each in table.seats])
    allocation = deal(roster, table, units, OwedFirst(order, owed_first) if any(owed_first) else order)
    owed = {table.seats[seat].employee_id: balance for seat, balance in order.balances().items()}
    balances = {each.employee_id: owed.get(each.employee_id, Decimal(0)) for each in roster.candidates}
    return replace(allocation, shares=_named(table.seats, shares), balances=balances)


METHODS: Mapping[Method, Callable[[Roster], Allocation]] = MappingProxyType(
    {
        Method.FLEXIBLE: _flexible,
        Method.STRICT: _strict,
        Method.WEIGHTED: _weighted,
        Method.PERFORMANCE: _performance,
        Method.LOAD_ABSOLUTE: _load_absolute,
        Method.LOAD_RELATIVE: _load_relative,
        Method.DRAW: draw,
        Method.LEVEL: _in_line,
        Method.MATCH: _in_line,
        Method.RULES: _in_line,
        Method.PLUGIN: _answered,
    }
)
"""A method is a function from a roster to an allocation."""
