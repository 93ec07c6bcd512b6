"""The pack in payroll: from the facts of a payslip to its statutory lines, by figures that a clerk can check."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from plugins import china
from plugins.china.settings import UNVERIFIED
from saas.extensions import PluginHost, TenantPlugins, parse_settings
from saas.kernel import LOCALES, Period, RuleRefused, new_id
from saas.main import HOOKS
from saas.payroll.errors import PackMissing
from saas.payroll.hooks import choose_pack, pack_of, pins_of
from saas.payroll.rules.packs import Pack, PackResult, PaidAmount, PayFacts
from saas.payroll.rules.payslips import Payslip
from saas.payroll.rules.structures import ComponentKind, Nature
from tests.payroll_samples import BASIC, PERSON, amounts_of, component, payslip, signed_sum, structure_of
from tests.plugins.china_samples import BEIJING_COMPANY, CATALOGUE, LI_NA, SHANGHAI_COMPANY

HOST = PluginHost(HOOKS, {"china": china})
MARCH = Period.of_month("2026-03")
SENT: dict[str, list[dict[str, str]]] = {
    "entities": [
        {"legalEntity": str(SHANGHAI_COMPANY), "city": "SHANGHAI", "fundRate": "0.07", "injuryRate": "0.002"},
        {"legalEntity": str(BEIJING_COMPANY), "city": "BEIJING", "fundRate": "0.12", "injuryRate": "0.004"},
    ],
    "confirmations": [{"row": row, "confirmedBy": str(LI_NA), "confirmedOn": "2026-01-05"} for row in UNVERIFIED],
}
CONFIRMED = TenantPlugins({"china": parse_settings(HOST.manifest("china").settings, SENT)})
DOUBTED = TenantPlugins({"china": parse_settings(HOST.manifest("china").settings, {**SENT, "confirmations": []})})
ALL_SCHEMES = {
    "PENSION": "10000",
    "MEDICAL": "10000",
    "UNEMPLOYMENT": "10000",
    "INJURY": "10000",
    "HOUSING_FUND": "10000",
}


def pack(enabled: TenantPlugins = CONFIRMED) -> Pack:
    chosen = choose_pack(HOST, enabled, period=MARCH, legal_entity_id=SHANGHAI_COMPANY)
    found = pack_of(HOST, pins_of(HOST, enabled, chosen, calculation="v1"))
    assert found is not None
    return found


def facts(
    *earned: PaidAmount,
    wage: str = "30000",
    paid_on: date = date(2026, 3, 10),
    declarations: Mapping[str, Any] | None = None,
    year: Mapping[str, Any] | None = None,
    **changed: Any,
) -> PayFacts:
    ordinary = PaidAmount("basic_pay", ComponentKind.EARNING, Nature.ORDINARY, True, Decimal(wage))
    given: dict[str, Any] = {
        "calculation": "v1",
        "legal_entity_id": SHANGHAI_COMPANY,
        "employee_id": LI_NA,
        "period": MARCH,
        "pays_on": paid_on,
        "currency": "CNY",
        "employed": (Period(date(2024, 1, 1)),),
        "days_due": 22,
        "days_paid": Decimal(22),
        "base_salary": Decimal(wage),
        "amounts": (ordinary, *earned),
        "declarations": {"bases": {}} if declarations is None else declarations,
        "year_to_date": year,
    }
    return PayFacts(**{**given, **changed})


def asked(of: PayFacts, enabled: TenantPlugins = CONFIRMED) -> PackResult:
    return pack(enabled).statutory(of)


def lines(result: PackResult) -> dict[str, str]:
    return {line.code: str(line.amount) for line in result.lines}


def keys(result: PackResult) -> list[tuple[str, bool]]:
    return [(finding.key, finding.is_blocking) for finding in result.findings]


def test_the_terms_are_the_published_calendar() -> None:
    chosen = choose_pack(HOST, CONFIRMED, period=Period.of_month("2026-02"), legal_entity_id=SHANGHAI_COMPANY)
    assert chosen is not None
    assert (chosen.name, chosen.terms.calculation, chosen.terms.rows) == ("china", "v1", ("calendar/2026",))
    # 16 workdays and the four statutory days of the spring festival; the 14th and the 28th are worked Saturdays.
    assert len(chosen.terms.pay_days) == 20
    assert {date(2026, 2, 14), date(2026, 2, 19), date(2026, 2, 28)} <= set(chosen.terms.pay_days)


def test_a_legal_entity_without_a_city_and_a_year_without_a_calendar_are_refused() -> None:
    with pytest.raises(RuleRefused) as refused:
        choose_pack(HOST, CONFIRMED, period=MARCH, legal_entity_id=new_id())
    assert refused.value.key == "china.legal_entity_not_placed"
    with pytest.raises(RuleRefused) as refused:
        choose_pack(HOST, CONFIRMED, period=Period.of_month("2027-01"), legal_entity_id=SHANGHAI_COMPANY)
    assert (refused.value.key, refused.value.values) == ("china.calendar_not_in_force", {"year": 2027})


def test_three_months_of_withholding_by_the_published_example() -> None:
    """30,000 a month, 4,500 of contributions (here: other deductions), 2,000 special additional: 555, 625, 1,850."""
    declared = {"bases": {}, "other": "4500", "specialAdditional": "2000"}
    year, taxes = None, []
    for month in (1, 2, 3):
        result = asked(facts(paid_on=date(2026, month, 10), declarations=declared, year=year))
        taxes.append(lines(result)["china.income_tax"])
        year = result.year_to_date
    assert taxes == ["555.00", "625.00", "1850.00"]
    assert year == {
        "income": "90000.00",
        "exempt": "0.00",
        "special": "0.00",
        "special_additional": "6000.00",
        "other": "13500.00",
        "credits": "0.00",
        "withheld": "3030.00",
        "months_employed": 3,
        "has_full_year_deduction": False,
        "month": 3,
        "withheld_in_month": "1850.00",
        "tax_year": 2026,
        "bonus_taken_on": None,
    }


def test_contributions_of_both_sides_by_hand() -> None:
    result = asked(facts(wage="10000", declarations={"bases": ALL_SCHEMES}))
    assert lines(result) == {
        "china.pension.employer": "1600.00",
        "china.pension": "800.00",
        "china.medical.employer": "900.00",
        "china.medical": "200.00",
        "china.unemployment.employer": "50.00",
        "china.unemployment": "50.00",
        "china.injury.employer": "20.00",
        "china.housing_fund.employer": "700",
        "china.housing_fund": "700",
        "china.income_tax": "0.00",
    }
    assert keys(result) == []
    assert "income_tax/annual/2019-01-01" in result.rows
    assert result.year_to_date["special"] == "1750.00"


def test_rows_that_nobody_confirmed_keep_a_payslip_from_being_paid() -> None:
    result = asked(facts(declarations={"bases": ALL_SCHEMES}), DOUBTED)
    assert set(keys(result)) == {("china.row_unverified", True)}
    rows = {finding.args["row"] for finding in result.findings}
    assert "shanghai/minimum_wage/2025-07-01" in rows
    assert rows <= set(UNVERIFIED)


def test_undeclared_bases_are_a_finding_and_no_zero() -> None:
    assert keys(asked(facts(declarations={}))) == [("china.bases_missing", True)]


def test_undeclared_bases_are_the_base_salary_where_the_settings_say_so() -> None:
    sent = {**SENT, "entities": [{**each, "undeclaredBases": "BASE_SALARY"} for each in SENT["entities"]]}
    taken = TenantPlugins({"china": parse_settings(HOST.manifest("china").settings, sent)})
    undeclared = asked(facts(wage="10000", declarations={}), taken)
    declared = asked(facts(wage="10000", declarations={"bases": ALL_SCHEMES}), taken)
    assert [(line.code, line.amount) for line in undeclared.lines] == [
        (line.code, line.amount) for line in declared.lines
    ]
    assert keys(undeclared) == [("china.bases_from_salary", False)]


def bonus(amount: str) -> PaidAmount:
    return PaidAmount("bonus", ComponentKind.EARNING, Nature.ANNUAL_BONUS, True, Decimal(amount))


def test_an_annual_bonus_is_taxed_as_the_person_chose_and_once_a_year() -> None:
    separate = {"bases": {}, "annualBonus": "SEPARATE"}
    first = asked(facts(bonus("36000"), wage="5000", declarations=separate))
    assert lines(first) == {"china.income_tax": "0.00", "china.bonus_tax": "1080.00"}
    assert (first.year_to_date["bonus_taken_on"], first.year_to_date["income"]) == ("2026-03-10", "5000.00")
    jump = asked(facts(bonus("36001"), wage="5000", declarations=separate))
    assert lines(jump)["china.bonus_tax"] == "3390.10"
    assert keys(jump) == [("china.bonus_jump", False)]
    merged = asked(facts(bonus("36000"), wage="5000", declarations={"bases": {}, "annualBonus": "MERGED"}))
    assert lines(merged) == {"china.income_tax": "780.00"}  # (41,000 - 3 x 5,000) x 3 %
    with pytest.raises(RuleRefused) as refused:
        asked(facts(bonus("1"), paid_on=date(2026, 4, 10), declarations=separate, year=first.year_to_date))
    assert refused.value.key == "china.separate_bonus_taken"
    unchosen = asked(facts(bonus("36000")))
    assert keys(unchosen) == [("china.bonus_method_missing", True)]


def test_the_minimum_wage_holds_for_a_month_kept_in_full() -> None:
    short = asked(facts(wage="2700"))
    assert keys(short) == [("china.below_minimum_wage", True)]
    assert short.findings[0].args["missing"] == "40.00"
    assert keys(asked(facts(wage="2700", days_paid=Decimal(21)))) == []
    overtime = PaidAmount("ot", ComponentKind.EARNING, Nature.OVERTIME, True, Decimal(500))
    assert keys(asked(facts(overtime, wage="2700"))) == [("china.below_minimum_wage", True)]


def test_a_deduction_for_damage_is_held_to_its_limit() -> None:
    damage = PaidAmount("damage", ComponentKind.DEDUCTION, Nature.DAMAGE, False, Decimal("2000.01"))
    result = asked(facts(damage, wage="10000"))
    assert keys(result) == [("china.damage_above_limit", True)]
    within = replace(damage, amount=Decimal(2000))
    assert keys(asked(facts(within, wage="10000"))) == []


def test_untaxed_amounts_and_taxed_deductions() -> None:
    meal = PaidAmount("meal", ComponentKind.EARNING, Nature.ORDINARY, False, Decimal(1000))
    late = PaidAmount("late", ComponentKind.DEDUCTION, Nature.ORDINARY, True, Decimal(200))
    result = asked(facts(meal, late, wage="20000"))
    assert result.year_to_date["income"] == "19800.00"


def test_sixty_thousand_at_once_is_decided_in_january() -> None:
    declared = {"bases": {}, "yearBefore": {"monthsWithheld": 12, "income": "60000"}}
    january = asked(facts(wage="20000", paid_on=date(2026, 1, 10), declarations=declared))
    assert (lines(january)["china.income_tax"], january.year_to_date["has_full_year_deduction"]) == ("0.00", True)
    march = asked(facts(wage="20000", declarations=declared))
    assert march.year_to_date["has_full_year_deduction"] is False


@pytest.mark.parametrize(
    ("declarations", "key", "path"),
    [
        ({"base": {}}, "extensions.setting_unknown", "base"),
        ({"bases": {"PENSIONS": "1"}}, "extensions.setting_not_allowed", "bases.PENSIONS.[key]"),
        ({"bases": {}, "other": "much"}, "extensions.setting_invalid", "other"),
    ],
)
def test_declarations_that_do_not_fit_fail_the_payslip_at_their_path(
    declarations: Mapping[str, Any], key: str, path: str
) -> None:
    with pytest.raises(RuleRefused) as refused:
        asked(facts(declarations=declarations))
    assert (refused.value.key, refused.value.values["path"]) == (key, path)


def test_a_version_that_is_not_there_is_refused() -> None:
    with pytest.raises(RuleRefused) as refused:
        asked(facts(calculation="v9"))
    assert (refused.value.key, refused.value.values) == ("china.calculation_unknown", {"version": "v9"})


def test_a_pack_that_is_not_installed_any_more_is_named() -> None:
    pins = pins_of(HOST, CONFIRMED, None, calculation="v1")
    assert pack_of(HOST, pins) is None
    with pytest.raises(PackMissing) as refused:
        pack_of(HOST, replace(pins, pack="atlantis", pack_version="1.0.0"))
    assert refused.value.values == {"pack": "atlantis", "version": "1.0.0"}


def test_a_whole_payslip_adds_up_and_is_told_in_both_languages() -> None:
    person = replace(PERSON, legal_entity_id=SHANGHAI_COMPANY)
    structure = structure_of(BASIC, component("ot", "1000", nature=Nature.OVERTIME))
    slip: Payslip = payslip(
        structure, pack=pack(), person=person, pays_on=date(2026, 3, 10), declarations={"bases": ALL_SCHEMES}
    )
    assert (slip.gross, slip.net) == (Decimal("11000.00"), Decimal("9250.00"))
    assert signed_sum(slip.lines) == slip.net
    assert amounts_of(slip)["china.pension"] == "800.00"
    for line in slip.lines:
        if line.code.startswith("china."):
            for locale in LOCALES:
                for _, sentence, _ in line.explanation.lines(CATALOGUE, locale):
                    assert "{" not in sentence
                    assert not sentence.startswith("china.")
