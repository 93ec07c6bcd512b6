"""Plans: saved as a whole or not at all, published by a second person, never changed afterwards."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest
import pytest_asyncio

from saas.incentives import (
    CustomerKind,
    Flat,
    Match,
    Measure,
    Moment,
    Override,
    PerUnit,
    Plan,
    PlanVersion,
    Release,
    Rule,
    Tiers,
)
from saas.incentives.errors import (
    DraftNotFound,
    PlanChanged,
    PlanExists,
    PlanNotFound,
    PublishingRefused,
)
from saas.kernel import AppErrors, Period, new_id
from tests.rooms.paying import APRIL, MARCH, Paying, person
from tests.rooms.selling import Sales
from tests.staging import Company, refused

SINCE = Period(date(2026, 1, 1))
FLAT = Rule("all", "全部", Flat(Decimal("0.03")))


def a_plan(*rules: Rule, since: Period = SINCE, code: str = "sales", **version: object) -> Plan:
    return Plan(code, "销售提成", (PlanVersion(1, since, rules or (FLAT,), **version),))  # type: ignore[arg-type]


@pytest_asyncio.fixture(loop_scope="session")
async def paying(company: Company) -> Paying:
    return Paying.of(company)


async def problems(paying: Paying, plan: Plan) -> list[tuple[str, tuple[str, ...]]]:
    """Key and place of everything that saving the plan is refused for."""
    with pytest.raises(AppErrors) as found:
        await paying.save(plan)
    return [(error.key.removeprefix("incentives."), error.field) for error in found.value.errors]


async def test_a_draft_is_saved_again_until_it_is_published(company: Company, paying: Paying) -> None:
    first = await paying.save(a_plan())
    dearer = replace(FLAT, shape=Flat(Decimal("0.04")))
    second = await paying.save(a_plan(dearer), plan_id=first.plan_id, expected=first.content_hash)
    assert (second.version_id, second.number) == (first.version_id, 1)
    assert second.content_hash != first.content_hash
    assert await paying.publish(second) == first.plan_id
    third = await paying.save(a_plan(since=Period(date(2026, 4, 1))), plan_id=first.plan_id)
    assert third.number == 2
    await paying.publish(third)
    assert await company.rows(
        "SELECT number, state, valid_from, valid_to, content -> 'versions' -> 0 -> 'rules' -> 0 -> 'shape' ->> 'rate'"
        " FROM incentive_plan_version ORDER BY number"
    ) == [
        (1, "published", date(2026, 1, 1), date(2026, 4, 1), "0.04"),
        (2, "published", date(2026, 4, 1), None, "0.03"),
    ]
    told = await company.rows("SELECT action, changes::text FROM audit_entry WHERE action LIKE 'incentive_plan.%'")
    assert sorted(told) == sorted(
        [
            ("incentive_plan.saved", f'{{"draft": [null, "{first.content_hash}"]}}'),
            ("incentive_plan.saved", f'{{"draft": ["{first.content_hash}", "{second.content_hash}"]}}'),
            ("incentive_plan.published", f'{{"content": [null, "{second.content_hash}"], "version": [null, 1]}}'),
            ("incentive_plan.saved", f'{{"draft": [null, "{third.content_hash}"]}}'),
            ("incentive_plan.published", f'{{"content": [null, "{third.content_hash}"], "version": [null, 2]}}'),
        ]
    )


async def test_equal_drafts_have_equal_hashes_whatever_company_saves_them(
    company: Company, other_company: Company
) -> None:
    here, there = await Paying.of(company).save(a_plan()), await Paying.of(other_company).save(a_plan())
    assert here.content_hash == there.content_hash
    assert here.plan_id != there.plan_id


async def test_everything_wrong_is_told_in_one_pass(company: Company, paying: Paying) -> None:
    before = await company.everything()
    broken = Plan(
        "",
        "提成",
        (
            PlanVersion(
                1,
                SINCE,
                (
                    Rule("a", "甲", Tiers((Decimal(200), Decimal(100)), (Decimal("0.1"), Decimal(3), Decimal("0.2")))),
                    Rule("b", "乙", Flat(Decimal("0.1")), match=Match(kind=CustomerKind.NEW)),
                    Rule("c", "丙", Flat(Decimal("0.1")), match=Match(person=person(new_id()), variant="x")),
                    Rule("d", "丁", PerUnit(Decimal(5)), match=Match(customer="nobody")),
                ),
                override=Override(Flat(Decimal("0.01"))),
            ),
        ),
        anchor=Moment.SIGNING,
        vat_rate_at=Moment.COLLECTION,
    )
    assert await problems(paying, broken) == [
        ("plan_name_malformed", ("code",)),
        ("collected_anchored_at_signing", ("anchor",)),
        ("cuts_unordered", ("version", "rules", "0", "shape", "cuts", "1")),
        ("rate_out_of_range", ("version", "rules", "0", "shape", "rates", "1")),
        ("kind_without_window", ("version", "rules", "1", "match", "kind")),
        ("units_of_receipts", ("version", "rules", "3", "shape", "amount")),
        ("vat_of_collections_unrecorded", ("vatRateAt",)),
        ("teams_unrecorded", ("version", "override")),
        ("variants_unrecorded", ("version", "rules", "2", "match", "variant")),
        ("units_unrecorded", ("version", "rules", "3", "shape")),
        ("match_unknown", ("version", "rules", "2", "match", "person")),
        ("match_unknown", ("version", "rules", "3", "match", "customer")),
    ]
    assert await company.everything() == before


async def test_rules_may_name_the_companys_people_and_customers(company: Company, paying: Paying) -> None:
    rep, customer_id = await company.hire("0002"), await company.enter("晨光")
    own = Rule("own", "专属", Flat(Decimal("0.1")), match=Match(person=person(rep.employee_id)))
    named = Rule("named", "大客户", Flat(Decimal("0.02")), match=Match(customer=f"cus_{customer_id.hex}"))
    assert (await paying.save(a_plan(FLAT, own, named))).number == 1


async def test_terms_stay_as_they_are(company: Company, paying: Paying) -> None:
    plan_id = await paying.in_force(a_plan())
    before = await company.everything()
    later = replace(
        a_plan(since=Period(date(2026, 6, 1))),
        title="新名称",
        measure=Measure.SIGNED,
        anchor=Moment.SIGNING,
        release=Release.AT_SIGNING,
    )
    with pytest.raises(AppErrors) as found:
        await paying.save(later, plan_id=plan_id)
    assert [(error.key, error.field, error.values["term"]) for error in found.value.errors] == [
        ("incentives.term_changed", ("title",), "title"),
        ("incentives.term_changed", ("measure",), "measure"),
        ("incentives.term_changed", ("anchor",), "anchor"),
        ("incentives.term_changed", ("payability",), "release"),
    ]
    assert await company.everything() == before


async def test_a_version_begins_after_the_one_before(company: Company, paying: Paying) -> None:
    plan_id = await paying.in_force(a_plan(since=Period(date(2026, 3, 1))))
    for since in (date(2026, 3, 1), date(2026, 2, 1)):
        with pytest.raises(AppErrors) as found:
            await paying.save(a_plan(since=Period(since)), plan_id=plan_id)
        (error,) = found.value.errors
        assert (error.key, error.field) == ("incentives.version_not_after", ("version", "validFrom"))
    gap = await paying.in_force(a_plan(since=Period(date(2026, 1, 1), date(2026, 3, 1)), code="ended"))
    with pytest.raises(AppErrors) as found:
        await paying.save(a_plan(since=Period(date(2026, 4, 1)), code="ended"), plan_id=gap)
    (error,) = found.value.errors
    assert (error.key, error.field) == ("incentives.versions_apart", ("version", "validFrom"))


async def test_a_code_is_one_plans(paying: Paying) -> None:
    await paying.save(a_plan())
    refusal = await refused(paying.save(a_plan()))
    assert isinstance(refusal, PlanExists)
    assert (refusal.values, refusal.field) == ({"code": "sales"}, ("code",))


async def test_a_stale_draft_is_refused(company: Company, paying: Paying) -> None:
    draft = await paying.save(a_plan())
    before = await company.everything()
    for expected in (None, "0" * 64):
        refusal = await refused(paying.save(a_plan(), plan_id=draft.plan_id, expected=expected))
        assert isinstance(refusal, PlanChanged)
        assert refusal.values == {"expected": expected, "actual": draft.content_hash}
    refusal = await refused(paying.publish(replace(draft, content_hash="0" * 64)))
    assert isinstance(refusal, PlanChanged)
    assert await company.everything() == before


async def test_a_beginning_in_the_past_wants_its_reason(company: Company, paying: Paying) -> None:
    past = await paying.save(a_plan(since=Period(date(2026, 11, 22))))
    before = await company.everything()
    refusal = await refused(paying.publish(past, reason=" "))
    assert isinstance(refusal, PublishingRefused)
    assert refusal.values == {"since": "2026-11-22", "today": "2026-11-23"}
    assert await company.everything() == before
    today = await paying.save(a_plan(since=Period(date(2026, 11, 23)), code="today"))
    await paying.publish(today, reason="")
    await paying.publish(past)


async def test_no_version_begins_in_a_settled_period(company: Company, paying: Paying) -> None:
    plan_id = await paying.in_force(a_plan())
    await paying.settled(plan_id, MARCH)
    inside = await paying.save(a_plan(since=Period(date(2026, 3, 31))), plan_id=plan_id)
    before = await company.everything()
    refusal = await refused(paying.publish(inside))
    assert isinstance(refusal, PublishingRefused)
    assert refusal.values == {"since": "2026-03-31", "first": "2026-03-01", "last": "2026-03-31"}
    assert await company.everything() == before
    after = await paying.save(a_plan(since=Period(date(2026, 4, 1))), plan_id=plan_id, expected=inside.content_hash)
    await paying.publish(after)
    await paying.settled(plan_id, APRIL)


async def test_what_is_missing_is_not_found(company: Company, paying: Paying) -> None:
    assert isinstance(await refused(paying.save(a_plan(), plan_id=new_id())), PlanNotFound)
    plan_id = await paying.in_force(a_plan())
    draft = await paying.save(a_plan(code="other"))
    assert isinstance(await refused(paying.publish(replace(draft, plan_id=plan_id))), DraftNotFound)
    assert isinstance(await refused(paying.publish(replace(draft, plan_id=new_id()))), PlanNotFound)


async def test_a_trial_tells_what_deals_would_have_earned_and_stores_nothing(company: Company, paying: Paying) -> None:
    rep = await company.hire("0002")
    customer_id = await company.enter("晨光", keeper=rep)
    sales = Sales(company, company.founder)
    signed = [await sales.deal(customer_id, f"D-{number}", "1000.00") for number in range(3)]
    await sales.collect(signed[0], "400.00")
    await sales.collect(signed[1], "1000.00")
    before = await company.everything()
    plan = a_plan(since=Period(date(2027, 1, 1)))
    lines = await paying.trial(plan, *signed)
    assert [(line.person, line.amount, line.rule) for line in lines] == [
        (person(rep.employee_id), Decimal("12.00"), "all"),
        (person(rep.employee_id), Decimal("30.00"), "all"),
    ]
    assert await company.everything() == before
    assert (await refused(paying.trial(plan))).key == "incentives.trial_size"
    missing = await refused(paying.trial(plan, signed[0], new_id()))
    assert (missing.key, missing.field) == ("sales.deal_not_found", ("deals", "1"))
    with pytest.raises(AppErrors):
        await paying.trial(a_plan(replace(FLAT, shape=Flat(Decimal(3)))), *signed)
