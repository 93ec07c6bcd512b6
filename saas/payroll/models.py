"""Tables of the payroll room. What a single person is paid is sealed (data class pay); totals are not."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from tortoise import fields

from tenants import TenantMeta, TenantModel


class SalaryStructure(TenantModel):
    """A structure by its code; what it says stands in its dated versions."""

    code = fields.CharField(max_length=40)
    title_zh = fields.CharField(max_length=100)
    title_en = fields.CharField(max_length=100)
    version = fields.IntField(default=1, db_default=1)
    created_at = fields.DatetimeField()

    class Meta(TenantMeta):
        table = "salary_structure"


class SalaryStructureVersion(TenantModel):
    """What a structure says from a day on: its canonical text. Never edited; a later one supersedes or follows it."""

    structure_id = fields.UUIDField()
    document = fields.TextField()
    hash = fields.CharField(max_length=64)
    valid_from = fields.DateField()
    valid_to = fields.DateField(null=True)
    known_at = fields.DatetimeField()
    superseded_at = fields.DatetimeField(null=True)
    created_by = fields.UUIDField()
    reason = fields.CharField(max_length=500)

    class Meta(TenantMeta):
        table = "salary_structure_version"


class PayAssignment(TenantModel):
    """Which structure and monthly amounts (定薪) an employment has from a day on; the amounts are sealed together."""

    employment_id = fields.UUIDField()
    employee_id = fields.UUIDField()
    structure_id = fields.UUIDField()
    amounts_sealed = fields.BinaryField()
    valid_from = fields.DateField()
    valid_to = fields.DateField(null=True)
    known_at = fields.DatetimeField()
    superseded_at = fields.DatetimeField(null=True)
    created_by = fields.UUIDField()
    reason = fields.CharField(max_length=500)

    class Meta(TenantMeta):
        table = "pay_assignment"


class PayDeclaration(TenantModel):
    """What a person declared for the country at a legal entity, from a day on; sealed, read by the country pack."""

    employee_id = fields.UUIDField()
    legal_entity_id = fields.UUIDField()
    document_sealed = fields.BinaryField()
    valid_from = fields.DateField()
    valid_to = fields.DateField(null=True)
    known_at = fields.DatetimeField()
    superseded_at = fields.DatetimeField(null=True)
    created_by = fields.UUIDField()

    class Meta(TenantMeta):
        table = "pay_declaration"


class PayItem(TenantModel):
    """A one-off amount of one component in one month. `run_id` is the run that has paid it."""

    employment_id = fields.UUIDField()
    employee_id = fields.UUIDField()
    month = fields.CharField(max_length=7)
    component = fields.CharField(max_length=40)
    effect = fields.CharField(max_length=10)
    amount_sealed = fields.BinaryField()
    reason = fields.CharField(max_length=500)
    known_at = fields.DatetimeField()
    withdrawn_at = fields.DatetimeField(null=True)
    created_by = fields.UUIDField()
    run_id = fields.UUIDField(null=True)

    class Meta(TenantMeta):
        table = "pay_item"


class PayPeriod(TenantModel):
    """A month of a legal entity (计薪周期); once closed, nothing in it changes."""

    legal_entity_id = fields.UUIDField()
    month = fields.CharField(max_length=7)
    first_on = fields.DateField()
    until_on = fields.DateField()
    pays_on = fields.DateField()
    state = fields.CharField(max_length=10, default="open", db_default="open")
    created_at = fields.DatetimeField()

    class Meta(TenantMeta):
        table = "pay_period"


class PayrollRun(TenantModel):
    """One run (算薪批次) of a period: its versions, its progress, and who did which step.

    Inputs count as they were known at `opened_at`. `prepared_by` are the accounts that opened, computed or changed it:
    none of them approves it. A run that `takes_open_settlements` is approved when these are locked.
    """

    pay_period_id = fields.UUIDField()
    legal_entity_id = fields.UUIDField()
    kind = fields.CharField(max_length=20, default="regular", db_default="regular")
    state = fields.CharField(max_length=20, default="draft", db_default="draft")
    stage = fields.CharField(max_length=20, default="freezing", db_default="freezing")
    calculation = fields.CharField(max_length=20)
    pack = fields.CharField(max_length=40, null=True)
    pack_version = fields.CharField(max_length=40, null=True)
    pack_calculation = fields.CharField(max_length=40, null=True)
    pack_settings: dict[str, Any] | None = fields.JSONField(null=True)
    pack_rows: list[str] = fields.JSONField(default=list)
    pay_days: list[str] = fields.JSONField(default=list)
    currency = fields.CharField(max_length=3)
    takes_open_settlements = fields.BooleanField(default=False, db_default=False)
    computes_at_once = fields.BooleanField(default=False, db_default=False)
    people = fields.IntField(default=0, db_default=0)
    frozen = fields.IntField(default=0, db_default=0)
    computed = fields.IntField(default=0, db_default=0)
    failed = fields.IntField(default=0, db_default=0)
    excluded = fields.IntField(default=0, db_default=0)
    prepared_by: list[str] = fields.JSONField(default=list)
    plan_hash = fields.CharField(max_length=64, null=True)
    opened_at = fields.DatetimeField()
    opened_by = fields.UUIDField()
    frozen_at = fields.DatetimeField(null=True)
    computed_at = fields.DatetimeField(null=True)
    computed_by: UUID | None = fields.UUIDField(null=True)
    submitted_at = fields.DatetimeField(null=True)
    submitted_by: UUID | None = fields.UUIDField(null=True)
    approved_at = fields.DatetimeField(null=True)
    approved_by: UUID | None = fields.UUIDField(null=True)
    locked_at = fields.DatetimeField(null=True)
    locked_by: UUID | None = fields.UUIDField(null=True)
    published_at = fields.DatetimeField(null=True)
    cancelled_at = fields.DatetimeField(null=True)
    reason = fields.CharField(max_length=500, null=True)

    class Meta(TenantMeta):
        table = "payroll_run"


class PayrollInput(TenantModel):
    """One person's frozen inputs in a run, sealed, as known at `known_at`; or why there are none. `digest` is keyed."""

    run_id = fields.UUIDField()
    employment_id = fields.UUIDField()
    employee_id = fields.UUIDField()
    department_id = fields.UUIDField()
    structure_version_id: UUID | None = fields.UUIDField(null=True)
    inputs_sealed = fields.BinaryField(null=True)
    digest = fields.CharField(max_length=32)
    failure = fields.CharField(max_length=100, null=True)
    known_at = fields.DatetimeField()
    frozen_at = fields.DatetimeField()

    class Meta(TenantMeta):
        table = "payroll_input"


