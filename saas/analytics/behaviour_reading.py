"""What behaviour reports are made from: facts read a page of customers at a time and added up (docs/behaviour.md).

So memory holds a page and the people, never all customers; what can be summed in the database is.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from uuid import UUID

from saas.access import AccessTable
from saas.analytics.behaviour import (
    CustomerFacts,
    Flow,
    Grouping,
    Line,
    Observed,
    Return,
    Seat,
    Tallies,
    Terms,
    Tree,
    add_achieved,
    add_flow,
    lines,
    observe,
    read_from,
    returns,
    twelve_months,
)
from saas.analytics.errors import ReportDepartmentNotFound
from saas.customers import HeldCustomer, HeldWish, find_visible_owners, get_held, get_reported_pools, list_held
from saas.kernel import Actor, Period, minor_digits
from saas.people import find_departments_of, find_parents
from saas.sales import find_standing_deals, find_touches, sum_achieved, sum_collected

EVERYBODY = "behaviour:audit"
"""Who holds it sees everybody's figures."""

NEW_DAYS = CONVERSION_DAYS = 90
PAGE = 2_000


@dataclass(frozen=True, slots=True)
class BehaviourWish:
    """What to report on: pools, days, the other period if any, what lines are of, for how many days a customer is new
    and within how many a deal counts for who received it; a department with those below it alone, where one is given.
    """

    pool_ids: tuple[UUID, ...]
    period: Period
    other: Period | None
    grouping: Grouping = Grouping.PERSON
    new_days: int = NEW_DAYS
    conversion_days: int = CONVERSION_DAYS
    department_id: UUID | None = None

    @property
    def last(self) -> date:
        """The period's last day."""
        assert self.period.last is not None, "a report's period has an end"
        return self.period.last

    @property
    def periods(self) -> tuple[Period, ...]:
        """The period, and the other one behind it."""
        return (self.period,) if self.other is None else (self.period, self.other)


@dataclass(frozen=True, slots=True)
class Reading:
    """What is being added up, a tally for each period; returns and the flow of a pool are of the first alone."""

    terms: Terms
    periods: Sequence[Period]
    time_zone: str
    tallies: tuple[Tallies, ...]
    flow_of: UUID | None = None
    returns: list[Return] = field(default_factory=list)
    flow: Flow = field(default_factory=Flow)

    @property
    def wish(self) -> HeldWish:
        """The ownerships that matter: of a pool's flow those alone that began or ended."""
        terms = self.terms
        return HeldWish(terms.pools, self.periods, terms.departments, is_moving=self.flow_of is not None)

    async def read(self) -> None:
        """All customers that anybody held in the periods, a page at a time."""
        ids = await list_held(self.wish)
        for place in range(0, len(ids), PAGE):
            await self.add(ids[place : place + PAGE])

    async def add(self, customer_ids: Sequence[UUID]) -> None:
        """A page of those customers, in four statements."""
        page = await get_held(customer_ids, time_zone=self.time_zone)
        for customer in await self._with_facts(page):
            self._add(customer)

    async def _with_facts(self, page: Sequence[HeldCustomer]) -> list[CustomerFacts]:
        ids = [each.customer_id for each in page]
        touches = await find_touches({each.customer_id: read_from(each, self.periods) for each in page})
        deals = await find_standing_deals(ids)
        paid = await sum_collected(ids, [twelve_months(each) for each in self.periods])
        places = range(len(self.periods))
        return [
            CustomerFacts(
                each,
                touches.get(each.customer_id, ()),
                deals.get(each.customer_id, ()),
                [paid.get((each.customer_id, place), 0) for place in places],
            )
            for each in page
        ]

    def _add(self, customer: CustomerFacts) -> None:
        observe(customer, self.periods, self.terms, self.tallies)
        for period, tallies in zip(self.periods, self.tallies, strict=True):
            for each in returns(customer.held, period, self.terms):
                tallies[each.receiver_id, each.department_id].sums["returns"] += 1
                if tallies is self.tallies[0]:
                    self.returns.append(each)
        if self.flow_of is not None:
            add_flow(customer.held, self.flow_of, self.periods[0], today=self.terms.today, into=self.flow)


@dataclass(frozen=True, slots=True)
class SeenLines:
    """The lines that somebody may see, and the seats (people in departments) that they may see of those there are;
    `people` counts everybody in the period.
    """

    people: int
    lines: tuple[Line, ...]
    seats: Collection[Seat]

    def newest(self, found: Iterable[Return]) -> list[Return]:
        """Of returns those of people who may be seen, the newest first."""
        seen = [each for each in found if (each.receiver_id, each.department_id) in self.seats]
        return sorted(seen, key=lambda each: (each.received_on, each.customer_id), reverse=True)


async def see_lines(
    actor: Actor,
    access: AccessTable,
    wish: BehaviourWish,
    tallies: Sequence[Tallies],
    *,
    departments: Collection[UUID] | None,
) -> SeenLines:
    """The report of tallies of all customers, to which what people achieved is added here."""
    for period, into in zip(wish.periods, tallies, strict=True):
        add_achieved(await sum_achieved(wish.pool_ids, period, new_days=wish.new_days, departments=departments), into)
    now, before = tallies[0], tallies[1] if wish.other is not None else None
    observed = Observed(now, before, await _tree({person for each in tallies for person, _ in each}))
    visible = await visible_seats(actor, access, {*now, *(before or ())})
    people = len({person for person, _ in now})
    return SeenLines(people, tuple(lines(observed, wish.grouping, visible=visible)), visible)


async def terms_of(wish: BehaviourWish, *, currency: str, today: date) -> Terms:
    """How everything is judged.

    :raises PoolNotFound, ReportDepartmentNotFound: a pool or the department is missing or another company's.
    """
    pools = await get_reported_pools(wish.pool_ids)
    departments = None if wish.department_id is None else await _below(wish.department_id)
    return Terms(pools, wish.new_days, wish.conversion_days, today, 10 ** minor_digits(currency), departments)


async def visible_seats(actor: Actor, access: AccessTable, seats: Collection[Seat]) -> Collection[Seat]:
    """Those of the people in departments whose ownerships the caller may see."""
    return seats if access.may(EVERYBODY) else await find_visible_owners(actor, access, seats)


async def _below(department_id: UUID) -> frozenset[UUID]:
    """A department and those below it, by today's tree.

    :raises ReportDepartmentNotFound: there is none.
    """
    tree = Tree(await find_parents(), {})
    if department_id not in tree.parents:
        raise ReportDepartmentNotFound("analytics.department_not_found", field=("department",))
    return frozenset(each for each in tree.parents if department_id in tree.above(each))


async def _tree(people: Collection[UUID]) -> Tree:
    return Tree(await find_parents(), await find_departments_of(people))
