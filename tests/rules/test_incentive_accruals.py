"""From deals and receipts to lines: cases a payroll clerk can read, the choice of rules, what is refused."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from saas.incentives import (
    Award,
    Cause,
    CustomerKind,
    Cycle,
    DealCustomer,
    Facts,
    Flat,
    Limit,
    LimitKind,
    Match,
    Moment,
    Override,
    Participant,
    PerUnit,
    Plan,
    Release,
    Scope,
    Stage,
    StageReached,
    Stream,
    Target,
    TeamSpell,
    Tiers,
    Window,
    accrue,
)
from saas.incentives.errors import FactRefused, TargetMissing
from saas.kernel import AppErrors, Period
from tests.incentive_samples import (
    APRIL,
    LADDER,
    MARCH,
    SINCE_2026,
    WHOLE_LADDER,
    amounts,
    d,
    day,
    deal,
    in_all,
    noon,
    plan,
    receipt,
    rule,
    signed_plan,
    version,
)

TWO_DEALS = Facts(
    deals=(deal("D1", "150000"), deal("D2", "100000")),
    receipts=(receipt("R1", "D1", "150000", "03-10"), receipt("R2", "D2", "100000", "03-20")),
)

# 3 / 5 / 8 % at 100,000 and 200,000 on receipts of 150,000 and 100,000: how the lines come out
CLERKS_TABLE = [
    ("marginal over the month", plan(version(rule(LADDER))), "5500.00 6500.00"),
    ("whole amount over the month", plan(version(rule(WHOLE_LADDER))), "12000.00 8000.00"),
    ("marginal over each order", plan(version(rule(LADDER)), window=Window.ORDER), "5500.00 3000.00"),
    ("whole amount over each order", plan(version(rule(WHOLE_LADDER)), window=Window.ORDER), "7500.00 3000.00"),
    ("marginal over the year", plan(version(rule(LADDER)), window=Window.YEAR), "5500.00 6500.00"),
    ("whole amount over the year", plan(version(rule(WHOLE_LADDER)), window=Window.YEAR), "7500.00 12500.00"),
    ("flat, without VAT", plan(with_vat=False), "3982.30 2654.87"),
]


@pytest.mark.parametrize(("case", "terms", "lines"), CLERKS_TABLE, ids=[case for case, _, _ in CLERKS_TABLE])
def test_a_clerk_finds_the_same(case: str, terms: Plan, lines: str) -> None:
    found = accrue(TWO_DEALS, terms, period=MARCH)
    first, second = lines.split()
    assert amounts(found) == [("mei", "R1", first), ("mei", "R2", second)]


def test_receipts_that_reach_a_cut_just_so_stay_below_it() -> None:
    thirds = tuple(receipt(f"R{n}", "D1", amount) for n, amount in enumerate(("37666.67", "37666.67", "37666.66")))
    facts = Facts(deals=(deal("D1", "113000"),), receipts=thirds)
    lines = accrue(facts, plan(version(rule(WHOLE_LADDER)), with_vat=False), period=MARCH)
    assert in_all(lines, "mei") == d("3000.00")


def test_lines_of_tiers_add_up_to_the_rounded_total_and_earlier_ones_stay() -> None:
    receipts = tuple(receipt(f"R{n}", "D1", "50.50", f"03-1{n}") for n in range(3))
    facts = Facts(deals=(deal("D1", "151.50"),), receipts=receipts)
    expected = [("mei", "R0", "1.52"), ("mei", "R1", "1.51"), ("mei", "R2", "1.52")]
    for count in (1, 2, 3):
        lines = accrue(replace(facts, receipts=receipts[:count]), plan(version(rule(LADDER))), period=MARCH)
        assert amounts(lines) == expected[:count]


def test_the_year_to_date_goes_on_where_the_month_before_ended() -> None:
    facts = Facts(
        deals=(deal("D1", "180000"),),
        receipts=(receipt("R1", "D1", "90000", "03-10"), receipt("R2", "D1", "90000", "04-10")),
    )
    yearly = plan(version(rule(LADDER)), window=Window.YEAR)
    assert amounts(accrue(facts, yearly, period=MARCH)) == [("mei", "R1", "2700.00")]
    assert amounts(accrue(facts, yearly, period=APRIL)) == [("mei", "R2", "4300.00")]


def test_a_quarter_is_a_period_too_and_nothing_else_is_taken_for_one() -> None:
    quarterly = plan(version(rule(LADDER)), cycle=Cycle.QUARTER)
    first_quarter = Period(date(2026, 1, 1), date(2026, 4, 1))
    assert in_all(accrue(TWO_DEALS, quarterly, period=first_quarter), "mei") == d("12000.00")
    with pytest.raises(ValueError, match="is no quarter"):
        accrue(TWO_DEALS, quarterly, period=MARCH)


def test_vat_is_taken_at_the_rate_that_the_plan_names() -> None:
    facts = Facts(deals=(deal("D1", "1130"),), receipts=(receipt("R1", "D1", "1130", vat_rate=d("0.06")),))
    at_signing, at_collection = plan(with_vat=False), plan(with_vat=False, vat_rate_at=Moment.COLLECTION)
    assert amounts(accrue(facts, at_signing, period=MARCH)) == [("mei", "R1", "30.00")]
    assert amounts(accrue(facts, at_collection, period=MARCH)) == [("mei", "R1", "31.98")]


def test_a_split_divides_the_rounded_total_in_the_order_of_the_credit() -> None:
    facts = Facts(
        deals=(deal("D1", "3333.33", credited="li 1, bo 1, mei 1"),), receipts=(receipt("R1", "D1", "3333.33"),)
    )
    lines = accrue(facts, plan(), period=MARCH)
    assert sorted(amounts(lines)) == [("bo", "R1", "33.33"), ("li", "R1", "33.34"), ("mei", "R1", "33.33")]
    tiers_of_order = plan(version(rule(LADDER)), window=Window.ORDER)
    assert sorted(amounts(accrue(facts, tiers_of_order, period=MARCH))) == sorted(amounts(lines))


def test_tiers_of_a_month_run_on_what_is_credited_to_each() -> None:
    facts = Facts(deals=(deal("D1", "200000", credited="mei 0.6, bo 0.4"),), receipts=(receipt("R1", "D1", "200000"),))
    lines = accrue(facts, plan(version(rule(LADDER))), period=MARCH)
    assert sorted(amounts(lines)) == [("bo", "R1", "2400.00"), ("mei", "R1", "4000.00")]


def test_all_rules_add_to_one_running_base() -> None:
    facts = Facts(
        deals=(deal("D1", "100000", product="box"), deal("D2", "50000", product="care")),
        receipts=(receipt("R1", "D1", "100000", "03-10"), receipt("R2", "D2", "50000", "03-20")),
    )
    care = Tiers((d("100000"),), (d("0.01"), d("0.10")))
    rules = (rule(Flat(d("0.02")), "box", match=Match(product="box")), rule(care, "care", match=Match(product="care")))
    lines = accrue(facts, plan(version(*rules)), period=MARCH)
    assert amounts(lines) == [("mei", "R1", "2000.00"), ("mei", "R2", "5000.00")]


def test_attainment_bands_ask_the_persons_target() -> None:
    bands = Tiers((d("0.8"), d("1")), (d("0"), d("0.02"), d("0.05")), of_target=True)
    terms = plan(version(rule(bands)))
    facts = replace(TWO_DEALS, targets=(Target("mei", MARCH, d("200000")),))
    assert in_all(accrue(facts, terms, period=MARCH), "mei") == d("800.00") + d("2500.00")
    with pytest.raises(TargetMissing) as refusal:
        accrue(replace(facts, targets=(Target("mei", APRIL, d("1")),)), terms, period=MARCH)
    assert refusal.value.values == {"person": "mei", "period": "2026-03", "target": "-"}


# Rules from general to specific: each next deal is paid by a more specific one than the deal before
CHOICES = [
    ("all", {}),
    ("stage", {"stage": "final"}),
    ("big", {"amount": "60000"}),
    ("channel", {"amount": "60000", "channel": "web"}),
    ("category", {"amount": "60000", "channel": "web", "category": "software"}),
    ("product", {"channel": "web", "category": "software", "product": "crm"}),
    ("variant", {"category": "software", "product": "crm", "variant": "crm-pro"}),
    ("old", {"variant": "crm-pro", "first": "2025-01-01"}),
    ("level", {"variant": "crm-pro", "first": "2025-01-01", "level": "A"}),
    ("customer", {"first": "2025-01-01", "level": "A", "customer": "globex"}),
    ("person", {"customer": "globex", "level": "A", "credited": "bo"}),
]
RULES = (
    rule(code="all"),
    rule(code="stage", match=Match(stage="final")),
    rule(code="big", match=Match(amount_from=d("50000"))),
    rule(code="channel", match=Match(channel="web")),
    rule(code="category", match=Match(category="software")),
    rule(code="product", match=Match(product="crm")),
    rule(code="variant", match=Match(variant="crm-pro")),
    rule(code="old", match=Match(kind=CustomerKind.OLD)),
    rule(code="level", match=Match(level="A")),
    rule(code="customer", match=Match(customer="globex")),
    rule(code="person", match=Match(person="bo")),
)


@pytest.mark.parametrize(("code", "deal_has"), CHOICES, ids=[code for code, _ in CHOICES])
@pytest.mark.parametrize("rules", [RULES, RULES[::-1]], ids=["in order", "reversed"])
def test_the_most_specific_rule_wins(code: str, deal_has: dict[str, str], rules: tuple[object, ...]) -> None:
    given = dict(deal_has)
    customer = DealCustomer(
        given.pop("customer", "acme"), given.pop("level", None), date.fromisoformat(given.pop("first", "2026-03-02"))
    )
    stage, amount, credited = given.pop("stage", None), given.pop("amount", "1000"), given.pop("credited", "mei")
    facts = Facts(
        deals=(deal("D1", amount, credited=credited, customer=customer, **given),),
        receipts=(receipt("R1", "D1", amount, stage=stage),),
    )
    (line,) = accrue(facts, plan(version(*rules, new_customer_days=365)), period=MARCH)  # type: ignore[arg-type]
    assert line.rule == code


@pytest.mark.parametrize(("amount", "code"), [("999.99", "low"), ("1000", "high")])
def test_an_amount_at_the_end_of_a_band_is_in_the_next(amount: str, code: str) -> None:
    bands = (rule(code="low", match=Match(amount_to=d("1000"))), rule(code="high", match=Match(amount_from=d("1000"))))
    facts = Facts(deals=(deal("D1", amount),), receipts=(receipt("R1", "D1", "10"),))
    assert [line.rule for line in accrue(facts, plan(version(*bands)), period=MARCH)] == [code]


@pytest.mark.parametrize(("on", "amount"), [("03-02", "100.00"), ("03-31", "100.00"), ("04-01", "30.00")])
def test_day_0_of_a_new_customer_counts_and_day_d_does_not(on: str, amount: str) -> None:
    facts = Facts(
        deals=(deal("D1", "1000", "03-02", customer=DealCustomer("acme", first_order_on=day("03-02"))),),
        receipts=(receipt("R1", "D1", "1000", on),),
    )
    new = rule(Flat(d("0.1")), "new", match=Match(kind=CustomerKind.NEW))
    terms = plan(version(rule(), new, new_customer_days=30))
    lines = [line for month in (MARCH, APRIL) for line in accrue(facts, terms, period=month)]
    assert [str(line.amount) for line in lines] == [amount]


def test_a_bonus_for_old_customers_comes_on_top_of_commission() -> None:
    old = DealCustomer("globex", first_order_on=date(2024, 5, 1))
    facts = Facts(
        deals=(deal("D1", "1000"), deal("D2", "1000", customer=old)),
        receipts=(receipt("R1", "D1", "1000"), receipt("R2", "D2", "1000")),
    )
    bonus = rule(Flat(d("0.01")), "loyal", match=Match(kind=CustomerKind.OLD), award=Award.BONUS)
    lines = accrue(facts, plan(version(rule(), bonus, new_customer_days=365)), period=MARCH)
    assert [(line.event, line.award, str(line.amount)) for line in lines] == [
        ("R1", Award.COMMISSION, "30.00"),
        ("R2", Award.BONUS, "10.00"),
        ("R2", Award.COMMISSION, "30.00"),
    ]


def test_the_anchors_day_picks_the_version_the_day_it_begins_included() -> None:
    spring = version(rule(Flat(d("0.02"))), effective=Period(date(2026, 1, 1), day("03-15")))
    summer = version(rule(Flat(d("0.04"))), number=2, effective=Period(day("03-15")))
    facts = Facts(
        deals=(deal("D1", "2000"),),
        receipts=(receipt("R1", "D1", "1000", "03-14"), receipt("R2", "D1", "1000", "03-15")),
    )
    collected = accrue(facts, plan(spring, summer), period=MARCH)
    assert [(line.event, line.version, str(line.amount)) for line in collected] == [
        ("R1", 1, "20.00"),
        ("R2", 2, "40.00"),
    ]
    fixed = accrue(facts, signed_plan(spring, summer, release=Release.AT_COLLECTION), period=MARCH)
    assert [(line.event, line.version, str(line.amount)) for line in fixed] == [
        ("R1", 1, "20.00"),
        ("R2", 1, "20.00"),
    ]


@pytest.mark.parametrize(("rate", "parts"), [("0.1", "33.33 33.33 33.34"), ("0.1001", "33.37 33.37 33.36")])
def test_receipts_release_what_was_fixed_at_signing_and_the_last_takes_the_remainder(rate: str, parts: str) -> None:
    facts = Facts(
        deals=(deal("D1", "1000.00"),),
        receipts=(
            receipt("R1", "D1", "333.33", "03-10"),
            receipt("R2", "D1", "333.33", "03-20"),
            receipt("R3", "D1", "400.00", "04-02"),
            receipt("R4", "D1", "50.00", "04-09"),
        ),
    )
    terms = signed_plan(version(rule(Flat(d(rate)))), release=Release.AT_COLLECTION)
    first, second, last = parts.split()
    assert amounts(accrue(facts, terms, period=MARCH)) == [("mei", "R1", first), ("mei", "R2", second)]
    assert amounts(accrue(facts, terms, period=APRIL)) == [("mei", "R3", last)]


def test_stages_release_their_shares_and_the_last_of_the_list_the_remainder() -> None:
    thirds = (Stage("sign", d("0.3333")), Stage("deliver", d("0.3333")), Stage("accept", d("0.3334")))
    terms = signed_plan(version(rule(Flat(d("0.1"))), stages=thirds), release=Release.BY_STAGE)
    reached = tuple(
        StageReached(f"S{n}", "D1", noon(day(on)), day(on), stage)
        for n, (stage, on) in enumerate(
            [("accept", "03-30"), ("sign", "03-02"), ("deliver", "03-20"), ("sign", "03-31")]
        )
    )
    lines = accrue(Facts(deals=(deal("D1", "1000.50"),), stages=reached), terms, period=MARCH)
    assert amounts(lines) == [("mei", "S1", "33.35"), ("mei", "S2", "33.35"), ("mei", "S0", "33.35")]
    assert in_all(lines, "mei") == d("100.05")


def test_units_are_paid_a_fixed_amount() -> None:
    terms = signed_plan(version(rule(PerUnit(d("12.50")))))
    facts = Facts(deals=(deal("D1", "900", credited="mei 1, bo 1", units=d("7")),))
    assert sorted(amounts(accrue(facts, terms, period=MARCH))) == [("bo", "D1", "43.75"), ("mei", "D1", "43.75")]


def test_products_free_of_commission_give_no_line() -> None:
    facts = Facts(
        deals=(deal("D1", "1000", product="gift"), deal("D2", "1000", product="crm")),
        receipts=(receipt("R1", "D1", "1000"), receipt("R2", "D2", "1000")),
    )
    lines = accrue(facts, plan(version(commission_free=("gift",))), period=MARCH)
    assert amounts(lines) == [("mei", "R2", "30.00")]


def test_only_participants_are_paid_and_only_on_their_days() -> None:
    terms = plan(version(participants=(Participant("mei", Period(day("03-15"))),)))
    facts = Facts(
        deals=(deal("D1", "2000", credited="mei 0.5, bo 0.5"),),
        receipts=(receipt("R1", "D1", "1000", "03-14"), receipt("R2", "D1", "1000", "03-15")),
    )
    assert amounts(accrue(facts, terms, period=MARCH)) == [("mei", "R2", "15.00")]


TEAM = (TeamSpell("chen", "mei", SINCE_2026), TeamSpell("chen", "bo", Period(day("03-15"))))


def test_a_manager_gets_an_override_on_the_teams_credited_amount() -> None:
    facts = Facts(
        deals=(deal("D1", "200000", credited="mei 0.5, bo 0.3, chen 0.2"),),
        receipts=(receipt("R1", "D1", "100000", "03-14"), receipt("R2", "D1", "100000", "03-15")),
        teams=(*TEAM, TeamSpell("chen", "chen", SINCE_2026)),
    )

    def overrides(own_deals: bool) -> list[tuple[str, str, str]]:
        terms = plan(version(override=Override(Flat(d("0.01")), own_deals)))
        lines = accrue(facts, terms, period=MARCH)
        return amounts(tuple(line for line in lines if line.stream is Stream.OVERRIDE))

    assert overrides(own_deals=False) == [("chen", "R1", "500.00"), ("chen", "R2", "800.00")]
    assert overrides(own_deals=True) == [("chen", "R1", "700.00"), ("chen", "R2", "1000.00")]


def test_an_override_runs_through_tiers_of_the_teams_month() -> None:
    facts = replace(TWO_DEALS, teams=TEAM)
    lines = accrue(facts, plan(version(override=Override(LADDER))), period=MARCH)
    overrides = tuple(line for line in lines if line.stream is Stream.OVERRIDE)
    assert amounts(overrides) == [("chen", "R1", "5500.00"), ("chen", "R2", "6500.00")]


def test_a_cap_names_the_line_that_passes_it() -> None:
    terms = plan(version(rule(LADDER), limits=(Limit(LimitKind.CAP, d("8000")),)))
    lines = accrue(TWO_DEALS, terms, period=MARCH)
    assert [(line.cause, line.event, str(line.amount)) for line in lines] == [
        (Cause.EARNED, "R1", "5500.00"),
        (Cause.CAPPED, "R2", "-4000.00"),
        (Cause.EARNED, "R2", "6500.00"),
    ]


def test_what_comes_after_a_cap_is_reached_is_forfeited_and_no_more() -> None:
    terms = plan(version(rule(LADDER), limits=(Limit(LimitKind.CAP, d("4000")),)))
    lines = [line for line in accrue(TWO_DEALS, terms, period=MARCH) if line.cause is Cause.CAPPED]
    assert [(line.event, str(line.amount)) for line in lines] == [("R1", "-1500.00"), ("R2", "-6500.00")]


def test_a_cap_of_an_order_counts_the_months_before() -> None:
    facts = Facts(
        deals=(deal("D1", "100000"),),
        receipts=(receipt("R1", "D1", "40000", "03-10"), receipt("R2", "D1", "60000", "04-10")),
    )
    terms = plan(version(limits=(Limit(LimitKind.CAP, d("2000"), Scope.ORDER),)))
    assert in_all(accrue(facts, terms, period=MARCH), "mei") == d("1200.00")
    assert in_all(accrue(facts, terms, period=APRIL), "mei") == d("800.00")


def test_a_guarantee_is_paid_to_who_takes_part_even_without_a_deal() -> None:
    people = (Participant("mei", SINCE_2026), Participant("bo", SINCE_2026), Participant("li", Period(day("04-01"))))
    terms = plan(version(limits=(Limit(LimitKind.GUARANTEE, d("5000")),), participants=people))
    facts = Facts(deals=(deal("D1", "100000"),), receipts=(receipt("R1", "D1", "100000"),))
    lines = accrue(facts, terms, period=MARCH)
    assert [(line.person, line.cause, str(line.amount)) for line in lines] == [
        ("mei", Cause.EARNED, "3000.00"),
        ("bo", Cause.GUARANTEED, "5000.00"),
        ("mei", Cause.GUARANTEED, "2000.00"),
    ]
    assert {line.on for line in lines[1:]} == {day("03-31")}


def test_yen_are_rounded_to_whole_ones() -> None:
    facts = Facts(deals=(deal("D1", "1050", currency="JPY"),), receipts=(receipt("R1", "D1", "1050"),))
    assert amounts(accrue(facts, plan(currency="JPY"), period=MARCH)) == [("mei", "R1", "32")]


BY_PRODUCT = plan(version(rule(match=Match(product="crm"))))
NEEDS_FIRST_ORDER = plan(version(rule(), new_customer_days=30))
ONE = Facts(deals=(deal("D1", "1000"),), receipts=(receipt("R1", "D1", "1000"),))

REFUSED = [
    (ONE, BY_PRODUCT, "rule_missing", {"deal": "D1", "event": "R1", "person": "mei", "version": 1}),
    (
        replace(ONE, deals=(deal("D1", "1000", customer=DealCustomer("acme")),)),
        NEEDS_FIRST_ORDER,
        "first_order_missing",
        {"deal": "D1", "customer": "acme"},
    ),
    (
        replace(ONE, deals=(deal("D1", "1000", customer=DealCustomer("acme", None, day("03-03"))),)),
        NEEDS_FIRST_ORDER,
        "first_order_after_deal",
        {"deal": "D1", "on": "2026-03-02", "first": "2026-03-03"},
    ),
    (
        ONE,
        plan(version(effective=Period(day("03-11")))),
        "plan_not_in_force",
        {"event": "R1", "plan": "销售提成", "on": "2026-03-10"},
    ),
    (
        replace(ONE, receipts=(*ONE.receipts, receipt("R1", "D1", "1"))),
        plan(),
        "fact_twice",
        {"id": "R1", "count": 2},
    ),
    (replace(ONE, receipts=(receipt("R1", "D9", "1"),)), plan(), "fact_without_deal", {"id": "R1", "deal": "D9"}),
    (replace(ONE, receipts=(receipt("R1", "D1", "-1"),)), plan(), "amount_not_positive", {"id": "R1", "amount": "-1"}),
    (
        replace(ONE, deals=(deal("D1", "1000", currency="USD"),)),
        plan(),
        "deal_in_other_currency",
        {"deal": "D1", "currency": "USD", "expected": "CNY"},
    ),
    (
        replace(ONE, deals=(deal("D1", "1000", vat_rate=d("13")),)),
        plan(),
        "vat_rate_out_of_range",
        {"id": "D1", "rate": "13"},
    ),
    (
        Facts(deals=(deal("D1", "1000"),)),
        signed_plan(version(rule(PerUnit(d("1"))))),
        "units_missing",
        {"deal": "D1", "rule": "rule all"},
    ),
    (
        replace(ONE, deals=(deal("D1", "1000", credited="mei 0.5, bo 0.4"),)),
        plan(),
        "shares_fall_short",
        {"sum": "0.9", "missing": "0.1"},
    ),
]


@pytest.mark.parametrize(("facts", "terms", "key", "values"), REFUSED, ids=[key for _, _, key, _ in REFUSED])
def test_what_is_missing_is_an_error_and_not_0(facts: Facts, terms: Plan, key: str, values: dict[str, object]) -> None:
    with pytest.raises(AppErrors) as refusal:
        accrue(facts, terms, period=MARCH)
    assert [(error.key, error.values) for error in refusal.value.errors] == [(f"incentives.{key}", values)]


def test_all_that_is_missing_is_told_at_once() -> None:
    with pytest.raises(AppErrors) as refusal:
        accrue(TWO_DEALS, BY_PRODUCT, period=MARCH)
    assert [error.values["event"] for error in refusal.value.errors] == ["R1", "R2"]
    assert all(isinstance(error, FactRefused) for error in refusal.value.errors)


def test_a_line_keeps_what_it_rests_on() -> None:
    facts = Facts(deals=(deal("D1", "1130", credited="mei 0.6, bo 0.4"),), receipts=(receipt("R1", "D1", "1130"),))
    line = next(line for line in accrue(facts, plan(with_vat=False), period=MARCH) if line.person == "bo")
    assert (line.plan, line.version, line.rule, line.deal, line.event, line.of) == ("sales", 1, "all", "D1", "R1", None)
    assert (line.base, line.amount, line.currency, line.on) == (Decimal(400), d("12.00"), "CNY", day("03-10"))
    assert line.key == "sales/bo/own/commission/earned/R1/"
