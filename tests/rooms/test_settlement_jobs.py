"""Settlements calculated by a job: chunk by chunk, beside the draft that stands, to a result or to reasons."""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import UUID

import pytest
import pytest_asyncio

from saas.events import Event
from saas.incentives import Flat, Match, Member, PoolTerms, Rule
from saas.incentives.actions import settlement_parts
from saas.incentives.actions.calculating import PREVIEW, PreviewLimit
from saas.incentives.actions.problems import PROBLEMS_TOLD, add_problems
from saas.incentives.errors import FactRefused, PayrollRefused, PeriodRefused, PublishingRefused, SettlementStanding
from saas.kernel import Actor, Period, new_id
from tests.payroll_samples import BASIC, structure_of
from tests.payroll_stage import office_of
from tests.rooms.paying import APRIL, MARCH, MAY, Paying, a_plan, collected, d, person
from tests.rooms.selling import Sales
from tests.staging import Company, refused

ONLY_CRM = Rule("crm", "CRM", Flat(d("0.03")), match=Match(product="crm"))


@pytest_asyncio.fixture(loop_scope="session")
async def paying(company: Company) -> Paying:
    return Paying.of(company)


@pytest_asyncio.fixture(loop_scope="session")
async def sales(company: Company) -> Sales:
    return Sales(company, company.founder)


class Killed(Exception):
    """The worker is no more before its transaction has committed."""


async def team(company: Company, sales: Sales, size: int, **more: Any) -> list[Actor]:
    """People who each collected 1,000 yuan in March, and so earn 30."""
    people = [await company.hire(f"{100 + place}", name=f"同事{place}") for place in range(size)]
    for place, each in enumerate(people):
        await collected(company, sales, each, name=f"客户{place}", **more)
    return people


async def counts(company: Company) -> dict[str, object]:
    """How many rows there are of what a settlement consists of."""
    tables = ("settlement", "settlement_part", "settlement_problem", "settlement_line", "accrual")
    return {table: await company.value(f"SELECT count(*) FROM {table}") for table in tables}


async def test_a_commit_stores_who_is_to_be_calculated_and_no_result(
    company: Company, paying: Paying, sales: Sales
) -> None:
    plan_id = await paying.in_force(a_plan())
    people = await team(company, sales, 3)
    settlement_id = await paying.begin(plan_id, MARCH)
    assert await company.rows(
        "SELECT id, plan_id, period_first, period_until, state, plan_hash, calculated_at, people_count,"
        " calculator_account_id FROM settlement"
    ) == [
        (
            settlement_id,
            plan_id,
            MARCH.first,
            MARCH.until,
            "calculating",
            None,
            None,
            0,
            company.founder.account_id,
        )
    ]
    waiting = await company.rows("SELECT employee_id, is_calculated, lines FROM settlement_part ORDER BY employee_id")
    assert waiting == sorted((each.employee_id, False, None) for each in people)
    assert await paying.lines() == []
    assert await company.value("SELECT count(*) FROM outbox WHERE topic = 'incentives.calculation_awaited'") == 1


async def test_each_chunk_is_a_transaction_and_the_last_step_stores_the_result(
    company: Company, paying: Paying, sales: Sales
) -> None:
    plan_id = await paying.in_force(a_plan())
    await team(company, sales, 5)
    seen = await paying.calculation(plan_id, MARCH)
    settlement_id = await paying.begin(plan_id, MARCH, seen.plan_hash)
    calculated = "SELECT count(*) FROM settlement_part WHERE is_calculated"
    for done in (2, 4, 5):
        assert await paying.work(most=1, chunk=2) == 1
        assert await company.value(calculated) == done
        assert await paying.lines() == []
    assert await paying.work(chunk=2) == 1
    stored = await paying.stored(settlement_id)
    assert (stored.state, stored.plan_hash, stored.people, stored.lines) == ("calculated", seen.plan_hash, 5, 5)
    assert (stored.earned, stored.payable) == (15000, 15000)
    assert await counts(company) == {
        "settlement": 1,
        "settlement_part": 0,
        "settlement_problem": 0,
        "settlement_line": 5,
        "accrual": 5,
    }
    told = await company.rows(
        "SELECT action, account_id, client FROM audit_entry WHERE object_id = $1 ORDER BY at, id", settlement_id
    )
    founder = company.founder.account_id
    assert told == [
        ("settlement.calculation_begun", founder, company.founder.client),
        ("settlement.calculated", founder, "job"),
    ]


