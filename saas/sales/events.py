"""What happens in sales, for whoever listens."""

from __future__ import annotations

FOLLOW_UP_RECORDED = "sales.follow_up_recorded"
