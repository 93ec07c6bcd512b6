"""What happens in incentives, for whoever listens."""

from __future__ import annotations

from saas.events import EventTopic

PLAN_PUBLISHED = EventTopic("incentives.plan_published", "A version of a plan holds: plan_id, number.")
CALCULATION_AWAITED = EventTopic(
    "incentives.calculation_awaited", "A settlement has people, or its result, to be calculated: settlement_id."
)
SETTLEMENT_CALCULATED = EventTopic("incentives.settlement_calculated", "A settlement was calculated: settlement_id.")
SETTLEMENT_APPROVED = EventTopic("incentives.settlement_approved", "A settlement was approved: settlement_id.")
SETTLEMENT_LOCKED = EventTopic("incentives.settlement_locked", "A settlement was closed for good: settlement_id.")
POOL_APPROVED = EventTopic("incentives.pool_approved", "A bonus pool was approved: pool_run_id.")

TOPICS = (
    PLAN_PUBLISHED,
    CALCULATION_AWAITED,
    SETTLEMENT_CALCULATED,
    SETTLEMENT_APPROVED,
    SETTLEMENT_LOCKED,
    POOL_APPROVED,
)
