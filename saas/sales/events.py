"""What happens in sales, for whoever listens."""

from __future__ import annotations

from saas.events import EventTopic

FOLLOW_UP_RECORDED = EventTopic("sales.follow_up_recorded", "A follow-up was entered: follow_up_id, customer_id.")
OPPORTUNITY_ENTERED = EventTopic("sales.opportunity_entered", "An opportunity was entered or changed: opportunity_id.")
OPPORTUNITY_MOVED = EventTopic(
    "sales.opportunity_moved", "An opportunity went to another stage: opportunity_id, stage."
)
DEAL_ENTERED = EventTopic("sales.deal_entered", "A deal was entered or changed: deal_id, customer_id.")
DEAL_CANCELLED = EventTopic("sales.deal_cancelled", "A deal was cancelled: deal_id, customer_id.")
DEAL_CREDITED = EventTopic("sales.deal_credited", "A deal's credits were changed: deal_id.")
COLLECTION_RECORDED = EventTopic("sales.collection_recorded", "Money came in for a deal: collection_id, deal_id.")
COLLECTION_REVERSED = EventTopic(
    "sales.collection_reversed", "A collection or refund counts no more, its import was undone: collection_id, deal_id."
)
REFUND_RECORDED = EventTopic("sales.refund_recorded", "Money of a deal was paid back: collection_id, deal_id.")
TARGET_SET = EventTopic("sales.target_set", "A target was set or changed: target_id.")

TOPICS = (
    FOLLOW_UP_RECORDED,
    OPPORTUNITY_ENTERED,
    OPPORTUNITY_MOVED,
    DEAL_ENTERED,
    DEAL_CANCELLED,
    DEAL_CREDITED,
    COLLECTION_RECORDED,
    COLLECTION_REVERSED,
    REFUND_RECORDED,
    TARGET_SET,
)
