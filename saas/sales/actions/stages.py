"""The stages that opportunities pass through: those a company begins with."""

from __future__ import annotations

from saas.sales.models import OpportunityStage

FIRST_STAGES = (
    ("prospecting", "线索培育", "Prospecting", "open"),
    ("engaging", "商务洽谈", "Engaging", "open"),
    ("won", "赢单", "Won", "won"),
    ("lost", "输单", "Lost", "lost"),
)
"""Key, title in both languages, and what the stage means for the sale: still open, won, or lost."""


async def create_first_stages() -> None:
    """The stages of a new company, beside its default pool."""
    for position, (key, title_zh, title_en, kind) in enumerate(FIRST_STAGES, 1):
        await OpportunityStage.create(key=key, title_zh=title_zh, title_en=title_en, kind=kind, position=position)
