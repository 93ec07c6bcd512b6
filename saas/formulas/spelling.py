"""The nearest known words to one that is not known: by edits, then by one holding the other."""

from __future__ import annotations

from collections.abc import Iterable

from saas.formulas.limits import NAME_LONGEST

_SUGGESTED = 3


def nearest(word: str, known: Iterable[str]) -> tuple[str, ...]:
    """At most three of `known`, the nearest first; none where nothing is near.

    One edit is allowed per four characters, at least one and at most three, and never as many as there are characters.
    Farther off is a word that holds the other, if it is at most three times as long.
    """
    if len(word) > NAME_LONGEST:
        return ()
    allowed = min(max(1, len(word) // 4), 3, len(word) - 1)
    ranked = []
    for place, candidate in enumerate(known):
        edits = edits_between(word, candidate) if abs(len(word) - len(candidate)) <= allowed else allowed + 1
        if edits <= allowed or _holds(word, candidate):
            ranked.append((edits, place, candidate))
    return tuple(candidate for _, _, candidate in sorted(ranked)[:_SUGGESTED])


def _holds(left: str, right: str) -> bool:
    shorter, longer = sorted((left, right), key=len)
    return len(shorter) > 1 and len(longer) <= 3 * len(shorter) and shorter in longer


def edits_between(left: str, right: str) -> int:
    """Edits that make one word the other: a character inserted, dropped or changed, or two neighbours swapped.

    Each is edited once (optimal string alignment). A column of the table of distances is two numbers, whose bits say
    where it rises and falls (H. Hyyrö, 2003), so that a large vocabulary is gone through quickly.
    """
    if not left:
        return len(right)
    places: dict[str, int] = {}
    for place, char in enumerate(left):
        places[char] = places.get(char, 0) | 1 << place
    full, last = (1 << len(left)) - 1, 1 << len(left) - 1
    rises, falls, diagonal, before, edits = full, 0, 0, 0, len(left)
    for char in right:
        here = places.get(char, 0)
        swapped = (~diagonal & here) << 1 & before
        diagonal = ((((here & rises) + rises) ^ rises) | here | falls | swapped) & full
        risen, fallen = falls | full & ~(diagonal | rises), diagonal & rises
        edits += bool(risen & last) - bool(fallen & last)
        risen, fallen = risen << 1 | 1, fallen << 1
        rises, falls, before = (fallen | ~(diagonal | risen)) & full, risen & diagonal, here
    return edits
