"""What happens in sales, for whoever listens."""

from __future__ import annotations

from saas.events import EventTopic

FOLLOW_UP_RECORDED = EventTopic("sales.follow_up_recorded", "A follow-up was entered: follow_up_id, customer_id.")

TOPICS = (FOLLOW_UP_RECORDED,)
