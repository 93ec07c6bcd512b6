"""Real estate (房地产): exclusive areas. A customer in a district of an area is claimed by that area's people only."""

from __future__ import annotations

from plugins.realty.rules import Settings, may_claim
from saas.sdk import ClaimFacts, Manifest, Refusal, hookimpl

manifest = Manifest(
    name="realty",
    version="1.0.0",
    api="1.x",
    title={"en": "Real estate", "zh-CN": "房地产"},
    package=__name__,
    settings=Settings,
)


@hookimpl
def claim_guard(facts: ClaimFacts, settings: Settings) -> Refusal | None:
    """Claims inside an area are for its people."""
    return may_claim(facts, settings)
