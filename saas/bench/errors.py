"""Why a benchmark can't be run or its figures can't be trusted; each text gives the fact, the rule and the remedy."""

from __future__ import annotations


class BenchError(Exception):
    """A benchmark stopped; no figure of it counts."""


class ForeignDatabase(BenchError):
    """The database named for the benchmark holds somebody's data."""

    def __init__(self, tenants: int) -> None:
        super().__init__(
            f"The database already holds {tenants} tenants that are not this benchmark's; it is filled only when "
            "empty. Name an empty database in DATABASE_URL, or none: an embedded one is used then."
        )


class ContenderFailed(BenchError):
    """A contender's process did not start or ended early."""

    def __init__(self, name: str, output: str) -> None:
        super().__init__(f"The contender {name} does not serve; the last it said: {output or '(nothing)'}")


class AnswersDiffer(BenchError):
    """Contenders do not answer the same, so their speeds can't be compared."""

    def __init__(self, case: str, contender: str, expected: str, found: str) -> None:
        super().__init__(
            f"In case {case} the contender {contender} answers {found}; the floor answers {expected}. "
            "Speeds count only over equal answers."
        )


class WrongWinners(BenchError):
    """A claimed customer does not have exactly one winner, the one that the database names."""
