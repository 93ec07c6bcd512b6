"""The only thing a plugin imports: manifest and settings, hooks with their facts and results, mappings, tables.

What stands here keeps its meaning within one major version of the plugin API.
"""

from saas.customers.hooks import ClaimFacts, Refusal
from saas.extensions import API_VERSION, EmployeeId, Manifest, PluginSettings, Problem, Title, hookimpl
from saas.kernel import AppError, BadUserInput, Conflict, NotFound, RuleRefused, Scalar, new_id, public_id
from saas.reads.mapping import (
    Column,
    DataClass,
    EnumKind,
    Expression,
    FilterOp,
    GroupRoot,
    ListRoot,
    OneRoot,
    ReadType,
    RoomReads,
    ScalarKind,
    Sealed,
    ToMany,
    ToOne,
    ToUnion,
)
from tenants import TenantMeta, TenantModel
from tenants.schema import OrderedText, TenantCheck, TenantForeignKey, TenantIndex, TenantTable, one_of

__all__ = [
    "API_VERSION",
    "AppError",
    "BadUserInput",
    "ClaimFacts",
    "Column",
    "Conflict",
    "DataClass",
    "EmployeeId",
    "EnumKind",
    "Expression",
    "FilterOp",
    "GroupRoot",
    "ListRoot",
    "Manifest",
    "NotFound",
    "OneRoot",
    "OrderedText",
    "PluginSettings",
    "Problem",
    "ReadType",
    "Refusal",
    "RoomReads",
    "RuleRefused",
    "Scalar",
    "ScalarKind",
    "Sealed",
    "TenantCheck",
    "TenantForeignKey",
    "TenantIndex",
    "TenantMeta",
    "TenantModel",
    "TenantTable",
    "Title",
    "ToMany",
    "ToOne",
    "ToUnion",
    "hookimpl",
    "new_id",
    "one_of",
    "public_id",
]
