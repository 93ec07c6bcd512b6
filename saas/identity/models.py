"""Tables of the identity room, all in the schema ``platform``: an account belongs to a person, not to a company."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from tortoise import fields
from tortoise.contrib.postgres.fields import ArrayField
from tortoise.models import Model

from saas.kernel import new_id


class Account(Model):
    """A person, once in the whole installation; `email` is lower-case and unique."""

    id: UUID = fields.UUIDField(primary_key=True, default=new_id)
    email = fields.CharField(max_length=254)
    name = fields.CharField(max_length=100)
    locale = fields.CharField(max_length=10)
    password_hash = fields.CharField(max_length=200)
    password_changed_at = fields.DatetimeField()
    created_at = fields.DatetimeField()

    class Meta:
        table = "account"
        schema = "platform"


class Membership(Model):
    """What an account may be in one company; one row for the two, opened again by a later invitation.

    It is live from `valid_from` until `valid_to` (half-open). `version` rises with every change that a session
    must notice; `used_at` tells which of several companies a sign-in opens.
    """

    id: UUID = fields.UUIDField(primary_key=True, default=new_id)
    tenant_id: UUID = fields.UUIDField()
    account_id: UUID = fields.UUIDField()
    employee_id: UUID | None = fields.UUIDField(null=True)
    roles: list[str] = ArrayField(element_type="text")
    valid_from: datetime = fields.DatetimeField()
    valid_to: datetime | None = fields.DatetimeField(null=True)
    granted_by: UUID = fields.UUIDField()
    used_at: datetime | None = fields.DatetimeField(null=True)
    version = fields.BigIntField(db_default=1, default=1)

    class Meta:
        table = "membership"
        schema = "platform"


class Session(Model):
    """One signed-in client in one company; only hashes of its tokens are kept.

    `member_version`, `admitted_from` and `admitted_until` repeat what its membership says; triggers write them.
    """

    id: UUID = fields.UUIDField(primary_key=True, default=new_id)
    account_id: UUID = fields.UUIDField()
    tenant_id: UUID = fields.UUIDField()
    token_hash = fields.BinaryField()
    access_expires_at = fields.DatetimeField()
    idle_seconds = fields.IntField()
    idle_expires_at = fields.DatetimeField()
    expires_at = fields.DatetimeField()
    created_at = fields.DatetimeField()
    last_seen_at = fields.DatetimeField()
    client = fields.CharField(max_length=50)
    address = fields.CharField(max_length=64)
    user_agent = fields.CharField(max_length=200)
    rotated_from: UUID | None = fields.UUIDField(null=True)
    revoked_at: datetime | None = fields.DatetimeField(null=True)
    revoked_reason = fields.CharField(max_length=40, null=True)
    member_version: int | None = fields.BigIntField(null=True)
    admitted_from: datetime | None = fields.DatetimeField(null=True)
    admitted_until: datetime | None = fields.DatetimeField(null=True)

    class Meta:
        table = "session"
        schema = "platform"


class RefreshToken(Model):
    """A refresh token of a session (its family), good for one use; the hash is all that is kept."""

    id: UUID = fields.UUIDField(primary_key=True, default=new_id)
    session_id: UUID = fields.UUIDField()
    token_hash = fields.BinaryField()
    created_at = fields.DatetimeField()
    used_at: datetime | None = fields.DatetimeField(null=True)
    replaced_by: UUID | None = fields.UUIDField(null=True)

    class Meta:
        table = "refresh_token"
        schema = "platform"


class Invitation(Model):
    """An open door into a company for one e-mail address, until it expires, is used or is withdrawn."""

    id: UUID = fields.UUIDField(primary_key=True, default=new_id)
    tenant_id: UUID = fields.UUIDField()
    token_hash = fields.BinaryField()
    email = fields.CharField(max_length=254)
    roles: list[str] = ArrayField(element_type="text")
    employee_id: UUID | None = fields.UUIDField(null=True)
    invited_by: UUID = fields.UUIDField()
    access_until: datetime | None = fields.DatetimeField(null=True)
    created_at = fields.DatetimeField()
    expires_at = fields.DatetimeField()
    accepted_at: datetime | None = fields.DatetimeField(null=True)
    accepted_by: UUID | None = fields.UUIDField(null=True)
    revoked_at: datetime | None = fields.DatetimeField(null=True)

    class Meta:
        table = "invitation"
        schema = "platform"


class SignInThrottle(Model):
    """Failures of one subject: an account from an address, an account, or an address (kept as a digest).

    Keyed by what was typed, not by an account, so that an unknown e-mail address locks as a known one does.
    """

    subject = fields.CharField(max_length=64, primary_key=True)
    failures = fields.IntField()
    failed_at = fields.DatetimeField()
    locked_until: datetime | None = fields.DatetimeField(null=True)

    class Meta:
        table = "sign_in_throttle"
        schema = "platform"


class SecurityEvent(Model):
    """What happened before a company was known: failed sign-ins, lock-outs, refused tokens. Append-only."""

    id: UUID = fields.UUIDField(primary_key=True, default=new_id)
    at = fields.DatetimeField()
    kind = fields.CharField(max_length=40)
    account_id: UUID | None = fields.UUIDField(null=True)
    email_digest: bytes | None = fields.BinaryField(null=True)
    client = fields.CharField(max_length=50)
    address = fields.CharField(max_length=64)
    request_id = fields.CharField(max_length=64)

    class Meta:
        table = "security_event"
        schema = "platform"
