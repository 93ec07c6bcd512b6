"""Published limits of a request, and the one pass over a document that checks them.

The pass runs right after parsing, before validation, so it must survive fragment cycles and unknown names. Each
fragment is measured once and remembered: a document of fragments that spread one another twice on every level is
measured in time linear in its size, though it would expand to millions of fields.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    InlineFragmentNode,
    IntValueNode,
    ListValueNode,
    OperationDefinitionNode,
    SelectionSetNode,
    VariableNode,
)

from saas.kernel import LimitExceeded

MUTATION_COST = 10
"""Points of each mutation field, whatever it selects."""

MOST_TOLD = 2**53 - 1
"""The largest count that an error names: what a JSON number holds exactly. A bomb of fragments counts far beyond."""

INTROSPECTION = frozenset({"__schema", "__type"})
"""Fields that stand on the root of Query alone; what they select has a depth limit of its own."""

_PAGE_ARGUMENTS = frozenset({"first", "last"})
_UNSIZED_PAGE = 100


@dataclass(frozen=True, slots=True)
class Limits:
    """What one request may ask for; the schema's description publishes these figures.

    `nesting` bounds braces and spreads together (it keeps the pass off the end of the stack); `aliases` and
    `directives` count as written in the whole document, `depth` and `root_fields` through fragments. Times are in
    seconds. `bucket` and `restore_rate` are points of cost and points per second of each caller's budget;
    `compile_cost` is charged for a document seen for the first time. `subscriptions` are those that one person may have
    in a process, `socket_subscriptions` those of one WebSocket.
    """

    tokens: int = 2_000
    body_bytes: int = 1_000_000
    depth: int = 12
    introspection_depth: int = 20
    nesting: int = 100
    aliases: int = 30
    directives: int = 50
    root_fields: int = 20
    cost: int = 10_000
    page: int = 100
    seconds: float = 10.0
    bucket: int = 50_000
    restore_rate: int = 2_500
    compile_cost: int = 20
    subscriptions: int = 200
    socket_subscriptions: int = 50

    def sentence(self) -> str:
        """The limits as a sentence for the schema's description."""
        return (
            f"Limits of a request: {self.tokens} tokens, {self.body_bytes} bytes, depth {self.depth} "
            f"(introspection {self.introspection_depth}), "
            f"{self.aliases} aliases, {self.directives} directives, {self.root_fields} root fields, pages of at most "
            f"{self.page}, cost {self.cost}, {self.seconds:g} seconds. Cost: one point a field with a selection, "
            f"times the page size of each list around it; {MUTATION_COST} points a mutation. Budget of a caller: "
            f"{self.bucket} points, restored by {self.restore_rate} a second; a document seen for the first time "
            f"costs {self.compile_cost} more. Subscriptions: {self.subscriptions} a person, "
            f"{self.socket_subscriptions} a socket; each event costs as a query for it would."
        )


@dataclass(slots=True)
class Cost:
    """Points of a selection: its own, and parts that count once per row of a page.

    A page size is a number or the name of the variable that gives it.
    """

    points: int = 0
    parts: list[tuple[int | str, Cost]] = field(default_factory=list)

    def variables(self) -> frozenset[str]:
        """The variables that page sizes depend on."""
        found: set[str] = set()
        todo, seen = [self], {id(self)}
        while todo:
            for size, part in todo.pop().parts:
                if isinstance(size, str):
                    found.add(size)
                if id(part) not in seen:
                    seen.add(id(part))
                    todo.append(part)
        return frozenset(found)

    def total(self, variables: Mapping[str, object]) -> int:
        """The points with these variables; a page size that is no number counts as the largest page."""
        return self._total(variables, {})

    def _total(self, variables: Mapping[str, object], known: dict[int, int]) -> int:
        remembered = known.get(id(self))
        if remembered is None:
            remembered = self.points + sum(
                _size(size, variables) * part._total(variables, known) for size, part in self.parts
            )
            known[id(self)] = remembered
        return remembered


@dataclass(slots=True)
class Shape:
    """What the pass learned of a selection set, fragments included."""

    depth: int = 0
    fields: int = 0
    cost: Cost = field(default_factory=Cost)


def _size(size: int | str, variables: Mapping[str, object]) -> int:
    if isinstance(size, int):
        return size
    value = variables.get(size)
    if isinstance(value, bool):
        return _UNSIZED_PAGE
    if isinstance(value, int):
        return max(0, value)
    return len(value) if isinstance(value, list) else _UNSIZED_PAGE


