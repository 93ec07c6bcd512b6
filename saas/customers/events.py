"""What happens to customers, for whoever listens."""

from __future__ import annotations

CUSTOMER_CREATED = "customers.customer_created"
CUSTOMER_CLAIMED = "customers.customer_claimed"
CUSTOMER_RELEASED = "customers.customer_released"
