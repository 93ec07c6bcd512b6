"""A sheet: named formulas that refer to inputs and to each other, computed in the order that follows from that."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from saas.formulas.errors import ComponentBlocked, FormulaFailed, FormulaProblem, FormulaRefused
from saas.formulas.formula import Formula, parse_formula
from saas.formulas.kinds import Value
from saas.formulas.limits import COMPONENTS_MOST, PROBLEMS_MOST
from saas.formulas.vocabulary import Vocabulary, Word
from saas.kernel import AppError, Explanation

_NOTHING: Mapping[str, Value] = {}


@dataclass(frozen=True, slots=True)
class Component:
    """One named formula: `word` names it and gives its kind, `formula` is the text."""

    word: Word
    formula: str


@dataclass(frozen=True, slots=True)
class Computed:
    """What a sheet came to: `values` by name in the order computed, `failures` by name of those that have none;
    each name stands in one of the two. `explanations` are there where they were asked for."""

    values: Mapping[str, Value]
    failures: Mapping[str, AppError]
    explanations: Mapping[str, Explanation]


@dataclass(frozen=True, slots=True)
class Sheet:
    """Checked formulas by name, in an order in which each comes after those that it refers to.

    `inputs` are the names that must be given, in the order they are first met.
    """

    formulas: Mapping[str, Formula]
    inputs: tuple[str, ...]
    words: Mapping[str, Word]

    def evaluate(
        self,
        inputs: Mapping[str, Value | None],
        *,
        explained: bool = False,
        given: Mapping[str, Value] = _NOTHING,
        settled: Callable[[str, Value], Value] | None = None,
    ) -> Computed:
        """Compute every component for one set of inputs.

        One that fails keeps its failure, and with it those that refer to it, whatever case they would take; the others
        are computed. A value of the inputs never stands in for a component's; one of `given` does, and its formula is
        not asked. `settled` makes of a formula's value what the component comes to (rounded, bounded): what `values`
        hold and those that refer to it read.
        """
        known: dict[str, Value | None] = {name: inputs.get(name) for name in self.inputs}
        values: dict[str, Value] = {}
        failures: dict[str, AppError] = {}
        explanations: dict[str, Explanation] = {}
        for name, formula in self.formulas.items():
            if name in given:
                values[name] = known[name] = given[name]
                continue
            blocked = self._blocked(name, formula, failures) if failures else None
            if blocked is not None:
                failures[name] = blocked
                continue
            try:
                if explained:
                    value, explanations[name] = formula.explain(known)
                else:
                    value = formula.evaluate(known)
            except FormulaFailed as failed:
                failures[name] = failed
                continue
            values[name] = known[name] = value if settled is None else settled(name, value)
        return Computed(values, failures, explanations)

    def _blocked(self, name: str, formula: Formula, failures: Mapping[str, AppError]) -> ComponentBlocked | None:
        """The failure of a component that refers to a failed one; the cause is the one that failed by itself."""
        for read in formula.inputs:
            if read in failures:
                first = failures[read]
                cause = first.values["cause"] if isinstance(first, ComponentBlocked) else self.words[read].label
                values = {"component": self.words[name].label, "cause": cause}
                return ComponentBlocked("formulas.component_blocked", values)
        return None


def parse_sheet(components: Sequence[Component], vocabulary: Vocabulary) -> Sheet:
    """The sheet of named formulas over the names of `vocabulary` and their own.

    :raises FormulaRefused: all problems of all formulas, `field` naming the component; else a cycle, named whole.
    """
    if len(components) > COMPONENTS_MOST:
        values = {"given": len(components), "most": COMPONENTS_MOST}
        raise FormulaRefused([FormulaProblem("formulas.too_many_components", values)])
    try:
        known = vocabulary.extended(component.word for component in components)
    except FormulaProblem as problem:
        raise FormulaRefused([problem]) from None
    formulas = _parsed(components, known)
    words = {component.word.name: component.word for component in components}
    ordered = _ordered(formulas, words)
    read = (name for formula in ordered.values() for name in formula.inputs)
    return Sheet(ordered, tuple(dict.fromkeys(name for name in read if name not in ordered)), words)


def _parsed(components: Iterable[Component], known: Vocabulary) -> dict[str, Formula]:
    formulas: dict[str, Formula] = {}
    problems: list[AppError] = []
    for component in components:
        name = component.word.name
        try:
            formulas[name] = parse_formula(component.formula, known, result=component.word.kind)
        except FormulaRefused as refused:
            problems += [problem.at(name) for problem in refused.errors]
        if len(problems) >= PROBLEMS_MOST:
            break
    if problems:
        raise FormulaRefused(problems[:PROBLEMS_MOST])
    return formulas


def _ordered(formulas: Mapping[str, Formula], words: Mapping[str, Word]) -> dict[str, Formula]:
    """Each after those it refers to, else in the order given."""
    waiting = {name: {read for read in formula.inputs if read in formulas} for name, formula in formulas.items()}
    ordered: dict[str, Formula] = {}
    while waiting:
        ready = [name for name, needs in waiting.items() if needs <= ordered.keys()]
        if not ready:
            raise FormulaRefused([_cycle(waiting, ordered, words)])
        for name in ready:
            ordered[name] = formulas[name]
            del waiting[name]
    return ordered


def _cycle(
    waiting: Mapping[str, set[str]], ordered: Mapping[str, Formula], words: Mapping[str, Word]
) -> FormulaProblem:
    """The first cycle met on the way along what still waits: every one that waits needs another that does."""
    path = [next(iter(waiting))]
    while path[-1] not in path[:-1]:
        path.append(min(waiting[path[-1]] - ordered.keys()))
    cycle = path[path.index(path[-1]) :]
    named = " → ".join(words[name].label for name in cycle)
    return FormulaProblem("formulas.cycle", {"cycle": named}, field=(cycle[0],))
