"""Domain events and the outbox: what happened, written in the business transaction.

Also the idempotency records, so that repeating a call gives the first outcome.
"""
