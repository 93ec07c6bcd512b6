"""The statutory lines of one payslip: contributions, cumulative withholding, annual bonus, limits of wages."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal

from plugins.china.errors import NotInForce
from plugins.china.settings import Entity, Settings
from plugins.china.tables.income_tax import IncomeTaxRules, income_tax_rules
from plugins.china.tables.insurance import INSURANCE
from plugins.china.tables.minimum_wages import MinimumWage, minimum_wage
from plugins.china.tables.schemes import TITLES, Scheme, Side
from plugins.china.v1.annual_bonus import bonus_jump, tax_separately
from plugins.china.v1.contributions import ContributionLine, Contributions, Insured, contributions
from plugins.china.v1.declarations import Declarations, bonus_taken_on, declared, plain_year, year_of
from plugins.china.v1.findings import Finding as Missed
from plugins.china.v1.gross import GrossSums, gross_sums
from plugins.china.v1.months import YearBefore, may_deduct_full_year, months_employed
from plugins.china.v1.wage_limits import NormalPay, damage_findings, minimum_wage_findings
from plugins.china.v1.withholding import Payment, YearToDate, withhold
from saas.sdk import (
    Finding,
    Localised,
    PackResult,
    PayFacts,
    Period,
    StatutoryKind,
    StatutoryLine,
)

TAX_CODE = "china.income_tax"
TAX_TITLES: Localised = {"en": "Income tax", "zh-CN": "个人所得税"}
_BONUS_TAX: Localised = {"en": "Income tax on the annual bonus", "zh-CN": "年终奖个人所得税"}


@dataclass(frozen=True, slots=True)
class _Found:
    """Parts of a result, put together at the end."""

    lines: tuple[StatutoryLine, ...] = ()
    rows: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = ()


def statutory(facts: PayFacts, settings: Settings) -> PackResult:
    """All statutory lines of one payslip, in yuan.

    :raises AppError: a row that is not in force, a legal entity without a city, declarations that don't fit, a payment
        that does not continue the year.
    """
    person, sums = declared(facts.declarations), gross_sums(facts.amounts)
    rules = income_tax_rules(facts.pays_on)
    entity = settings.entity(facts.legal_entity_id)
    bases = bases_of(facts, entity, person)
    insured_by = Insured(city=entity.city, bases=bases or {}, unit_rates=entity.unit_rates)
    paid = contributions(insured_by, month=facts.period.first, tables=INSURANCE)
    insured = _insured(paid, settings, told=bases_told(bases, person))
    bonus, taken_on = _bonus(facts, sums.bonus, person, rules)
    year = year_before(facts, person)
    withheld = withhold(payment_of(facts, sums, person, year, special=paid.total(Side.EMPLOYEE)), year, rules=rules)
    tax = StatutoryLine(
        code=TAX_CODE,
        titles=TAX_TITLES,
        kind=StatutoryKind.TAX,
        amount=withheld.amount,
        explanation=withheld.explanation,
    )
    limits = _limits(facts, sums, settings, shares=paid.total(Side.EMPLOYEE))
    parts = (insured, bonus, limits)
    return PackResult(
        lines=(*insured.lines, tax, *bonus.lines),
        year_to_date=plain_year(withheld.year, bonus_taken_on=taken_on),
        rows=(
            rules.annual_scale.id,
            rules.basic_deduction.id,
            *(row for part in parts for row in part.rows),
        ),
        findings=tuple(finding for part in parts for finding in part.findings),
    )


def bases_of(facts: PayFacts, entity: Entity, person: Declarations) -> Mapping[Scheme, Decimal] | None:
    """The declared bases, else the base salary where the entity's settings say so; None: nobody knows."""
    if person.bases is not None or entity.undeclared_bases == "REFUSE" or facts.base_salary is None:
        return person.bases
    return dict.fromkeys(INSURANCE.schemes(entity.city), facts.base_salary)


def bases_told(bases: Mapping[Scheme, Decimal] | None, person: Declarations) -> tuple[Finding, ...]:
    if person.bases is not None:
        return ()
    return (Finding("china.bases_missing" if bases is None else "china.bases_from_salary", is_blocking=bases is None),)


def _insured(paid: Contributions, settings: Settings, *, told: tuple[Finding, ...]) -> _Found:
    return _Found(
        lines=tuple(_contribution_line(line) for line in paid.lines),
        rows=tuple(row.id for line in paid.lines for row in line.rows),
        findings=(*told, *unverified_rows(paid.unverified(settings.confirmed_rows))),
    )


def _contribution_line(line: ContributionLine) -> StatutoryLine:
    scheme, side = line.part.scheme, line.part.side
    return StatutoryLine(
        code=contribution_code(scheme, side),
        titles=contribution_titles(scheme, side),
        kind=CONTRIBUTION_KINDS[side],
        amount=line.amount,
        explanation=line.explanation,
    )


def contribution_code(scheme: Scheme, side: Side) -> str:
    """The code of a scheme's line."""
    return f"china.{scheme.lower()}" if side is Side.EMPLOYEE else f"china.{scheme.lower()}.employer"


