"""Who may ask for a root field: decided before anything runs, from the access table."""

from __future__ import annotations

from saas.graphql.documents import RootNodes
from saas.graphql.errors import Fault, RequestRefused, fault_of
from saas.graphql.fields import RootField
from saas.graphql.limits import INTROSPECTION
from saas.graphql.operation import Running
from saas.graphql.schema import ApiSchema
from saas.graphql.sessions import Session
from saas.kernel import AppError, ErrorCode, Forbidden, Unauthenticated

_ANY_TYPE = frozenset({"node", "nodes"})


def guarded(running: Running, roots: RootNodes) -> tuple[RootNodes, list[Fault]]:
    """The root fields that the caller may ask for, and why not the others; looked up once for callers of equal rights
    who may ask for all."""
    session, operation = running.session, running.operation
    if session is not None and roots is operation.roots:
        if session.right_key in operation.granted:
            return roots, []
        permitted, refused = _guarded_anew(running, roots)
        if not refused:
            operation.grant(session.right_key)
            return roots, []
        return permitted, refused
    return _guarded_anew(running, roots)


def _guarded_anew(running: Running, roots: RootNodes) -> tuple[RootNodes, list[Fault]]:
    schema, session = running.services.schema, running.session
    type_name = running.operation.type_name
    names = [nodes[0].name.value for nodes in roots.values()]
    refuse_disabled_plugin(schema, names, type_name=type_name, session=session)
    permitted: dict[str, list[object]] = {}
    refused: list[Fault] = []
    for key, nodes in roots.items():
        error = refusal(schema, nodes[0].name.value, type_name=type_name, session=session)
        if error is None:
            permitted[key] = nodes  # type: ignore[assignment]
        else:
            refused.append(fault_of(error, (key,)))
    return permitted, refused  # type: ignore[return-value]


def refusal(schema: ApiSchema, name: str, *, type_name: str, session: Session | None) -> AppError | None:
    """Why the caller may not ask for this root field; None when they may."""
    if name == "__typename":
        return None
    root = schema.declared(type_name).get(name)
    if root is not None and root.public:
        return None
    if session is None:
        return Unauthenticated("graphql.sign_in_first")
    if name in INTROSPECTION or (name in _ANY_TYPE and type_name == "Query"):
        return None
    return _of_declared(root, session) if root is not None else _of_compiled(schema, name, session)


def refuse_disabled_plugin(schema: ApiSchema, names: list[str], *, type_name: str, session: Session | None) -> None:
    """A field of a plugin that the tenant has not enabled fails as an unknown one.

    :raises RequestRefused: one of `names` is such a field.
    """
    enabled = session.plugins.names if session is not None else frozenset()
    for name in names:
        root = schema.declared(type_name).get(name)
        plugin = root.plugin if root is not None else schema.registry.plugin_of(f"{type_name}.{name}")
        if plugin is not None and plugin not in enabled:
            reason = {"reason": f"Cannot query field '{name}' on type '{type_name}'."}
            raise RequestRefused(Fault(ErrorCode.GRAPHQL_VALIDATION_FAILED, "graphql.validation_failed", reason))


def _of_declared(root: RootField, session: Session) -> AppError | None:
    if root.gives is not None and not session.access.visible(root.gives):
        return _forbidden(root.gives, session)
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
