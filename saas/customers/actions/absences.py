"""Who is away when customers are allocated, and what they missed before and are owed on their return (P46)."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

import asyncpg

from saas.customers.allocation import WITHOUT_LINE, CounterCycle, Method, Missed
from saas.customers.options import is_at_work
from saas.customers.queries import Pool
from saas.kernel import rounded
from saas.people import find_on_leave
from tenants import current_tenant_id, current_transaction

_MISSED = """
SELECT employee_id, sum(missed) AS missed, sum(made_up)::int AS made_up,
       min(counted_on) FILTER (WHERE missed > 0) AS first_on, max(counted_on) FILTER (WHERE missed > 0) AS last_on
FROM leave_share WHERE tenant_id = $1 AND pool_id = $2 AND employee_id = ANY ($3) AND counted_on >= $4
GROUP BY employee_id HAVING sum(missed) > 0
"""


@dataclass(frozen=True, slots=True)
class Absences:
    """Of the people of a roster: who is on leave, and what each missed on leave since the cycle began."""

    moment: datetime
    on_leave: Collection[UUID] = field(default=())
    missed: Mapping[UUID, Missed] = field(default_factory=dict)

    def is_off_hours(self, pool: Pool, employee_id: UUID, departments: Collection[UUID]) -> bool:
        """Whether the moment is outside a person's working hours; `departments` are theirs, the nearest first."""
        return not is_at_work(pool.settings.working_hours, employee_id, list(departments), self.moment)


async def find_absences(pool: Pool, method: Method, people: Collection[UUID], *, moment: datetime) -> Absences:
    """Who of the people is away at a moment in the company's time zone, and what they missed before."""
    day, settings = moment.date(), pool.settings
    on_leave = await find_on_leave(people, day=day) if settings.absence_skips else set()
    if method in WITHOUT_LINE:
        return Absences(moment, on_leave)
    first = CounterCycle(settings.counter_cycle).first(day)
    rows = await current_transaction().fetch(_MISSED, current_tenant_id(), pool.id, list(people), first)
    most = settings.most_made_up()
    return Absences(moment, on_leave, {row["employee_id"]: _missed(row, most) for row in rows})


def _missed(row: asyncpg.Record, most: int | None) -> Missed:
    customers, before = int(rounded(row["missed"], 0)), row["made_up"]
    bound = customers if most is None else min(customers, most)
    return Missed(customers, before, max(0, bound - before), row["first_on"], row["last_on"])