async def test_a_chunk_whose_worker_is_killed_is_done_again_and_once(
    company: Company, paying: Paying, sales: Sales
) -> None:
    plan_id = await paying.in_force(a_plan())
    await team(company, sales, 4)
    seen = await paying.calculation(plan_id, MARCH)
    settlement_id = await paying.begin(plan_id, MARCH, seen.plan_hash)
    while (event := await paying.next_event()) is not None:
        before = await company.everything()

        async def killed(event: Event = event) -> None:
            await paying.jobs(chunk=2).calculate(event)
            raise Killed

        with pytest.raises(Killed):
            await company.within(killed)
        assert await company.everything() == before
        await paying.deliver(event, chunk=2)
    stored = await paying.stored(settlement_id)
    assert (stored.state, stored.plan_hash, stored.people, stored.lines) == ("calculated", seen.plan_hash, 4, 4)
    assert await company.value("SELECT count(*) FROM outbox WHERE topic = 'incentives.settlement_calculated'") == 1


async def test_a_calculation_that_fails_for_good_is_given_up_and_the_draft_stands(
    company: Company, paying: Paying, sales: Sales
) -> None:
    plan_id = await paying.in_force(a_plan())
    (rep, _) = await team(company, sales, 2)
    draft = await paying.calculated(plan_id, MARCH)
    await collected(company, sales, rep, "500.00")
    settlement_id = await paying.begin(plan_id, MARCH)
    await paying.work(most=1, chunk=1)
    event = await paying.next_event()
    assert event is not None
    for _ in range(2):  # the second finds nothing to give up
        await company.within(lambda: paying.jobs().give_up(event))
        failed = await paying.stored(settlement_id)
        assert (failed.state, [each.key for each in failed.problems]) == (
            "failed",
            ["incentives.calculation_given_up"],
        )
    assert await paying.stored(draft.settlement_id) == draft
    assert await company.value("SELECT count(*) FROM settlement_part") == 0
    assert (await paying.calculated(plan_id, MARCH)).lines == 3


async def test_the_draft_stands_whole_until_the_new_result_is_there(
    company: Company, paying: Paying, sales: Sales
) -> None:
    plan_id = await paying.in_force(a_plan())
    (rep, _) = await team(company, sales, 2)
    draft = await paying.calculated(plan_id, MARCH)
    await paying.submit(draft)
    await collected(company, sales, rep, "500.00")
    settlement_id = await paying.begin(plan_id, MARCH)
    await paying.work(most=2, chunk=1)
    assert (await paying.stored(draft.settlement_id)).state == "in_review"
    assert [amount for *_, amount in await paying.lines()] == [3000, 3000]
    await paying.work()
    assert await company.rows("SELECT id, state FROM settlement") == [(settlement_id, "calculated")]
    assert [amount for *_, amount in await paying.lines(of=settlement_id)] == [1500, 3000, 3000]
    assert await company.value("SELECT count(*) FROM accrual") == 3


async def test_a_draft_that_was_approved_meanwhile_stands(company: Company, paying: Paying, sales: Sales) -> None:
    plan_id = await paying.in_force(a_plan())
    (rep,) = await team(company, sales, 1)
    draft = await paying.calculated(plan_id, MARCH)
    await paying.submit(draft)
    await collected(company, sales, rep, "500.00")
    settlement_id = await paying.begin(plan_id, MARCH)
    await paying.work(most=1)
    await paying.approve(draft)
    await paying.work()
    failed = await paying.stored(settlement_id)
    assert [(each.key, each.values) for each in failed.problems] == [
        ("incentives.settlement_is", {"state": "approved"})
    ]
    assert (failed.state, (await paying.stored(draft.settlement_id)).state) == ("failed", "approved")
    await paying.lock(draft)
    assert [amount for *_, amount in await paying.lines()] == [3000]
    april = await paying.settled(plan_id, APRIL)
    assert (april.lines, april.adjustments) == (1, 1)


