"""A year of a pool: an old hand sits on customers, a quarter is assessed, newcomers and busy people get their share."""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import UUID

from saas.access import AccessTable
from saas.circulation import PolicyKind
from saas.customers import explain_allocation
from saas.kernel import Actor
from tests.rooms.circulating import (
    ASSESSING,
    announced,
    appeal,
    decide,
    go_to,
    lines,
    move,
    rule,
    states,
    veteran,
    wait,
)
from tests.rooms.selling import Sales
from tests.staging import Company

HR = AccessTable("hr", scopes={"Allocation": frozenset({"all"})}, permissions=frozenset({"pool:allocate"}))
FIRST_QUARTER, SECOND_QUARTER = date(2027, 2, 10), date(2027, 5, 10)


def person(actor: Actor) -> UUID:
    assert actor.employee_id is not None
    return actor.employee_id


async def owned(company: Company) -> dict[UUID, int]:
    """How many customers each person owns."""
    rows = await company.rows("SELECT owner_id, count(*) FROM customer WHERE owner_id IS NOT NULL GROUP BY owner_id")
    return {UUID(str(owner)): int(str(count)) for owner, count in rows}


async def test_from_a_hoard_to_a_share_for_everybody(company: Company) -> None:
    hoarder, worker = await veteran(company, "0002", "老陈"), await veteran(company, "0003", "小林")
    await company.configure(recycle_follow_up_days=None, recycle_deal_days=None, protection_days=0)
    hoard = [await company.enter(f"老客户{number}", keeper=hoarder) for number in range(12)]
    busy = [await company.enter(f"新客户{number}", keeper=worker) for number in range(4)]
    newcomer = await company.hire("0004", name="新人")

    go_to(company, FIRST_QUARTER)
    sales = Sales(company, company.founder)
    for number, customer_id in enumerate(busy):
        await company.follow_up(worker, customer_id, f"第{number}位客户拜访纪要")
        deal_id = await sales.deal(customer_id, f"W-{number}", "800.00", signed_on=FIRST_QUARTER)
        await sales.collect(deal_id, "800.00", on=FIRST_QUARTER)
        await sales.opportunity("engaging", customer_id=customer_id, engaged_on=FIRST_QUARTER)
    await company.follow_up(hoarder, hoard[0], "老客户年度回访")

    go_to(company, date(2027, 4, 1))
    await company.run("UPDATE employee SET hired_on = $2 WHERE id = $1", person(newcomer), date(2027, 3, 1))
    terms: dict[str, Any] = {**ASSESSING, "quota": 6, "newcomer_days": 90}
    await decide(company, PolicyKind.ASSESSMENT, **terms)
    receivers = [person(each) for each in (hoarder, worker, newcomer)]
    assessment_id = await announced(company, day=FIRST_QUARTER, receivers=receivers)
    figures = "SELECT employee_id, held, moving, utilisation::text FROM assessment_person ORDER BY held"
    assert await company.rows(figures) == [
        (person(worker), 4, 0, "100.00"),
        (person(hoarder), 12, 3, "3.33"),
    ]

    moving = await lines(company, assessment_id)
    assert hoard[0] not in {line[1] for line in moving}
    kept = moving[0]
    await appeal(company, hoarder, kept[0])
    wait(company, 10)
    await rule(company, company.founder, kept[0], is_granted=True)
    wait(company, 5)
    report = await move(company)
    assert (report.reclaimed, report.rotated, report.closed, report.failures) == (2, 2, 1, [])
    assert await states(company) == ["granted", "rotated", "rotated"]
    assert await owned(company) == {person(hoarder): 10, person(worker): 5, person(newcomer): 1}

    allocation = UUID(str(await company.value("SELECT id FROM pool_allocation")))
    moved = next(line[1] for line in moving if line[0] != kept[0])
    told = await company.within(
        lambda: explain_allocation(
            company.founder, allocation_id=allocation, customer_id=moved, employee_id=None, access=HR
        )
    )
    assert told.key.startswith("customers.allocat")

    go_to(company, date(2027, 7, 2))
    second = await announced(company, day=SECOND_QUARTER)
    again = await lines(company, second)
    assert [line[2] for line in again] == [person(hoarder)] * 2
    assert not {line[1] for line in again} & {line[1] for line in moving if line[0] != kept[0]}
