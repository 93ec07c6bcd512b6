"""Who the tenant is and where its data ends: directory, context, scoping, quotas, presets.

Every other room reaches the database through the transaction that this one opens, bound to one tenant.
"""

from tenants.database import (
    Database,
    DatabaseRole,
    DatabaseUrls,
    Transaction,
    current_tenant_id,
    current_transaction,
)
from tenants.errors import NoTransaction, TenantQuotaExceeded, TenantSuspended
from tenants.models import ScopedManager, Tenant, TenantMeta, TenantModel
from tenants.orm import bind_models, unbind_models

__all__ = [
    "Database",
    "DatabaseRole",
    "DatabaseUrls",
    "NoTransaction",
    "ScopedManager",
    "Tenant",
    "TenantMeta",
    "TenantModel",
    "TenantQuotaExceeded",
    "TenantSuspended",
    "Transaction",
    "bind_models",
    "current_tenant_id",
    "current_transaction",
    "unbind_models",
]
