"""What happens to imports, for whoever listens; a step that is due is one of them."""

from __future__ import annotations

from saas.events import EventTopic

STEP_FALLEN_DUE = EventTopic("exchange.step_fallen_due", "A batch has work to do: batch_id, step.")
IMPORT_PREVIEWED = EventTopic("exchange.import_previewed", "A preview can be read: batch_id.")
IMPORT_COMMITTED = EventTopic("exchange.import_committed", "All rows are written: batch_id.")
IMPORT_FAILED = EventTopic("exchange.import_failed", "A batch stopped at a refusal, which it holds: batch_id.")
IMPORT_UNDONE = EventTopic("exchange.import_undone", "The rows that could be are taken back: batch_id.")

TOPICS = (STEP_FALLEN_DUE, IMPORT_PREVIEWED, IMPORT_COMMITTED, IMPORT_FAILED, IMPORT_UNDONE)
