"""Accruals: who is paid for what of the deals that a company has, by which version, and when."""

from __future__ import annotations

from datetime import date
from uuid import UUID

import pytest
import pytest_asyncio

from saas.access import AccessTable, FieldAccess, FieldRight
from saas.incentives import (
    Flat,
    Limit,
    LimitKind,
    Match,
    Release,
    Rule,
    Scope,
    Stage,
    Tiers,
    Window,
    explain_accrual,
)
from saas.incentives.errors import (
    AccrualNotFound,
)
from saas.kernel import Actor, AppErrors, Catalogue, Period, new_id
from saas.people import create_department
from saas.sales import NewTarget
from tests.rooms.paying import (
    APRIL,
    FLAT,
    MARCH,
    MAY,
    Paying,
    a_plan,
    collected,
    customer,
    d,
    person,
    signed,
)
from tests.rooms.selling import Sales
from tests.staging import Company, refused


@pytest_asyncio.fixture(loop_scope="session")
async def paying(company: Company) -> Paying:
    return Paying.of(company)


@pytest_asyncio.fixture(loop_scope="session")
async def sales(company: Company) -> Sales:
    return Sales(company, company.founder)


@pytest_asyncio.fixture(loop_scope="session")
async def rep(company: Company) -> Actor:
    return await company.hire("0002")


async def test_a_customers_level_stays_the_one_it_was_paid_by(
    company: Company, paying: Paying, sales: Sales, rep: Actor
) -> None:
    grade = Rule("a", "A 级", Flat(d("0.10")), match=Match(level="A"))
    plan_id = await paying.in_force(a_plan(FLAT, grade))
    customer_id = await customer(company, rep)
    await collected(company, sales, rep)
    await paying.settled(plan_id, MARCH)
    await company.run("UPDATE customer SET level = 'A' WHERE id = $1", customer_id)
    await collected(company, sales, rep, on=date(2026, 4, 3))
    april = await paying.settled(plan_id, APRIL)
    assert [(kind, amount) for _, kind, _, amount in await paying.lines(of=april.settlement_id)] == [("earned", 10000)]


async def test_only_participants_are_paid_on_their_days(
    company: Company, paying: Paying, sales: Sales, rep: Actor
) -> None:
    plan_id = await paying.in_force(a_plan())
    other = await company.hire("0003")
    for day in (date(2026, 3, 5), date(2026, 3, 25)):
        await collected(company, sales, rep, on=day, name="甲")
        await collected(company, sales, other, on=day, name="乙")
    await paying.join(plan_id, employee_id=rep.employee_id, first=date(2026, 1, 1), until=date(2026, 3, 20))
    march = await paying.settled(plan_id, MARCH)
    assert await paying.lines(of=march.settlement_id) == [(rep.employee_id, "earned", date(2026, 3, 5), 3000)]
    # The department joins late, with effect from 1 March: everybody in it, and the rep's second half too.
    await company.run("UPDATE employment SET valid_from = '2026-01-01'")
    await paying.join(plan_id, department_id=company.founded.department_id, first=date(2026, 3, 1))
    april = await paying.settled(plan_id, APRIL)
    assert sorted((str(who), amount) for who, _, _, amount in await paying.lines(of=april.settlement_id)) == sorted(
        [(str(rep.employee_id), 3000), (str(other.employee_id), 3000), (str(other.employee_id), 3000)]
    )


async def test_an_empty_department_is_nobody(company: Company, paying: Paying, sales: Sales, rep: Actor) -> None:
    plan_id = await paying.in_force(a_plan())
    await collected(company, sales, rep)
    empty = await company.within(
        lambda: create_department(company.founder, name="空", parent_id=None, clock=company.clock)
    )
    await paying.join(plan_id, department_id=empty.id, first=date(2026, 1, 1))
    assert (await paying.calculation(plan_id, MARCH)).lines == 0


