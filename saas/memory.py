"""How a process treats what it holds in memory."""

from __future__ import annotations

import gc

_OBJECTS_BETWEEN_COLLECTIONS = 50_000
"""A chunk of a thousand rows makes that many; Python's own 700 make it look at all of them again a hundred times."""


def keep_what_is_there() -> None:
    """Leave what has been made so far out of the search for unused cycles: it lives as long as the process.

    Modules, schema, catalogues and models are some hundred thousand objects. Without this, a step of an import spent
    up to half of its time looking at them. What comes later is collected as ever, only less often.
    """
    gc.freeze()
    gc.set_threshold(_OBJECTS_BETWEEN_COLLECTIONS, 10, 10)
