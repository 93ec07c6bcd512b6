"""Refusals of the identity room. None tells whether an address has an account before its password was proven."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from saas.kernel import (
    BadUserInput,
    Conflict,
    Forbidden,
    InvalidCredentials,
    LockedOut,
    NotFound,
    RuleRefused,
    StaleVersion,
    Throttled,
    Unauthenticated,
)


class EmailMalformed(BadUserInput):
    """Not an e-mail address."""

    def __init__(self, email: str) -> None:
        super().__init__("identity.email_malformed", {"email": email[:60]}, field=("email",))


class NameMalformed(BadUserInput):
    """Not a person's name."""

    def __init__(self, *, longest: int) -> None:
        super().__init__("identity.name_malformed", {"longest": longest}, field=("name",))


class RoleMalformed(BadUserInput):
    """Not a role's name, or none given."""

    def __init__(self, role: str) -> None:
        super().__init__("identity.role_malformed", {"role": role[:60]}, field=("roles",))


class RoleUnknown(BadUserInput):
    """Roles that the company does not have."""

    def __init__(self, roles: Iterable[str], *, known: Iterable[str]) -> None:
        values = {"roles": ", ".join(sorted(roles)), "known": ", ".join(sorted(known))}
        super().__init__("identity.role_unknown", values, field=("roles",))


class TooManyRoles(BadUserInput):
    """More roles than a person can hold."""

    def __init__(self, *, given: int, most: int) -> None:
        super().__init__("identity.roles_too_many", {"given": given, "most": most}, field=("roles",))


class PasswordTooWeak(BadUserInput):
    """A password that is short, well known, or holds the address; `key` says which."""

    def __init__(self, key: str, **values: int) -> None:
        super().__init__(key, values, field=("password",))


class PasswordUnchanged(BadUserInput):
    """The new password is the present one."""

    def __init__(self) -> None:
        super().__init__("identity.password_unchanged", field=("newPassword",))


class CredentialsRefused(InvalidCredentials):
    """Unknown address or wrong password."""

    def __init__(self) -> None:
        super().__init__("identity.credentials_refused")


class SignInLocked(LockedOut):
    """Too many failures from here, for this address or in sum."""

    def __init__(self, until: datetime) -> None:
        super().__init__("identity.sign_in_locked", {"until": until.isoformat(timespec="seconds")})


class SignInBusy(Throttled):
    """More passwords wait to be checked than this process takes on."""

    def __init__(self, retry_after: int) -> None:
        super().__init__("identity.sign_in_busy", {"retry_after": retry_after})


class NoCompany(RuleRefused):
    """The person belongs to no company any more, or not yet."""

    def __init__(self) -> None:
        super().__init__("identity.no_company")


class NotAMember(NotFound):
    """No live membership there: as if the company didn't exist."""

    def __init__(self) -> None:
        super().__init__("identity.not_a_member")


class SessionOver(Unauthenticated):
    """The session has ended, or never was."""

    def __init__(self) -> None:
        super().__init__("identity.session_over")


class RefreshJustUsed(Conflict):
    """The refresh token was used a moment ago: its answer is on the way, or lost."""

    def __init__(self) -> None:
        super().__init__("identity.refresh_just_used")


class RefreshReused(Unauthenticated):
    """The refresh token was used before: the session was ended, since one of its two users is a thief."""

    def __init__(self) -> None:
        super().__init__("identity.refresh_reused")


class SessionNotFound(NotFound):
    """No live session of that id that the caller may end."""

    def __init__(self) -> None:
        super().__init__("identity.session_not_found")


class InvitationNotValid(NotFound):
    """Unknown, expired, used or withdrawn: the four are one."""

    def __init__(self) -> None:
        super().__init__("identity.invitation_not_valid")


class InvitationForAnother(RuleRefused):
    """The invitation is for another e-mail address than the signed-in person's."""

    def __init__(self) -> None:
        super().__init__("identity.invitation_for_another")


class InvitationOpen(Conflict):
    """The address has an open invitation already."""

    def __init__(self, email: str) -> None:
        super().__init__("identity.invitation_open", {"email": email}, field=("email",))


class AlreadyMember(Conflict):
    """The person belongs to the company already."""

    def __init__(self, email: str) -> None:
        super().__init__("identity.already_member", {"email": email}, field=("email",))


class AccessUntilPast(BadUserInput):
    """A bounded membership must end after now."""

    def __init__(self, until: datetime) -> None:
        super().__init__(
            "identity.access_until_past", {"until": until.isoformat(timespec="seconds")}, field=("accessUntil",)
        )


class RolesNotGrantable(Forbidden):
    """Roles that only an owner hands out; `args` as every `Forbidden`."""

    def __init__(self, roles: tuple[str, ...]) -> None:
        values = {"roles": ", ".join(roles), "permission": "membership:grant_administration", "grantors": "owner"}
        super().__init__("identity.roles_not_grantable", values)


class OwnRolesUnchangeable(RuleRefused):
    """Nobody changes their own roles."""

    def __init__(self) -> None:
        super().__init__("identity.own_roles_unchangeable")


class LastOwner(RuleRefused):
    """A company can't be left without an owner."""

    def __init__(self) -> None:
        super().__init__("identity.last_owner")


class MembershipChanged(StaleVersion):
    """Somebody changed the membership meanwhile."""

    def __init__(self, *, expected: int, actual: int) -> None:
        super().__init__("identity.membership_changed", {"expected": expected, "actual": actual})


class AccountAppeared(Conflict):
    """An account of that address was made by another request at the same moment."""

    def __init__(self) -> None:
        super().__init__("identity.account_appeared", field=("email",))
