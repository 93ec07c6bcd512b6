"""The GraphQL door: schema by room, and the execution of one request over the compiled reader; no rules of its own.

Each room's root fields stand in one module here (`mutation`, `query`); its object types are rendered from its mappings.
"""

from saas.graphql.execute import Executor
from saas.graphql.fields import Info, RootField, mutation, query
from saas.graphql.limits import Limits
from saas.graphql.operation import Request
from saas.graphql.payloads import IdempotentPayload, Payload, Ref, UserError, mapped
from saas.graphql.schema import ApiSchema, build_schema, drift
from saas.graphql.services import Services

__all__ = [
    "ApiSchema",
    "Executor",
    "IdempotentPayload",
    "Info",
    "Limits",
    "Payload",
    "Ref",
    "Request",
    "RootField",
    "Services",
    "UserError",
    "build_schema",
    "drift",
    "mapped",
    "mutation",
    "query",
]