async def test_signed_amounts_are_paid_as_money_comes_in(
    company: Company, paying: Paying, sales: Sales, rep: Actor
) -> None:
    plan_id = await paying.in_force(signed(Release.AT_COLLECTION))
    customer_id = await customer(company, rep)
    deal_id = await sales.deal(customer_id, "D-1", "1000.00", signed_on=date(2026, 3, 2))
    assert (await paying.settled(plan_id, MARCH)).lines == 0
    await sales.collect(deal_id, "333.33", on=date(2026, 4, 2))
    await sales.collect(deal_id, "666.67", on=date(2026, 5, 2))
    await paying.settled(plan_id, APRIL)
    await paying.settled(plan_id, MAY)
    assert [(kind, on, amount) for _, kind, on, amount in await paying.lines()] == [
        ("released", date(2026, 4, 2), 1000),
        ("released", date(2026, 5, 2), 2000),
    ]


async def test_signed_amounts_are_paid_by_stage(company: Company, paying: Paying, sales: Sales, rep: Actor) -> None:
    stages = (Stage("签约", d("0.3")), Stage("验收", d("0.7")))
    plan_id = await paying.in_force(signed(Release.BY_STAGE, stages=stages))
    customer_id = await customer(company, rep)
    deal_id = await sales.deal(customer_id, "D-1", "333.00", signed_on=date(2026, 3, 2))
    await paying.stage(deal_id, "签约", date(2026, 3, 2))
    await paying.stage(deal_id, "验收", date(2026, 4, 2))
    assert (await refused(paying.stage(deal_id, "验收", date(2026, 4, 3)))).key == "incentives.stage_exists"
    await paying.settled(plan_id, MARCH)
    await paying.settled(plan_id, APRIL)
    assert [amount for *_, amount in await paying.lines()] == [300, 699]
    # A cancelled deal gives back what was released: all of 9.99.
    await sales.cancel(deal_id)
    november = await paying.calculation(plan_id, Period.of_month("2026-11"))
    assert november.lines == 1


async def test_a_rule_asks_for_the_stage_of_a_collection(
    company: Company, paying: Paying, sales: Sales, rep: Actor
) -> None:
    deposit = Rule("deposit", "定金", Flat(d("0.01")), match=Match(stage="定金"))
    plan_id = await paying.in_force(a_plan(FLAT, deposit))
    customer_id = await customer(company, rep)
    deal_id = await sales.deal(customer_id, "D-1", "1000.00", signed_on=date(2026, 3, 2))
    first = await sales.collect(deal_id, "300.00", on=date(2026, 3, 2))
    await sales.collect(deal_id, "700.00", on=date(2026, 3, 20))
    await paying.stage(deal_id, "定金", date(2026, 3, 2), first)
    other = await sales.deal(customer_id, "D-2", "1.00", signed_on=date(2026, 3, 2))
    refusal = await refused(paying.stage(other, "定金", date(2026, 3, 2), first))
    assert refusal.key == "incentives.collection_of_other_deal"
    march = await paying.settled(plan_id, MARCH)
    assert [amount for *_, amount in await paying.lines(of=march.settlement_id)] == [300, 2100]


async def test_tiers_of_a_target_need_the_target(company: Company, paying: Paying, sales: Sales, rep: Actor) -> None:
    ladder = Tiers((d(1),), (d("0.01"), d("0.1")), of_target=True)
    plan_id = await paying.in_force(a_plan(Rule("ladder", "达成", ladder)))
    await collected(company, sales, rep, "1500.00")
    missing = await refused(paying.calculation(plan_id, MARCH))
    assert (missing.key, missing.values["person"]) == ("incentives.target_missing", person(rep.employee_id))
    await sales.target(NewTarget(rep.employee_id, None, "collected", date(2026, 3, 1), date(2026, 4, 1), d("1000.00")))
    march = await paying.settled(plan_id, MARCH)
    assert [amount for *_, amount in await paying.lines(of=march.settlement_id)] == [6000]


async def test_limits_are_lines_and_adjusted_like_others(
    company: Company, paying: Paying, sales: Sales, rep: Actor
) -> None:
    limits = (Limit(LimitKind.CAP, d(50)), Limit(LimitKind.GUARANTEE, d(20)))
    plan_id = await paying.in_force(a_plan(limits=limits))
    await paying.join(plan_id, employee_id=rep.employee_id, first=date(2026, 1, 1))
    await collected(company, sales, rep, "2000.00")  # 60, capped at 50
    march = await paying.settled(plan_id, MARCH)
    # January and February were not settled before: each has its guarantee.
    assert [(kind, amount) for _, kind, _, amount in await paying.lines(of=march.settlement_id)] == [
        ("guaranteed", 2000),
        ("guaranteed", 2000),
        ("capped", -1000),
        ("earned", 6000),
    ]
    await collected(company, sales, rep, "1000.00", on=date(2026, 2, 3))  # February earned 30: no guarantee is due
    april = await paying.settled(plan_id, APRIL)
    assert [(kind, amount) for _, kind, _, amount in await paying.lines(of=april.settlement_id)] == [
        ("adjusted", -2000),
        ("adjusted", 3000),
        ("guaranteed", 2000),
    ]


