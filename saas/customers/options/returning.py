"""Where recycled customers go (P30, P31)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from uuid import UUID

from saas.customers.errors import PoolRuleOutOfRange
from saas.customers.options.declaring import camel, option
from saas.customers.recycling import Receiver, TargetRules, TargetWay
from saas.reads.mapping import EnumKind

TARGETS_MAX = 20
TARGET_WAY = EnumKind(
    "RecycleTarget",
    "To which pool recycled customers go.",
    {
        "DEPARTMENT": ("department", "The pool of the owner's department, or of the nearest above; else the default."),
        "FIXED": ("fixed", "One pool."),
        "LISTED": ("listed", "The first of several that is open."),
    },
)
RECEIVER = EnumKind(
    "RecycleReceiver",
    "Who gets recycled customers.",
    {
        "POOL": ("pool", "The pool: anybody may claim them."),
        "SUPERVISOR": ("supervisor", "Whom the former owner reports to; the pool where that can't be."),
        "BACKUP": ("backup", "A person of the pool's choice; the pool where that can't be."),
    },
)


@dataclass(frozen=True)
class ReturningOptions:
    """Options of where a customer goes that a rule takes back."""

    recycle_target: str = option("P30", "department", "To which pool recycled customers go.", choices=TARGET_WAY)
    recycle_pools: tuple[UUID, ...] = option(
        "P30", (), "The pool of a fixed target, or those of a list in their order.", reference="poo", length=TARGETS_MAX
    )
    recycle_to: str = option("P31", "pool", "Who gets recycled customers.", choices=RECEIVER)
    recycle_backup: UUID | None = option("P31", None, "The person who gets them as a backup.", reference="emp")

    @property
    def target_rules(self) -> TargetRules:
        """What `recycle_target` goes by."""
        return TargetRules(TargetWay(self.recycle_target), self.recycle_pools, Receiver(self.recycle_to))

    def returning_faults(self) -> Iterator[PoolRuleOutOfRange]:
        """A target that does not name its pools, and a backup that is nobody."""
        count, way = len(self.recycle_pools), self.recycle_target
        if (way == TargetWay.FIXED and count != 1) or (way == TargetWay.LISTED and count == 0):
            place = (camel("recycle_pools"),)
            yield PoolRuleOutOfRange("customers.pool_target_without_pools", {"count": count}, field=place)
        if self.recycle_to == Receiver.BACKUP and self.recycle_backup is None:
            yield PoolRuleOutOfRange("customers.pool_backup_missing", field=(camel("recycle_backup"),))
