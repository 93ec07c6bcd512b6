"""The ways in which cities and funds round: three parameters express each of them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from saas.sdk import Localised

FEN, JIAO, YUAN = 2, 1, 0
"""Digits behind the point."""


class Direction(Enum):
    """Which way the last cut goes."""

    HALF_UP = "HALF_UP"
    UP = "UP"
    DOWN = "DOWN"


@dataclass(frozen=True, slots=True, kw_only=True)
class RoundingMode:
    """Drop what is behind `first_cut` digits (None: nothing), then cut to `digits` in `direction`."""

    first_cut: int | None = None
    digits: int
    direction: Direction
    title: Localised


def _mode(
    digits: int, direction: Direction, english: str, chinese: str, *, first_cut: int | None = None
) -> RoundingMode:
    title = {"en": english, "zh-CN": chinese}
    return RoundingMode(first_cut=first_cut, digits=digits, direction=direction, title=title)


HALF_UP_TO_FEN = _mode(FEN, Direction.HALF_UP, "half up to fen", "四舍五入到分")
HALF_UP_TO_JIAO = _mode(JIAO, Direction.HALF_UP, "half up to jiao", "四舍五入到角")
HALF_UP_TO_YUAN = _mode(YUAN, Direction.HALF_UP, "half up to yuan", "四舍五入到元")
UP_TO_FEN = _mode(FEN, Direction.UP, "any rest up to the next fen", "见厘进分")
FEN_UP_TO_JIAO = _mode(JIAO, Direction.UP, "any fen up to the next jiao", "见分进角", first_cut=FEN)
JIAO_UP_TO_YUAN = _mode(YUAN, Direction.UP, "any jiao up to the next yuan", "见角进元", first_cut=JIAO)
UP_TO_YUAN = _mode(YUAN, Direction.UP, "any rest up to the next yuan", "进位到元")
DOWN_TO_FEN = _mode(FEN, Direction.DOWN, "down to fen", "舍去厘")
DOWN_TO_JIAO = _mode(JIAO, Direction.DOWN, "down to jiao", "舍去分")
DOWN_TO_YUAN = _mode(YUAN, Direction.DOWN, "down to yuan", "舍去角")
