"""Assessments in the database: drafted, announced as previewed, appealed against, carried out, rotated, closed."""

from __future__ import annotations

import json
from datetime import date, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest_asyncio

from saas.circulation import Cycle, PolicyKind, Rotation, explain_line
from saas.circulation.errors import (
    AppealRefused,
    AppealStanding,
    AssessmentNotFound,
    AssessmentStanding,
    LineNotFound,
    NotYetDue,
    PeriodRefused,
    PlanChanged,
    PolicyMissing,
    ReceiverRefused,
)
from saas.customers import Marking, MarkKind, WorkingHours
from saas.customers.errors import CooldownRunning
from saas.kernel import Actor
from saas.people import create_department
from saas.sales import find_activity
from tests.rooms.circulating import (
    ASSESSING,
    FOLLOWED_ONLY,
    HR,
    OWN,
    TEAM,
    announce,
    announced,
    appeal,
    ask,
    ask_for_move,
    cancel,
    decide,
    draft,
    go_to,
    lines,
    move,
    notify,
    rule,
    states,
    veteran,
    wait,
    work_out,
)
from tests.rooms.selling import Sales
from tests.staging import REP as SELLING
from tests.staging import ZONE, Company, refused

QUARTER = date(2027, 2, 1)
ASSESSED_ON = date(2027, 4, 5)
DUE_ON = date(2027, 4, 20)
ASSESSMENT = "SELECT state, people, customers, announced_on, appeal_until, due_on FROM assessment"


@pytest_asyncio.fixture(loop_scope="session")
async def reps(company: Company) -> tuple[Actor, Actor]:
    return await veteran(company, "0002", "李雷"), await veteran(company, "0003", "韩梅")


@pytest_asyncio.fixture(loop_scope="session")
async def held(company: Company, reps: tuple[Actor, Actor]) -> list[UUID]:
    """Five customers of the first rep, two of which were visited in the quarter, and one of the second."""
    customers = [await company.enter(f"客户{number}", keeper=reps[0]) for number in range(5)]
    await company.enter("别人的", keeper=reps[1])
    await company.configure(recycle_follow_up_days=None, recycle_deal_days=None)
    go_to(company, QUARTER)
    for customer_id in customers[:2]:
        await company.follow_up(reps[0], customer_id, "上门拜访客户")
    go_to(company, ASSESSED_ON)
    return customers


async def assessing(company: Company, **wanted: Any) -> None:
    await decide(company, PolicyKind.ASSESSMENT, **{**ASSESSING, "weights": FOLLOWED_ONLY, **wanted})


async def test_a_draft_names_what_would_move_and_what_it_earned_and_writes_nothing_else(
    company: Company, reps: tuple[Actor, Actor], held: list[UUID]
) -> None:
    sales = Sales(company, company.founder)
    for customer_id in held[2:]:
        deal_id = await sales.deal(customer_id, f"D-{customer_id}", "500.00", signed_on=date(2027, 3, 1))
        await sales.collect(deal_id, "200.00", on=date(2027, 3, 2))
    await sales.deal(held[2], "later", "900.00", signed_on=date(2027, 4, 1))
    await assessing(company)
    before = await company.everything()
    assessment_id = await draft(company, day=QUARTER)
    after = await company.everything()
    written = {name for name in before if before[name] != after[name]}
    assert written == {"assessment", "assessment_person", "assessment_customer", "audit_entry", "outbox"}
    assert await company.rows(ASSESSMENT) == [("draft", 2, 2, None, None, None)]
    moving = await lines(company, assessment_id)
    assert {line[1] for line in moving} < set(held[2:])
    assert [line[2:] for line in moving] == [(reps[0].employee_id, "planned")] * 2
    assert await company.rows("SELECT DISTINCT use, deals_minor, collected_minor FROM assessment_customer") == [
        (0, 50_000, 20_000)
    ]
    assert await company.rows(
        "SELECT held, judged, above_quota, moving, utilisation::text FROM assessment_person ORDER BY held"
    ) == [(1, 1, 0, 0, "0.00"), (5, 5, 4, 2, "40.00")]
    told = json.loads(str(await company.value("SELECT explanation::text FROM assessment_customer LIMIT 1")))
    assert told["parts"][-1]["args"] == {"deals": "500.00", "collected": "200.00"}


