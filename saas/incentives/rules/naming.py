"""Names in the place of ids: explanations are stored with ids, which stay, and read with what people call things."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from saas.kernel import Explanation


def texts_in(explanation: Explanation) -> Iterator[str]:
    """Every text among the values of an explanation and its parts."""
    yield from (value for value in explanation.args.values() if isinstance(value, str))
    for part in explanation.parts:
        yield from texts_in(part)


def with_names(explanation: Explanation, names: Mapping[str, str]) -> Explanation:
    """The same explanation with each value that has a name replaced by it; `source` stays the id."""
    args = {
        name: names.get(value, value) if isinstance(value, str) else value for name, value in explanation.args.items()
    }
    return replace(explanation, args=args, parts=tuple(with_names(part, names) for part in explanation.parts))
