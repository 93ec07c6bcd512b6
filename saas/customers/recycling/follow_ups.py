"""Which follow-up counts: done by the owner, of enough content, not copied, within the holding (3.1)."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from datetime import date

from saas.customers.recycling.facts import FollowUpFacts, OwnershipFacts, RecycleFacts, holding
from saas.customers.recycling.settings import RecycleRules


def effective_follow_up(facts: RecycleFacts, rules: RecycleRules, *, today: date) -> FollowUpFacts | None:
    """The last follow-up that counts; of several on one day the one entered last."""
    last: FollowUpFacts | None = None
    for entry in effective_follow_ups(facts, rules, today=today):
        if last is None or entry.on >= last.on:
            last = entry
    return last


def effective_follow_ups(facts: RecycleFacts, rules: RecycleRules, *, today: date) -> Iterator[FollowUpFacts]:
    """The follow-ups that count: within the holding, by its owner of that day, of enough content (3.1).

    A text that stood in an earlier entry of the holding does not count again; nor does an entry dated after today.
    """
    held, seen = holding(facts, rules), set[str]()
    for entry in facts.follow_ups:
        if entry.on < held[0].began_on or entry.is_deleted:
            continue
        text = _plain(entry.content)
        counts = entry.on <= today and (rules.collaborators_count or _is_owners(entry, held))
        if counts and text not in seen and _is_effective(entry, text, rules):
            yield entry
        seen |= {text} - {""}


def is_effective(entry: FollowUpFacts, rules: RecycleRules) -> bool:
    """Whether an entry, looked at alone, is a follow-up: done by a person, of a kind on the list, with what it asks."""
    return _is_effective(entry, _plain(entry.content), rules)


def _is_effective(entry: FollowUpFacts, text: str, rules: RecycleRules) -> bool:
    kind = next((each for each in rules.follow_up_kinds if each.kind == entry.kind), None)
    is_empty = not text and entry.seconds is None and not entry.has_check_in
    if kind is None or is_empty or entry.is_planned or entry.is_deleted or entry.is_automatic:
        return False
    has_evidence = (entry.seconds or 0) >= kind.least_seconds and entry.has_check_in >= kind.needs_check_in
    return has_evidence and len(text) >= kind.least_characters


def _plain(content: str) -> str:
    return "".join(unicodedata.normalize("NFKC", content).split()).casefold()


def _is_owners(entry: FollowUpFacts, held: tuple[OwnershipFacts, ...]) -> bool:
    return any(
        each.owner_id == entry.author_id
        and each.began_on <= entry.on
        and (not each.ended_on or entry.on <= each.ended_on)
        for each in held
    )