async def test_what_was_previewed_is_announced_and_every_owner_is_told(
    company: Company, reps: tuple[Actor, Actor], held: list[UUID]
) -> None:
    await assessing(company)
    assessment_id = await draft(company, day=QUARTER)
    other = await refused(announce(company, assessment_id, plan_hash="0" * 64))
    assert isinstance(other, PlanChanged)
    assert await states(company) == ["planned", "planned"]
    await announce(company, assessment_id)
    assert await company.rows(ASSESSMENT) == [("announced", 2, 2, ASSESSED_ON, date(2027, 4, 12), DUE_ON)]
    assert await states(company) == ["announced", "announced"]
    payloads = "SELECT payload ->> 'employee_id' FROM outbox WHERE topic = 'circulation.person_notified'"
    assert await company.rows(payloads) == [(str(reps[0].employee_id),)]
    assert (
        await company.rows("SELECT rule, employee_id, happened_on FROM pool_event WHERE kind = 'warned'")
        == [("assessment", reps[0].employee_id, ASSESSED_ON)] * 2
    )
    again = await refused(announce(company, assessment_id))
    assert isinstance(again, AssessmentStanding)


async def test_a_customer_that_changed_hands_or_another_policy_makes_the_draft_stale(
    company: Company, reps: tuple[Actor, Actor], held: list[UUID]
) -> None:
    await assessing(company)
    assessment_id = await draft(company, day=QUARTER)
    await company.release(reps[0], (await lines(company, assessment_id))[0][1])
    refusal = await refused(announce(company, assessment_id))
    assert isinstance(refusal, PlanChanged)
    assert refusal.values == {"changed": 1, "of": 2}
    await cancel(company, assessment_id)
    second = await draft(company, day=QUARTER)
    await decide(company, PolicyKind.ASSESSMENT, version=1, quota=3)
    refusal = await refused(announce(company, second))
    assert refusal.key == "circulation.plan_of_other_policy"
    assert await company.value("SELECT count(*) FROM pool_event WHERE kind = 'warned'") == 0


async def test_customers_move_on_their_day_and_go_to_others(
    company: Company, reps: tuple[Actor, Actor], held: list[UUID]
) -> None:
    await assessing(company)
    assessment_id = await announced(company, day=QUARTER)
    moving = {line[1] for line in await lines(company, assessment_id)}
    wait(company, 14)
    early = await move(company)
    assert (early.reclaimed, early.rotated, early.closed) == (0, 0, 0)
    assert isinstance(await refused(ask_for_move(company, assessment_id)), NotYetDue)
    wait(company, 1)
    report = await move(company)
    assert (report.reclaimed, report.spared, report.rotated, report.closed) == (2, 0, 2, 1)
    assert report.failures == []
    assert await states(company) == ["rotated", "rotated"]
    owners = await company.rows("SELECT DISTINCT owner_id FROM customer WHERE id = ANY ($1)", list(moving))
    assert owners == [(reps[1].employee_id,)]
    assert (
        await company.rows("SELECT end_kind, reason, ended_on FROM ownership WHERE ended_at IS NOT NULL")
        == [("recycle", "assessment", DUE_ON)] * 2
    )
    ledger = "SELECT kind, count(*) FROM pool_event WHERE happened_on = $1 GROUP BY kind ORDER BY kind"
    assert await company.rows(ledger, DUE_ON) == [("allocated", 2), ("recycled", 2)]
    told = await company.value("SELECT explanation ->> 'key' FROM pool_event WHERE kind = 'recycled' LIMIT 1")
    assert told == "circulation.reclaimed_by_assessment"
    assert await company.value("SELECT state FROM assessment") == "closed"
    before = await company.everything()
    again = await move(company)
    assert (again.reclaimed, again.rotated, again.closed) == (0, 0, 0)
    assert await company.everything() == before


async def test_neither_working_hours_nor_named_administrators_keep_the_job_from_rotating(
    company: Company, reps: tuple[Actor, Actor], held: list[UUID]
) -> None:
    hours = WorkingHours((7,), "04:00", "04:01")
    await company.configure(2, working_hours=(hours,))
    await company.run(
        "INSERT INTO pool_administrator (tenant_id, pool_id, employee_id) VALUES ($1, $2, $3)",
        company.tenant_id,
        company.pool_id,
        reps[0].employee_id,
    )
    await assessing(company)
    await announced(company, day=QUARTER)
    wait(company, 15)
    report = await move(company)
    assert (report.reclaimed, report.rotated, report.failures) == (2, 2, [])
    assert await states(company) == ["rotated", "rotated"]


