"""When the nightly job begins, and whom it and an assignment tell (P26, P29)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from saas.customers.errors import PoolRuleOutOfRange
from saas.customers.options.declaring import camel, option
from saas.kernel import Scalar

LATEST = "23:00"
"""The job looks every quarter of an hour whether it is wanted: an hour before midnight it still finds the day."""


@dataclass(frozen=True)
class TellingOptions:
    """Options of the nightly run and its notices; the time is the company's own."""

    recycle_time: str = option(
        "P26",
        "02:00",
        "The company's time of day from which the nightly run begins, 23:00 at the latest.",
        is_time=True,
    )
    notify_former_owner: bool = option(
        "P29", True, "Whether people are told in the morning which customers went back to the pool."
    )
    notify_new_owner: bool = option("P29", True, "Whether people are told of a customer that was assigned to them.")

    def telling_faults(self) -> Iterator[PoolRuleOutOfRange]:
        """A time so late that the day could end before the run begins."""
        if LATEST < self.recycle_time < "24":
            values: dict[str, Scalar] = {"given": self.recycle_time, "latest": LATEST}
            yield PoolRuleOutOfRange("customers.pool_time_too_late", values, field=(camel("recycle_time"),))
