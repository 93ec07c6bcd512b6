"""Leave entered by many at once: no two leaves of a person share a day."""

from __future__ import annotations

import asyncio
from datetime import date

from saas.people.errors import LeaveRefused
from tests.rooms.test_leave import enter
from tests.staging import Company


async def test_of_twenty_that_overlap_one_is_entered(company: Company) -> None:
    person = await company.hire("0002")
    first, last = date(2026, 12, 1), date(2026, 12, 20)
    attempts = (enter(company, person, date(2026, 12, day), last) for day in range(first.day, 21))
    outcomes = await asyncio.gather(*attempts, return_exceptions=True)
    refusals = [each for each in outcomes if isinstance(each, LeaveRefused)]
    assert (len(refusals), {each.key for each in refusals}) == (19, {"people.leave_overlaps"})
    assert await company.value("SELECT count(*) FROM employee_leave") == 1
