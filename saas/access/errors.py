"""Refusals and faults of the access room."""

from __future__ import annotations

from saas.kernel import AppError, BadUserInput, Conflict, Forbidden, NotFound, RuleRefused


class PermissionMissing(Forbidden):
    """The caller lacks a verb; says which, and the roles that could grant it."""

    def __init__(self, permission: str, grantors: tuple[str, ...]) -> None:
        who = ", ".join(grantors) or "–"
        super().__init__("access.permission_missing", {"permission": permission, "grantors": who})


class PolicyUnusable(AppError):
    """The tenant's policy did not load or holds what can't be understood: nothing is allowed then."""

    def __init__(self, reason: str) -> None:
        super().__init__("access.policy_unusable", {"reason": reason})


class UnknownRole(BadUserInput):
    """No role of that name in the company."""

    def __init__(self, role: str) -> None:
        super().__init__("access.unknown_role", {"role": role[:60]}, field=("role",))


class UnknownObject(BadUserInput):
    """Nothing that a right could be about has that name."""

    def __init__(self, object_: str) -> None:
        super().__init__("access.unknown_object", {"object": object_[:120]}, field=("object",))


class OwnRights(RuleRefused):
    """A change of a role that the actor holds."""

    def __init__(self, role: str) -> None:
        super().__init__("access.own_rights", {"role": role})


class ReservedRight(RuleRefused):
    """A right that only an owner gives or takes."""

    def __init__(self, permission: str, role: str) -> None:
        super().__init__("access.reserved_right", {"permission": permission, "role": role})


class PayNeedsTwo(RuleRefused):
    """A right on pay or secrets, which one person alone may not give."""

    def __init__(self, object_: str) -> None:
        super().__init__("access.pay_needs_two", {"object": object_})


class RightExists(Conflict):
    """The same right stands already."""

    def __init__(self, role: str, action: str, object_: str) -> None:
        super().__init__("access.right_exists", {"role": role, "action": action, "object": object_})


class RoleExists(Conflict):
    """The name is taken."""

    def __init__(self, role: str) -> None:
        super().__init__("access.role_exists", {"role": role}, field=("name",))


class RuleNotFound(NotFound):
    """No such rule in this company; built-in rights are no rules of its own and can only be denied."""

    def __init__(self, rule_id: str) -> None:
        super().__init__("access.rule_not_found", {"id": rule_id}, field=("id",))
