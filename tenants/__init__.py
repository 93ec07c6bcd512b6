"""Who the tenant is and where its data ends: directory, context, scoping, quotas, presets.

Every other room reaches the database through the transaction that this one opens, bound to one tenant.
"""

from tenants.companions import Companion
from tenants.currencies import CURRENCIES, DEFAULT_CURRENCY
from tenants.database import (
    BOUND,
    Ask,
    Database,
    DatabaseRole,
    DatabaseUrls,
    Question,
    Transaction,
    bound_select,
    current_tenant_id,
    current_transaction,
)
from tenants.errors import (
    CurrencyUnknown,
    NoTransaction,
    PresetUnknown,
    TenantNotFound,
    TenantQuotaExceeded,
    TenantSuspended,
)
from tenants.export import ExportManifest, export_tenant
from tenants.lifecycle import (
    TenantFacts,
    TenantStatus,
    TenantSummary,
    create_tenant,
    get_tenant,
    get_tenant_facts,
    list_tenants,
    raise_version,
    resume_tenant,
    suspend_tenant,
)
from tenants.models import ScopedManager, Tenant, TenantMeta, TenantModel
from tenants.orm import bind_models, unbind_models
from tenants.presets import PRESETS, Preset, get_preset
from tenants.quotas import QuotaKind, check_quota, find_quota, lock_quota

__all__ = [
    "BOUND",
    "CURRENCIES",
    "DEFAULT_CURRENCY",
    "PRESETS",
    "Ask",
    "Companion",
    "CurrencyUnknown",
    "Database",
    "DatabaseRole",
    "DatabaseUrls",
    "ExportManifest",
    "NoTransaction",
    "Preset",
    "PresetUnknown",
    "Question",
    "QuotaKind",
    "ScopedManager",
    "Tenant",
    "TenantFacts",
    "TenantMeta",
    "TenantModel",
    "TenantNotFound",
    "TenantQuotaExceeded",
    "TenantStatus",
    "TenantSummary",
    "TenantSuspended",
    "Transaction",
    "bind_models",
    "bound_select",
    "check_quota",
    "create_tenant",
    "current_tenant_id",
    "current_transaction",
    "export_tenant",
    "find_quota",
    "get_preset",
    "get_tenant",
    "get_tenant_facts",
    "list_tenants",
    "lock_quota",
    "raise_version",
    "resume_tenant",
    "suspend_tenant",
    "unbind_models",
]
