"""What happens in circulation, for whoever listens."""

from __future__ import annotations

from saas.events import EventTopic

DECLINES_FOUND = EventTopic("circulation.declines_found", "Customers that a person owns decline: employee_id.")
DRAFT_AWAITED = EventTopic("circulation.draft_awaited", "An assessment is to be worked out: assessment_id.")
PERSON_NOTIFIED = EventTopic(
    "circulation.person_notified", "A rep is to be told what an assessment reclaims: assessment_id, employee_id."
)
MOVE_AWAITED = EventTopic("circulation.move_awaited", "Customers of an assessment may move: assessment_id.")
APPEAL_FILED = EventTopic("circulation.appeal_filed", "An owner appeals for a customer: line_id.")
APPEAL_DECIDED = EventTopic("circulation.appeal_decided", "An appeal was granted or refused: line_id.")

TOPICS = (DECLINES_FOUND, DRAFT_AWAITED, PERSON_NOTIFIED, MOVE_AWAITED, APPEAL_FILED, APPEAL_DECIDED)
