"""What happens to customers, for whoever listens."""

from __future__ import annotations

from saas.events import EventTopic

CUSTOMER_CREATED = EventTopic("customers.customer_created", "A customer was entered: customer_id, owner_id if kept.")
CUSTOMER_CLAIMED = EventTopic("customers.customer_claimed", "A person took it out of the pool: customer_id, owner_id.")
CUSTOMER_RELEASED = EventTopic("customers.customer_released", "Its owner gave it back: customer_id, owner_id.")

TOPICS = (CUSTOMER_CREATED, CUSTOMER_CLAIMED, CUSTOMER_RELEASED)
