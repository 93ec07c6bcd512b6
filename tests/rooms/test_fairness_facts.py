"""What a fairness report is made from: waiting, worth, wins and chances, as the rooms below keep them."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from uuid import UUID

import pytest

from saas.access import AccessTable
from saas.analytics import FairnessWish, Measure, ShownReport, report_fairness
from saas.analytics.errors import GroupPersonNotFound, ReportPeriodRefused, ReportsBusy, ReportTooLarge
from saas.analytics.queries import LARGE_ONE, refuse_period
from saas.customers import (
    GivenCustomer,
    Method,
    Participant,
    find_given,
    measure_given,
    require_audited_pool,
)
from saas.customers.errors import PoolNotFound
from saas.kernel import Actor, new_id
from saas.sales import NewOpportunity, find_expected_on, find_won, median_expected
from tests.rooms.allocation_stage import allocated, employee, plan, pooled, staff
from tests.rooms.selling import Sales
from tests.staging import ZONE, Company

TODAY = date(2026, 11, 23)
AUDITOR = AccessTable(
    "auditor", scopes={"Allocation": frozenset({"all"})}, permissions=frozenset({"fairness:read", "allocation:audit"})
)
OWN = AccessTable(
    "own",
    scopes={"Allocation": frozenset({"pool"}), "AllocationPick": frozenset({"self"})},
    permissions=frozenset({"fairness:read"}),
)


async def report(
    company: Company, access: AccessTable = AUDITOR, actor: Actor | None = None, **more: object
) -> ShownReport:
    wish = replace(FairnessWish(company.pool_id, TODAY, TODAY), **more)  # type: ignore[arg-type]
    return await company.within(lambda: report_fairness(actor or company.founder, access, wish, time_zone=ZONE))


async def customers_given(company: Company) -> list[GivenCustomer]:
    async def found() -> list[GivenCustomer]:
        sizes = await measure_given(pool_id=company.pool_id, first=TODAY, last=TODAY, time_zone=ZONE)
        return [each for one in await find_given(sizes, time_zone=ZONE) for each in one.customers()]

    return await company.within(found)


async def test_waiting_counts_from_entry_or_from_the_last_owner(company: Company) -> None:
    people = await staff(company, 2)
    fresh, returned = await pooled(company, 2)
    await company.claim(people[0], returned)
    await company.release(people[0], returned)
    await company.run("UPDATE ownership SET ended_on = ended_on - 4, ended_at = ended_at - interval '4 days'")
    await company.run("UPDATE customer SET created_at = created_at - interval '30 days'")
    await allocated(company, Method.FLEXIBLE, people)
    found = await customers_given(company)
    assert {each.customer_id: each.waited_days for each in found} == {fresh: 30, returned: 4}
    assert {(each.given_on, each.held_until) for each in found} == {(TODAY, None)}


async def test_only_what_was_given_on_the_days_counts(company: Company, other_company: Company) -> None:
    people = await staff(company, 2)
    await pooled(company, 3)
    await allocated(company, Method.FLEXIBLE, people)
    await pooled(company, 2, prefix="后来")
    await plan(company, Method.FLEXIBLE, people)  # never committed
    sizes = {}
    for name, first, last in (
        ("today", TODAY, TODAY),
        ("before", TODAY - timedelta(days=9), TODAY - timedelta(days=1)),
        ("after", TODAY + timedelta(days=1), TODAY + timedelta(days=9)),
    ):
        sizes[name] = await company.within(
            lambda first=first, last=last: measure_given(  # type: ignore[misc]
                pool_id=company.pool_id, first=first, last=last, time_zone=ZONE
            )
        )
    assert [(each.given_on, each.given, each.people) for each in sizes.pop("today")] == [(TODAY, 3, 2)]
    assert sizes == {"before": [], "after": []}
    foreign = await other_company.within(
        lambda: measure_given(pool_id=company.pool_id, first=TODAY, last=TODAY, time_zone=ZONE)
    )
    assert foreign == []


async def test_worth_is_of_the_opportunities_that_were_open_on_the_day(company: Company) -> None:
    sales = Sales(company, company.founder)
    rich, closed, later, unknown = await pooled(company, 4)
    week = TODAY - timedelta(days=7)
    for customer_id, amount, engaged in ((rich, "300.00", week), (rich, "200.00", week), (later, "70.00", TODAY)):
        await sales.opportunity(customer_id=customer_id, expected=Decimal(amount), engaged_on=engaged)
    await sales.opportunity(customer_id=rich, engaged_on=week)  # without an amount
    await sales.opportunity(
        "won", customer_id=closed, expected=Decimal(900), engaged_on=week, closed_on=TODAY - timedelta(days=1)
    )
    asked = [(each, day) for each in (rich, closed, later, unknown) for day in (TODAY - timedelta(days=2), TODAY)]
    found = await company.within(lambda: find_expected_on(asked, time_zone=ZONE))
    assert found == {
        (rich, TODAY - timedelta(days=2)): 50_000,
        (rich, TODAY): 50_000,
        (closed, TODAY - timedelta(days=2)): 90_000,
        (later, TODAY): 7_000,
    }
    assert await company.within(median_expected) == 20_000
    assert await company.within(lambda: find_expected_on([], time_zone=ZONE)) == {}


async def test_won_is_a_deal_that_stands_while_it_was_held(company: Company) -> None:
    sales = Sales(company, company.founder)
    kept, lost, cancelled = await pooled(company, 3)
    await company.run("UPDATE customer SET created_at = created_at - interval '30 days'")
    for number, customer_id in enumerate((kept, lost, cancelled)):
        deal = await sales.deal(
            customer_id, f"D-{number}", signed_on=TODAY - timedelta(days=3), owner_id=company.founder.employee_id
        )
        if customer_id == cancelled:
            await sales.cancel(deal)
    day = timedelta(days=1)
    held: list[tuple[UUID, date, date | None]] = [
        (kept, TODAY - 5 * day, None),
        (kept, TODAY - 2 * day, None),
        (lost, TODAY - 9 * day, TODAY - 4 * day),
        (lost, TODAY - 8 * day, TODAY - 3 * day),
        (cancelled, TODAY - 5 * day, None),
    ]
    found = await company.within(lambda: find_won(held))
    assert found == {(kept, TODAY - 5 * day), (lost, TODAY - 8 * day)}
    assert await company.within(lambda: find_won([])) == set()


async def test_report_of_a_small_pool(company: Company) -> None:
    sales, people = Sales(company, company.founder), await staff(company, 2)
    first, *_ = await pooled(company, 4)
    await sales.opportunity(customer_id=first, expected=Decimal(500), engaged_on=TODAY)
    await company.run(
        "UPDATE employee SET hired_on = $1 WHERE id = $2", TODAY - timedelta(days=89), people[0].employee_id
    )
    await company.run(
        "UPDATE employee SET hired_on = $1 WHERE id = $2", TODAY - timedelta(days=90), people[1].employee_id
    )
    weighted = [Participant(employee(people[0])), Participant(employee(people[1]), weight=3)]
    given = await allocated(company, Method.WEIGHTED, weighted)
    shown = await report(company, groups={"south": frozenset({employee(people[1])})})
    assert (shown.people, shown.alarms, shown.report.picks) == (2, 0, 4)
    lines = {line.person: line for line in shown.report.people}
    one, three = lines[employee(people[0])], lines[employee(people[1])]
    assert one.shares[Measure.PICKS].observed == one.shares[Measure.PICKS].expected == Decimal("0.25")
    assert three.shares[Measure.PICKS].observed == Decimal("0.75")
    # the three others have no opportunity: the company's median, which is the one there is, stands for each
    has_first = given.places[0] == employee(people[0])
    assert one.shares[Measure.VALUE].observed == Decimal("0.25")
    assert has_first in {True, False}
    assert shown.report.newcomers is not None
    assert shown.report.newcomers.people == {employee(people[0])}
    (south,) = shown.report.groups
    assert (south.group, south.shares) == ("south", three.shares)


async def test_nothing_allocated_is_no_fault(company: Company) -> None:
    shown = await report(company)
    assert (shown.report.picks, shown.people, shown.alarms, shown.report.people) == (0, 0, 0, ())


async def test_bias_in_what_is_stored_is_found_and_everybody_sees_what_is_theirs(company: Company) -> None:
    people = await staff(company, 3)
    await company.run("UPDATE employee SET hired_on = '2020-01-01'")
    await pooled(company, 60)
    await allocated(company, Method.FLEXIBLE, people, take=60)
    assert (await report(company)).alarms == 0
    friend, robbed = employee(people[0]), employee(people[1])
    await company.run("UPDATE allocation_pick SET employee_id = $1 WHERE employee_id = $2", friend, robbed)
    whole = await report(company)
    named = {(each.line.person, each.measure) for each in whole.report.alarms if each.line is not None}
    assert {(friend, Measure.PICKS), (robbed, Measure.PICKS)} <= named
    assert whole.alarms == len(whole.report.alarms)
    own = await report(company, OWN, people[2])
    assert [line.person for line in own.report.people] == [people[2].employee_id]
    assert all(each.line in (None, own.report.people[0]) for each in own.report.alarms)
    assert {each.index for each in own.report.alarms} == {"gini", "jain"}
    assert (own.alarms, own.people, own.report.indices) == (whole.alarms, 3, whole.report.indices)
    assert own.report.newcomers is None


async def test_groups_hold_only_people_whose_lines_one_sees(company: Company, other_company: Company) -> None:
    people = await staff(company, 2)
    mine, theirs = employee(people[0]), employee(people[1])
    with pytest.raises(GroupPersonNotFound) as refusal:
        await report(company, OWN, people[0], groups={"us": frozenset({mine, theirs, new_id()})})
    assert refusal.value.values == {"missing": 2}
    assert (await report(company, OWN, people[0], groups={"me": frozenset({mine})})).report.groups == ()


async def test_pool_of_others_is_not_found(company: Company, other_company: Company) -> None:
    people = await staff(company, 1)
    blind = AccessTable("blind", permissions=frozenset({"fairness:read"}))
    for wanted, access in ((other_company.pool_id, AUDITOR), (new_id(), AUDITOR), (company.pool_id, blind)):
        with pytest.raises(PoolNotFound):
            await report(company, access, pool_id=wanted)
    await company.within(lambda: require_audited_pool(people[0], OWN, pool_id=company.pool_id))


@pytest.mark.parametrize(
    ("first", "last", "key"),
    [
        (TODAY, TODAY - timedelta(days=1), "analytics.period_backwards"),
        (date(2024, 11, 23), TODAY, "analytics.period_too_long"),
        (date(2024, 2, 29), date(2026, 3, 1), "analytics.period_too_long"),
    ],
)
def test_periods_that_no_report_is_of(first: date, last: date, key: str) -> None:
    with pytest.raises(ReportPeriodRefused) as refusal:
        refuse_period(first, last)
    assert refusal.value.key == key


def test_two_years_are_a_period() -> None:
    refuse_period(date(2024, 11, 24), TODAY)
    refuse_period(date(2024, 2, 29), date(2026, 2, 28))


async def test_too_much_is_refused_before_it_is_read(company: Company, monkeypatch: pytest.MonkeyPatch) -> None:
    people = await staff(company, 2)
    await pooled(company, 3)
    await allocated(company, Method.FLEXIBLE, people)
    monkeypatch.setattr("saas.analytics.queries.MOST_WORK", 42)
    with pytest.raises(ReportTooLarge) as refusal:
        await report(company)
    assert refusal.value.values == {"picks": 3, "people": 2, "most": 2}
    monkeypatch.undo()
    monkeypatch.setattr("saas.analytics.queries.MOST_SEATS", 1)
    with pytest.raises(ReportTooLarge) as rosters:
        await report(company)
    assert rosters.value.values == {"allocations": 1, "seats": 2, "most": 1}
    monkeypatch.undo()
    monkeypatch.setattr("saas.analytics.queries.MOST_CHANCES", 1)
    with pytest.raises(ReportTooLarge) as varied:
        await report(company)
    assert varied.value.values == {"wheels": 1, "chances": 2, "most": 1}


async def test_large_reports_are_made_one_at_a_time(company: Company, monkeypatch: pytest.MonkeyPatch) -> None:
    people = await staff(company, 2)
    await pooled(company, 3)
    await allocated(company, Method.FLEXIBLE, people)
    monkeypatch.setattr("saas.analytics.queries.LARGE", 2)
    async with LARGE_ONE:
        with pytest.raises(ReportsBusy):
            await report(company)
    assert (await report(company)).report.picks == 3
    assert not LARGE_ONE.locked()


async def test_opportunity_without_engagement_counts_from_its_entry(company: Company) -> None:
    sales = Sales(company, company.founder)
    (customer_id,) = await pooled(company, 1)
    await sales.opportunities([NewOpportunity("engaging", customer_id=customer_id, expected=Decimal(5))])
    asked = [(customer_id, TODAY - timedelta(days=1)), (customer_id, TODAY)]
    assert await company.within(lambda: find_expected_on(asked, time_zone=ZONE)) == {(customer_id, TODAY): 500}
