"""How unevenly people were served, in one number: Gini and Jain, each relative to what was expected of the rule.

Both look at the ratio of what a person got to what was to be expected for them, and weigh each person by that
expectation. Where the same is expected for all, they are the two indices as they are known.
"""

from __future__ import annotations

from collections.abc import Sequence


def gini(ratios: Sequence[float], parts: Sequence[float]) -> float:
    """The Gini coefficient: 0 where all ratios are equal, towards 1 where one person has everything.

    C. Gini, "Variabilità e mutabilità" (1912), of weighted data: twice the area between the diagonal and the Lorenz
    curve. `parts` add up to 1, and so do the ratios times their parts.
    """
    area = below = 0.0
    for ratio, part in sorted(zip(ratios, parts, strict=True)):
        got = ratio * part
        area += part * (below + below + got)
        below += got
    return 1 - area


def jain(ratios: Sequence[float], parts: Sequence[float]) -> float:
    """Jain's index: 1 where all ratios are equal, 1 / n where one of n equal people has everything.

    R. Jain, D. Chiu, W. Hawe, "A quantitative measure of fairness and discrimination for resource allocation in
    shared computer systems", DEC TR-301 (1984).
    """
    return 1 / sum(ratio * ratio * part for ratio, part in zip(ratios, parts, strict=True))
