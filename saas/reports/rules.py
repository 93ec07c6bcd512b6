"""What holds for every report that a job reckons."""

from __future__ import annotations

from datetime import timedelta
from enum import Enum

KEPT = timedelta(days=7)
"""For how long a report can be read after it was asked for; then housekeeping removes it."""

MOST_RUNNING = 3
"""Of one company at a time: they read what people work with."""


class ReportState(Enum):
    """Where a report is: RUNNING (a worker reckons it), READY, or FAILED with its problem."""

    RUNNING = "running"
    READY = "ready"
    FAILED = "failed"
