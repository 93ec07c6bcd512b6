"""The nearest known words to one that is not known: by edits, then by one holding the other."""

from __future__ import annotations

from collections.abc import Iterable

from saas.formulas.limits import NAME_LONGEST

_SUGGESTED = 3


def nearest(word: str, known: Iterable[str]) -> tuple[str, ...]:
    """At most three of `known`, the nearest first; none where nothing is near.

    An edit inserts, drops or changes a character, or swaps two neighbours (optimal string alignment); one is allowed
    per four characters, at least one and at most three, and never as many as there are characters. Farther off is a
    word that holds the other, if it is at most three times as long.
    """
    if len(word) > NAME_LONGEST:
        return ()
    allowed = min(max(1, len(word) // 4), 3, len(word) - 1)
    ranked = []
    for place, candidate in enumerate(known):
        edits = _edits(word, candidate, allowed)
        if edits <= allowed or _holds(word, candidate):
            ranked.append((edits, place, candidate))
    return tuple(candidate for _, _, candidate in sorted(ranked)[:_SUGGESTED])


def _holds(left: str, right: str) -> bool:
    shorter, longer = sorted((left, right), key=len)
    return len(shorter) > 1 and len(longer) <= 3 * len(shorter) and shorter in longer


def _edits(left: str, right: str, allowed: int) -> int:
    """Edits between two words; `allowed` + 1 stands for any greater number.

    Only the places that `allowed` edits can reach are filled in, so that a large vocabulary is gone through quickly.
    """
    beyond = allowed + 1
    if abs(len(left) - len(right)) > allowed:
        return beyond
    before = last = list(range(len(right) + 1))
    for row, here in enumerate(left, 1):
        now = [row, *[beyond] * len(right)]
        for column in range(max(1, row - allowed), min(len(right), row + allowed) + 1):
            there = right[column - 1]
            cost = min(last[column] + 1, now[column - 1] + 1, last[column - 1] + (here != there))
            if row > 1 and column > 1 and here == right[column - 2] and there == left[row - 2]:
                cost = min(cost, before[column - 2] + 1)
            now[column] = cost
        if min(now) > allowed and min(last) > allowed:
            return beyond
        before, last = last, now
    return min(last[-1], beyond)