async def test_in_the_pool_the_former_owners_cooldown_runs(
    company: Company, reps: tuple[Actor, Actor], held: list[UUID]
) -> None:
    await assessing(company, rotation=Rotation.POOL)
    assessment_id = await announced(company, day=QUARTER)
    wait(company, 15)
    report = await move(company)
    assert (report.reclaimed, report.rotated, report.closed) == (2, 0, 1)
    assert await states(company) == ["pooled", "pooled"]
    customer_id = (await lines(company, assessment_id))[0][1]
    assert isinstance(await refused(company.claim(reps[0], customer_id)), CooldownRunning)
    await company.claim(reps[1], customer_id)


async def test_the_former_owner_is_no_receiver_even_without_a_cooldown(
    company: Company, reps: tuple[Actor, Actor], held: list[UUID]
) -> None:
    await company.set_rules(cooldown_days=0)
    await assessing(company)
    assert reps[0].employee_id is not None
    await announced(company, day=QUARTER, receivers=[reps[0].employee_id])
    wait(company, 15)
    report = await move(company)
    assert (report.reclaimed, report.rotated, report.closed) == (2, 2, 1)
    assert await states(company) == ["pooled", "pooled"]


async def test_an_appeal_holds_its_customer_until_it_is_decided(
    company: Company, reps: tuple[Actor, Actor], held: list[UUID]
) -> None:
    await assessing(company)
    assessment_id = await announced(company, day=QUARTER)
    (first, kept, *_), (second, lost, *_) = await lines(company, assessment_id)
    wait(company, 7)
    for line_id in (first, second):
        await appeal(company, reps[0], line_id)
    wait(company, 60)
    report = await move(company)
    assert (report.reclaimed, report.closed) == (0, 0)
    await rule(company, company.founder, first, is_granted=True)
    await rule(company, company.founder, second, is_granted=False)
    assert await states(company) == ["granted", "refused"]
    report = await move(company)
    assert (report.reclaimed, report.rotated, report.closed) == (1, 1, 1)
    owner = "SELECT owner_id FROM customer WHERE id = $1"
    assert await company.value(owner, kept) == reps[0].employee_id
    assert await company.value(owner, lost) == reps[1].employee_id
    assert await company.value("SELECT count(*) FROM outbox WHERE topic = 'circulation.appeal_decided'") == 2


async def test_appeals_that_are_not_the_owners_or_late_or_twice_are_refused(
    company: Company, reps: tuple[Actor, Actor], held: list[UUID]
) -> None:
    await assessing(company)
    assessment_id = await draft(company, day=QUARTER)
    line_id = (await lines(company, assessment_id))[0][0]
    assert isinstance(await refused(appeal(company, reps[0], line_id)), LineNotFound)  # a draft is nobody's to see
    await announce(company, assessment_id)
    assert isinstance(await refused(appeal(company, reps[1], line_id)), LineNotFound)
    stranger = await refused(appeal(company, company.founder, line_id, access=HR))
    assert (type(stranger), stranger.key) == (AppealRefused, "circulation.appeal_of_somebody_else")
    wait(company, 8)
    late = await refused(appeal(company, reps[0], line_id))
    assert (late.key, late.values) == ("circulation.appeal_late", {"until": "2027-04-12"})
    assert await states(company) == ["announced", "announced"]


async def test_nobody_decides_about_their_own_appeal_nor_twice(
    company: Company, reps: tuple[Actor, Actor], held: list[UUID]
) -> None:
    await assessing(company)
    assessment_id = await announced(company, day=QUARTER)
    line_id = (await lines(company, assessment_id))[0][0]
    unasked = await refused(rule(company, company.founder, line_id, is_granted=True))
    assert isinstance(unasked, AppealStanding)
    await appeal(company, reps[0], line_id)
    twice = await refused(appeal(company, reps[0], line_id))
    assert isinstance(twice, AppealStanding)
    own = await refused(rule(company, reps[0], line_id, is_granted=True))
    assert (type(own), own.key) == (AppealRefused, "circulation.appeal_own")
    assert await states(company) == ["announced", "appealed"]
    await rule(company, company.founder, line_id, is_granted=False)
    assert isinstance(await refused(rule(company, company.founder, line_id, is_granted=True)), AppealStanding)


async def test_a_late_follow_up_alone_saves_nothing_unless_the_policy_says_so(
    company: Company, reps: tuple[Actor, Actor], held: list[UUID]
) -> None:
    await assessing(company, follow_up_saves=True)
    assessment_id = await announced(company, day=QUARTER)
    (_, visited, *_), (_, copied, *_) = await lines(company, assessment_id)
    await company.follow_up(reps[0], copied, "补访客户并记录")
    wait(company, 1)
    await company.follow_up(reps[0], visited, "再次上门确认续约")
    await company.follow_up(reps[0], copied, "补访客户并记录")
    wait(company, 14)
    report = await move(company)
    assert (report.reclaimed, report.spared) == (1, 1)
    assert await company.rows("SELECT customer_id, spared FROM assessment_customer WHERE state = 'spared'") == [
        (visited, "followed_up")
    ]


