"""Formulas, sheets of formulas and decision tables that consultants write, in a small language like a spreadsheet's.

Pure: a text is parsed, checked against the declared names and compiled once, then evaluated and explained for plain
values. Nothing that a tenant wrote is ever run as a program.
"""

from saas.formulas.errors import ComponentBlocked, FormulaFailed, FormulaProblem, FormulaRefused, NoRowApplies
from saas.formulas.formula import Formula, parse_formula
from saas.formulas.functions import FORMS, FUNCTIONS, OPERATOR_WORDS, TRUTH_WORDS, USAGES, Function
from saas.formulas.kinds import Kind, Value, shown
from saas.formulas.limits import (
    CELL_LONGEST,
    COLUMNS_MOST,
    COMPONENTS_MOST,
    DEPTH_MOST,
    MAGNITUDE,
    NAME_LONGEST,
    NODES_MOST,
    PROBLEMS_MOST,
    ROUNDING_DIGITS,
    ROWS_MOST,
    TEXT_LONGEST,
    TOKENS_MOST,
)
from saas.formulas.shapes import OPERAND, RESULT, PathFormula
from saas.formulas.sheets import Component, Computed, Sheet, parse_sheet
from saas.formulas.tables import Column, Decision, DecisionTable, Outcome, Row, parse_table
from saas.formulas.vocabulary import Vocabulary, Word

__all__ = [
    "CELL_LONGEST",
    "COLUMNS_MOST",
    "COMPONENTS_MOST",
    "DEPTH_MOST",
    "FORMS",
    "FUNCTIONS",
    "MAGNITUDE",
    "NAME_LONGEST",
    "NODES_MOST",
    "OPERAND",
    "OPERATOR_WORDS",
    "PROBLEMS_MOST",
    "RESULT",
    "ROUNDING_DIGITS",
    "ROWS_MOST",
    "TEXT_LONGEST",
    "TOKENS_MOST",
    "TRUTH_WORDS",
    "USAGES",
    "Column",
    "Component",
    "ComponentBlocked",
    "Computed",
    "Decision",
    "DecisionTable",
    "Formula",
    "FormulaFailed",
    "FormulaProblem",
    "FormulaRefused",
    "Function",
    "Kind",
    "NoRowApplies",
    "Outcome",
    "PathFormula",
    "Row",
    "Sheet",
    "Value",
    "Vocabulary",
    "Word",
    "parse_formula",
    "parse_sheet",
    "parse_table",
    "shown",
]
