"""What a customer needs of whoever gets it: a language, a skill, a product (P43).

It decides to whom customers of the pool go. So of those it is for whoever administers pools to say; of an owned one,
for whoever may change it.
"""

from __future__ import annotations

from dataclasses import astuple, dataclass
from uuid import UUID

from saas.access import AccessTable, require
from saas.audit import record
from saas.customers.policies import ADMINISTERS_POOLS
from saas.customers.queries import get_visible_customer
from saas.kernel import Actor, Clock, Scalar
from saas.people import clean_optional
from tenants import current_tenant_id, current_transaction

NEED_MAX = 100

_LOCK = """
SELECT owner_id, language, required_skill, wanted_product FROM customer
WHERE tenant_id = $1 AND id = $2 FOR NO KEY UPDATE
"""
_CHANGE = """
UPDATE customer SET language = $3, required_skill = $4, wanted_product = $5, version = version + 1
WHERE tenant_id = $1 AND id = $2
"""


@dataclass(frozen=True, slots=True)
class CustomerNeeds:
    """What is known of it; None is nothing."""

    language: str | None = None
    required_skill: str | None = None
    wanted_product: str | None = None

    def cleaned(self) -> CustomerNeeds:
        """As it is kept.

        :raises BadUserInput: a text is too long.
        """
        return CustomerNeeds(
            clean_optional(self.language, field="language", longest=NEED_MAX),
            clean_optional(self.required_skill, field="requiredSkill", longest=NEED_MAX),
            clean_optional(self.wanted_product, field="wantedProduct", longest=NEED_MAX),
        )


async def set_customer_needs(
    actor: Actor, *, customer_id: UUID, needs: CustomerNeeds, access: AccessTable, clock: Clock
) -> None:
    """Say what a customer needs, in place of before (permission ``customer:update``; in the pool ``customer:assign``).

    A plan that holds the customer is refused, or leaves it out.

    :raises CustomerNotFound: missing, another company's, or not visible.
    :raises PermissionMissing: it is in a pool, and the caller administers none.
    :raises BadUserInput: a text is too long.
    """
    wanted = needs.cleaned()
    await get_visible_customer(actor, access, customer_id=customer_id)
    row = await current_transaction().fetchrow(_LOCK, current_tenant_id(), customer_id)
    assert row is not None, "the customer was found a moment ago"
    if row["owner_id"] is None:
        require(access, ADMINISTERS_POOLS)
    before = CustomerNeeds(row["language"], row["required_skill"], row["wanted_product"])
    if before == wanted:
        return
    await current_transaction().execute(_CHANGE, current_tenant_id(), customer_id, *astuple(wanted))
    pairs = ((name, getattr(before, name), getattr(wanted, name)) for name in CustomerNeeds.__slots__)
    changes: dict[str, list[Scalar]] = {name: [old, new] for name, old, new in pairs if old != new}
    await record(
        actor, "customer.needs_set", object_type="Customer", object_id=customer_id, changes=changes, clock=clock
    )
