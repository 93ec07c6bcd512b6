"""Quotas: how much of a thing a company's plan holds; a kind without a number is unlimited."""

from __future__ import annotations

from enum import Enum

from tenants.database import current_tenant_id, current_transaction
from tenants.errors import TenantQuotaExceeded


class QuotaKind(Enum):
    """What is limited: people who may sign in, customers held, bytes of files."""

    SEATS = "seats"
    CUSTOMERS = "customers"
    STORAGE_BYTES = "storage_bytes"


_LOCK = "SELECT pg_advisory_xact_lock(hashtextextended('quota ' || $1::text || ' ' || $2, 0))"
_LIMIT = "SELECT (quotas ->> $1)::bigint FROM platform.tenant_facts()"


async def lock_quota(kind: QuotaKind) -> None:
    """Let nobody else of this company take of `kind` until the transaction ends; call it before counting what is used.

    Without it two that come at once would both count one place as free.
    """
    await current_transaction().execute(_LOCK, str(current_tenant_id()), kind.value)


async def find_quota(kind: QuotaKind) -> int | None:
    """The company's limit; None where its plan has none, and there is nothing to lock or count."""
    limit: int | None = await current_transaction().fetchval(_LIMIT, kind.value)
    return limit


async def check_quota(kind: QuotaKind, *, used: int, adding: int = 1) -> None:
    """Refuse what would go past the company's quota.

    :param used: how many there are now, counted under `lock_quota` where exactness matters.
    :raises TenantQuotaExceeded: naming the limit, what is used and what was to be added.
    """
    limit = await find_quota(kind)
    if limit is not None and used + adding > limit:
        raise TenantQuotaExceeded(
            f"tenants.quota_exceeded.{kind.value}", {"limit": limit, "used": used, "adding": adding}
        )
