"""Allocations: what is planned is what is given, by each method; what changed in between is refused or left out."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from uuid import UUID

import pytest

from saas.access import AccessTable, PermissionMissing
from saas.customers import (
    Method,
    OnChange,
    Participant,
    PerformancePlan,
    cancel_allocation,
    draw_certificate,
    explain_allocation,
    own_certificate,
)
from saas.customers.actions.frozen_rosters import PICKS, restored_roster
from saas.customers.allocation import NotInDraw, PeriodStillOpen, RosterImpossible, allocate, verify_certificate
from saas.customers.allocation.errors import DrawSeedRefused
from saas.customers.errors import AllocationClosed, AllocationNotFound, NotDrawnYet, PlanChanged, PoolNotFound
from saas.kernel import Actor, AppErrors, Catalogue, Explanation, Period, new_id
from tests.rooms.allocation_stage import allocated, employee, give, picks, plan, pooled, staff
from tests.staging import Company, refused

MANAGER = AccessTable("manager", scopes={"Allocation": frozenset({"all"})}, permissions=frozenset({"pool:allocate"}))
REP = AccessTable("rep", scopes={"Allocation": frozenset({"pool"})})
CATALOGUE = Catalogue.of(["saas.customers"])


async def hash_of(company: Company, allocation_id: UUID) -> str:
    return str(await company.value("SELECT plan_hash FROM pool_allocation WHERE id = $1", allocation_id))


async def holdings(company: Company) -> Counter[object]:
    rows = await company.rows("SELECT owner_id FROM customer WHERE owner_id IS NOT NULL")
    return Counter(owner for (owner,) in rows)


async def test_a_plan_gives_nothing_and_its_commit_what_it_showed(company: Company) -> None:
    people, customers = await staff(company, 3), await pooled(company, 7)
    before = {table: rows for table, rows in (await company.everything()).items() if "allocation" not in table}
    allocation_id = await plan(company, Method.FLEXIBLE, people)
    shown = await picks(company, allocation_id)
    after = {table: rows for table, rows in (await company.everything()).items() if "allocation" not in table}
    assert after.pop("audit_entry") != before.pop("audit_entry")
    assert after == before
    assert [customer for customer, _, _ in shown] == customers
    assert {state for _, _, state in shown} == {"planned"}
    assert sorted(Counter(person for _, person, _ in shown).values()) == [2, 2, 3]
    given = await give(company, allocation_id)
    assert (len(given.places), given.skipped) == (7, 0)
    assert await picks(company, allocation_id) == [(customer, person, "given") for customer, person, _ in shown]
    assert dict(await company.rows("SELECT id, owner_id FROM customer")) == {  # type: ignore[arg-type]
        customer: person for customer, person, _ in shown
    }


async def test_a_commit_writes_all_that_belongs_to_it(company: Company) -> None:
    (rep,), (customer_id,) = await staff(company, 1), await pooled(company, 1)
    company.clock.advance(timedelta(hours=1))
    allocation_id = await plan(company, Method.FLEXIBLE, [rep])
    await give(company, allocation_id)
    department, now, today = company.founded.department_id, company.clock.now(), date(2026, 11, 23)
    assert await company.rows(
        "SELECT status, owner_id, owner_department_id, received_on, due_on, due_rule, settings_version, version"
        " FROM customer"
    ) == [("owned", rep.employee_id, department, today, date(2026, 12, 24), "no_follow_up", 1, 2)]
    assert await company.rows(
        "SELECT customer_id, owner_id, owner_department_id, pool_id, started_at, started_on, start_kind, operator_id"
        " FROM ownership"
    ) == [
        (
            customer_id,
            rep.employee_id,
            department,
            company.pool_id,
            now,
            today,
            "assign",
            company.founder.account_id,
        )
    ]
    assert await company.rows(
        "SELECT kind, customer_id, employee_id, operator_id, happened_at, allocation_id, settings_version"
        " FROM pool_event"
    ) == [("allocated", customer_id, rep.employee_id, company.founder.account_id, now, allocation_id, 1)]
    assert await company.rows("SELECT object_id FROM audit_entry WHERE action = 'customer.allocated'") == [
        (customer_id,)
    ]
    assert await company.rows("SELECT payload::text FROM outbox WHERE topic = 'customers.customer_allocated'") == [
        (f'{{"owner_id": "{rep.employee_id}", "customer_id": "{customer_id}", "allocation_id": "{allocation_id}"}}',)
    ]
    assert await company.rows("SELECT state, given, skipped, closed_at, closed_by FROM pool_allocation") == [
        ("committed", 1, 0, now, company.founder.account_id)
    ]
    assert await company.rows("SELECT claims FROM claim_count") == []


async def test_what_was_stored_deals_the_same_again(company: Company) -> None:
    people = await staff(company, 4)
    await pooled(company, 9)
    for method in (Method.FLEXIBLE, Method.WEIGHTED, Method.LOAD_RELATIVE, Method.STRICT):
        asked = [Participant(employee(each), weight=place) for place, each in enumerate(people, start=1)]
        allocation_id = await plan(company, method, asked, take=9)
        text = str(await company.value("SELECT roster::text FROM pool_allocation WHERE id = $1", allocation_id))
        async with company.database.transaction(company.tenant_id) as transaction:
            rows = await transaction.fetch(PICKS, company.tenant_id, allocation_id)
        again = allocate(restored_roster(allocation_id, text, rows).roster)
        stored = [person for _, person, _ in await picks(company, allocation_id)]
        assert [pick.employee_id for pick in again.picks] == stored, method


async def test_round_robin_evens_out_over_allocations(company: Company) -> None:
    """Equal members end equal, however slowly customers arrive (P40)."""
    people = await staff(company, 3)
    for number in range(4):
        await pooled(company, 4, prefix=f"批次{number}-")
        await allocated(company, Method.FLEXIBLE, people)
        company.clock.advance(timedelta(hours=1))
        counts = await holdings(company)
        assert max(counts.values()) - min(counts.values()) <= 1
    assert sorted((await holdings(company)).values()) == [5, 5, 6]


async def test_the_strict_order_goes_on_where_it_stopped(company: Company) -> None:
    people = await staff(company, 3)
    served: list[object] = []
    for number in range(5):
        await pooled(company, 2, prefix=f"批次{number}-")
        allocation_id = await plan(company, Method.STRICT, people)
        await give(company, allocation_id)
        served += [person for _, person, _ in await picks(company, allocation_id)]
    assert served[:3] != served[1:4]
    assert len(set(served[:3])) == 3
    assert served == (served[:3] * 4)[:10]


async def test_shares_are_owed_from_one_allocation_to_the_next(company: Company) -> None:
    """One customer at a time, weights 1, 2 and 4: never a whole customer off the exact share."""
    people = await staff(company, 3)
    asked = [Participant(employee(each), weight=weight) for each, weight in zip(people, (1, 2, 4), strict=True)]
    for number in range(14):
        await pooled(company, 1, prefix=f"批次{number}-")
        await allocated(company, Method.WEIGHTED, asked)
        counts = await holdings(company)
        for each in asked:
            assert abs(counts[each.employee_id] - Decimal(each.weight) * (number + 1) / 7) < 1
    assert [counts[each.employee_id] for each in asked] == [2, 4, 8]


async def test_who_missed_a_customer_that_was_gone_is_owed_it(company: Company) -> None:
    people, customers = await staff(company, 2), await pooled(company, 2)
    asked = [Participant(employee(each)) for each in people]
    allocation_id = await plan(company, Method.WEIGHTED, asked)
    ((_, missing, _), _) = await picks(company, allocation_id)
    await company.claim(await company.hire("0099"), customers[0])
    await give(company, allocation_id, on_change=OnChange.SKIP)
    assert dict(await company.rows("SELECT employee_id, balance FROM pool_standing")) == {  # type: ignore[arg-type]
        person.employee_id: Decimal("0.5") if person.employee_id == missing else Decimal("-0.5") for person in people
    }
    await pooled(company, 1, prefix="下一个")
    allocation_id = await plan(company, Method.WEIGHTED, asked)
    assert [person for _, person, _ in await picks(company, allocation_id)] == [missing]


async def test_performance_decides_with_a_floor_for_all(company: Company) -> None:
    people = await staff(company, 4)
    await pooled(company, 20)
    attainments = ("2", "1", "0", None)
    asked = [
        Participant(employee(each), attainment=None if text is None else Decimal(text))
        for each, text in zip(people, attainments, strict=True)
    ]
    october = PerformancePlan(Period.of_month("2026-10"), newcomer_days=0)
    allocation_id = await plan(company, Method.PERFORMANCE, asked, plan=october)
    await give(company, allocation_id)
    counts = await holdings(company)
    exact = [Decimal("9.5"), Decimal("4.75"), Decimal(1), Decimal("4.75")]  # the floor, then 2 : 1 : the average of 1
    assert all(abs(counts[each.employee_id] - share) < 1 for each, share in zip(asked, exact, strict=True))
    assert sum(counts.values()) == 20
    roster = json.loads(str(await company.value("SELECT roster::text FROM pool_allocation")))
    assert [each["attainment"] for each in roster["candidates"]] == ["2", "1", "0", None]
    assert roster["performance"]["floor_rate"] == "0.2"


async def test_performance_waits_until_its_period_is_over(company: Company) -> None:
    people = await staff(company, 1)
    await pooled(company, 1)
    before = await company.everything()
    november = PerformancePlan(Period.of_month("2026-11"))
    assert isinstance(await refused(plan(company, Method.PERFORMANCE, people, plan=november)), PeriodStillOpen)
    assert await company.everything() == before


async def test_limits_cooldown_members_and_leavers_are_kept_out(company: Company) -> None:
    full, former, left, free = await staff(company, 4)
    customer_id = await company.enter("甲", keeper=former)
    await company.release(former, customer_id)
    await company.set_rules(holding_limit=1)
    await company.enter("乙", keeper=full)
    await company.run("UPDATE employee SET status = 'separated', left_on = hired_on WHERE id = $1", left.employee_id)
    allocation_id = await plan(company, Method.FLEXIBLE, [full, former, left, free])
    assert await picks(company, allocation_id) == [(customer_id, free.employee_id, "planned")]
    for person, key in ((full, "holding_limit"), (former, "cooldown"), (left, "disabled")):
        why = await explained(company, company.founder, allocation_id, customer_id, employee(person), MANAGER)
        assert why.key == f"customers.filtered_{key}"


async def test_a_customer_that_nobody_can_have_stays_and_says_why(company: Company) -> None:
    (rep,) = await staff(company, 1)
    await company.set_rules(holding_limit=1)
    first, second = await pooled(company, 2)
    allocation_id = await plan(company, Method.FLEXIBLE, [rep])
    given = await give(company, allocation_id)
    assert (len(given.places), given.skipped) == (1, 0)
    assert await picks(company, allocation_id) == [(first, rep.employee_id, "given"), (second, None, "kept")]
    assert await company.value("SELECT nobody FROM allocation_pick WHERE customer_id = $1", second) == "all_full"


async def test_records_of_one_company_go_to_one_person(company: Company) -> None:
    people = await staff(company, 3)
    customers = await pooled(company, 4)
    await company.run("UPDATE customer SET match_key = 'one' WHERE id = ANY ($1)", [customers[0], customers[2]])
    allocation_id = await plan(company, Method.DRAW, people)
    await give(company, allocation_id)
    owners: dict[object, object] = dict(await company.rows("SELECT id, owner_id FROM customer"))  # type: ignore[arg-type]
    assert owners[customers[0]] == owners[customers[2]]
    assert await company.rows("SELECT place, count(*) FROM allocation_pick GROUP BY place ORDER BY place") == [
        (0, 2),
        (1, 1),
        (2, 1),
    ]


async def test_the_named_customers_are_dealt_in_their_order(company: Company) -> None:
    people, customers = await staff(company, 2), await pooled(company, 4)
    wanted = [customers[3], customers[1]]
    allocation_id = await plan(company, Method.FLEXIBLE, people, customer_ids=wanted)
    assert [customer for customer, _, _ in await picks(company, allocation_id)] == wanted


async def test_refused_plans_write_nothing(company: Company) -> None:
    people, customers = await staff(company, 2), await pooled(company, 2)
    owned = await company.enter("已领", keeper=people[0])
    before = await company.everything()
    for wish, asked in (
        ({"customer_ids": [*customers, owned]}, people),
        ({"customer_ids": []}, people),
        ({"take": 0}, people),
        ({}, []),
        ({}, [Participant(new_id())]),
    ):
        assert isinstance(await refused(plan(company, Method.FLEXIBLE, asked, **wish)), RosterImpossible)
    with pytest.raises(AppErrors):
        await plan(company, Method.WEIGHTED, [Participant(employee(people[0]), weight=-1)])
    elsewhere = replace(company, pool_id=new_id())
    assert isinstance(await refused(plan(elsewhere, Method.FLEXIBLE, people)), PoolNotFound)
    assert await company.everything() == before


async def test_a_plan_is_committed_once_and_by_its_hash(company: Company) -> None:
    people = await staff(company, 1)
    await pooled(company, 1)
    allocation_id = await plan(company, Method.FLEXIBLE, people)
    before = await company.everything()
    assert isinstance(await refused(give(company, allocation_id, plan_hash="0" * 64)), PlanChanged)
    assert isinstance(await refused(give(company, new_id(), plan_hash="0" * 64)), AllocationNotFound)
    assert await company.everything() == before
    await give(company, allocation_id)
    after = await company.everything()
    assert isinstance(await refused(give(company, allocation_id)), AllocationClosed)
    assert await company.everything() == after


async def test_a_cancelled_plan_gives_nothing(company: Company) -> None:
    people = await staff(company, 1)
    await pooled(company, 1)
    allocation_id = await plan(company, Method.FLEXIBLE, people)

    async def cancel() -> None:
        await company.within(
            lambda: cancel_allocation(company.founder, allocation_id=allocation_id, clock=company.clock)
        )

    await cancel()
    assert isinstance(await refused(cancel()), AllocationClosed)
    refusal = await refused(give(company, allocation_id))
    assert (type(refusal), refusal.values) == (AllocationClosed, {"state": "cancelled"})
    assert await holdings(company) == Counter()


@pytest.mark.parametrize("change", ["claimed", "left", "full"])
async def test_what_changed_since_the_plan_is_refused_or_left_out(company: Company, change: str) -> None:
    people, customers = await staff(company, 2), await pooled(company, 4)
    spare = await company.enter("计划外")
    await company.run("UPDATE customer SET created_at = created_at + interval '1 day' WHERE id = $1", spare)
    await company.set_rules(holding_limit=2)
    allocation_id = await plan(company, Method.FLEXIBLE, people, take=4)
    shown = await picks(company, allocation_id)
    gone: list[object]
    theirs = [customer for customer, person, _ in shown if person == people[0].employee_id]
    if change == "claimed":
        await company.claim(await company.hire("0099"), customers[0])
        gone = [customers[0]]
    elif change == "left":
        await company.run(
            "UPDATE employee SET status = 'separated', left_on = hired_on WHERE id = $1", people[0].employee_id
        )
        gone = theirs
    else:
        await company.claim(people[0], spare)
        gone = theirs[1:]
    before = await company.everything()
    refusal = await refused(give(company, allocation_id))
    assert (refusal.key, refusal.values) == ("customers.plan_items_changed", {"changed": len(gone), "of": 4})
    assert await company.everything() == before
    given = await give(company, allocation_id, on_change=OnChange.SKIP)
    assert (len(given.places), given.skipped) == (4 - len(gone), len(gone))
    assert [state for _, _, state in await picks(company, allocation_id)] == [
        "skipped" if customer in gone else "given" for customer in customers
    ]


async def test_a_plan_of_other_settings_or_of_before_another_allocation_is_refused(company: Company) -> None:
    people = await staff(company, 2)
    await pooled(company, 4)
    first = await plan(company, Method.FLEXIBLE, people, take=1)
    second = await plan(company, Method.FLEXIBLE, people, take=2)
    await give(company, first)
    before = await company.everything()
    for on_change in OnChange:
        assert (await refused(give(company, second, on_change=on_change))).key == "customers.plan_pool_changed"
    assert await company.everything() == before
    third = await plan(company, Method.FLEXIBLE, people, take=1)
    await company.configure(cooldown_days=1)
    assert (await refused(give(company, third))).key == "customers.plan_pool_changed"


async def test_a_draw_is_committed_to_before_anybody_knows_where_a_customer_goes(company: Company) -> None:
    people, _ = await staff(company, 3), await pooled(company, 6)
    allocation_id = await plan(company, Method.DRAW, people)
    assert {person for _, person, _ in await picks(company, allocation_id)} == {None}
    commitment = str(await company.value("SELECT commitment FROM pool_allocation"))
    assert await company.rows("SELECT kind, reason, allocation_id FROM pool_event") == [
        ("draw_committed", commitment, allocation_id)
    ]
    whole = repr(await company.rows("SELECT roster::text, commitment_document::text FROM pool_allocation"))
    assert '"seed": null' in whole
    for asked in (draw_certificate, own_certificate):
        refusal = await refused(
            company.within(
                lambda asked=asked: asked(company.founder, allocation_id=allocation_id, access=MANAGER)  # type: ignore[misc]
            )
        )
        assert isinstance(refusal, NotDrawnYet)
    await give(company, allocation_id)
    found = await company.within(lambda: draw_certificate(company.founder, allocation_id=allocation_id, access=MANAGER))
    assert found.commitment == commitment
    assert verify_certificate(found.certificate.encode(), commitment=commitment, picks_root=found.picks_root) == []
    drawn = [pick["candidate"] for pick in json.loads(found.certificate)["picks"]]
    assert drawn == [str(person) for _, person, _ in await picks(company, allocation_id)]
    assert await company.value("SELECT sealed FROM pool_allocation") is None


async def test_each_person_gets_their_own_part_of_the_certificate(company: Company) -> None:
    people, _ = await staff(company, 3), await pooled(company, 6)
    outsider = await company.hire("0099")
    allocation_id = await plan(company, Method.DRAW, people)
    await give(company, allocation_id)
    theirs = Counter(person for _, person, _ in await picks(company, allocation_id))
    for person in people:
        found = await company.within(
            lambda person=person: own_certificate(person, allocation_id=allocation_id, access=REP)  # type: ignore[misc]
        )
        assert (
            verify_certificate(found.certificate.encode(), commitment=found.commitment, picks_root=found.picks_root)
            == []
        )
        assert len(json.loads(found.certificate)["picks"]["entry"]["picks"]) == theirs[person.employee_id]
        assert not any(str(other.employee_id) in found.certificate for other in people if other is not person)
    refusal = await refused(company.within(lambda: own_certificate(outsider, allocation_id=allocation_id, access=REP)))
    assert isinstance(refusal, NotInDraw)


async def test_a_public_seed_is_named_before_and_given_after(company: Company) -> None:
    people, _ = await staff(company, 3), await pooled(company, 6)
    allocation_id = await plan(company, Method.DRAW, people, seed_source="2026年第138期双色球开奖号码")
    before = await company.everything()
    assert isinstance(await refused(give(company, allocation_id)), DrawSeedRefused)
    assert await company.everything() == before
    await give(company, allocation_id, seed_value="01 05 12 18 22 30 07")
    found = await company.within(lambda: draw_certificate(company.founder, allocation_id=allocation_id, access=MANAGER))
    assert verify_certificate(found.certificate.encode(), commitment=found.commitment) == []
    assert json.loads(found.certificate)["seed"]["value"] == "01 05 12 18 22 30 07"


async def explained(
    company: Company,
    actor: Actor,
    allocation_id: UUID,
    customer_id: UUID,
    employee_id: UUID | None,
    access: AccessTable,
) -> Explanation:
    return await company.within(
        lambda: explain_allocation(
            actor, allocation_id=allocation_id, customer_id=customer_id, employee_id=employee_id, access=access
        )
    )


async def test_why_this_customer_and_why_not_me(company: Company) -> None:
    people, customers = await staff(company, 2), await pooled(company, 1)
    allocation_id = await plan(company, Method.FLEXIBLE, people)
    ((_, chosen, _),) = await picks(company, allocation_id)
    mine = next(each for each in people if each.employee_id == chosen)
    other = next(each for each in people if each.employee_id != chosen)
    whole = await explained(company, company.founder, allocation_id, customers[0], None, MANAGER)
    assert whole.key == "customers.allocated_flexible"
    own = await explained(company, mine, allocation_id, customers[0], mine.employee_id, REP)
    assert own == whole
    passed = await explained(company, other, allocation_id, customers[0], other.employee_id, REP)
    assert passed.key == "customers.passed_over_flexible"
    assert "客户＊＊" in passed.sentence(CATALOGUE, "zh-CN")
    for asked in (None, chosen):
        assert isinstance(
            await refused(explained(company, other, allocation_id, customers[0], asked, REP)),  # type: ignore[arg-type]
            PermissionMissing,
        )
    missing = await refused(explained(company, company.founder, allocation_id, new_id(), None, MANAGER))
    assert (type(missing), missing.key) == (AllocationNotFound, "customers.not_on_roster")
    hidden = await refused(explained(company, other, allocation_id, customers[0], None, AccessTable("blind")))
    assert isinstance(hidden, AllocationNotFound)


async def test_colleagues_are_named_as_the_pool_says(company: Company) -> None:
    people, customers = await staff(company, 2), await pooled(company, 1)
    allocation_id = await plan(company, Method.FLEXIBLE, people)
    ((_, chosen, _),) = await picks(company, allocation_id)
    other = next(each for each in people if each.employee_id != chosen)
    named = await explained(company, other, allocation_id, customers[0], other.employee_id, REP)
    await company.run("UPDATE customer_pool SET shows_names = false")
    nameless = await explained(company, other, allocation_id, customers[0], other.employee_id, REP)
    assert str(named.args["chosen"]).startswith("员工")
    assert str(nameless.args["chosen"]).startswith("#")
    assert nameless.args["name"] == named.args["name"]
