"""The nearest known words to one that is not known: by edits, then by one holding the other."""

from __future__ import annotations

from collections.abc import Iterable

_SUGGESTED = 3
_LONGEST = 60


def nearest(word: str, known: Iterable[str]) -> tuple[str, ...]:
    """At most three of `known`, the nearest first; none where nothing is near.

    An edit inserts, drops or changes a character, or swaps two neighbours (optimal string alignment); one is allowed
    per four characters, at least one and at most three, and never as many as there are characters.
    """
    if len(word) > _LONGEST:
        return ()
    allowed = min(max(1, len(word) // 4), 3, len(word) - 1)
    ranked = []
    for place, candidate in enumerate(known):
        edits = _edits(word, candidate, allowed)
        if edits <= allowed or (len(word) > 1 and (word in candidate or candidate in word)):
            ranked.append((edits, place, candidate))
    return tuple(candidate for _, _, candidate in sorted(ranked)[:_SUGGESTED])


def _edits(left: str, right: str, allowed: int) -> int:
    """Edits between two words; `allowed` + 1 stands for any greater number."""
    if abs(len(left) - len(right)) > allowed:
        return allowed + 1
    before: list[int] = []
    last = list(range(len(right) + 1))
    for row, here in enumerate(left, 1):
        now = [row]
        for column, there in enumerate(right, 1):
            cost = min(last[column] + 1, now[-1] + 1, last[column - 1] + (here != there))
            if row > 1 and column > 1 and here == right[column - 2] and there == left[row - 2]:
                cost = min(cost, before[column - 2] + 1)
            now.append(cost)
        if min(now) > allowed and min(last) > allowed:
            return allowed + 1
        before, last = last, now
    return min(last[-1], allowed + 1)
