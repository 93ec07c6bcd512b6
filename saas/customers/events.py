"""What happens to customers, for whoever listens."""

from __future__ import annotations

from saas.events import EventTopic

CUSTOMER_CREATED = EventTopic("customers.customer_created", "A customer was entered: customer_id, owner_id if kept.")
CUSTOMER_CLAIMED = EventTopic("customers.customer_claimed", "A person took it out of the pool: customer_id, owner_id.")
CUSTOMER_RELEASED = EventTopic("customers.customer_released", "Its owner gave it back: customer_id, owner_id.")
CUSTOMER_ASSIGNED = EventTopic("customers.customer_assigned", "An administrator gave it to somebody: as claimed.")
CUSTOMER_TRANSFERRED = EventTopic(
    "customers.customer_transferred", "It was handed over: customer_id, from_id, owner_id."
)
CUSTOMER_ALLOCATED = EventTopic("customers.customer_allocated", "A method gave it to somebody: and allocation_id.")
CUSTOMER_RECYCLED = EventTopic("customers.customer_recycled", "A rule took it back: customer_id, owner_id, rule.")
RECYCLE_WARNED = EventTopic("customers.recycle_warned", "Its owner is to be warned of recycling: notice_id.")
CUSTOMERS_LOST = EventTopic(
    "customers.customers_lost", "A night took customers from a person, who is to be told: pool_id, owner_id, on."
)
RECYCLING_CHANGED = EventTopic(
    "customers.recycling_changed",
    "A pool's rules of recycling changed; who loses by it is to be told: pool_id, version.",
)
SETTINGS_PROPOSED = EventTopic(
    "customers.settings_proposed", "A change of a pool is proposed; who may decide is to be told: proposal_id."
)
SETTINGS_DECIDED = EventTopic(
    "customers.settings_decided",
    "A proposed change was approved or refused, or it lapsed; who proposed it is told: proposal_id.",
)
PLAN_AWAITED = EventTopic("customers.plan_awaited", "An allocation of many customers is to be planned: allocation_id.")
COMMIT_AWAITED = EventTopic("customers.commit_awaited", "A plan of many customers is to be given: allocation_id.")
CUSTOMERS_MOVED = EventTopic("customers.customers_moved", "Customers of another pool belong to this one now: pool_id.")
ARRIVALS_AWAITED = EventTopic(
    "customers.arrivals_awaited", "Something arrived in a pool that allocates by itself; more may follow: pool_id."
)
ARRIVALS_GATHERED = EventTopic("customers.arrivals_gathered", "What waits in a pool is to be allocated: pool_id.")
ARRIVALS_STUCK = EventTopic(
    "customers.arrivals_stuck", "A pool could not allocate what arrived; who administers it is told: alert_id."
)
CUSTOMERS_UNPLACED = EventTopic(
    "customers.customers_unplaced", "Nobody could have some customers of an allocation: allocation_id, customers."
)
REQUESTS_WAIT = EventTopic(
    "customers.requests_wait", "Somebody is asked for, and nobody has decided: employee_id, of whom nothing waited."
)
REQUEST_DECIDED = EventTopic("customers.request_decided", "A request was granted or refused: request_id.")

TOPICS = (
    CUSTOMER_CREATED,
    CUSTOMER_CLAIMED,
    CUSTOMER_RELEASED,
    CUSTOMER_ASSIGNED,
    CUSTOMER_TRANSFERRED,
    CUSTOMER_ALLOCATED,
    CUSTOMER_RECYCLED,
    RECYCLE_WARNED,
    CUSTOMERS_LOST,
    RECYCLING_CHANGED,
    SETTINGS_PROPOSED,
    SETTINGS_DECIDED,
    PLAN_AWAITED,
    COMMIT_AWAITED,
    CUSTOMERS_MOVED,
    ARRIVALS_AWAITED,
    ARRIVALS_GATHERED,
    ARRIVALS_STUCK,
    CUSTOMERS_UNPLACED,
    REQUESTS_WAIT,
    REQUEST_DECIDED,
)
