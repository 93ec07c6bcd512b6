"""When a protection by the rep brings its customer back to the pool (P16): on the day after its last day.

The day is known from the moment that it is set. Giving it up in the first half of its days is as if it had never been:
more was given back than was used. Later the day stands, so that nobody protects a customer to the end and then gives
it up to keep it; giving it up never brings the day forward. Handing the customer on within a holding is giving it up.
"""

from __future__ import annotations

from datetime import date

from saas.customers.recycling.facts import ProtectionFacts, RecycleFacts, holding
from saas.customers.recycling.settings import RecycleRules


def last_protected_on(facts: RecycleFacts, rules: RecycleRules) -> date | None:
    """The last day, as it was set, of this holding's protections that bring the customer back; None without one."""
    return max(
        (
            each.until_on
            for owned in holding(facts, rules)
            for each in owned.protections
            if brings_back(each, left_on=owned.ended_on, since=rules.protection_ends_from)
        ),
        default=None,
    )


def brings_back(protection: ProtectionFacts, *, left_on: date | None, since: date | None) -> bool:
    """Whether the customer goes when the protection is over, whose owner handed it on on `left_on`, None: did not.

    One that was over before the rule began, `since`, brings nothing back: when it was set, it had no such price.
    """
    given_up = [day for day in (protection.given_up_on, left_on) if day is not None and day <= protection.until_on]
    over_on = min(given_up, default=protection.until_on)
    if since is not None and over_on < since:
        return False
    length = protection.until_on - protection.began_on
    return not given_up or (over_on - protection.began_on) * 2 > length
