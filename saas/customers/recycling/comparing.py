"""What a change of rules does to owned customers by a day: who loses whom, who keeps whom after all."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from typing import NamedTuple
from uuid import UUID

from saas.customers.recycling.effects import rules_for
from saas.customers.recycling.facts import RecycleFacts
from saas.customers.recycling.settings import RecycleRules
from saas.customers.recycling.verdict import recycle_verdict


class Held(NamedTuple):
    """An owned customer, with what decides when it goes."""

    customer_id: UUID
    owner_id: UUID
    facts: RecycleFacts


@dataclass(slots=True)
class Effect:
    """How many customers of a person a change concerns by a day, if nothing happens until then.

    `gone_before` and `gone_after` would be back in the pool by the rules of before and by the new ones; `taken` only by
    the new ones, `freed` only by those of before. `warned` are still held that day, with a warning by the new rules.
    `unreached` go on by earlier rules: no change that is for new holdings alone reaches them (P27).
    """

    held: int = 0
    gone_before: int = 0
    gone_after: int = 0
    taken: int = 0
    freed: int = 0
    warned: int = 0
    unreached: int = 0


class Taken(NamedTuple):
    """A customer that goes only by the new rules; `due_before` is None where no rule of before takes it."""

    customer_id: UUID
    owner_id: UUID
    due_before: date | None
    due_after: date


@dataclass(slots=True)
class Comparison:
    """What a change of rules does by a day, person by person, and to which customers it does the worst."""

    before: RecycleRules
    after: RecycleRules
    on: date
    effects: dict[UUID, Effect] = field(default_factory=dict)
    taken: list[Taken] = field(default_factory=list)

    def add(self, customers: Iterable[Held]) -> None:
        """Judge more customers by both."""
        for each in customers:
            self._judge(each)

    def _judge(self, held: Held) -> None:
        before, after = (recycle_verdict(held.facts, rules, self.on) for rules in (self.before, self.after))
        was_gone = before.due_on is not None and before.due_on <= self.on
        is_gone = after.due_on is not None and after.due_on <= self.on
        effect = self.effects.setdefault(held.owner_id, Effect())
        effect.held += 1
        effect.gone_before += was_gone
        effect.gone_after += is_gone
        effect.taken += is_gone and not was_gone
        effect.freed += was_gone and not is_gone
        effect.warned += after.is_warned and not is_gone
        effect.unreached += rules_for(held.facts, self.after).left is not None
        if is_gone and not was_gone and after.due_on is not None:
            self.taken.append(Taken(held.customer_id, held.owner_id, before.due_on, after.due_on))
