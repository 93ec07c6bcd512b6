"""Behaviour reports over real tables: what the rows say, amounts, days of the company, and who sees what."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from saas.access import AccessTable
from saas.analytics import BehaviourWish, Grouping, PoolMetrics, ShownBehaviour, measure_pool, report_behaviour
from saas.analytics.behaviour import MEASURES, CustomerFacts, Figure, Line, Seat, Tally, period_before, period_of
from saas.analytics.errors import ReportDepartmentNotFound, ReportsBusy, ReportTooLarge
from saas.analytics.queries import LARGE_ONE
from saas.customers import HeldCustomer
from saas.customers.errors import PoolNotFound
from saas.kernel import Actor, Period, new_id
from tests.rooms.behaving import set_stage, write, write_customer, write_touch
from tests.rooms.selling import Sales
from tests.rules.behaviour_oracle import tallies_of
from tests.rules.behaviour_samples import (
    ANN,
    BOB,
    CAT,
    EAST,
    MARCH,
    OTHER_POOL,
    POOL,
    TODAY,
    WEST,
    customer,
    day,
    history,
    owned,
    terms,
    visit,
)
from tests.staging import ZONE, Company

EVERYBODY = AccessTable("hr", permissions=frozenset({"behaviour:read", "behaviour:audit"}))
OWN = AccessTable(
    "own",
    scopes={"Ownership": frozenset({"self"}), "PoolEvent": frozenset({"pool", "self"})},
    permissions=frozenset({"behaviour:read"}),
)
TEAM = replace(OWN, fingerprint="team", scopes={"Ownership": frozenset({"self", "department"})})
WISH = BehaviourWish((POOL,), MARCH, None, new_days=30, conversion_days=20)


async def report(
    company: Company,
    wish: BehaviourWish = WISH,
    *,
    access: AccessTable = EVERYBODY,
    actor: Actor | None = None,
    today: date = TODAY,
) -> ShownBehaviour:
    return await company.within(
        lambda: report_behaviour(actor or company.founder, access, wish, time_zone=ZONE, currency="CNY", today=today)
    )


async def metrics(company: Company, wish: BehaviourWish = WISH, **more: Any) -> PoolMetrics:
    given = {"access": EVERYBODY, "actor": company.founder, "time_zone": ZONE, "today": TODAY, **more}
    actor, access = given.pop("actor"), given.pop("access")
    return await company.within(lambda: measure_pool(actor, access, wish, currency="CNY", **given))


def figures(line: Line) -> dict[str, tuple[Decimal | None, int]]:
    return {each.measure.key: (each.value, each.sample) for each in line.figures}


def value(line: Line, key: str) -> Any:
    return figures(line)[key][0]


def by_person(shown: ShownBehaviour) -> dict[UUID | None, Line]:
    return {line.id: line for line in shown.lines}


def won(customers: list[CustomerFacts], period: Period, tallies: Mapping[Seat, Tally]) -> dict[Seat, Tally]:
    """The tallies with deals and amounts signed of the customers' first owners added, row by row."""
    found = dict(tallies)
    for each in customers:
        first, signed = each.held.ownerships[0], [one.signed_on for one in each.deals]
        if each.held.ownerships[-1].pool_id != POOL:
            continue
        received = min(row.started_on for row in each.held.ownerships)
        for one in each.deals:
            if one.signed_on in period:
                sums = found.setdefault((first.owner_id, first.department_id), Tally()).sums
                is_new = min(signed) in period or one.signed_on < received + timedelta(days=30)
                sums.update({"won": 1, "signed": one.amount_minor})
                sums.update({"new_won": is_new, "new_signed": is_new * one.amount_minor})
    return found


@pytest.mark.parametrize("seed", [3, 11])
async def test_report_is_what_the_rows_say(company: Company, seed: int) -> None:
    await set_stage(company)
    made = history(seed, customers=15)
    await write(company, made, paid_on=day(5))
    expected = won(made, MARCH, tallies_of(made, MARCH, terms()))
    shown = await report(company)
    assert {line.id for line in shown.lines} == {person for person, _ in expected}
    for line in shown.lines:
        tally = Tally.of(tally for (person, _), tally in expected.items() if person == line.id)
        tally.sums["returns"] = int(value(line, "returns") or 0)  # tested by itself
        told = {each.key: (each.of(tally).value, each.of(tally).sample) for each in MEASURES}
        assert figures(line) == told


