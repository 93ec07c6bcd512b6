"""What is wrong with a formula when it is saved, and what can go wrong when it is evaluated."""

from __future__ import annotations

from collections.abc import Iterable

from saas.formulas.limits import PROBLEMS_MOST
from saas.kernel import AppErrors, BadUserInput, RuleRefused


class FormulaProblem(BadUserInput):
    """One thing that is wrong with a formula, a sheet or a table; values hold ``line``, ``column`` (from 1, in
    characters) and ``text`` (what stands there), where it has a place."""


class FormulaRefused(AppErrors):
    """All that is wrong with what was to be saved, in reading order; `errors` are :class:`FormulaProblem`."""

    @classmethod
    def of_text(cls, problems: Iterable[FormulaProblem]) -> FormulaRefused:
        """The refusal of one text: its problems in reading order, no more than are told of at once."""
        ordered = sorted(problems, key=lambda problem: (problem.values["line"], problem.values["column"]))
        return cls(ordered[:PROBLEMS_MOST])


class FormulaFailed(RuleRefused):
    """An evaluation came to no value; values hold the place, the part of the formula (``text``) and the same with
    its numbers put in (``filled``)."""


class ComponentBlocked(RuleRefused):
    """A component was not computed, because one that it refers to failed; values name both."""


class NoRowApplies(RuleRefused):
    """No row of a decision table fits the values; there is no silent default."""