async def test_what_stands_in_the_way_of_any_line_is_told_and_the_draft_stands(
    company: Company, paying: Paying, sales: Sales
) -> None:
    plan_id = await paying.in_force(a_plan(ONLY_CRM))
    first, second, third = await team(company, sales, 3, product="crm")
    draft = await paying.calculated(plan_id, MARCH)
    shared = await collected(company, sales, first)
    await sales.credit(shared, (first.employee_id, "0.5"), (second.employee_id, "0.5"))
    other = await collected(company, sales, third)
    before = {"lines": await paying.lines(), "draft": await paying.stored(draft.settlement_id)}
    failed = await paying.commit(plan_id, MARCH, chunk=1)
    assert (failed.state, failed.people, failed.plan_hash) == ("failed", 0, "")
    assert {each.key for each in failed.problems} == {"incentives.rule_missing"}
    told = [(str(each.values["deal"]), str(each.values["person"])) for each in failed.problems]
    assert sorted(told) == sorted(
        (f"dea_{deal.hex}", person(each.employee_id))
        for deal, each in ((shared, first), (shared, second), (other, third))
    )
    assert {"lines": await paying.lines(), "draft": await paying.stored(draft.settlement_id)} == before
    assert await company.value("SELECT count(*) FROM settlement_part") == 0
    assert await company.value("SELECT outcome FROM audit_entry ORDER BY at DESC, id DESC LIMIT 1") == "refused"


async def test_what_was_put_right_is_calculated_again_in_place_of_what_failed(
    company: Company, paying: Paying, sales: Sales
) -> None:
    plan_id = await paying.in_force(a_plan(ONLY_CRM))
    (rep,) = await team(company, sales, 1, product="crm")
    deal_id = await collected(company, sales, rep)
    failed = await paying.commit(plan_id, MARCH)
    await company.run("UPDATE deal SET product = 'crm' WHERE id = $1", deal_id)
    done = await paying.commit(plan_id, MARCH)
    assert (failed.state, done.state, done.lines) == ("failed", "calculated", 2)
    assert await counts(company) == {
        "settlement": 1,
        "settlement_part": 0,
        "settlement_problem": 0,
        "settlement_line": 1,
        "accrual": 2,
    }


async def test_what_two_people_find_wrong_with_one_deal_is_told_once(
    company: Company, paying: Paying, sales: Sales
) -> None:
    plan_id = await paying.in_force(a_plan())
    await team(company, sales, 1)
    settlement_id = await paying.begin(plan_id, MARCH)
    one, other = (FactRefused("incentives.fact_twice", {"id": name, "count": 2}) for name in ("dea_1", "dea_2"))
    assert await company.within(lambda: add_problems(settlement_id, [one])) == 1
    assert await company.within(lambda: add_problems(settlement_id, [one, other, one])) == 2
    assert [each.values["id"] for each in await paying.stored_problems(settlement_id)] == ["dea_1", "dea_2"]


