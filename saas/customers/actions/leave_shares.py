"""What an allocation that was given cost those on leave, and what it made up for to those who came back (P46).

It is added up by day. A plan looks at the days of the present cycle, and is refused once another allocation of the pool
has been given, so that nothing is made up for twice.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from uuid import UUID

from saas.customers.actions.frozen_rosters import FrozenRoster
from saas.customers.actions.giving import Given
from saas.customers.allocation import Allocation, made_up, missed_parts
from saas.kernel import EXACT
from tenants import current_tenant_id, current_transaction

_COUNT = """
INSERT INTO leave_share (tenant_id, pool_id, employee_id, counted_on, missed, made_up)
SELECT $1, $2, employee_id, $3, missed, made_up FROM unnest($4::uuid[], $5::numeric[], $6::int[])
    AS counted (employee_id, missed, made_up)
ON CONFLICT (tenant_id, pool_id, employee_id, counted_on)
DO UPDATE SET missed = leave_share.missed + excluded.missed, made_up = leave_share.made_up + excluded.made_up
"""
_DIGITS = Decimal(1).scaleb(-18)


async def count_missed(pool_id: UUID, frozen: FrozenRoster, allocation: Allocation, given: Given, *, on: date) -> None:
    """Add to the day what an allocation cost those on leave, and what it made up for; its pool is locked."""
    roster = frozen.roster
    sizes = given_sizes(allocation, given)
    missed = missed_parts(roster, sizes)
    caught = made_up(roster, received(allocation, sizes))
    counted = sorted({*missed, *(each for each, customers in caught.items() if customers)})
    if not counted:
        return
    parts = [missed.get(each) for each in counted]
    exact = [
        Decimal(0)
        if part is None
        else EXACT.divide(Decimal(part.numerator), Decimal(part.denominator)).quantize(_DIGITS, context=EXACT)
        for part in parts
    ]
    made = [caught.get(each, 0) for each in counted]
    await current_transaction().execute(_COUNT, current_tenant_id(), pool_id, on, counted, exact, made)


def given_sizes(allocation: Allocation, given: Given) -> dict[int, int]:
    """How many customers stood at each place that the method gave to somebody, and that was given."""
    picks = (pick for pick in allocation.picks if pick.employee_id is not None and pick.place in given.places)
    return {pick.place: len(pick.customer_ids) for pick in picks}


def received(allocation: Allocation, sizes: Mapping[int, int]) -> Counter[UUID]:
    """How many of those customers went to each person."""
    found: Counter[UUID] = Counter()
    for pick in allocation.picks:
        if pick.employee_id is not None:
            found[pick.employee_id] += sizes.get(pick.place, 0)
    return found