async def test_pages_and_periods_make_no_difference(company: Company, monkeypatch: pytest.MonkeyPatch) -> None:
    await set_stage(company)
    await write(company, history(5, customers=7), paid_on=day(5))
    whole = await report(company, replace(WISH, other=period_before(MARCH)))
    monkeypatch.setattr("saas.analytics.behaviour_reading.PAGE", 2)
    assert await report(company, replace(WISH, other=period_before(MARCH))) == whole
    alone = await report(company)
    assert [figures(line) for line in alone.lines] == [
        figures(line) for line in whole.lines if line.id in {each.id for each in alone.lines}
    ]
    earlier = by_person(await report(company, replace(WISH, period=period_before(MARCH))))
    for line in whole.lines:
        before = {each.measure.key: (each.before, each.sample_before) for each in line.figures}
        if line.id in earlier:
            assert before == figures(earlier[line.id])


async def test_amounts_are_those_of_performance(company: Company) -> None:
    """By the product's own deals, collections and refunds: what was cancelled and paid back is taken off."""
    person = await company.hire("0002")
    assert person.employee_id is not None
    sales = Sales(company, company.founder)
    old, new = await company.enter("老客户", keeper=person), await company.enter("新客户", keeper=person)
    await company.run("UPDATE customer SET created_at = '2025-01-01'")
    await company.run("UPDATE ownership SET started_at = '2025-01-01', started_on = '2025-01-01'")
    today = date(2026, 11, 23)
    await sales.deal(old, "D-1", "1000.00", signed_on=date(2025, 6, 1), owner_id=person.employee_id)
    first = await sales.deal(old, "D-2", "300.00", signed_on=today, owner_id=person.employee_id)
    second = await sales.deal(new, "D-3", "100.00", signed_on=today, owner_id=person.employee_id)
    gone = await sales.deal(new, "D-4", "50.00", signed_on=today, owner_id=person.employee_id)
    await sales.cancel(gone)
    await sales.collect(first, "300.00")
    await sales.collect(second, "100.00")
    await sales.refund(first, "100.00")
    wish = replace(WISH, pool_ids=(company.pool_id,), period=period_of(date(2026, 11, 1), today))
    line = by_person(await report(company, wish, today=today))[person.employee_id]
    assert {key: value(line, key) for key in ("won_deals", "signed", "collected")} == {
        "won_deals": 2,
        "signed": 40_000,
        "collected": 30_000,
    }
    shares = {key: str(value(line, key)) for key in ("new_won_deals", "new_signed", "new_collected")}
    assert shares == {"new_won_deals": "0.5000", "new_signed": "0.2500", "new_collected": "0.3333"}
    # of 31.000 and 100 yuan of the last twelve months none was followed up, so all value but the first thirty days'
    assert value(line, "hoarding") == value(line, "hoarding_even") == 1


async def test_each_sees_whom_they_may(company: Company) -> None:
    await set_stage(company)
    rows = [(ANN, EAST), (BOB, EAST), (CAT, WEST)]
    for number, (person, team) in enumerate(rows):
        await write_customer(company, customer(owned(person, 1, team=team), number=number))
    rep = replace(company.founder, employee_id=ANN)
    assert [line.id for line in (await report(company, access=OWN, actor=rep)).lines] == [ANN]
    assert [line.id for line in (await report(company, access=TEAM, actor=rep)).lines] == [ANN, BOB]
    assert [line.id for line in (await report(company)).lines] == [ANN, BOB, CAT]
    assert (await report(company, access=OWN, actor=replace(rep, employee_id=None))).lines == ()
    root = company.founded.department_id
    by_department = replace(WISH, grouping=Grouping.DEPARTMENT)
    everything = (await report(company, by_department)).lines
    assert {(line.id, line.people, value(line, "opening")) for line in everything} == {
        (EAST, 2, 0),
        (WEST, 1, 0),
        (root, 3, 0),
    }
    assert [line.id for line in (await report(company, by_department, access=TEAM, actor=rep)).lines] == [EAST]
    assert (await report(company, by_department, access=OWN, actor=rep)).lines == ()
    whole = replace(WISH, grouping=Grouping.WHOLE)
    assert [(line.id, line.people, value(line, "in_claim")) for line in (await report(company, whole)).lines] == [
        (None, 3, 3)
    ]
    assert (await report(company, whole, access=TEAM, actor=rep)).lines == ()
    assert (await report(company, access=OWN, actor=rep)).people == 3


