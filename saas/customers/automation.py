"""Who acts where a job of the product does, by rules that people decided about."""

from __future__ import annotations

from uuid import UUID

from saas.kernel import Actor

JOB = UUID(int=0)
"""The account under which the product's own jobs stand in the trail: nobody's."""


def job_actor(tenant_id: UUID) -> Actor:
    """Who acts where a job of the product does."""
    return Actor(tenant_id, account_id=JOB, employee_id=None, roles=frozenset(), client="job")