def measure(document: DocumentNode, limits: Limits) -> dict[int, Cost]:
    """Check a parsed document; the cost of each operation, by the ``id`` of its node.

    :raises LimitExceeded: naming the limit, its value and what the document has.
    """
    return _Pass(document, limits).run()


class _Pass:
    def __init__(self, document: DocumentNode, limits: Limits) -> None:
        self.limits = limits
        self.operations = [node for node in document.definitions if isinstance(node, OperationDefinitionNode)]
        self.fragments = {
            node.name.value: node for node in document.definitions if isinstance(node, FragmentDefinitionNode)
        }
        self.shapes: dict[str, Shape] = {}
        self.aliases = 0
        self.directives = 0

    def run(self) -> dict[int, Cost]:
        costs: dict[int, Cost] = {}
        for operation in self.operations:
            self._count_directives(operation)
            shape = self._selections(operation.selection_set, 1)
            self._hold("depth", shape.depth)
            self._hold("root_fields", shape.fields)
            if operation.operation.value == "mutation":
                shape.cost.points += MUTATION_COST * shape.fields
            costs[id(operation)] = shape.cost
        for name in self.fragments:  # those that no operation spreads count too
            self._fragment(name, 1)
        return costs

    def _hold(self, limit: str, found: int) -> None:
        allowed = getattr(self.limits, limit)
        if found > allowed:
            told = min(found, MOST_TOLD)
            raise LimitExceeded("graphql.limit_exceeded", {"limit": limit, "allowed": allowed, "found": told})

    def _count_directives(self, node: OperationDefinitionNode | FragmentDefinitionNode | FieldNode | object) -> None:
        directives = getattr(node, "directives", None)
        if directives:
            self.directives += len(directives)
            self._hold("directives", self.directives)

    def _selections(self, selection_set: SelectionSetNode, nesting: int) -> Shape:
        self._hold("nesting", nesting)
        shape = Shape()
        for node in selection_set.selections:
            self._count_directives(node)
            if isinstance(node, FieldNode):
                self._field(node, shape, nesting)
            elif isinstance(node, InlineFragmentNode):
                _merge(shape, self._selections(node.selection_set, nesting + 1))
            elif isinstance(node, FragmentSpreadNode):
                _merge(shape, self._fragment(node.name.value, nesting + 1))
        return shape

    def _field(self, node: FieldNode, shape: Shape, nesting: int) -> None:
        if node.alias is not None:
            self.aliases += 1
            self._hold("aliases", self.aliases)
        shape.fields += 1
        if node.selection_set is None:
            shape.depth = max(shape.depth, 1)
            return
        inner = self._selections(node.selection_set, nesting + 1)
        if node.name.value in INTROSPECTION:
            self._hold("introspection_depth", inner.depth + 1)
            shape.depth = max(shape.depth, 1)
        else:
            shape.depth = max(shape.depth, inner.depth + 1)
        shape.cost.points += 1
        shape.cost.parts.append((_page_size(node), inner.cost))

    def _fragment(self, name: str, nesting: int) -> Shape:
        known = self.shapes.get(name)
        if known is not None:
            return known
        definition = self.fragments.get(name)
        self.shapes[name] = Shape()  # stands for the fragment inside itself: a cycle, which validation refuses
        if definition is None:
            return self.shapes[name]
        self._count_directives(definition)
        shape = self._selections(definition.selection_set, nesting)
        self.shapes[name] = shape
        return shape


def _merge(shape: Shape, inner: Shape) -> None:
    shape.depth = max(shape.depth, inner.depth)
    shape.fields += inner.fields
    shape.cost.parts.append((1, inner.cost))


def _page_size(node: FieldNode) -> int | str:
    """How many rows the field's selection is read for: ``first``, ``last``, or the length of ``ids``."""
    for argument in node.arguments or ():
        value, name = argument.value, argument.name.value
        if name == "ids" and isinstance(value, ListValueNode):
            return len(value.values)
        if name in _PAGE_ARGUMENTS or name == "ids":
            if isinstance(value, IntValueNode):
                return min(int(value.value), 1_000_000) if len(value.value) < 10 else 1_000_000
            if isinstance(value, VariableNode):
                return value.name.value
    return 1