async def test_without_that_term_a_late_follow_up_changes_nothing(
    company: Company, reps: tuple[Actor, Actor], held: list[UUID]
) -> None:
    await assessing(company)
    assessment_id = await announced(company, day=QUARTER)
    wait(company, 1)
    for line in await lines(company, assessment_id):
        await company.follow_up(reps[0], line[1], "再次上门确认续约")
    wait(company, 14)
    assert (await move(company)).reclaimed == 2


async def test_a_lock_from_before_the_announcement_keeps_one_from_after_it_does_not(
    company: Company, reps: tuple[Actor, Actor], held: list[UUID]
) -> None:
    await assessing(company)
    assessment_id = await draft(company, day=QUARTER)
    before, after = [line[1] for line in await lines(company, assessment_id)]

    async def lock(customer_id: UUID) -> None:
        marking = Marking(reps[0], SELLING, find_activity, ZONE, company.clock)
        await company.within(
            lambda: marking.mark(customer_id=customer_id, kind=MarkKind.LOCK, days=90, reason="年度招标")
        )

    await lock(before)
    company.clock.advance(timedelta(minutes=1))
    await announce(company, assessment_id)
    await notify(company)
    company.clock.advance(timedelta(minutes=1))
    await lock(after)
    wait(company, 15)
    report = await move(company)
    assert (report.reclaimed, report.spared) == (1, 1)
    assert await company.rows("SELECT customer_id, spared FROM assessment_customer WHERE state = 'spared'") == [
        (before, "marked")
    ]


async def test_what_changed_hands_meanwhile_stays_with_whom_it_is(
    company: Company, reps: tuple[Actor, Actor], held: list[UUID]
) -> None:
    await assessing(company)
    assessment_id = await announced(company, day=QUARTER)
    customer_id = (await lines(company, assessment_id))[0][1]
    await company.release(reps[0], customer_id)
    await company.claim(reps[1], customer_id)
    wait(company, 15)
    report = await move(company)
    assert (report.reclaimed, report.spared, report.closed) == (1, 1, 1)
    assert await company.value("SELECT owner_id FROM customer WHERE id = $1", customer_id) == reps[1].employee_id


async def test_whom_no_notice_reached_is_waited_for_three_days(
    company: Company, reps: tuple[Actor, Actor], held: list[UUID]
) -> None:
    """3.4, as recycling does."""
    await assessing(company)
    await announce(company, await draft(company, day=QUARTER))
    wait(company, 15)
    moved = []
    for _ in range(4):
        moved.append((await move(company)).reclaimed)
        wait(company, 1)
    assert moved == [0, 0, 0, 2]


async def test_one_customer_that_fails_holds_up_no_other(
    company: Company, reps: tuple[Actor, Actor], held: list[UUID]
) -> None:
    """L23: it is told, and the next run goes on with it. Its version can't rise any further."""
    await assessing(company, rotation=Rotation.POOL)
    assessment_id = await announced(company, day=QUARTER)
    broken = (await lines(company, assessment_id))[0][1]
    wait(company, 15)
    await company.run("UPDATE customer SET version = 2147483647 WHERE id = $1", broken)
    report = await move(company)
    assert (report.reclaimed, report.closed, len(report.failures)) == (1, 0, 1)
    assert await states(company) == ["announced", "pooled"]
    await company.run("UPDATE customer SET version = 1 WHERE id = $1", broken)
    report = await move(company)
    assert (report.reclaimed, report.closed, report.failures) == (1, 1, [])


async def test_what_can_not_be_assessed_is_refused(
    company: Company, reps: tuple[Actor, Actor], held: list[UUID]
) -> None:
    assert isinstance(await refused(ask(company, day=QUARTER)), PolicyMissing)
    await assessing(company)
    before = await company.everything()
    still_open = await refused(ask(company, day=ASSESSED_ON))
    assert (type(still_open), still_open.values) == (PeriodRefused, {"last": "2027-06-30"})
    assert isinstance(await refused(ask(company, day=QUARTER, receivers=[uuid4()])), ReceiverRefused)
    assert isinstance(await refused(ask(company, day=QUARTER, receivers=[])), ReceiverRefused)
    assert await company.everything() == before
    await ask(company, day=QUARTER)
    again = await refused(ask(company, day=date(2027, 3, 31)))
    assert (type(again), again.values) == (AssessmentStanding, {"first": "2027-01-01", "last": "2027-03-31"})


