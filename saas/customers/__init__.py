"""Customers, their ownership, and the pool (公海) they wait in.

A customer is at any moment pooled or owned; every change of owner is a row of the ownership history.
"""

from saas.customers.actions import (
    ClaimGuard,
    claim_customer,
    create_customer,
    create_default_pool,
    note_follow_up,
    release_customer,
)
from saas.customers.events import CUSTOMER_CLAIMED, CUSTOMER_CREATED, CUSTOMER_RELEASED, TOPICS
from saas.customers.hooks import ClaimFacts, CustomerHooks, Refusal, refuse_by_plugins
from saas.customers.policies import CUSTOMER_SCOPES
from saas.customers.queries import find_customer_by_external_key, get_visible_customer
from saas.customers.reads import reads
from saas.customers.rules import NewCustomer, match_key

__all__ = [
    "CUSTOMER_CLAIMED",
    "CUSTOMER_CREATED",
    "CUSTOMER_RELEASED",
    "CUSTOMER_SCOPES",
    "TOPICS",
    "ClaimFacts",
    "ClaimGuard",
    "CustomerHooks",
    "NewCustomer",
    "Refusal",
    "claim_customer",
    "create_customer",
    "create_default_pool",
    "find_customer_by_external_key",
    "get_visible_customer",
    "match_key",
    "note_follow_up",
    "reads",
    "refuse_by_plugins",
    "release_customer",
]
