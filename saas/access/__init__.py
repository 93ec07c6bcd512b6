"""Permissions, roles and data scope: Casbin policy per tenant, compiled to an access table.

Every company begins with the same roles and adds roles, allowances and denies of its own; a check is a look-up.
"""

from saas.access.actions import create_role, grant_right, revoke_right
from saas.access.catalogue import AccessCatalogue, FieldCatalogue
from saas.access.errors import PermissionMissing, PolicyUnusable
from saas.access.policies import DEFAULT_POLICY, DEFAULT_ROLES, PAYROLL_OFFICER, PERMISSIONS, SALES_MANAGER
from saas.access.queries import (
    AccessTables,
    RoleView,
    RuleView,
    list_roles,
    list_rules,
    load_policy,
    require,
    role_names,
)
from saas.access.rules import EVERY_ROW, OWNER, Action, Effect, Policy, PolicyLine, RoleLink
from saas.access.scopes import scope_predicate
from saas.access.table import ALLOWED, DENIED, MASKED, AccessTable, FieldAccess, FieldRight

__all__ = [
    "ALLOWED",
    "DEFAULT_POLICY",
    "DEFAULT_ROLES",
    "DENIED",
    "EVERY_ROW",
    "MASKED",
    "OWNER",
    "PAYROLL_OFFICER",
    "PERMISSIONS",
    "SALES_MANAGER",
    "AccessCatalogue",
    "AccessTable",
    "AccessTables",
    "Action",
    "Effect",
    "FieldAccess",
    "FieldCatalogue",
    "FieldRight",
    "PermissionMissing",
    "Policy",
    "PolicyLine",
    "PolicyUnusable",
    "RoleLink",
    "RoleView",
    "RuleView",
    "create_role",
    "grant_right",
    "list_roles",
    "list_rules",
    "load_policy",
    "require",
    "revoke_right",
    "role_names",
    "scope_predicate",
]
