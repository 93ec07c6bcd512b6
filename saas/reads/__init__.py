"""The compiled reader: a selection becomes one SQL statement that returns JSON text.

Rooms declare how their types are read; with the caller's rights and row scope compiled in, what may not be read
can't be selected, filtered, sorted, grouped or counted.
"""

from saas.reads.contract import Caller, FetchRow, Opened, Opener, OpenRow, ReadError, ReadResult, Viewed
from saas.reads.plans import ObjectPlan, Places, QueryPlan
from saas.reads.reader import Reader
from saas.reads.registry import InvalidMapping, Registry

__all__ = [
    "Caller",
    "FetchRow",
    "InvalidMapping",
    "ObjectPlan",
    "OpenRow",
    "Opened",
    "Opener",
    "Places",
    "QueryPlan",
    "ReadError",
    "ReadResult",
    "Reader",
    "Registry",
    "Viewed",
]
