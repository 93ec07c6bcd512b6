"""Refusals of the tenancy room."""

from __future__ import annotations

from saas.kernel import AppError, Conflict, QuotaExceeded


class NoTransaction(AppError):
    """Data was asked for outside a transaction, or in one without a tenant: a fault of ours, never "all tenants"."""

    def __init__(self) -> None:
        super().__init__("tenants.no_transaction")


class TenantSuspended(Conflict):
    """The company's access is suspended."""


class TenantQuotaExceeded(QuotaExceeded):
    """The company's plan holds no more seats, customers or storage."""
