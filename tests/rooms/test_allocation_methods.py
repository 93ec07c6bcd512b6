"""Newcomers, matching, levels, ordered rules and ramps as a company sets them: shown, given, reported, told."""

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
    Credit,
    CustomerNeeds,
    LevelStanding,
    MatchPlan,
    Method,
    Participant,
    PoolAllocationRule,
    Trait,
    TraitKind,
    credit_back,
    explain_allocation,
    set_customer_needs,
    set_employee_traits,
    set_level_standing,
)
from saas.customers.actions.frozen_rosters import PICKS, restored_roster
from saas.customers.allocation import GuaranteesExceedWhole, RosterImpossible, allocate
from saas.customers.errors import (
    AssigneeNotOnStaff,
    CreditBeyondAssigned,
    CustomerNotFound,
    PlanChanged,
    PoolRuleOutOfRange,
)
from saas.kernel import Actor, AppErrors, BadUserInput, Catalogue, new_id
from tests.rooms.allocation_stage import MANAGER, allocated, employee, give, picks, plan, pooled, staff
from tests.staging import ALL, BLIND, ZONE, Company, refused

CATALOGUE = Catalogue.of(["saas.customers"])
FIGURES = "SELECT newcomers, newcomers_guaranteed, newcomers_given, unplaced FROM pool_allocation WHERE id = $1"
LONG_AGO = date(2020, 1, 1)


async def hired(company: Company, people: list[Actor], on: date) -> None:
    await company.run("UPDATE employee SET hired_on = $2 WHERE id = ANY ($1)", list(map(employee, people)), on)


async def described(company: Company, customers: list[UUID], **facts: str) -> None:
    for name, value in facts.items():
        await company.run(f"UPDATE customer SET {name} = $2 WHERE id = ANY ($1)", customers, value)


async def trait(company: Company, person: Actor, *traits: Trait) -> None:
    await company.within(
        lambda: set_employee_traits(company.founder, employee_id=employee(person), traits=traits, clock=company.clock)
    )


async def credit(company: Company, person: Actor, customers: int = 1, kind: str = "no_show") -> None:
    wanted = Credit(company.pool_id, employee(person), customers, kind, "客户未到店")
    await company.within(lambda: credit_back(company.founder, wanted, time_zone=ZONE, clock=company.clock))


async def told(company: Company, allocation_id: UUID, customer_id: UUID, person: Actor | None = None) -> list[str]:
    explanation = await company.within(
        lambda: explain_allocation(
            company.founder,
            allocation_id=allocation_id,
            customer_id=customer_id,
            employee_id=None if person is None else employee(person),
            access=MANAGER,
        )
    )
    return [text for _, text, _ in explanation.lines(CATALOGUE, "en")]


async def assert_dealt_again(company: Company, allocation_id: UUID) -> None:
    """What was stored deals the same."""
    text = str(await company.value("SELECT roster::text FROM pool_allocation WHERE id = $1", allocation_id))
    async with company.database.transaction(company.tenant_id) as transaction:
        rows = await transaction.fetch(PICKS, company.tenant_id, allocation_id)
    again = allocate(restored_roster(allocation_id, text, rows).roster)
    stored = await company.rows(
        "SELECT DISTINCT place, employee_id FROM allocation_pick WHERE allocation_id = $1 ORDER BY place", allocation_id
    )
    assert [(pick.place, pick.employee_id) for pick in again.picks] == stored


# Newcomers (P44)


async def test_a_newcomer_gets_the_pools_floor_by_load_and_the_plan_reports_it(company: Company) -> None:
    new, *old = people = await staff(company, 4)
    await hired(company, old, LONG_AGO)
    for number in range(6):
        await company.enter(f"新人的{number}", keeper=new)
    await pooled(company, 20)
    await company.configure(holding_limit=10, newcomer_floor_percent=60)
    allocation_id = await plan(company, Method.LOAD_ABSOLUTE, people)
    counts = Counter(person for _, person, _ in await picks(company, allocation_id))
    assert counts[new.employee_id] == 3
    assert await company.rows(FIGURES, allocation_id) == [(1, Decimal("15.00"), 3, 0)]
    await give(company, allocation_id)
    assert await company.rows(FIGURES, allocation_id) == [(1, Decimal("15.00"), 3, 0)]
    await assert_dealt_again(company, allocation_id)