async def test_other_companies_and_pools_are_not_in_it(company: Company, other_company: Company) -> None:
    for each in (company, other_company):
        await set_stage(each)
    await write_customer(company, customer(owned(ANN, 1), number=1))
    await write_customer(company, customer(owned(BOB, 1, pool=OTHER_POOL), number=2))
    await write_customer(other_company, customer(owned(CAT, 1, team=WEST), number=3))
    assert [line.id for line in (await report(company)).lines] == [ANN]
    both = replace(WISH, pool_ids=(POOL, OTHER_POOL))
    assert [line.id for line in (await report(company, both)).lines] == [ANN, BOB]
    assert [line.id for line in (await report(other_company)).lines] == [CAT]
    for missing in (new_id(), company.pool_id):
        with pytest.raises(PoolNotFound):
            await report(other_company, replace(WISH, pool_ids=(POOL, missing)))


async def test_one_department_is_the_part_of_all_that_is_its(company: Company) -> None:
    await set_stage(company)
    await write(company, history(7, customers=10), paid_on=day(5))
    other = replace(WISH, other=period_before(MARCH))
    whole, root = await report(company, other), company.founded.department_id
    for department_id, people in ((EAST, {ANN, BOB}), (WEST, {CAT}), (root, {ANN, BOB, CAT})):
        part = await report(company, replace(other, department_id=department_id))
        assert [figures(line) for line in part.lines] == [figures(each) for each in whole.lines if each.id in people]
        assert part.returns == tuple(each for each in whole.returns if each.receiver_id in people)
    with pytest.raises(ReportDepartmentNotFound):
        await report(company, replace(WISH, department_id=new_id()))


async def test_days_are_the_companys_across_the_change_to_summer_time(company: Company) -> None:
    """In New York clocks went forward on 8 March 2026: from 23:30 to 09:30 were nine hours, and days are local ones."""
    await set_stage(company)
    night = datetime(2026, 3, 8, 4, 30, tzinfo=UTC)  # 23:30 on the 7th, eastern standard time
    morning = datetime(2026, 3, 8, 13, 30, tzinfo=UTC)  # 09:30 on the 8th, eastern daylight time
    held = replace(owned(ANN, 7), started_at=night)
    await write_customer(company, HeldCustomer(new_id(), date(2026, 1, 1), None, (held,)))
    (customer_id,) = (await company.rows("SELECT id FROM customer"))[0]
    await write_touch(company, customer_id, replace(visit(ANN, 8), at=morning))  # type: ignore[arg-type]
    # entered at half past midnight of the 9th, when it was still the 8th by winter's clock
    await write_customer(company, HeldCustomer(new_id(), date(2026, 1, 1), None, ()))
    entered = datetime(2026, 3, 9, 4, 30, tzinfo=UTC)
    await company.run("UPDATE customer SET created_at = $1, pool_id = $2 WHERE owner_id IS NULL", entered, POOL)
    zone = {"time_zone": "America/New_York", "currency": "CNY", "today": TODAY}
    shown = await company.within(lambda: report_behaviour(company.founder, EVERYBODY, WISH, **zone))  # type: ignore[arg-type]
    assert value(shown.lines[0], "response") == Decimal("9.00")
    for last, count in ((date(2026, 3, 8), 0), (date(2026, 3, 9), 1)):
        wish = replace(WISH, period=period_of(date(2026, 3, 1), last))
        assert (await metrics(company, wish, time_zone="America/New_York")).entered == count


