"""Refusals of the tenancy room."""

from __future__ import annotations

from uuid import UUID

from saas.kernel import AppError, BadUserInput, Conflict, NotFound, QuotaExceeded


class NoTransaction(AppError):
    """Data was asked for outside a transaction, or in one without a tenant: a fault of ours, never "all tenants"."""

    def __init__(self) -> None:
        super().__init__("tenants.no_transaction")


class TenantSuspended(Conflict):
    """The company's access is suspended."""


class TenantQuotaExceeded(QuotaExceeded):
    """The company's plan holds no more seats, customers or storage."""


class TenantNotFound(NotFound):
    """No company of that id in the directory."""

    def __init__(self, tenant_id: UUID) -> None:
        super().__init__("tenants.tenant_not_found", {"id": str(tenant_id)})


class TenantNameMalformed(BadUserInput):
    """Not a company's name."""

    def __init__(self, *, longest: int) -> None:
        super().__init__("tenants.name_malformed", {"longest": longest}, field=("company",))


class TenantStateUnchanged(Conflict):
    """The company is in that state already."""

    def __init__(self, status: str) -> None:
        super().__init__("tenants.state_unchanged", {"status": status})


class PresetUnknown(BadUserInput):
    """No preset of that name."""

    def __init__(self, name: str, *, known: tuple[str, ...]) -> None:
        super().__init__("tenants.preset_unknown", {"preset": name[:60], "known": ", ".join(known)}, field=("preset",))


class CurrencyUnknown(BadUserInput):
    """Not a currency that a company can count in."""

    def __init__(self, code: str) -> None:
        super().__init__("tenants.currency_unknown", {"currency": code[:10]}, field=("currency",))


class ExportFolderNotEmpty(Conflict):
    """An export never mixes with what lies there."""

    def __init__(self, folder: str) -> None:
        super().__init__("tenants.export_folder_not_empty", {"folder": folder})