async def test_a_draw_commits_to_weights_with_the_floor_and_reports_after_it(company: Company) -> None:
    new, old = await staff(company, 2)
    await hired(company, [old], LONG_AGO)
    await pooled(company, 6)
    await company.configure(newcomer_floor_percent=100)
    asked = [Participant(employee(new), weight=1), Participant(employee(old), weight=99)]
    allocation_id = await plan(company, Method.DRAW, asked)
    assert await company.rows(FIGURES, allocation_id) == [(1, Decimal("50.00"), None, None)]
    await give(company, allocation_id)
    certificate = json.loads(str(await company.value("SELECT certificate FROM pool_allocation")))
    assert [each["entry"]["weight"] for each in certificate["candidates"]] == [1, 1]
    ((_, _, given, unplaced),) = await company.rows(FIGURES, allocation_id)
    assert (given, unplaced) == (
        sum(person == new.employee_id for _, person, _ in await picks(company, allocation_id)),
        0,
    )


async def test_guarantees_beyond_the_whole_are_refused_with_the_plan(company: Company) -> None:
    people = await staff(company, 3)
    await pooled(company, 3)
    await company.configure(newcomer_share_percent=40)
    before = await company.everything()
    refusal = await refused(plan(company, Method.FLEXIBLE, people))
    assert isinstance(refusal, GuaranteesExceedWhole)
    assert refusal.values == {"newcomers": 3, "each": 40, "together": 120}
    assert await company.everything() == before


async def test_new_hires_ramp_up_by_the_month(company: Company) -> None:
    """A quarter of the weight in the first month, half in the second, all of it from the third on."""
    people = await staff(company, 3)
    for person, day in zip(people, (date(2026, 11, 1), date(2026, 10, 23), LONG_AGO), strict=True):
        await hired(company, [person], day)
    await pooled(company, 7)
    await company.configure(weight_ramp_percents=(25, 50), newcomer_floor_percent=0)
    allocation_id = await plan(company, Method.WEIGHTED, people)
    counts = Counter(person for _, person, _ in await picks(company, allocation_id))
    assert [counts[each.employee_id] for each in people] == [1, 2, 4]
    shares = json.loads(str(await company.value("SELECT shares::text FROM pool_allocation")))
    assert shares == ["14.29", "28.57", "57.14"]
    (mine,) = [
        customer for customer, person, _ in await picks(company, allocation_id) if person == people[0].employee_id
    ]
    assert isinstance(mine, UUID)
    assert (await told(company, allocation_id, mine))[1] == (
        "员工2 was hired on 2026-11-01 and counts with 25 % of the weight 1."
    )


# Match first (P43)


async def test_customers_go_where_they_fit_and_to_who_prefers_them_first(company: Company) -> None:
    shanghai, fan, other = people = await staff(company, 3)
    customers = await pooled(company, 6)
    await described(company, customers[:3], district_code="440304")
    await described(company, customers[3:], district_code="310101", level="A")
    await trait(company, shanghai, Trait(TraitKind.TERRITORY, "31"))
    await trait(company, fan, Trait(TraitKind.LEVEL, "A"))
    match = MatchPlan(prefer=(TraitKind.LEVEL,), quota=2)
    allocation_id = await plan(company, Method.MATCH, people, match=match)
    shown = await picks(company, allocation_id)
    assert [customer for customer, _, _ in shown] == [*customers[3:], *customers[:3]]
    assert [person for _, person, _ in shown][:2] == [fan.employee_id] * 2
    assert all(person != shanghai.employee_id for _, person, _ in shown[3:])
    assert await told(company, allocation_id, customers[0], shanghai) == [
        "员工2 could not have “客户＊＊”: filtered by territory: 员工2's 31, the customer's 440304."
    ]
    await give(company, allocation_id)
    owners = {row[0]: row[1] for row in await company.rows("SELECT id, owner_id FROM customer")}
    assert owners == {customer: person for customer, person, _ in shown}
    assert other.employee_id in owners.values()
    await assert_dealt_again(company, allocation_id)


