"""Pure decisions of the identity room: life times, lock-out, what a password must be, who may grant a role."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime, timedelta
from enum import Enum
from importlib.resources import files

from saas.identity.errors import EmailMalformed, NameMalformed, PasswordTooWeak, RoleMalformed, TooManyRoles

ACCESS_LIFETIME = timedelta(minutes=30)
"""How long an access token is good; a refresh gives the next one."""
IDLE_LIFETIME = timedelta(minutes=30)
"""A session unused for so long is over, its refresh token too (GB/T 22239-2019, 8.1.4.1 b)."""
SESSION_LIFETIME = timedelta(hours=12)
"""A session is over so long after the password was typed, however busy it is; switching company doesn't prolong it."""
REFRESH_GRACE = timedelta(seconds=10)
"""A refresh token shown again so soon is a lost answer or a race of one client, not a theft."""
INVITATION_LIFETIME = timedelta(days=7)

PASSWORD_MIN = 12
"""Characters; NIST SP 800-63B-4 asks more of a password that stands alone, fewer beside a second factor."""
PASSWORD_MAX = 128
PASSWORD_MIN_DISTINCT = 5
_TELLING_LOCAL_PART = 4

OWNER = "owner"
ROLES_MAX = 20
ADMINISTRATIVE_ROLES = frozenset({OWNER, "hr_admin", "payroll_officer", "auditor", "consultant"})
"""Roles that only an owner hands out: whoever may invite must not be able to raise their own rights by it."""

_LABEL = r"[^\s.@<>(),;:\\\"\[\]\x00-\x1f\x7f\ud800-\udfff]"
"""A character of an address that is no dot: labels without dots keep the pattern linear."""
_EMAIL = re.compile(rf"(?=[^@]{{1,64}}@){_LABEL}+(?:\.{_LABEL}+)*@(?:{_LABEL}{{1,63}}\.)+{_LABEL}{{2,63}}")
_EMAIL_MAX = 254
_NAME_MAX = 100
_CONTROL = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")
_ROLE = re.compile(r"[a-z][a-z0-9_]{0,39}")
_BLOCKED = frozenset(files("saas.identity").joinpath("blocklist.txt").read_text(encoding="utf-8").split())


class Throttled(Enum):
    """What is counted: (threshold of failures before the first delay)."""

    ACCOUNT_FROM_ADDRESS = 5
    ACCOUNT = 50
    ADDRESS = 100


_DELAYS = tuple(timedelta(minutes=minutes) for minutes in (1, 2, 4, 8, 15))
FAILURES_FORGOTTEN_AFTER = timedelta(hours=1)


def lock_time(kind: Throttled, failures: int) -> timedelta | None:
    """How long the subject is locked after so many failures in a row: none below the threshold, 15 minutes at most."""
    over = failures - kind.value
    return None if over < 0 else _DELAYS[min(over, len(_DELAYS) - 1)]


def normal_email(text: str) -> str:
    """The e-mail address as it is stored and compared: trimmed, lower-case.

    :raises EmailMalformed: it has not the form name@domain.tld, or is longer than 254 characters.
    """
    email = text.strip().lower()
    if len(email) > _EMAIL_MAX or _EMAIL.fullmatch(email) is None:
        raise EmailMalformed(email)
    return email


def normal_name(text: str) -> str:
    """A person's name: trimmed, 1 to 100 characters, no control characters.

    :raises NameMalformed: it is not.
    """
    name = " ".join(text.split(" ")).strip()
    if not 1 <= len(name) <= _NAME_MAX or _CONTROL.search(name):
        raise NameMalformed(longest=_NAME_MAX)
    return name


def refuse_weak_password(password: str, *, email: str) -> None:
    """Length, a list of known passwords, monotony, and the person's own address; no rules of composition.

    :raises PasswordTooWeak: naming which of them.
    """
    plain = password.lower()
    if len(password) < PASSWORD_MIN:
        raise PasswordTooWeak("identity.password_too_short", shortest=PASSWORD_MIN, length=len(password))
    if len(password) > PASSWORD_MAX or _CONTROL.search(password):
        raise PasswordTooWeak("identity.password_not_text", longest=PASSWORD_MAX)
    if len(set(plain)) < PASSWORD_MIN_DISTINCT or plain in _BLOCKED:
        raise PasswordTooWeak("identity.password_well_known")
    local = email.partition("@")[0]
    if email in plain or (len(local) >= _TELLING_LOCAL_PART and local in plain):
        raise PasswordTooWeak("identity.password_holds_email")


def normal_roles(roles: Iterable[str]) -> tuple[str, ...]:
    """Role names, sorted, each once.

    :raises RoleMalformed: there is none, or one is not a role's name.
    :raises TooManyRoles: there are more than 20.
    """
    names = tuple(sorted(set(roles)))
    for name in names:
        if _ROLE.fullmatch(name) is None:
            raise RoleMalformed(name)
    if not names:
        raise RoleMalformed("")
    if len(names) > ROLES_MAX:
        raise TooManyRoles(given=len(names), most=ROLES_MAX)
    return names


def ungrantable_roles(own: Iterable[str], wanted: Iterable[str]) -> tuple[str, ...]:
    """Those of `wanted` that somebody with the roles `own` may not hand out; an owner may hand out any."""
    if OWNER in own:
        return ()
    return tuple(sorted(ADMINISTRATIVE_ROLES.intersection(wanted)))


class RefreshVerdict(Enum):
    """What a presented refresh token is."""

    GOOD = "good"
    JUST_USED = "just_used"
    REUSED = "reused"


def judge_refresh(used_at: datetime | None, *, now: datetime) -> RefreshVerdict:
    """A token used before is a theft, unless that was within the grace of `REFRESH_GRACE`."""
    if used_at is None:
        return RefreshVerdict.GOOD
    return RefreshVerdict.JUST_USED if now - used_at <= REFRESH_GRACE else RefreshVerdict.REUSED