async def test_quarters_and_years_of_a_pool_do_not_overlap(
    company: Company, reps: tuple[Actor, Actor], held: list[UUID]
) -> None:
    await assessing(company)
    first = await draft(company, day=QUARTER)
    go_to(company, date(2028, 1, 3))
    await cancel(company, first)
    await decide(company, PolicyKind.ASSESSMENT, version=1, cycle=Cycle.YEAR)
    await ask(company, day=QUARTER)
    await decide(company, PolicyKind.ASSESSMENT, version=2, cycle=Cycle.QUARTER)
    assert isinstance(await refused(ask(company, day=date(2027, 7, 1))), AssessmentStanding)


async def test_a_dropped_assessment_moves_nothing(
    company: Company, reps: tuple[Actor, Actor], held: list[UUID]
) -> None:
    await assessing(company)
    assessment_id = await announced(company, day=QUARTER)
    await cancel(company, assessment_id)
    wait(company, 15)
    assert (await move(company)).reclaimed == 0
    line_id = (await lines(company, assessment_id))[0][0]
    assert isinstance(await refused(appeal(company, reps[0], line_id)), LineNotFound)
    assert isinstance(await refused(cancel(company, assessment_id)), AssessmentStanding)


async def test_once_customers_moved_it_can_not_be_dropped(
    company: Company, reps: tuple[Actor, Actor], held: list[UUID]
) -> None:
    await assessing(company)
    assessment_id = await announced(company, day=QUARTER)
    await appeal(company, reps[0], (await lines(company, assessment_id))[0][0])
    wait(company, 15)
    assert (await move(company)).reclaimed == 1
    refusal = await refused(cancel(company, assessment_id))
    assert refusal.key == "circulation.assessment_moving"


async def test_a_draft_that_comes_twice_is_made_once(
    company: Company, reps: tuple[Actor, Actor], held: list[UUID]
) -> None:
    await assessing(company)
    assessment_id = await draft(company, day=QUARTER)
    before = await company.everything()
    await work_out(company, assessment_id)
    assert await company.everything() == before


async def test_owners_read_why_and_nobody_else_does(
    company: Company, reps: tuple[Actor, Actor], held: list[UUID]
) -> None:
    await assessing(company)
    assessment_id = await announced(company, day=QUARTER)
    line_id = (await lines(company, assessment_id))[0][0]
    told = await company.within(lambda: explain_line(reps[0], OWN, line_id=line_id))
    assert told.key == "circulation.line_worst_used"
    refusal = await refused(company.within(lambda: explain_line(reps[1], OWN, line_id=line_id)))
    assert isinstance(refusal, LineNotFound)


async def test_a_manager_sees_and_decides_for_the_own_department_alone(
    company: Company, reps: tuple[Actor, Actor], held: list[UUID]
) -> None:
    await assessing(company)
    line_id = (await lines(company, await announced(company, day=QUARTER)))[0][0]
    await appeal(company, reps[0], line_id)
    elsewhere = await company.within(
        lambda: create_department(
            company.founder, name="华南区", parent_id=company.founded.department_id, clock=company.clock
        )
    )
    stranger = await company.hire("0008", name="外区经理", department_id=elsewhere.id)
    manager = await company.hire("0009", name="王经理")
    unseen = await refused(rule(company, stranger, line_id, is_granted=True, access=TEAM))
    assert isinstance(unseen, LineNotFound)
    assert await states(company) == ["announced", "appealed"]
    await rule(company, manager, line_id, is_granted=True, access=TEAM)
    assert await states(company) == ["announced", "granted"]


async def test_another_companys_assessment_is_as_if_missing(
    company: Company, other_company: Company, reps: tuple[Actor, Actor], held: list[UUID]
) -> None:
    await assessing(company)
    assessment_id = await announced(company, day=QUARTER)
    line_id = (await lines(company, assessment_id))[0][0]
    refusal = await refused(announce(other_company, assessment_id, plan_hash="0" * 64))
    assert isinstance(refusal, AssessmentNotFound)
    assert isinstance(await refused(cancel(other_company, assessment_id)), AssessmentNotFound)
    foreign = await refused(rule(other_company, other_company.founder, line_id, is_granted=True))
    missing = await refused(rule(other_company, other_company.founder, uuid4(), is_granted=True))
    assert (str(foreign), foreign.field) == (str(missing), missing.field)
