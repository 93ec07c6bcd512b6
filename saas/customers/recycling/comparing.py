"""What a change of rules does to owned customers by a day: who loses whom, who keeps whom after all."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import astuple, dataclass, field, fields
from datetime import date
from typing import Any, NamedTuple
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

    def add(self, other: Effect) -> None:
        """Count another's too."""
        for each in fields(self):
            setattr(self, each.name, getattr(self, each.name) + getattr(other, each.name))


class Taken(NamedTuple):
    """A customer that goes only by the new rules; `due_before` is None where no rule of before takes it."""

    customer_id: UUID
    owner_id: UUID
    due_before: date | None
    due_after: date

    def plain(self) -> list[str | None]:
        """As JSON values."""
        before = None if self.due_before is None else self.due_before.isoformat()
        return [str(self.customer_id), str(self.owner_id), before, self.due_after.isoformat()]

    @classmethod
    def of_plain(cls, plain: Sequence[Any]) -> Taken:
        """What `plain` described."""
        customer_id, owner_id, before, after = plain
        due_before = None if before is None else date.fromisoformat(before)
        return cls(UUID(customer_id), UUID(owner_id), due_before, date.fromisoformat(after))


@dataclass(frozen=True, slots=True)
class DryRun:
    """What a change does by a day, as it is told: in all, to how many people, to those who lose the most first, and
    the customers that only the new rules take, the soonest first. Both lists may be cut off.
    """

    on: date
    total: Effect
    people: int
    effects: Sequence[tuple[UUID, Effect]]
    taken: Sequence[Taken]


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

    def told(self) -> DryRun:
        """What has been found, in the order in which it is told."""
        total = Effect()
        for each in self.effects.values():
            total.add(each)
        ranked = sorted(self.effects.items(), key=lambda each: (-each[1].taken, -each[1].freed, each[0]))
        return DryRun(self.on, total, len(ranked), ranked, _soonest(self.taken))

    def plain(self, *, most: int) -> dict[str, Any]:
        """What has been found as JSON values, with at most so many customers, the soonest."""
        effects = {str(owner_id): astuple(effect) for owner_id, effect in self.effects.items()}
        return {"effects": effects, "taken": [each.plain() for each in _soonest(self.taken)[:most]]}

    def absorb(self, plain: Mapping[str, Any]) -> None:
        """Add what `plain` described; counts are of all, customers those that it kept."""
        for owner_id, counts in plain["effects"].items():
            self.effects.setdefault(UUID(owner_id), Effect()).add(Effect(*counts))
        self.taken += map(Taken.of_plain, plain["taken"])


def _soonest(taken: Iterable[Taken]) -> list[Taken]:
    return sorted(taken, key=lambda each: (each.due_after, each.customer_id))