async def test_metrics_of_a_pool(company: Company) -> None:
    await set_stage(company)
    rows = [
        customer(owned(ANN, 3, 9), owned(BOB, 12, 20, end="recycle", start="assign"), number=1, created=1),
        customer(owned(CAT, 5, team=WEST, start="automatic"), number=2, created=-5),
        customer(owned(ANN, 2, 8, end="transfer"), owned(BOB, 8, start="transfer"), number=3, created=2),
        customer(owned(ANN, -60, 4, end="recycle"), number=4),
        customer(owned(ANN, 1, start="created"), number=5, created=1),
    ]
    for each in rows:
        await write_customer(company, each)
    await write_touch(company, rows[0].customer_id, visit(BOB, 13))
    found = await metrics(company)
    # two entered March and were claimed later; one was its owner's from the beginning
    assert (found.entered, found.moved_in) == (2, 0)
    assert found.flow.back == Counter({"release": 1, "recycle": 2})
    assert found.flow.taken == Counter({"claim": 2, "assign": 1, "automatic": 1})
    assert found.flow.waited == Counter({2: 1, 3: 1, 10: 1, 0: 1})
    assert (found.flow.returned, found.flow.kept) == (2, 2)
    # of two recycled one had been followed up by its owner; what was passed on within its days is not known
    assert found.expired_untouched == Figure(Decimal("0.5000"), 2)
    assert found.conversion == Figure(Decimal("0.0000"), 1)
    assert found.returns == 0
    alone = replace(company.founder, employee_id=ANN)
    seen = await metrics(company, access=OWN, actor=alone)
    assert (seen.conversion, seen.expired_untouched, seen.returns) == (None, None, None)
    assert (seen.flow, seen.entered) == (found.flow, found.entered)
    await company.run(
        "INSERT INTO pool_department (tenant_id, pool_id, department_id) VALUES ($1, $2, $3)",
        company.tenant_id,
        POOL,
        WEST,
    )
    with pytest.raises(PoolNotFound):
        await metrics(company, access=OWN, actor=alone)
    assert (await metrics(company, access=OWN, actor=replace(alone, employee_id=CAT))).flow == found.flow


async def test_what_is_too_much_is_refused(company: Company, monkeypatch: pytest.MonkeyPatch) -> None:
    await set_stage(company)
    for number in range(2):
        await write_customer(company, customer(owned(ANN, 1), number=number))
    monkeypatch.setattr("saas.analytics.behaviour_queries.LARGE", 1)
    async with LARGE_ONE:
        with pytest.raises(ReportsBusy):
            await report(company)
    assert len((await report(company)).lines) == 1
    monkeypatch.setattr("saas.analytics.behaviour_queries.MOST_HELD", 1)
    with pytest.raises(ReportTooLarge) as refusal:
        await report(company)
    assert refusal.value.values == {"held": 2, "most": 1}


async def test_number_of_statements_does_not_depend_on_people(company: Company) -> None:
    await set_stage(company)
    await write_customer(company, customer(owned(ANN, 1), number=1))
    few = await _statements(company)
    for number in range(2, 8):
        person, team = ((BOB, EAST), (CAT, WEST))[number % 2]
        await write_customer(company, customer(owned(person, 1, team=team), number=number))
    assert await _statements(company) == few == 10


async def _statements(company: Company) -> int:
    async with company.database.transaction(company.tenant_id) as transaction:
        counter = Counting(transaction.connection)
        transaction.connection = counter  # type: ignore[assignment]
        await report_behaviour(company.founder, EVERYBODY, WISH, time_zone=ZONE, currency="CNY", today=TODAY)
        return counter.statements


class Counting:
    """A connection that counts what it is asked."""

    def __init__(self, connection: Any) -> None:
        self._connection, self.statements = connection, 0

    def __getattr__(self, name: str) -> Any:
        self.statements += name in {"fetch", "fetchrow", "fetchval", "execute"}
        return getattr(self._connection, name)
