"""Compiled plans, and the bounded cache that holds them by what decides their SQL."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from typing import Generic, NamedTuple, TypeVar

from graphql import Node, print_ast

from saas.kernel import AppError, BadUserInput, WrongIdType
from saas.reads.arguments import Binding
from saas.reads.compilation import BadArguments
from saas.reads.contract import Caller
from saas.reads.holes import Fill, filler
from saas.reads.roots import RootPlan
from saas.reads.shapes import Probe

T = TypeVar("T")
Again = Callable[[Mapping[str, object], Caller, BadArguments], T]
"""Compiles a plan anew, around arguments that were found bad when they were bound."""


@dataclass(frozen=True, slots=True)
class Step:
    """One statement of a plan, with what turns its text into an answer."""

    root: RootPlan
    fill: Fill | None

    def bind(self, binding: Binding) -> list[object]:
        """The values of the statement's parameters.

        :raises BadUserInput: an argument is malformed or out of bounds; `bad_arguments` then tells which.
        :raises WrongIdType: one is the id of another type.
        """
        for argument in self.root.unsent:
            argument.source(binding)
        return [parameter.source(binding) for parameter in self.root.parameters]

    def bad_arguments(self, binding: Binding) -> BadArguments:
        """The arguments that can't be bound, by the place of their field."""
        bad: dict[tuple[str, ...], AppError] = {}
        for parameter in (*self.root.unsent, *self.root.parameters):
            try:
                parameter.source(binding)
            except (BadUserInput, WrongIdType) as error:
                if parameter.keys is None:
                    raise
                bad.setdefault(parameter.keys, error)
        return bad


@dataclass(frozen=True, slots=True)
class QueryPlan:
    """The compiled root fields of one operation, by response key."""

    steps: Mapping[str, Step]
    again: Again[QueryPlan]

    @property
    def cacheable(self) -> bool:
        """Whether every run of this shape may use it: not where an argument's value was refused."""
        return all(step.root.cacheable for step in self.steps.values())

    @property
    def needs_keys(self) -> bool:
        """Whether sealed values are opened or looked for."""
        return any(step.root.needs_keys for step in self.steps.values())

    @property
    def statements(self) -> dict[str, str]:
        """The SQL per response key: for EXPLAIN, and for warming connections."""
        return {key: step.root.sql for key, step in self.steps.items() if step.root.sql is not None}


ObjectPlan = QueryPlan
"""A selection on objects of one type, to be read by their ids: a plan with one step, without a root field."""


class Places(NamedTuple):
    """Some fields of a document: `key` tells them from all others, `probes` are the variables that decide their SQL."""

    key: Hashable
    probes: tuple[Probe, ...]


def step_of(root: RootPlan) -> Step:
    """A step with the hole filler of its statement."""
    return Step(root, filler(root.slots) if root.slots else None)


def place_of(node: Node) -> Hashable:
    """What tells this node from all others of its document: its position, or its text where none was kept."""
    return node.loc.start if node.loc is not None else print_ast(node)


class Bounded(Generic[T]):
    """A mapping that forgets what was used least recently."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._items: OrderedDict[Hashable, T] = OrderedDict()

    def __len__(self) -> int:
        return len(self._items)

    def get(self, key: Hashable) -> T | None:
        """The item, now the one used last."""
        item = self._items.get(key)
        if item is not None:
            self._items.move_to_end(key)
        return item

    def put(self, key: Hashable, item: T) -> T:
        """Hold an item; the one used least recently goes where there are too many."""
        self._items[key] = item
        self._items.move_to_end(key)
        if len(self._items) > self._most:
            self._items.popitem(last=False)
        return item
