"""Who may ask for a root field: decided before anything runs, from the access table."""

from __future__ import annotations

from saas.graphql.errors import Fault, RequestRefused
from saas.graphql.fields import RootField
from saas.graphql.limits import INTROSPECTION
from saas.graphql.schema import ApiSchema
from saas.graphql.sessions import Session
from saas.kernel import AppError, ErrorCode, Forbidden, Unauthenticated

_ANY_TYPE = frozenset({"node", "nodes"})


def refusal(schema: ApiSchema, name: str, *, is_mutation: bool, session: Session | None) -> AppError | None:
    """Why the caller may not ask for this root field; None when they may."""
    if name == "__typename":
        return None
    root = (schema.mutations if is_mutation else schema.queries).get(name)
    if root is not None and root.public:
        return None
    if session is None:
        return Unauthenticated("graphql.sign_in_first")
    if name in INTROSPECTION or (name in _ANY_TYPE and not is_mutation):
        return None
    return _of_declared(root, session) if root is not None else _of_compiled(schema, name, session)


def refuse_disabled_plugin(schema: ApiSchema, names: list[str], *, is_mutation: bool, session: Session | None) -> None:
    """A field of a plugin that the tenant has not enabled fails as an unknown one.

    :raises RequestRefused: one of `names` is such a field.
    """
    enabled = session.plugins.names if session is not None else frozenset()
    type_name = "Mutation" if is_mutation else "Query"
    for name in names:
        root = (schema.mutations if is_mutation else schema.queries).get(name)
        plugin = root.plugin if root is not None else schema.registry.plugin_of(f"{type_name}.{name}")
        if plugin is not None and plugin not in enabled:
            reason = {"reason": f"Cannot query field '{name}' on type '{type_name}'."}
            raise RequestRefused(Fault(ErrorCode.GRAPHQL_VALIDATION_FAILED, "graphql.validation_failed", reason))


def _of_declared(root: RootField, session: Session) -> AppError | None:
    if root.requires is None or session.access.may(root.requires):
        return None
    return _forbidden(root.requires, session)


def _of_compiled(schema: ApiSchema, name: str, session: Session) -> AppError | None:
    target = schema.registry.roots_by_name[name].target
    return None if session.access.visible(target) else _forbidden(target, session)


def _forbidden(permission: str, session: Session) -> Forbidden:
    grantors = ", ".join(session.access.who_grants(permission))
    key = "graphql.forbidden" if grantors else "graphql.forbidden_to_all"
    return Forbidden(key, {"permission": permission, "grantors": grantors})
