"""Pharma (医药): hospitals go by territory and count by their level (三级甲等 …), so that work is shared evenly."""

from __future__ import annotations

from plugins.pharma.territories import METHOD, Settings, dealt
from saas.sdk import AllocationAnswer, AllocationFacts, Manifest, hookimpl

manifest = Manifest(
    name="pharma",
    version="1.0.0",
    api="1.x",
    title={"en": "Pharma", "zh-CN": "医药"},
    package=__name__,
    settings=Settings,
)


@hookimpl
def allocation_method(facts: AllocationFacts, settings: Settings) -> AllocationAnswer | None:
    """The method “territories”: each hospital to whoever of its territory has least work."""
    return AllocationAnswer(dealt(facts, settings)) if facts.method == METHOD else None