async def test_a_missing_rule_is_told_with_its_deal(company: Company, paying: Paying, sales: Sales, rep: Actor) -> None:
    plan_id = await paying.in_force(a_plan(Rule("crm", "CRM", Flat(d("0.03")), match=Match(product="crm"))))
    deal_id = await collected(company, sales, rep)
    before = await company.everything()
    with pytest.raises(AppErrors) as found:
        await paying.calculation(plan_id, MARCH)
    (error,) = found.value.errors
    assert (error.key, error.values["deal"]) == ("incentives.rule_missing", f"dea_{deal_id.hex}")
    assert await company.everything() == before


async def test_an_accrual_explains_itself_to_whoever_may_read_it(
    company: Company, paying: Paying, sales: Sales, rep: Actor
) -> None:
    plan_id = await paying.in_force(a_plan(terms={"with_vat": False, "window": Window.PERIOD}))
    await collected(company, sales, rep, "1130.00", vat_rate=d("0.13"), number="HT-1")  # type: ignore[arg-type]
    await paying.calculated(plan_id, MARCH)
    accrual_id = await company.value("SELECT id FROM accrual")
    assert isinstance(accrual_id, UUID)
    own = FieldRight(FieldAccess.ROWS, frozenset({"self"}))
    mine = AccessTable("mine", fields={"Accrual.amount": own}, scopes={"Accrual": frozenset({"self"})})
    why = await company.within(lambda: explain_accrual(rep, mine, accrual_id=accrual_id))
    catalogue = Catalogue.of(["saas.incentives"])
    collection_id = await company.value("SELECT id FROM collection")
    assert isinstance(collection_id, UUID)
    assert [(depth, text, amount) for depth, text, amount in why.lines(catalogue, "en")] == [
        (0, f"Commission of 李雷 on the order HT-1: col_{collection_id.hex} of 2026-03-10", "30.00"),
        (1, "李雷 is credited with 100 % of it: 1000.00", None),
        (1, "Without VAT: 1130.00 ÷ (1 + 0.13) = 1000.00", "1000.00"),
        (1, "Plan “销售提成”, version 1 (from 2026-01-01), rule “全部”", None),
        (1, "Base 1000.00 × 3 % = 30.00", "30.00"),
        (1, "30.00 rounded half up to 2 digits: 30.00", "30.00"),
    ]
    seen = AccessTable("seen", scopes={"Accrual": frozenset({"all"})})
    for actor, access, of in ((company.founder, mine, accrual_id), (rep, seen, accrual_id), (rep, mine, new_id())):
        refusal = await refused(
            company.within(lambda a=actor, t=access, i=of: explain_accrual(a, t, accrual_id=i))  # type: ignore[misc]
        )
        assert isinstance(refusal, AccrualNotFound)


async def test_order_caps_apply_over_all_time(company: Company, paying: Paying, sales: Sales, rep: Actor) -> None:
    plan_id = await paying.in_force(a_plan(limits=(Limit(LimitKind.CAP, d(25), Scope.ORDER),)))
    customer_id = await customer(company, rep)
    deal_id = await sales.deal(customer_id, "D-1", "1000.00", signed_on=date(2026, 3, 2))
    await sales.collect(deal_id, "600.00", on=date(2026, 3, 2))
    await sales.collect(deal_id, "400.00", on=date(2026, 4, 2))
    march, april = await paying.settled(plan_id, MARCH), await paying.settled(plan_id, APRIL)
    assert [amount for *_, amount in await paying.lines(of=march.settlement_id)] == [1800]
    assert [amount for *_, amount in await paying.lines(of=april.settlement_id)] == [-500, 1200]
