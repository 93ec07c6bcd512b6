"""What a pick adds to each measure, and how the four sums are kept in one number while they are added up."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from statistics import median_low

from saas.analytics.fairness.facts import AuditedPick, Measure

MEASURES = tuple(Measure)
RATE_UNIT = 10_000
BANDS = 4
"""Customers are compared by quarters of value: how often those of a quarter were won is a rate for all of it."""

Loads = tuple[int, ...]
"""What a pick adds to each measure, in their order."""

PICKS_MAX = (1 << 20) - 1
"""So many picks have room in their lanes."""

_LANES: tuple[tuple[int, int | None], ...] = ((0, 20), (76, None), (40, 36), (20, 20))
"""Where the lane of each measure begins, and how many bits it has; values may be large, theirs is without an end."""


def loads_of(picks: Sequence[AuditedPick]) -> list[Loads]:
    """What each pick adds; who got them does not matter."""
    longest = median_low(each.waited_days for each in picks)
    rates = _win_rates(picks)
    return [(1, each.value, rate, int(each.waited_days > longest)) for each, rate in zip(picks, rates, strict=True)]


def _win_rates(picks: Sequence[AuditedPick]) -> list[int]:
    """How often customers of such a value were won, in ten-thousandths, whoever had them.

    A person's skill thus moves a rate only as one of all who had such customers. With one win and one loss more than
    there were (Laplace's rule), so that a quarter of few customers does not come to 0.
    """
    values = sorted(each.value for each in picks)
    cuts = [values[len(values) * at // BANDS] for at in range(1, BANDS)]
    bands = [bisect_right(cuts, each.value) for each in picks]
    won, had = [1] * (BANDS + 1), [2] * (BANDS + 1)
    for band, pick in zip(bands, picks, strict=True):
        won[band] += pick.is_won
        had[band] += 1
    return [RATE_UNIT * won[band] // had[band] for band in bands]


def pack(loads: Loads) -> int:
    """All loads in one whole number, each in a lane of its own, so that one addition adds them all."""
    return sum(load << start for (start, _), load in zip(_LANES, loads, strict=True))


def unpack(packed: Iterable[int], measure: int) -> list[int]:
    """The sums of a measure, by its place, out of packed ones."""
    start, bits = _LANES[measure]
    if bits is None:
        return [each >> start for each in packed]
    mask = (1 << bits) - 1
    return [each >> start & mask for each in packed]