async def needs(company: Company, customer_id: UUID, *, access: AccessTable = ALL, **known: str) -> None:
    await company.within(
        lambda: set_customer_needs(
            company.founder, customer_id=customer_id, needs=CustomerNeeds(**known), access=access, clock=company.clock
        )
    )


async def test_language_and_skill_and_product_are_matched_and_told(company: Company) -> None:
    """Who has a trait of a kind that must fit has no others; whom a product is for gets it first."""
    english, engineer, seller = people = await staff(company, 3)
    spoken, skilled, wanted, plain = await pooled(company, 4)
    await needs(company, spoken, language=" en ")
    await needs(company, skilled, required_skill="冷链")
    await needs(company, wanted, wanted_product="年金")
    await trait(company, english, Trait(TraitKind.LANGUAGE, "en"))
    await trait(company, engineer, Trait(TraitKind.SKILL, "冷链"))
    await trait(company, seller, Trait(TraitKind.PRODUCT, "年金"), Trait(TraitKind.SKILL, "谈判"))
    match = MatchPlan(must=(TraitKind.LANGUAGE, TraitKind.SKILL), prefer=(TraitKind.PRODUCT,))
    allocation_id = await plan(company, Method.MATCH, people, match=match)
    assert [pick[:2] for pick in await picks(company, allocation_id)] == [
        (spoken, english.employee_id),
        (skilled, engineer.employee_id),
        (wanted, None),
        (plain, None),
    ]
    assert await told(company, allocation_id, spoken, engineer) == [
        "员工3 could not have “客户＊＊”: filtered by skill: 员工3's 冷链, the customer needs –."
    ]
    assert await told(company, allocation_id, skilled, english) == [
        "员工2 could not have “客户＊＊”: filtered by language: 员工2's en, the customer's –."
    ]
    by_product = await plan(company, Method.MATCH, people, match=MatchPlan(must=(TraitKind.PRODUCT,)))
    assert await told(company, by_product, spoken, seller) == [
        "员工4 could not have “客户＊＊”: filtered by product: 员工4's 年金, the customer wants –."
    ]
    preferring = await plan(company, Method.MATCH, people, match=MatchPlan(must=(), prefer=(TraitKind.PRODUCT,)))
    assert (await picks(company, preferring))[0][:2] == (wanted, seller.employee_id)
    await assert_dealt_again(company, allocation_id)
    assert (await give(company, allocation_id)).places == {0: english.employee_id, 1: engineer.employee_id}


async def test_rules_go_by_language_and_skill_and_product(company: Company) -> None:
    first, second, third, fourth = people = await staff(company, 4)
    spoken, skilled, wanted, _ = await pooled(company, 4)
    await described(company, [spoken], language="en")
    await described(company, [skilled], required_skill="冷链")
    await described(company, [wanted], wanted_product="年金")
    rules = (
        PoolAllocationRule("英语", people=(employee(first),), languages=("en", "fr")),
        PoolAllocationRule("冷链", people=(employee(second),), skills=("冷链",)),
        PoolAllocationRule("年金", people=(employee(third),), products=("年金",)),
        PoolAllocationRule("其余", people=(employee(fourth),)),
    )
    await company.configure(allocation_rules=rules)
    allocation_id = await plan(company, Method.RULES, people)
    assert [person for _, person, _ in await picks(company, allocation_id)] == [each.employee_id for each in people]
    await assert_dealt_again(company, allocation_id)


