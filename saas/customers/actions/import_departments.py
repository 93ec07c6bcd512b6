"""What departments hold as rows give their people customers (P09): those of the staff, and of people promised only."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from saas.customers.department_loads import departments_above, departments_of, find_loads, lock_departments
from saas.customers.errors import HoldingLimitReached
from saas.customers.queries import Pool
from saas.customers.rules import DepartmentLoad
from saas.exchange import ImportContext
from saas.kernel import Scalar
from saas.people import find_promised_departments

Called = UUID | str
"""A person, or what rows call one who is promised only."""


@dataclass(slots=True)
class DepartmentHoldings:
    """Whose departments may hold how many, by the rules of each pool, and how many rows give them in addition.

    Empty, and asked of nothing, where no pool limits a department.
    """

    above: Mapping[Called, Sequence[UUID]] = field(default_factory=dict)
    loads: Mapping[tuple[UUID, UUID], DepartmentLoad] = field(default_factory=dict)
    given: Counter[UUID] = field(default_factory=Counter)

    def of(self, called: Called) -> Sequence[UUID]:
        """The departments of somebody, the nearest first."""
        return self.above.get(called, ())

    def give(self, called: Called, customers: int = 1) -> None:
        """Count what rows give to somebody."""
        for each in self.of(called):
            self.given[each] += customers

    def refusal(self, pool: Pool, called: Called) -> HoldingLimitReached | None:
        """Why nobody of the person's department gets another one; None where somebody may."""
        for each in self.of(called):
            load = self.loads.get((pool.id, each))
            if load is not None and load.holding + self.given[each] >= load.limit:
                told: dict[str, Scalar] = {"pool": pool.name, "department": load.name, "limit": load.limit}
                told["holding"] = load.holding + self.given[each]
                return HoldingLimitReached("customers.department_limit_reached", told, field=("owner",))
        return None


async def open_departments(
    context: ImportContext, pools: Iterable[Pool], people: Sequence[UUID], promised: Sequence[str]
) -> DepartmentHoldings:
    """The departments of people, which are locked by now in a commit, and of those promised; locked with them."""
    limiting = [each for each in pools if each.settings.holding_limits_of_departments]
    if not limiting:
        return DepartmentHoldings()
    present, places = await departments_of(people), await find_promised_departments(context, promised)
    found = await departments_above(places.values())
    known: list[tuple[Called, Sequence[UUID]]] = list(present.items())
    known += [(word, found[department_id]) for word, department_id in places.items()]
    above: dict[Called, Sequence[UUID]] = dict(known)
    departments = {each for those in above.values() for each in those}
    if context.is_commit:
        limited = {each for pool in limiting for each in pool.settings.limits_together(departments)}
        await lock_departments(limited)
    loads = {}
    for pool in limiting:
        for department_id, load in (await find_loads(pool.settings, departments)).items():
            loads[pool.id, department_id] = load
    return DepartmentHoldings(above, loads)