async def test_a_hundred_problems_are_enough(company: Company, paying: Paying, sales: Sales) -> None:
    plan_id = await paying.in_force(a_plan(ONLY_CRM))
    first, second = await team(company, sales, 2)
    for rep in (first, second):
        for _ in range(PROBLEMS_TOLD // 2 + 9):
            await collected(company, sales, rep)
    failed = await paying.commit(plan_id, MARCH, chunk=1)
    assert (failed.state, len(failed.problems)) == ("failed", PROBLEMS_TOLD)
    assert len({str(each.values["deal"]) for each in failed.problems}) == PROBLEMS_TOLD


async def test_a_plan_that_changes_meanwhile_is_not_half_applied(
    company: Company, paying: Paying, sales: Sales
) -> None:
    plan_id = await paying.in_force(a_plan())
    people = await team(company, sales, 2)
    for chunks in (1, 2):
        settlement_id = await paying.begin(plan_id, MARCH)
        await paying.work(most=chunks, chunk=1)
        await paying.join(plan_id, employee_id=people[0].employee_id, first=date(2026, 1, chunks))
        await paying.work(chunk=1)
        failed = await paying.stored(settlement_id)
        assert [each.key for each in failed.problems] == ["incentives.plan_changed_meanwhile"]
        assert await paying.lines() == []
    again = await paying.commit(plan_id, MARCH)
    assert (again.state, again.people) == ("calculated", 1)


async def test_rules_of_the_period_can_not_change_meanwhile(company: Company, paying: Paying, sales: Sales) -> None:
    plan_id = await paying.in_force(a_plan())
    await team(company, sales, 1)
    await paying.begin(plan_id, MARCH)
    changed = a_plan(Rule("all", "全部", Flat(d("0.05"))), since=Period(date(2026, 3, 15)))
    draft = await paying.save(changed, plan_id=plan_id)
    refusal = await refused(paying.publish(draft))
    assert (type(refusal), refusal.key) == (PublishingRefused, "incentives.beginning_in_settled_period")
    await paying.work()
    assert await company.rows("SELECT state FROM settlement") == [("calculated",)]


async def test_a_failed_settlement_does_not_keep_its_plan_from_being_put_right(
    company: Company, paying: Paying, sales: Sales
) -> None:
    plan_id = await paying.in_force(a_plan(ONLY_CRM, since=Period(date(2026, 3, 1))))
    await team(company, sales, 1)
    assert (await paying.commit(plan_id, MARCH)).state == "failed"
    everything = a_plan(since=Period(date(2026, 3, 2)))
    await paying.publish(await paying.save(everything, plan_id=plan_id))
    assert (await paying.commit(plan_id, MARCH)).lines == 1


async def test_nothing_is_done_with_a_settlement_before_it_is_calculated(
    company: Company, paying: Paying, sales: Sales
) -> None:
    plan_id = await paying.in_force(a_plan(ONLY_CRM))
    await team(company, sales, 1)
    await paying.begin(plan_id, MARCH)
    for state in ("calculating", "failed"):
        settlement_id = await company.value("SELECT id FROM settlement")
        assert isinstance(settlement_id, UUID)
        unfinished = await paying.stored(settlement_id)
        assert unfinished.state == state
        before = await company.everything()
        for step in (paying.submit, paying.approve, paying.lock):
            refusal = await refused(step(unfinished))
            assert (type(refusal), refusal.values) == (SettlementStanding, {"state": state})
        assert await company.everything() == before
        await paying.work()


async def test_other_periods_wait_while_one_is_calculated(company: Company, paying: Paying, sales: Sales) -> None:
    plan_id = await paying.in_force(a_plan())
    await team(company, sales, 1)
    await paying.begin(plan_id, APRIL)
    before = await company.everything()
    for period, key in ((MARCH, "later_period_settled"), (MAY, "earlier_period_open")):
        refusal = await refused(paying.begin(plan_id, period))
        assert (type(refusal), refusal.key) == (PeriodRefused, f"incentives.{key}")
    again = await refused(paying.begin(plan_id, APRIL))
    assert (type(again), again.values) == (SettlementStanding, {"state": "calculating"})
    assert await company.everything() == before


async def test_what_is_calculated_or_failed_can_be_discarded(company: Company, paying: Paying, sales: Sales) -> None:
    plan_id = await paying.in_force(a_plan(ONLY_CRM))
    await team(company, sales, 2)
    nothing = {"settlement": 0, "settlement_part": 0, "settlement_problem": 0, "settlement_line": 0, "accrual": 0}
    settlement_id = await paying.begin(plan_id, MARCH)
    await paying.work(most=1, chunk=1)
    await paying.discard(await paying.stored(settlement_id))
    assert await counts(company) == nothing
    assert await paying.work() == 1, "the event that was on its way finds nothing to do"
    assert await counts(company) == nothing
    failed = await paying.commit(plan_id, MARCH)
    assert failed.state == "failed"
    await paying.discard(failed)
    assert await counts(company) == nothing


async def test_parts_of_pools_go_over_to_the_new_draft(company: Company, paying: Paying, sales: Sales) -> None:
    plan_id = await paying.in_force(a_plan())
    (rep,) = await team(company, sales, 1)
    terms, members = PoolTerms(share=d("0.1"), hurdle=d(0)), [Member(person(rep.employee_id), d(1))]
    days: dict[str, Any] = {"days": (MARCH.first, APRIL.first)}
    seen = await paying.pool(plan_id, terms, members, **days)
    await paying.approve_pool(await paying.pool(plan_id, terms, members, seen.plan_hash, **days))
    first = await paying.calculated(plan_id, MARCH)
    assert (first.lines, first.people) == (2, 1)
    await collected(company, sales, rep, "500.00")
    second = await paying.calculated(plan_id, MARCH)
    assert second.lines == 3
    assert sorted(amount for *_, amount in await paying.lines(of=second.settlement_id)) == [1500, 3000, 10000]  # type: ignore[type-var]


async def test_a_preview_is_for_so_many_people_and_no_more(company: Company, paying: Paying, sales: Sales) -> None:
    plan_id = await paying.in_force(a_plan())
    await team(company, sales, 3)
    assert (await paying.calculation(plan_id, MARCH, limit=PreviewLimit(3, 3))).people == 3
    for limit in (PreviewLimit(2, 3), PreviewLimit(3, 2)):
        refusal = await refused(paying.calculation(plan_id, MARCH, limit=limit))
        assert (type(refusal), refusal.key) == (PeriodRefused, "incentives.preview_too_large")
        most = {"most_people": limit.people, "most_shares": limit.shares}
        assert refusal.values == {"people": 3, "shares": 3} | most
    assert (PREVIEW.people, PREVIEW.shares) == (300, 5_000)


async def test_a_chunk_is_shorter_where_people_have_many_deals_and_never_empty(
    company: Company, paying: Paying, sales: Sales, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan_id = await paying.in_force(a_plan())
    people = await team(company, sales, 3)
    for _ in range(2):
        await collected(company, sales, people[1])
    seen = await paying.calculation(plan_id, MARCH)
    monkeypatch.setattr(settlement_parts, "SHARES_AT_ONCE", 2)
    settlement_id = await paying.begin(plan_id, MARCH, seen.plan_hash)
    assert await company.rows("SELECT share_count FROM settlement_part ORDER BY employee_id") == [(1,), (3,), (1,)]
    found = []
    while await paying.work(most=1):
        found.append(await company.value("SELECT count(*) FROM settlement_part WHERE is_calculated"))
    assert found == [2, 3, 0]
    assert (await paying.stored(settlement_id)).plan_hash == seen.plan_hash


@pytest.mark.parametrize("is_fixed", [True, False])
async def test_a_run_is_not_opened_on_commission_that_is_being_calculated(
    company: Company, paying: Paying, sales: Sales, is_fixed: bool
) -> None:
    office = office_of(company)
    structure_id = await office.save(structure_of(BASIC))
    rep = await office.employ("1001")
    await office.assign(rep, structure_id)
    plan_id = await paying.in_force(a_plan())
    await collected(company, sales, rep, "123456.78")
    settlement_id = await paying.begin(plan_id, MARCH)
    await office.open("2026-02", takes_open_settlements=True)
    await company.run("UPDATE payroll_run SET state = 'cancelled'")
    before = await company.everything()
    refusal = await refused(office.open("2026-03", takes_open_settlements=True))
    assert (type(refusal), refusal.key) == (PayrollRefused, "incentives.settlement_calculating")
    assert refusal.values == {"plan": "销售提成", "first": "2026-03-01"}
    assert await company.everything() == before
    if is_fixed:
        await paying.work()
    else:
        await paying.discard(await paying.stored(settlement_id))
    run_id = await office.open("2026-03", takes_open_settlements=True, computes_at_once=True)
    await office.work()
    assert (await office.documents(run_id))["1001"]["net"] == ("13703.70" if is_fixed else "10000.00")


async def test_problems_of_another_company_are_missing(
    company: Company, other_company: Company, paying: Paying
) -> None:
    theirs = Paying.of(other_company)
    plan_id = await theirs.in_force(a_plan(ONLY_CRM))
    await team(other_company, Sales(other_company, other_company.founder), 1)
    settlement_id = await theirs.begin(plan_id, MARCH)
    ours = [await refused(paying.stored_problems(each)) for each in (settlement_id, new_id())]
    assert str(ours[0]) == str(ours[1])
    event = await theirs.next_event()
    assert event is not None
    await company.within(lambda: paying.jobs().calculate(event))
    assert (await theirs.stored(settlement_id)).state == "calculating"
    await theirs.work()
    assert (await theirs.stored(settlement_id)).state == "failed"