async def test_needs_of_pooled_customers_are_for_who_administers_pools(company: Company) -> None:
    """Whoever could say what a customer of the pool needs could say to whom it goes."""
    (person,) = await staff(company, 1)
    pooled_id, own = await company.enter("甲"), await company.enter("乙", keeper=person)
    stale = await plan(company, Method.FLEXIBLE, [person])
    await needs(company, pooled_id, language="en")
    assert isinstance(await refused(give(company, stale)), PlanChanged)
    updating = replace(ALL, permissions=frozenset({"customer:update"}))
    await needs(company, own, access=updating, wanted_product="年金")
    before = await company.everything()
    assert isinstance(await refused(needs(company, pooled_id, access=updating, language="fr")), PermissionMissing)
    assert isinstance(await refused(needs(company, own, access=BLIND, language="fr")), CustomerNotFound)
    assert isinstance(await refused(needs(company, own, language="x" * 101)), BadUserInput)
    await needs(company, pooled_id, language="en")
    assert await company.everything() == before
    assert await company.rows(
        "SELECT changes FROM audit_entry WHERE action = 'customer.needs_set' ORDER BY object_id = $1 DESC", pooled_id
    ) == [('{"language": [null, "en"]}',), ('{"wanted_product": [null, "年金"]}',)]


async def test_traits_are_set_in_place_of_before_and_audited(company: Company) -> None:
    (person,) = await staff(company, 1)
    await trait(company, person, Trait(TraitKind.LEVEL, "A"), Trait(TraitKind.TERRITORY, "31"))
    await trait(company, person, Trait(TraitKind.TERRITORY, "31"), Trait(TraitKind.INDUSTRY, "医药"))
    assert await company.rows("SELECT kind, value FROM employee_trait ORDER BY kind") == [
        ("industry", "医药"),
        ("territory", "31"),
    ]
    assert await company.value(
        "SELECT changes->'traits' = $1::jsonb FROM audit_entry WHERE action = 'employee.traits_set'"
        " ORDER BY id DESC LIMIT 1",
        json.dumps(["level:A, territory:31", "industry:医药, territory:31"]),
    )


@pytest.mark.parametrize("value", ["", "沪", "x" * 101])
async def test_what_is_no_trait_is_refused(company: Company, value: str) -> None:
    (person,) = await staff(company, 1)
    before = await company.everything()
    refusal = await refused(trait(company, person, Trait(TraitKind.TERRITORY, value)))
    assert (type(refusal), refusal.key) == (RosterImpossible, "customers.trait_refused")
    stranger = replace(person, employee_id=new_id())
    assert isinstance(await refused(trait(company, stranger)), AssigneeNotOnStaff)
    assert await company.everything() == before


# Level (P45, P47)


async def test_levels_count_the_cycle_and_credits_lower_them(company: Company) -> None:
    first, second = people = await staff(company, 2)
    await pooled(company, 4, prefix="早")
    await allocated(company, Method.LEVEL, people)
    company.clock.advance(timedelta(hours=1))
    await credit(company, first, 2)
    await pooled(company, 4, prefix="晚")
    given = Counter((await allocated(company, Method.LEVEL, people)).places.values())
    assert given == {first.employee_id: 3, second.employee_id: 1}
    assert await company.rows("SELECT kind, employee_id, reason FROM pool_event WHERE kind = 'credited'") == [
        ("credited", first.employee_id, "客户未到店")
    ]
    assert await company.rows("SELECT customers, kind FROM allocation_credit") == [(2, "no_show")]
    assert await company.value("SELECT count(*) FROM audit_entry WHERE action = 'pool.credited_back'") == 1


async def test_nobody_is_credited_back_more_than_they_were_assigned(company: Company) -> None:
    (person,) = people = await staff(company, 1)
    await pooled(company, 2)
    await allocated(company, Method.LEVEL, people)
    await credit(company, person)
    before = await company.everything()
    refusal = await refused(credit(company, person, 2))
    assert isinstance(refusal, CreditBeyondAssigned)
    assert refusal.values == {"customers": 2, "assigned": 2}
    assert await company.everything() == before


