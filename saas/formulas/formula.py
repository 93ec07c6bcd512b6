"""A formula: parsed, resolved and checked once, when it is saved; evaluated and explained as often as needed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from saas.formulas.canonical import canonical
from saas.formulas.checking import checked
from saas.formulas.compiling import Program, compiled
from saas.formulas.errors import FormulaRefused
from saas.formulas.kinds import Kind, Value, shown
from saas.formulas.nodes import Node, inputs_of
from saas.formulas.parser import parsed
from saas.formulas.sources import Source
from saas.formulas.templates import Template, template_of
from saas.formulas.tracing import Trace
from saas.formulas.vocabulary import Vocabulary, Word
from saas.kernel import Explanation


@dataclass(frozen=True, slots=True)
class Formula:
    """`text` as it was written; `canonical` the same in one form, equal for equal meaning of the words; `inputs` the
    canonical names that it may read, in order; `result` the kind of its value."""

    text: str
    result: Kind
    canonical: str
    inputs: tuple[str, ...]
    tree: Node
    words: Mapping[str, Word] = field(repr=False, compare=False)
    _run: Program = field(repr=False, compare=False)
    _template: Template | None = field(repr=False, compare=False)

    def evaluate(self, values: Mapping[str, Value | None]) -> Value:
        """The value for one set of inputs, by canonical name; an input in a case not taken may be missing.

        :raises FormulaFailed: an input is missing or unfit, a division by zero, a number beyond the limit, rounding to
            digits that there are not; the error names the place, the part of the formula and its values.
        """
        try:
            return self._run(values.get)
        except ArithmeticError:
            self._trace(values).value(self.tree)
            raise

    def explain(self, values: Mapping[str, Value | None]) -> tuple[Value, Explanation]:
        """The value, and why: the formula, the same with numbers put in, each name read, each case taken.

        :raises FormulaFailed: as `evaluate` does.
        """
        result = self.evaluate(values)
        if self._template is None:
            trace = self._trace(values)
            trace.value(self.tree)
            read: Mapping[str, Any] = trace.read
            filled, branches = trace.filled(self.tree), trace.branches
        else:
            read, filled, branches = values, self._template.filled(values), []
        shown_read = {name: shown(read[name]) for name in self.inputs if name in read}
        return result, self.explanation(read=shown_read, filled=filled, branches=branches, result=shown(result))

    def explanation(
        self, *, read: Mapping[str, str], filled: str, branches: Iterable[Explanation], result: str
    ) -> Explanation:
        """The explanation of an evaluation whose values are shown as texts; `read` are those of the names it read."""
        names = [self._explained_input(name, text) for name, text in read.items()]
        args = {"formula": self.text, "filled": filled, "result": result}
        amount = result if self.result is Kind.NUMBER else None
        return Explanation("formulas.computed", args, amount=amount, parts=(*names, *branches))

    def _trace(self, values: Mapping[str, Value | None]) -> Trace:
        return Trace(Source(self.text), self.words, values)

    def _explained_input(self, name: str, text: str) -> Explanation:
        word = self.words[name]
        amount = text if word.kind is Kind.NUMBER else None
        args = {"title": word.titles or name, "name": name, "value": text}
        return Explanation("formulas.input_read", args, amount=amount)


def parse_formula(text: str, vocabulary: Vocabulary, *, result: Kind) -> Formula:
    """The formula of `text` over the names of `vocabulary`, which must come to a value of the kind `result`.

    :raises FormulaRefused: naming each problem with line, column, the text there, the rule and the remedy.
    """
    source = Source(text)
    tree, problems = parsed(source, vocabulary)
    problems += checked(tree, source, result=result)
    if problems:
        raise FormulaRefused.of_text(problems)
    inputs = inputs_of(tree)
    words = {name: word for name in inputs if (word := vocabulary.find(name)) is not None}
    program, template = compiled(tree, result=result), template_of(text, tree)
    return Formula(text, result, canonical(tree), inputs, tree, words, program, template)
