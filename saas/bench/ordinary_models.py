"""The same tables as Tortoise models with relations, the way an ordinary team would declare them."""

from __future__ import annotations

from typing import Any

from tortoise import fields
from tortoise.models import Model

_PLAIN: dict[str, Any] = {"db_constraint": False}


class Employee(Model):
    """A person on the staff."""

    id = fields.UUIDField(primary_key=True)
    name = fields.CharField(max_length=100)
    department_id = fields.UUIDField()

    class Meta:
        table = "employee"


class Customer(Model):
    """A customer with its owner."""

    id = fields.UUIDField(primary_key=True)
    name = fields.CharField(max_length=200)
    level = fields.CharField(max_length=20, null=True)
    industry = fields.CharField(max_length=100, null=True)
    status = fields.CharField(max_length=20)
    owner: fields.ForeignKeyNullableRelation[Employee] = fields.ForeignKeyField(
        "bench.Employee", related_name="customers", null=True, **_PLAIN
    )
    owner_department_id = fields.UUIDField(null=True)
    received_on = fields.DateField(null=True)
    version = fields.IntField()
    created_at = fields.DatetimeField()

    follow_ups: fields.ReverseRelation[FollowUp]

    class Meta:
        table = "customer"


class FollowUp(Model):
    """What somebody did for a customer."""

    id = fields.UUIDField(primary_key=True)
    customer: fields.ForeignKeyRelation[Customer] = fields.ForeignKeyField(
        "bench.Customer", related_name="follow_ups", **_PLAIN
    )
    author: fields.ForeignKeyRelation[Employee] = fields.ForeignKeyField(
        "bench.Employee", related_name="follow_ups", **_PLAIN
    )
    kind = fields.CharField(max_length=20)
    content = fields.TextField()
    occurred_at = fields.DatetimeField()

    class Meta:
        table = "follow_up"