class Payslip(TenantModel):
    """One person's payslip in a run, sealed; a failed one holds its reasons sealed, for they quote amounts."""

    run_id = fields.UUIDField()
    employment_id = fields.UUIDField()
    employee_id = fields.UUIDField()
    legal_entity_id = fields.UUIDField()
    department_id = fields.UUIDField()
    month = fields.CharField(max_length=7)
    state = fields.CharField(max_length=20)
    failure = fields.CharField(max_length=100, null=True)
    exclusion = fields.CharField(max_length=500, null=True)
    document_sealed = fields.BinaryField()
    amounts_sealed = fields.BinaryField(null=True)  # what totals need of one that is paid
    digest = fields.CharField(max_length=32)
    computed_at = fields.DatetimeField()
    published_at = fields.DatetimeField(null=True)

    class Meta(TenantMeta):
        table = "payslip"


class PayrollTotal(TenantModel):
    """A total of a run; `amount_minor` is null where fewer than five people could be told from it."""

    run_id = fields.UUIDField()
    dimension = fields.CharField(max_length=20)
    key = fields.CharField(max_length=80)
    measure = fields.CharField(max_length=20)
    people = fields.IntField()
    amount_minor = fields.BigIntField(null=True)

    class Meta(TenantMeta):
        table = "payroll_total"


class YearToDate(TenantModel):
    """What a country pack has cumulated for a person at a legal entity in a tax year; written when a run is locked."""

    legal_entity_id = fields.UUIDField()
    employee_id = fields.UUIDField()
    tax_year = fields.IntField()
    document_sealed = fields.BinaryField()
    run_id = fields.UUIDField()
    known_at = fields.DatetimeField()

    class Meta(TenantMeta):
        table = "year_to_date"
