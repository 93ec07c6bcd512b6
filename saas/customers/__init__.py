"""Customers, their ownership, and the pool (公海) they wait in.

A customer is at any moment pooled or owned; every change of owner is a row of the ownership history.
"""

from saas.customers.actions.customers import (
    ClaimGuard,
    claim_customer,
    create_customer,
    note_follow_up,
    release_customer,
)
from saas.customers.actions.import_ownerships import OwnershipImport
from saas.customers.actions.imports import CustomerImport
from saas.customers.actions.last_follow_ups import note_follow_ups, restore_last_follow_ups
from saas.customers.actions.pools import configure_pool, create_default_pool
from saas.customers.columns import CUSTOMER_KEY, CUSTOMER_NAME, OWNER, CustomerBook, find_customers
from saas.customers.events import CUSTOMER_CLAIMED, CUSTOMER_CREATED, CUSTOMER_RELEASED, TOPICS
from saas.customers.hooks import ClaimFacts, CustomerHooks, Refusal, refuse_by_plugins
from saas.customers.policies import CUSTOMER_SCOPES
from saas.customers.queries import (
    find_customer_by_external_key,
    find_owner_on,
    foresee_claim,
    get_visible_customer,
    lock_customers,
    lock_visible_customers,
)
from saas.customers.reads import reads
from saas.customers.rules import NewCustomer, PoolChange, match_key

__all__ = [
    "CUSTOMER_CLAIMED",
    "CUSTOMER_CREATED",
    "CUSTOMER_KEY",
    "CUSTOMER_NAME",
    "CUSTOMER_RELEASED",
    "CUSTOMER_SCOPES",
    "OWNER",
    "TOPICS",
    "ClaimFacts",
    "ClaimGuard",
    "CustomerBook",
    "CustomerHooks",
    "CustomerImport",
    "NewCustomer",
    "OwnershipImport",
    "PoolChange",
    "Refusal",
    "claim_customer",
    "configure_pool",
    "create_customer",
    "create_default_pool",
    "find_customer_by_external_key",
    "find_customers",
    "find_owner_on",
    "foresee_claim",
    "get_visible_customer",
    "lock_customers",
    "lock_visible_customers",
    "match_key",
    "note_follow_up",
    "note_follow_ups",
    "reads",
    "refuse_by_plugins",
    "release_customer",
    "restore_last_follow_ups",
]
