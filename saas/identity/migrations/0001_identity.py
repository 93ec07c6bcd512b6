from tortoise.migrations import operations as ops
from saas.kernel.ids import new_id
from tortoise.contrib.postgres.fields import ArrayField
from tortoise import fields

from tenants.schema import APPEND_ONLY, PlatformTable, RoomMigration


class Migration(RoomMigration):
    initial = True

    dependencies = [("tenants", "0001_tenants")]

    operations = [
        ops.CreateSchema(schema_name="platform"),
        ops.CreateModel(
            name="Account",
            fields=[
                ("id", fields.UUIDField(primary_key=True, default=new_id, unique=True, db_index=True)),
                ("email", fields.CharField(max_length=254)),
                ("name", fields.CharField(max_length=100)),
                ("locale", fields.CharField(max_length=10)),
                ("password_hash", fields.CharField(max_length=200)),
                ("password_changed_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ("created_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "account",
                "schema": "platform",
                "app": "identity",
                "pk_attr": "id",
                "table_description": "A person, once in the whole installation; `email` is lower-case and unique.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="Invitation",
            fields=[
                ("id", fields.UUIDField(primary_key=True, default=new_id, unique=True, db_index=True)),
                ("tenant_id", fields.UUIDField()),
                ("token_hash", fields.BinaryField()),
                ("email", fields.CharField(max_length=254)),
                ("roles", ArrayField(element_type="TEXT")),
                ("employee_id", fields.UUIDField(null=True)),
                ("invited_by", fields.UUIDField()),
                ("access_until", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ("created_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ("expires_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ("accepted_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ("accepted_by", fields.UUIDField(null=True)),
                ("revoked_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "invitation",
                "schema": "platform",
                "app": "identity",
                "pk_attr": "id",
                "table_description": "An open door into a company for one e-mail address, until it expires, is used or is withdrawn.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="Membership",
            fields=[
                ("id", fields.UUIDField(primary_key=True, default=new_id, unique=True, db_index=True)),
                ("tenant_id", fields.UUIDField()),
                ("account_id", fields.UUIDField()),
                ("employee_id", fields.UUIDField(null=True)),
                ("roles", ArrayField(element_type="TEXT")),
                ("valid_from", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ("valid_to", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ("granted_by", fields.UUIDField()),
                ("used_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ("version", fields.BigIntField(default=1, db_default=1)),
            ],
            options={
                "table": "membership",
                "schema": "platform",
                "app": "identity",
                "pk_attr": "id",
                "table_description": "What an account may be in one company; one row for the two, opened again by a later invitation.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="RefreshToken",
            fields=[
                ("id", fields.UUIDField(primary_key=True, default=new_id, unique=True, db_index=True)),
                ("session_id", fields.UUIDField()),
                ("token_hash", fields.BinaryField()),
                ("created_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ("used_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ("replaced_by", fields.UUIDField(null=True)),
            ],
            options={
                "table": "refresh_token",
                "schema": "platform",
                "app": "identity",
                "pk_attr": "id",
                "table_description": "A refresh token of a session (its family), good for one use; the hash is all that is kept.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="SecurityEvent",
            fields=[
                ("id", fields.UUIDField(primary_key=True, default=new_id, unique=True, db_index=True)),
                ("at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ("kind", fields.CharField(max_length=40)),
                ("account_id", fields.UUIDField(null=True)),
                ("email_digest", fields.BinaryField(null=True)),
                ("client", fields.CharField(max_length=50)),
                ("address", fields.CharField(max_length=64)),
                ("request_id", fields.CharField(max_length=64)),
            ],
            options={
                "table": "security_event",
                "schema": "platform",
                "app": "identity",
                "pk_attr": "id",
                "table_description": "What happened before a company was known: failed sign-ins, lock-outs, refused tokens. Append-only.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="Session",
            fields=[
                ("id", fields.UUIDField(primary_key=True, default=new_id, unique=True, db_index=True)),
                ("account_id", fields.UUIDField()),
                ("tenant_id", fields.UUIDField()),
                ("token_hash", fields.BinaryField()),
                ("access_expires_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ("idle_seconds", fields.IntField()),
                ("idle_expires_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ("expires_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ("created_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ("last_seen_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ("client", fields.CharField(max_length=50)),
                ("address", fields.CharField(max_length=64)),
                ("user_agent", fields.CharField(max_length=200)),
                ("rotated_from", fields.UUIDField(null=True)),
                ("revoked_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ("revoked_reason", fields.CharField(null=True, max_length=40)),
            ],
            options={
                "table": "session",
                "schema": "platform",
                "app": "identity",
                "pk_attr": "id",
                "table_description": "One signed-in client in one company; only hashes of its tokens are kept.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="SignInThrottle",
            fields=[
                ("subject", fields.CharField(primary_key=True, unique=True, db_index=True, max_length=64)),
                ("failures", fields.IntField()),
                ("failed_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ("locked_until", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "sign_in_throttle",
                "schema": "platform",
                "app": "identity",
                "pk_attr": "subject",
                "table_description": "Failures of one subject: an account from an address, an account, or an address (kept as a digest).",
            },
            bases=["Model"],
        ),
        PlatformTable("platform.account"),
        PlatformTable("platform.membership"),
        PlatformTable("platform.session"),
        PlatformTable("platform.refresh_token"),
        PlatformTable("platform.invitation"),
        PlatformTable("platform.sign_in_throttle"),
        PlatformTable("platform.security_event", grants=APPEND_ONLY),
        ops.RunSQL(
            [
                'ALTER TABLE platform.account ALTER COLUMN email TYPE varchar(254) COLLATE "C"',
                "ALTER TABLE platform.account ADD CONSTRAINT account_email_is_lower_case CHECK (email = lower(email))",
                "CREATE UNIQUE INDEX account_email ON platform.account (email)",
                "ALTER TABLE platform.membership ADD FOREIGN KEY (account_id) REFERENCES platform.account (id)",
                "ALTER TABLE platform.membership ADD FOREIGN KEY (tenant_id) REFERENCES platform.tenant (id)",
                "ALTER TABLE platform.membership ADD CHECK (valid_to >= valid_from)",
                "CREATE UNIQUE INDEX membership_tenant_account ON platform.membership (tenant_id, account_id)",
                "CREATE INDEX membership_account ON platform.membership (account_id)",
                (
                    "ALTER TABLE platform.session ADD FOREIGN KEY (tenant_id, account_id)"
                    " REFERENCES platform.membership (tenant_id, account_id)"
                ),
                "ALTER TABLE platform.session ADD CHECK ((revoked_at IS NULL) = (revoked_reason IS NULL))",
                "CREATE UNIQUE INDEX session_token ON platform.session (token_hash)",
                "CREATE INDEX session_account ON platform.session (account_id, id) WHERE revoked_at IS NULL",
                "CREATE INDEX session_tenant ON platform.session (tenant_id, id) WHERE revoked_at IS NULL",
                (
                    "ALTER TABLE platform.refresh_token ADD FOREIGN KEY (session_id)"
                    " REFERENCES platform.session (id) ON DELETE CASCADE"
                ),
                "ALTER TABLE platform.refresh_token ADD CHECK ((used_at IS NULL) = (replaced_by IS NULL))",
                "CREATE UNIQUE INDEX refresh_token_hash ON platform.refresh_token (token_hash)",
                "CREATE UNIQUE INDEX refresh_token_unused ON platform.refresh_token (session_id) WHERE used_at IS NULL",
                "ALTER TABLE platform.invitation ADD FOREIGN KEY (tenant_id) REFERENCES platform.tenant (id)",
                "CREATE UNIQUE INDEX invitation_token ON platform.invitation (token_hash)",
                (
                    "CREATE UNIQUE INDEX invitation_open ON platform.invitation (tenant_id, email)"
                    " WHERE accepted_at IS NULL AND revoked_at IS NULL"
                ),
                "CREATE INDEX security_event_at ON platform.security_event (at)",
            ],
            reverse_sql=ops.RunSQL.noop,
        ),
    ]