async def test_a_new_cycle_begins_at_nothing(company: Company) -> None:
    first, _ = people = await staff(company, 2)
    await pooled(company, 2, prefix="早")
    await allocated(company, Method.LEVEL, [first])
    await pooled(company, 2, prefix="晚")
    company.clock.advance(timedelta(days=10))
    monthly = await plan(company, Method.LEVEL, people)
    assert len({person for _, person, _ in await picks(company, monthly)}) == 2
    await company.configure(counter_cycle="quarter")
    quarterly = await plan(company, Method.LEVEL, people)
    assert {person for _, person, _ in await picks(company, quarterly)} == {people[1].employee_id}


async def test_a_calibration_counts_and_makes_earlier_plans_stale(company: Company) -> None:
    first, second = people = await staff(company, 2)
    await pooled(company, 2)
    before = await plan(company, Method.LEVEL, people)
    standing = LevelStanding(company.pool_id, employee(first), 5, 1)
    await company.within(lambda: set_level_standing(company.founder, standing, clock=company.clock))
    assert isinstance(await refused(give(company, before)), PlanChanged)
    given = await allocated(company, Method.LEVEL, people)
    assert set(given.places.values()) == {second.employee_id}
    wrong = replace(standing, priority=-1)
    refusal = await refused(company.within(lambda: set_level_standing(company.founder, wrong, clock=company.clock)))
    assert (refusal.key, refusal.values["given"]) == ("customers.standing_out_of_range", -1)


# Ordered rules (P48)


async def test_the_pools_rules_decide_and_what_nobody_could_have_is_told(company: Company) -> None:
    first, second, third = people = await staff(company, 3)
    customers = await pooled(company, 4)
    await described(company, customers[:2], level="A")
    await described(company, customers[2:3], source="展会")
    rules = (
        PoolAllocationRule("VIP", levels=("A",), people=(employee(first),)),
        PoolAllocationRule("展会", sources=("展会",), people=(new_id(),)),
        PoolAllocationRule("其余", people=(employee(second),), method="level"),
    )
    await company.configure(allocation_rules=rules)
    allocation_id = await plan(company, Method.RULES, people)
    assert [person for _, person, _ in await picks(company, allocation_id)] == [
        first.employee_id,
        first.employee_id,
        None,
        second.employee_id,
    ]
    assert (await company.rows(FIGURES, allocation_id))[0][3] == 1
    assert (await told(company, allocation_id, customers[2], third)) == [
        "员工4 could not have “客户＊＊”: rule 2, “展会”, gives such customers to others."
    ]
    await give(company, allocation_id)
    assert await company.rows(
        "SELECT payload->>'customers' FROM outbox WHERE topic = 'customers.customers_unplaced'"
    ) == [("1",)]
    await assert_dealt_again(company, allocation_id)
    await company.configure(2, allocation_default_owner=employee(third))
    again = await allocated(company, Method.RULES, people)
    assert list(again.places.values()) == [third.employee_id]


async def test_rules_without_one_for_all_others_are_refused_at_save(company: Company) -> None:
    before = await company.everything()
    with pytest.raises(AppErrors) as refusal:
        await company.configure(allocation_rules=(PoolAllocationRule("VIP", levels=("A",)),))
    (fault,) = refusal.value.errors
    assert (type(fault), fault.key, fault.field) == (
        PoolRuleOutOfRange,
        "customers.rules_without_catch_all",
        ("allocationRules",),
    )
    assert await company.everything() == before
    people = await staff(company, 1)
    await pooled(company, 1)
    with pytest.raises(AppErrors) as missing:
        await plan(company, Method.RULES, people)
    assert [each.key for each in missing.value.errors] == ["customers.roster_rules_missing"]
