"""What happens to reports, for whoever listens; a step that is due is one of them."""

from __future__ import annotations

from saas.events import EventTopic

REPORT_STEP_DUE = EventTopic(
    "reports.step_due", "A report has a page to reckon, or to be put together: report_id, step."
)

TOPICS = (REPORT_STEP_DUE,)
