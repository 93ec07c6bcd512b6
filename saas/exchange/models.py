"""Tables of the exchange room. All but the batch itself is removed seven days after it was staged."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from tortoise import fields
from tortoise.models import Model

from tenants import TenantMeta, TenantModel, current_tenant_id


class ImportBatch(TenantModel):
    """An import: the file as it was uploaded, what is to be done with it, how far that is.

    `step` rises with every step, so that each is done once; `phase`, `at_part` and `at_chunk` say where the next one
    goes on. `done_count` of `row_count` rows are through the present phase.
    """

    filename = fields.CharField(max_length=200)
    file_id = fields.UUIDField(null=True)
    format = fields.CharField(max_length=10)
    encoding = fields.CharField(max_length=20, null=True)
    size = fields.BigIntField()
    sha256 = fields.CharField(max_length=64)
    repeats_id = fields.UUIDField(null=True)
    state = fields.CharField(max_length=20)
    mode = fields.CharField(max_length=20)
    on_change = fields.CharField(max_length=10)
    plan_hash = fields.CharField(max_length=64, null=True)
    phase = fields.CharField(max_length=20, null=True)
    step = fields.IntField(default=0, db_default=0)
    at_part = fields.IntField(default=0, db_default=0)
    at_chunk = fields.IntField(default=0, db_default=0)
    is_read = fields.BooleanField(default=False, db_default=False)
    done_count = fields.IntField(default=0, db_default=0)
    row_count = fields.IntField(default=0, db_default=0)
    new_count = fields.IntField(default=0, db_default=0)
    changed_count = fields.IntField(default=0, db_default=0)
    unchanged_count = fields.IntField(default=0, db_default=0)
    duplicate_count = fields.IntField(default=0, db_default=0)
    failed_count = fields.IntField(default=0, db_default=0)
    applied_count = fields.IntField(default=0, db_default=0)
    passed_count = fields.IntField(default=0, db_default=0)
    undone_count = fields.IntField(default=0, db_default=0)
    kept_count = fields.IntField(default=0, db_default=0)
    failure_key = fields.CharField(max_length=100, null=True)
    failure = fields.CharField(max_length=500, null=True)
    account_id = fields.UUIDField()
    employee_id = fields.UUIDField(null=True)
    actor: dict[str, Any] = fields.JSONField()
    created_at = fields.DatetimeField()
    updated_at = fields.DatetimeField()
    previewed_at = fields.DatetimeField(null=True)
    committed_at = fields.DatetimeField(null=True)
    undone_at = fields.DatetimeField(null=True)
    purged_at = fields.DatetimeField(null=True)

    class Meta(TenantMeta):
        table = "import_batch"


class ImportPart(TenantModel):
    """A sheet of a batch as rows of one kind; parts follow each other in the order of their kinds."""

    batch_id = fields.UUIDField()
    place = fields.IntField()
    sheet = fields.CharField(max_length=200)
    kind = fields.CharField(max_length=40)
    header_row = fields.IntField()
    unit = fields.CharField(max_length=10)
    fingerprint = fields.CharField(max_length=64)
    chunk_count = fields.IntField(default=0, db_default=0)
    row_count = fields.IntField(default=0, db_default=0)
    new_count = fields.IntField(default=0, db_default=0)
    changed_count = fields.IntField(default=0, db_default=0)
    unchanged_count = fields.IntField(default=0, db_default=0)
    duplicate_count = fields.IntField(default=0, db_default=0)
    failed_count = fields.IntField(default=0, db_default=0)
    applied_count = fields.IntField(default=0, db_default=0)
    passed_count = fields.IntField(default=0, db_default=0)
    undone_count = fields.IntField(default=0, db_default=0)
    kept_count = fields.IntField(default=0, db_default=0)

    class Meta(TenantMeta):
        table = "import_part"


class ImportHeader(TenantModel):
    """A column of a sheet, and the kind's column it is taken for; `key` is null where it is ignored."""

    part_id = fields.UUIDField()
    place = fields.IntField()
    letters = fields.CharField(max_length=3)
    header = fields.CharField(max_length=200)
    key = fields.CharField(max_length=60, null=True)
    matched_by = fields.CharField(max_length=20, null=True)

    class Meta(TenantMeta):
        table = "import_header"


class ImportChunk(TenantModel):
    """A thousand rows of a part, sealed; `undo` is what takes the written ones back, `plan_digest` what was shown."""

    part_id = fields.UUIDField()
    number = fields.IntField()
    content = fields.BinaryField()
    row_count = fields.IntField()
    plan_digest = fields.CharField(max_length=64, null=True)
    undo = fields.BinaryField(null=True)

    class Meta(TenantMeta):
        table = "import_chunk"


class ImportRow(Model):
    """What the preview found for a row, and the record that the commit wrote for it.

    The primary key is (tenant_id, part_id, number); the ORM is told of one column of it.
    """

    tenant_id: UUID = fields.UUIDField(default=current_tenant_id)
    part_id = fields.UUIDField(primary_key=True)
    number = fields.IntField()
    chunk = fields.IntField()
    outcome = fields.CharField(max_length=20)
    token = fields.CharField(max_length=200)
    object_id = fields.UUIDField(null=True)
    applied_at = fields.DatetimeField(null=True)

    class Meta(TenantMeta):
        table = "import_row"


class ImportKey(Model):
    """A keyed digest that the first row of a part to have it holds: of the whole row, or of a unique value.

    The primary key is (tenant_id, part_id, digest); the ORM is told of one column of it.
    """

    tenant_id: UUID = fields.UUIDField(default=current_tenant_id)
    part_id = fields.UUIDField(primary_key=True)
    digest = fields.BinaryField()
    number = fields.IntField()

    class Meta(TenantMeta):
        table = "import_key"


class ImportRemark(TenantModel):
    """Something to know of a row, a sheet (row 0) or the file (no part): an error, a note, a row that was kept."""

    batch_id = fields.UUIDField()
    part_id = fields.UUIDField(null=True)
    row_number = fields.IntField()
    column_title = fields.CharField(max_length=200, null=True)
    severity = fields.CharField(max_length=20)
    key = fields.CharField(max_length=100)
    args: dict[str, Any] = fields.JSONField()
    message = fields.TextField()

    class Meta(TenantMeta):
        table = "import_remark"


class ImportDifference(TenantModel):
    """A field that a row would change; the first hundred of a part are kept, sensitive values masked."""

    part_id = fields.UUIDField()
    row_number = fields.IntField()
    key = fields.CharField(max_length=60)
    before = fields.TextField(null=True)
    after = fields.TextField(null=True)

    class Meta(TenantMeta):
        table = "import_difference"


class ImportMapping(Model):
    """The mapping that was last committed for a kind and a row of headers.

    The primary key is (tenant_id, kind, fingerprint); the ORM is told of one column of it.
    """

    tenant_id: UUID = fields.UUIDField(default=current_tenant_id)
    kind = fields.CharField(max_length=40)
    fingerprint = fields.CharField(primary_key=True, max_length=64)
    columns: dict[str, str | None] = fields.JSONField()
    used_at = fields.DatetimeField()

    class Meta(TenantMeta):
        table = "import_mapping"
