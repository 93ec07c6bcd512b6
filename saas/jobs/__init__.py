"""Background work: the outbox's relay, the arq queue behind a port, idempotent jobs, sweeping and retries.

PostgreSQL holds the truth; losing Redis loses nothing.
"""
