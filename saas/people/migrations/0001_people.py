from tortoise.migrations import operations as ops
from saas.kernel.ids import new_id
from tenants.database import current_tenant_id
from tortoise import fields

from tenants.schema import OrderedText, RoomMigration, TenantCheck, TenantForeignKey, TenantIndex, TenantTable, one_of


class Migration(RoomMigration):
    initial = True

    operations = [
        ops.CreateModel(
            name="Department",
            fields=[
                ("id", fields.UUIDField(primary_key=True, default=new_id, unique=True, db_index=True)),
                ("tenant_id", fields.UUIDField(default=current_tenant_id)),
                ("parent_id", fields.UUIDField(null=True)),
                ("name", fields.CharField(max_length=200)),
                ("name_key", fields.CharField(max_length=300)),
                ("created_at", fields.DatetimeField(auto_now=False, auto_now_add=True)),
            ],
            options={
                "table": "department",
                "app": "people",
                "pk_attr": "id",
                "table_description": "A node of today's department tree; the root has no parent.",
            },
            bases=["TenantModel"],
        ),
        ops.CreateModel(
            name="DepartmentClosure",
            fields=[
                ("tenant_id", fields.UUIDField(default=current_tenant_id)),
                ("ancestor_id", fields.UUIDField()),
                ("descendant_id", fields.UUIDField(primary_key=True, unique=True, db_index=True)),
                ("depth", fields.IntField()),
            ],
            options={
                "table": "department_closure",
                "app": "people",
                "pk_attr": "descendant_id",
                "table_description": "Every (ancestor, descendant) pair of today's tree, each department with itself at depth 0.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="Employee",
            fields=[
                ("id", fields.UUIDField(primary_key=True, default=new_id, unique=True, db_index=True)),
                ("tenant_id", fields.UUIDField(default=current_tenant_id)),
                ("account_id", fields.UUIDField(null=True)),
                ("number", fields.CharField(max_length=40)),
                ("name", fields.CharField(max_length=100)),
                ("name_key", fields.CharField(max_length=300)),
                ("department_id", fields.UUIDField()),
                ("legal_entity_id", fields.UUIDField()),
                ("position", fields.CharField(null=True, max_length=100)),
                ("status", fields.CharField(default="active", db_default="active", max_length=20)),
                ("hired_on", fields.DateField()),
                ("left_on", fields.DateField(null=True)),
                ("phone_sealed", fields.BinaryField(null=True)),
                ("phone_masked", fields.CharField(null=True, max_length=40)),
                ("phone_index", fields.BinaryField(null=True)),
                ("version", fields.IntField(default=1, db_default=1)),
                ("created_at", fields.DatetimeField(auto_now=False, auto_now_add=True)),
            ],
            options={
                "table": "employee",
                "app": "people",
                "pk_attr": "id",
                "table_description": "A person on the company's staff. The phone number is sealed; masked form and blind index beside it.",
            },
            bases=["TenantModel"],
        ),
        ops.CreateModel(
            name="Employment",
            fields=[
                ("id", fields.UUIDField(primary_key=True, default=new_id, unique=True, db_index=True)),
                ("tenant_id", fields.UUIDField(default=current_tenant_id)),
                ("employee_id", fields.UUIDField()),
                ("legal_entity_id", fields.UUIDField()),
                ("department_id", fields.UUIDField()),
                ("position", fields.CharField(null=True, max_length=100)),
                ("valid_from", fields.DateField()),
                ("valid_to", fields.DateField(null=True)),
                ("known_at", fields.DatetimeField(auto_now=False, auto_now_add=True)),
            ],
            options={
                "table": "employment",
                "app": "people",
                "pk_attr": "id",
                "table_description": "Where a person worked, from when to when: half-open dated rows, at most one open per legal entity.",
            },
            bases=["TenantModel"],
        ),
        ops.CreateModel(
            name="LegalEntity",
            fields=[
                ("id", fields.UUIDField(primary_key=True, default=new_id, unique=True, db_index=True)),
                ("tenant_id", fields.UUIDField(default=current_tenant_id)),
                ("name", fields.CharField(max_length=200)),
                ("created_at", fields.DatetimeField(auto_now=False, auto_now_add=True)),
            ],
            options={
                "table": "legal_entity",
                "app": "people",
                "pk_attr": "id",
                "table_description": "A company in law: it employs, pays and withholds.",
            },
            bases=["TenantModel"],
        ),
        TenantTable("legal_entity"),
        TenantTable("department"),
        TenantTable("department_closure", key=("ancestor_id", "descendant_id")),
        TenantTable("employee"),
        TenantTable("employment"),
        OrderedText("department", "name", "name_key"),
        OrderedText("employee", "name", "name_key", "number"),
        TenantForeignKey("department", "parent_id", "department"),
        TenantForeignKey("department_closure", "ancestor_id", "department"),
        TenantForeignKey("department_closure", "descendant_id", "department"),
        TenantForeignKey("employee", "department_id", "department"),
        TenantForeignKey("employee", "legal_entity_id", "legal_entity"),
        TenantForeignKey("employment", "employee_id", "employee"),
        TenantForeignKey("employment", "legal_entity_id", "legal_entity"),
        TenantForeignKey("employment", "department_id", "department"),
        TenantCheck("employee", "employee_status", one_of("status", "active", "separated")),
        TenantCheck("employee", "employee_left_after_hired", "left_on IS NULL OR left_on >= hired_on"),
        TenantCheck("employment", "employment_period", "valid_to IS NULL OR valid_to > valid_from"),
        TenantIndex("department", "department_parent", "parent_id, name_key, id"),
        TenantIndex("department", "department_name", "name_key, id"),
        TenantIndex("department", "department_one_root", "(parent_id IS NULL)", unique=True, where="parent_id IS NULL"),
        TenantIndex("department_closure", "department_closure_up", "descendant_id, ancestor_id"),
        TenantIndex("employee", "employee_number", "number", unique=True),
        TenantIndex("employee", "employee_account", "account_id", unique=True, where="account_id IS NOT NULL"),
        TenantIndex("employee", "employee_name", "name_key, id"),
        TenantIndex("employee", "employee_plain_name", "name, id"),
        TenantIndex("employee", "employee_department", "department_id, name_key, id"),
        TenantIndex("employee", "employee_hired", "hired_on, id"),
        TenantIndex("employee", "employee_status_name", "status, name_key, id"),
        TenantIndex("employee", "employee_phone", "phone_index"),
        TenantIndex(
            "employment", "employment_open", "employee_id, legal_entity_id", unique=True, where="valid_to IS NULL"
        ),
        TenantIndex("employment", "employment_employee", "employee_id, valid_from, id"),
    ]
