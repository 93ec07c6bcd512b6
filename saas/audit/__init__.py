"""The append-only, hash-chained trail of who did what.

Entries are written in the business transaction; a chainer links committed ones in order, its heads are published
outside the database, and every kind of tampering is found and named, with the product or without it.
"""

from saas.audit.actions import (
    ENTRY_VALUES,
    Changes,
    OpenedFields,
    chain_entries,
    entry_values,
    insert_entry_sql,
    record,
    record_many,
    record_reads,
)
from saas.audit.jobs import HeadLog, chain, read_head
from saas.audit.queries import export, head, verify
from saas.audit.rules import Head, Tampering, Verdict, keyed_digest, verify_lines

__all__ = [
    "ENTRY_VALUES",
    "Changes",
    "Head",
    "HeadLog",
    "OpenedFields",
    "Tampering",
    "Verdict",
    "chain",
    "chain_entries",
    "entry_values",
    "export",
    "head",
    "insert_entry_sql",
    "keyed_digest",
    "read_head",
    "record",
    "record_many",
    "record_reads",
    "verify",
    "verify_lines",
]
