from tortoise import migrations
from tortoise.migrations import operations as ops
from saas.kernel.ids import new_id
from tenants.database import current_tenant_id
from tortoise import fields

class Migration(migrations.Migration):
    initial = True

    operations = [
        ops.CreateModel(
            name='FollowUp',
            fields=[
                ('id', fields.UUIDField(primary_key=True, default=new_id, unique=True, db_index=True)),
                ('tenant_id', fields.UUIDField(default=current_tenant_id)),
                ('customer_id', fields.UUIDField()),
                ('author_id', fields.UUIDField()),
                ('kind', fields.CharField(max_length=20)),
                ('content', fields.TextField(unique=False)),
                ('occurred_at', fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ('occurred_on', fields.DateField()),
                ('created_at', fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={'table': 'follow_up', 'app': 'sales', 'pk_attr': 'id', 'table_description': 'What a person did for a customer: a call, a visit, a meeting, a message, a note.'},
            bases=['TenantModel'],
        ),
    ]