def contribution_titles(scheme: Scheme, side: Side) -> Localised:
    """The titles of a scheme's line."""
    english = f"{TITLES[scheme]['en']} ({TITLES[side]['en']})"
    chinese = f"{TITLES[scheme]['zh-CN']}（{TITLES[side]['zh-CN']}）"
    return {"en": english[0].upper() + english[1:], "zh-CN": chinese}


CONTRIBUTION_KINDS = {Side.EMPLOYEE: StatutoryKind.CONTRIBUTION, Side.EMPLOYER: StatutoryKind.EMPLOYER_COST}


def unverified_rows(rows: Iterable[str]) -> tuple[Finding, ...]:
    """Rows that nobody verified nor confirmed: they may be looked at, and pay nobody."""
    return tuple(Finding("china.row_unverified", {"row": row}, is_blocking=True) for row in rows)


def _bonus(facts: PayFacts, amount: Decimal, person: Declarations, rules: IncomeTaxRules) -> tuple[_Found, date | None]:
    """The annual bonus where it is taxed separately, and the day on which that method was last taken."""
    taken_on = bonus_taken_on(facts.year_to_date)
    if amount <= 0:
        return _Found(), taken_on
    if person.annual_bonus is None:
        return _Found(findings=(Finding("china.bonus_method_missing", is_blocking=True),)), taken_on
    if person.annual_bonus == "MERGED":
        return _Found(), taken_on
    tax = tax_separately(amount, paid_on=facts.pays_on, taken_on=taken_on, rules=rules)
    assert rules.bonus_scale is not None, "tax_separately refuses without it"
    jump = bonus_jump(amount, rules.bonus_scale)
    line = StatutoryLine(
        code="china.bonus_tax",
        titles=_BONUS_TAX,
        kind=StatutoryKind.TAX,
        amount=tax.tax,
        explanation=tax.explanation,
    )
    findings = () if jump is None else tuple(_told([jump.finding(amount)]))
    return _Found((line,), (rules.bonus_scale.id,), findings), facts.pays_on


def payment_of(
    facts: PayFacts, sums: GrossSums, person: Declarations, year: YearToDate, *, special: Decimal
) -> Payment:
    """What the month adds to the year; `special` are the employee's contributions."""
    return Payment(
        key=year.key,
        paid_on=facts.pays_on,
        months_employed=months_employed(facts.employed, paid_on=facts.pays_on, is_first_wage=person.first_wage),
        income=sums.income_but_bonus if person.annual_bonus == "SEPARATE" else sums.income,
        exempt=person.exempt,
        special=special,
        special_additional=person.special_additional,
        other=person.other,
        credits=person.credits,
    )


def year_before(facts: PayFacts, person: Declarations) -> YearToDate:
    """The year so far; whether 60,000 are deducted at once is decided with the first payment, in January."""
    tax_year = facts.pays_on.year
    year = year_of(facts.year_to_date, legal_entity=facts.legal_entity_id, person=facts.employee_id, tax_year=tax_year)
    before = person.year_before
    if facts.year_to_date is not None or before is None or facts.pays_on.month != 1:
        return year
    january = Period.of_month(f"{tax_year:04d}-01")
    is_due = may_deduct_full_year(
        YearBefore(months_withheld=before.months_withheld, income=before.income),
        tax_year=tax_year,
        is_employed_in_january=any(span.overlap(january) for span in facts.employed),
    )
    return replace(year, has_full_year_deduction=is_due)


def _limits(facts: PayFacts, sums: GrossSums, settings: Settings, *, shares: Decimal) -> _Found:
    """What of the limits of wages is missed; only a month that was kept in full is held to the minimum wage."""
    minimum = minimum_of(settings.entity(facts.legal_entity_id), facts.period)
    if isinstance(minimum, Finding):
        return _Found(findings=(minimum,))
    doubtful = [] if minimum.is_verified or minimum.id in settings.confirmed_rows else [minimum.id]
    missed = missed_limits(facts, sums, minimum, shares=shares)
    return _Found(rows=(minimum.id,), findings=(*missed, *unverified_rows(doubtful)))


def minimum_of(entity: Entity, period: Period) -> MinimumWage | Finding:
    """The minimum wage of a month, or the finding that none is on record."""
    try:
        return minimum_wage(entity.city, on=period.first)
    except NotInForce as unknown:
        return Finding(unknown.key, dict(unknown.values))


def missed_limits(facts: PayFacts, sums: GrossSums, minimum: MinimumWage, *, shares: Decimal) -> Iterator[Finding]:
    """The limits that a payslip misses."""
    missed: list[Missed] = []
    if facts.days_paid == facts.days_due:
        pay = NormalPay(
            gross=sums.gross,
            overtime=sums.overtime,
            hardship_allowances=sums.hardship,
            statutory_benefits=sums.benefit,
            employee_shares=shares,
        )
        missed += minimum_wage_findings(pay, minimum=minimum)
    if sums.damage < 0:
        missed += damage_findings(-sums.damage, wage=sums.gross, minimum=minimum)
    return _told(missed)


def _told(missed: Iterable[Missed]) -> Iterator[Finding]:
    return (Finding(each.key, dict(each.args), each.is_blocking) for each in missed)
