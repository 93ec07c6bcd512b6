"""Tables of the people room."""

from __future__ import annotations

from uuid import UUID

from tortoise import fields
from tortoise.models import Model

from tenants import TenantMeta, TenantModel, current_tenant_id


class LegalEntity(TenantModel):
    """A company in law: it employs, pays and withholds."""

    name = fields.CharField(max_length=200)
    created_at = fields.DatetimeField(auto_now_add=True)

    class Meta(TenantMeta):
        table = "legal_entity"


class Department(TenantModel):
    """A node of today's department tree; the root has no parent."""

    parent_id = fields.UUIDField(null=True)
    name = fields.CharField(max_length=200)
    name_key = fields.CharField(max_length=300)
    created_at = fields.DatetimeField(auto_now_add=True)

    class Meta(TenantMeta):
        table = "department"


class DepartmentClosure(Model):
    """Every (ancestor, descendant) pair of today's tree, each department with itself at depth 0.

    The primary key is (tenant_id, ancestor_id, descendant_id); the ORM is told of one column of it.
    """

    tenant_id: UUID = fields.UUIDField(default=current_tenant_id)
    ancestor_id = fields.UUIDField()
    descendant_id = fields.UUIDField(primary_key=True)
    depth = fields.IntField()

    class Meta(TenantMeta):
        table = "department_closure"


class Employee(TenantModel):
    """A person on the company's staff. The phone number is sealed; masked form and blind index beside it."""

    account_id = fields.UUIDField(null=True)
    number = fields.CharField(max_length=40)
    name = fields.CharField(max_length=100)
    name_key = fields.CharField(max_length=300)
    department_id = fields.UUIDField()
    legal_entity_id = fields.UUIDField()
    manager_id = fields.UUIDField(null=True)
    position = fields.CharField(max_length=100, null=True)
    status = fields.CharField(max_length=20, default="active", db_default="active")
    hired_on = fields.DateField()
    left_on = fields.DateField(null=True)
    phone_sealed = fields.BinaryField(null=True)
    phone_masked = fields.CharField(max_length=40, null=True)
    phone_index = fields.BinaryField(null=True)
    version = fields.IntField(default=1, db_default=1)
    created_at = fields.DatetimeField(auto_now_add=True)

    class Meta(TenantMeta):
        table = "employee"


class Employment(TenantModel):
    """Where a person worked, from when to when: half-open dated rows, at most one open per legal entity."""

    employee_id = fields.UUIDField()
    legal_entity_id = fields.UUIDField()
    department_id = fields.UUIDField()
    position = fields.CharField(max_length=100, null=True)
    valid_from = fields.DateField()
    valid_to = fields.DateField(null=True)
    known_at = fields.DatetimeField(auto_now_add=True)

    class Meta(TenantMeta):
        table = "employment"


class EmployeeLeave(TenantModel):
    """Whole days on which a person is away, both ends counted; `kind` is a word of the company's."""

    employee_id = fields.UUIDField()
    first_on = fields.DateField()
    last_on = fields.DateField()
    kind = fields.CharField(max_length=20)
    entered_at = fields.DatetimeField()
    cancelled_at = fields.DatetimeField(null=True)

    class Meta(TenantMeta):
        table = "employee_leave"
