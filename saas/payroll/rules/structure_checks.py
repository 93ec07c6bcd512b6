"""What a structure must keep before it is saved: everything that is wrong with it, in one pass, each with its path."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

from saas.formulas import FormulaProblem, Sheet
from saas.kernel import LOCALES, AppError, AppErrors, Localised, Scalar, minor_digits
from saas.payroll.errors import StructureProblem
from saas.payroll.rules.structures import ComponentKind, MonthlyItem, Nature, PayComponent, Structure
from saas.payroll.rules.v1.components import sheet_of
from saas.payroll.rules.v1.computing import COMMISSION
from saas.payroll.rules.v1.vocabulary import ABSENCES

CODE = re.compile(r"[a-z][a-z0-9_]{0,39}", re.ASCII)
TITLE_LONGEST = 100
STATISTIC_DIGITS = 12
ITEMS_MOST = 50


def check_structure(structure: Structure, *, currency: str) -> Sheet:
    """The checked sheet of a structure that keeps every rule.

    :raises AppErrors: with all that is wrong: codes, titles, kinds, digits, bounds, proration, then the formulas'
        unknown words and circles; `field` is the path in the structure.
    """
    problems: list[AppError] = [*_problems(structure, currency)]
    if any(problem.field[-1] in ("code", "titles") for problem in problems):
        raise AppErrors(problems)  # formulas can't be read before the names that they use are right
    try:
        sheet = sheet_of(structure)
    except AppErrors as refused:
        raise AppErrors([*problems, *(_placed(error, structure) for error in refused.errors)]) from None
    except FormulaProblem as taken:
        raise AppErrors([*problems, taken.at("items")]) from None
    if problems:
        raise AppErrors(problems)
    return sheet


def _placed(error: AppError, structure: Structure) -> AppError:
    """The formula's problem at its path; `saas.formulas` names the component by its code."""
    codes = [component.code for component in structure.components]
    if error.field and error.field[0] in codes:
        return error.at("components", str(codes.index(error.field[0])), "formula")
    return error.at("components")


def _problems(structure: Structure, currency: str) -> Iterator[StructureProblem]:
    yield from _code_problems(structure.code, ("code",))
    yield from _title_problems(structure.titles, ("titles",))
    if len(structure.items) > ITEMS_MOST:
        values = {"given": len(structure.items), "most": ITEMS_MOST}
        yield StructureProblem("payroll.too_many_items", values, field=("items",))
    for place, item in enumerate(structure.items):
        yield from _part_problems(item, ("items", str(place)))
    for place, component in enumerate(structure.components):
        path = ("components", str(place))
        yield from _part_problems(component, path)
        yield from _component_problems(component, path, minor_digits(currency))
    yield from _doubles(structure)
    yield from _proration_problems(structure)
    if not any(component.kind is ComponentKind.EARNING for component in structure.components):
        yield StructureProblem("payroll.structure_without_earning", field=("components",))


def _part_problems(part: MonthlyItem | PayComponent, path: tuple[str, ...]) -> Iterator[StructureProblem]:
    yield from _code_problems(part.code, (*path, "code"))
    yield from _title_problems(part.titles, (*path, "titles"))


def _code_problems(code: str, path: tuple[str, ...]) -> Iterator[StructureProblem]:
    if not CODE.fullmatch(code):
        yield StructureProblem("payroll.code_malformed", {"code": code[:60]}, field=path)


def _title_problems(titles: Localised, path: tuple[str, ...]) -> Iterator[StructureProblem]:
    for locale in LOCALES:
        length = len(titles.get(locale, "").strip())
        if not 1 <= length <= TITLE_LONGEST:
            values: dict[str, Scalar] = {"locale": locale, "length": length, "longest": TITLE_LONGEST}
            yield StructureProblem("payroll.title_length", values, field=path)


def _component_problems(component: PayComponent, path: tuple[str, ...], minor: int) -> Iterator[StructureProblem]:
    is_statistic = component.kind is ComponentKind.STATISTIC
    most = STATISTIC_DIGITS if is_statistic else minor
    if component.digits is None and not is_statistic:
        yield StructureProblem("payroll.digits_missing", {"component": component.code}, field=(*path, "digits"))
    if component.digits is not None and not -6 <= component.digits <= most:
        values = {"digits": component.digits, "most": most}
        yield StructureProblem("payroll.digits_unfit", values, field=(*path, "digits"))
    if component.floor is not None and component.ceiling is not None and component.floor > component.ceiling:
        bounds = {"floor": format(component.floor, "f"), "ceiling": format(component.ceiling, "f")}
        yield StructureProblem("payroll.floor_above_ceiling", bounds, field=(*path, "floor"))
    if component.nature not in _NATURES[component.kind]:
        natures = {"nature": component.nature.value, "kind": component.kind.value}
        yield StructureProblem("payroll.nature_unfit", natures, field=(*path, "nature"))
    if component.code == COMMISSION:
        yield StructureProblem("payroll.code_reserved", {"code": COMMISSION}, field=(*path, "code"))


_NATURES = {
    ComponentKind.EARNING: frozenset(Nature) - {Nature.DAMAGE},
    ComponentKind.DEDUCTION: frozenset({Nature.ORDINARY, Nature.DAMAGE}),
    ComponentKind.STATISTIC: frozenset({Nature.ORDINARY}),
    ComponentKind.EMPLOYER_COST: frozenset({Nature.ORDINARY}),
}


def _doubles(structure: Structure) -> Iterator[StructureProblem]:
    counted = Counter([*(item.code for item in structure.items), *(each.code for each in structure.components)])
    for place, component in enumerate(structure.components):
        if counted[component.code] > 1:
            values = {"code": component.code}
            yield StructureProblem("payroll.code_taken", values, field=("components", str(place), "code"))


def _proration_problems(structure: Structure) -> Iterator[StructureProblem]:
    proration = structure.proration
    if not 1 <= proration.days_a_month <= 31:
        values = {"days": format(proration.days_a_month, "f")}
        yield StructureProblem("payroll.days_a_month_unfit", values, field=("proration", "daysAMonth"))
    for kind, part in proration.unpaid.items():
        if kind not in ABSENCES:
            known = {"kind": kind[:40], "known": ", ".join(ABSENCES)}
            yield StructureProblem("payroll.absence_unknown", known, field=("proration", "unpaid"))
        if not 0 <= part <= 1:
            parts = {"kind": kind[:40], "part": format(part, "f")}
            yield StructureProblem("payroll.unpaid_part_unfit", parts, field=("proration", "unpaid"))
