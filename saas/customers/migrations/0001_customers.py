from tortoise import migrations
from tortoise.migrations import operations as ops
from saas.kernel.ids import new_id
from tenants.database import current_tenant_id
from tortoise import fields

class Migration(migrations.Migration):
    initial = True

    operations = [
        ops.CreateModel(
            name='ClaimCount',
            fields=[
                ('id', fields.UUIDField(primary_key=True, default=new_id, unique=True, db_index=True)),
                ('tenant_id', fields.UUIDField(default=current_tenant_id)),
                ('pool_id', fields.UUIDField()),
                ('employee_id', fields.UUIDField()),
                ('counted_on', fields.DateField()),
                ('claims', fields.IntField()),
            ],
            options={'table': 'claim_count', 'app': 'customers', 'pk_attr': 'id', 'table_description': "Claim events of one person from one pool on one day of the tenant's calendar; never given back."},
            bases=['TenantModel'],
        ),
        ops.CreateModel(
            name='Customer',
            fields=[
                ('id', fields.UUIDField(primary_key=True, default=new_id, unique=True, db_index=True)),
                ('tenant_id', fields.UUIDField(default=current_tenant_id)),
                ('pool_id', fields.UUIDField()),
                ('name', fields.CharField(max_length=200)),
                ('name_key', fields.CharField(max_length=600)),
                ('short_name', fields.CharField(null=True, max_length=100)),
                ('industry', fields.CharField(null=True, max_length=100)),
                ('level', fields.CharField(null=True, max_length=20)),
                ('source', fields.CharField(null=True, max_length=40)),
                ('district_code', fields.CharField(null=True, max_length=12)),
                ('district_name', fields.CharField(null=True, max_length=100)),
                ('contact_name', fields.CharField(null=True, max_length=100)),
                ('phone_sealed', fields.BinaryField(null=True)),
                ('phone_masked', fields.CharField(null=True, max_length=40)),
                ('phone_index', fields.BinaryField(null=True)),
                ('status', fields.CharField(default='pooled', db_default='pooled', max_length=20)),
                ('owner_id', fields.UUIDField(null=True)),
                ('owner_department_id', fields.UUIDField(null=True)),
                ('received_on', fields.DateField(null=True)),
                ('last_follow_up_at', fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ('external_system', fields.CharField(null=True, max_length=40)),
                ('external_key', fields.CharField(null=True, max_length=100)),
                ('version', fields.IntField(default=1, db_default=1)),
                ('created_at', fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={'table': 'customer', 'app': 'customers', 'pk_attr': 'id', 'table_description': 'A company or person that is sold to: pooled (no owner) or owned (one open ownership).'},
            bases=['TenantModel'],
        ),
        ops.CreateModel(
            name='CustomerPool',
            fields=[
                ('id', fields.UUIDField(primary_key=True, default=new_id, unique=True, db_index=True)),
                ('tenant_id', fields.UUIDField(default=current_tenant_id)),
                ('name', fields.CharField(max_length=100)),
                ('is_default', fields.BooleanField(default=False, db_default=False)),
                ('claim_limit', fields.IntField(default=10, db_default=10)),
                ('holding_limit', fields.IntField(default=200, db_default=200)),
                ('cooldown_days', fields.IntField(default=7, db_default=7)),
                ('version', fields.IntField(default=1, db_default=1)),
                ('created_at', fields.DatetimeField(auto_now=False, auto_now_add=True)),
            ],
            options={'table': 'customer_pool', 'app': 'customers', 'pk_attr': 'id', 'table_description': 'A pool (公海) and its rules: where customers without an owner wait.'},
            bases=['TenantModel'],
        ),
        ops.CreateModel(
            name='Ownership',
            fields=[
                ('id', fields.UUIDField(primary_key=True, default=new_id, unique=True, db_index=True)),
                ('tenant_id', fields.UUIDField(default=current_tenant_id)),
                ('customer_id', fields.UUIDField()),
                ('owner_id', fields.UUIDField()),
                ('owner_department_id', fields.UUIDField()),
                ('pool_id', fields.UUIDField()),
                ('started_at', fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ('started_on', fields.DateField()),
                ('ended_at', fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ('ended_on', fields.DateField(null=True)),
                ('start_kind', fields.CharField(max_length=20)),
                ('end_kind', fields.CharField(null=True, max_length=20)),
                ('operator_id', fields.UUIDField()),
                ('reason', fields.CharField(null=True, max_length=200)),
            ],
            options={'table': 'ownership', 'app': 'customers', 'pk_attr': 'id', 'table_description': 'One holding of a customer by one owner; at most one is open per customer.'},
            bases=['TenantModel'],
        ),
    ]
