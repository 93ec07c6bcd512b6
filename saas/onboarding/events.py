"""What the onboarding room tells."""

from __future__ import annotations

from saas.events import EventTopic

COMPANY_SIGNED_UP = EventTopic(
    "onboarding.company_signed_up", "A company came aboard: tenant_id, and account_id of its owner."
)
