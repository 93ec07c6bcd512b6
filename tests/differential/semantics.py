"""Row scopes and computed fields of the rooms, once more in Python: written from their documentation, not their SQL."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, is_dataclass
from typing import Any
from uuid import UUID

from saas.customers import OPTIONS
from tests.differential.judgement import Row, World


def _by_id(world: World, table: str, row_id: UUID | None) -> Row | None:
    return next((row for row in world.tables[table] if row["id"] == row_id), None)


def _is_me(world: World, row_id: UUID | None) -> bool:
    return row_id is not None and row_id == world.employee_id


def _my_department(world: World) -> UUID | None:
    me = _by_id(world, "employee", world.employee_id)
    return None if me is None else me["department_id"]


def _in_my_tree(world: World, department_id: UUID | None) -> bool:
    """Whether a department is the caller's or below it, found by climbing."""
    mine = _my_department(world)
    while department_id is not None and mine is not None:
        if department_id == mine:
            return True
        above = _by_id(world, "department", department_id)
        department_id = None if above is None else above["parent_id"]
    return False


def _written_below_me(world: World, row: Row) -> bool:
    author = _by_id(world, "employee", row["author_id"])
    return author is not None and _in_my_tree(world, author["department_id"])


def _of_my_customer(world: World, row: Row) -> bool:
    customer = _by_id(world, "customer", row["customer_id"])
    return customer is not None and _is_me(world, customer["owner_id"])


def _deal_of(world: World, row: Row) -> Row:
    return next(deal for deal in world.tables["deal"] if deal["id"] == row["deal_id"])


def _of_my_deal(world: World, row: Row) -> bool:
    return _is_me(world, _deal_of(world, row)["owner_id"])


def _is_credited(world: World, deal_id: UUID) -> bool:
    credited = (row["employee_id"] for row in world.tables["performance_credit"] if row["deal_id"] == deal_id)
    return any(_is_me(world, person) for person in credited)


def _targets_my_tree(world: World, row: Row) -> bool:
    """Targets of the caller's department and those below, and of the people in them."""
    person = _by_id(world, "employee", row["employee_id"])
    return _in_my_tree(world, row["department_id"] if person is None else person["department_id"])


def _in_my_pool(world: World, row: Row) -> bool:
    """Whether a customer waits in a pool that is everybody's, or that the caller or their department belongs to."""
    departments = [each for each in world.tables["pool_department"] if each["pool_id"] == row["pool_id"]]
    members = [each for each in world.tables["pool_member"] if each["pool_id"] == row["pool_id"]]
    if row["owner_id"] is not None:
        return False
    if not departments and not members:
        return True
    mine, climbed = _my_department(world), set()
    while mine is not None:
        climbed.add(mine)
        above = _by_id(world, "department", mine)
        mine = None if above is None else above["parent_id"]
    named = any(_is_me(world, each["employee_id"]) for each in members)
    return named or any(each["department_id"] in climbed for each in departments)


def _of_pool(table: str, column: str, prefix: str) -> Callable[[World, Row], object]:
    """The public ids of a pool's members, as JSON."""

    def value(world: World, row: Row) -> object:
        named = sorted(each[column] for each in world.tables[table] if each["pool_id"] == row["id"])
        return json.dumps([f"{prefix}_{each.hex}" for each in named])

    return value


def _lacks_administrators(world: World, row: Row) -> object:
    """Somebody is named, and nobody of them is on the staff."""
    named = {each["employee_id"] for each in world.tables["pool_administrator"] if each["pool_id"] == row["id"]}
    staff = {each["id"] for each in world.tables["employee"] if each["status"] == "active"}
    return bool(named) and not named & staff


Scopes = Mapping[str, Callable[[World, Row], bool]]
_OWNED: Scopes = {
    "department": lambda world, row: _in_my_tree(world, row["owner_department_id"]),
    "self": lambda world, row: _is_me(world, row["owner_id"]),
}
_PERSONAL: Scopes = {
    "department": lambda world, row: _in_my_tree(world, row["department_id"]),
    "self": lambda world, row: _is_me(world, row["employee_id"]),
}
SCOPES: Mapping[str, Scopes] = {
    "Employee": {
        "department": lambda world, row: _in_my_tree(world, row["department_id"]),
        "self": lambda world, row: _is_me(world, row["id"]),
    },
    "Department": {
        "department": lambda world, row: _in_my_tree(world, row["id"]),
        "self": lambda world, row: bool(row["id"] == _my_department(world)),
    },
    "LegalEntity": {},
    "Customer": {**_OWNED, "pool": _in_my_pool},
    "CustomerPool": {},
    "Ownership": _OWNED,
    "FollowUp": {
        "department": _written_below_me,
        "self": lambda world, row: _is_me(world, row["author_id"]),
        "owned": _of_my_customer,
    },
    "OpportunityStage": {},
    "Opportunity": {**_OWNED, "owned": _of_my_customer},
    "Deal": {**_OWNED, "credited": lambda world, row: _is_credited(world, row["id"])},
    "Collection": {
        "department": lambda world, row: _in_my_tree(world, _deal_of(world, row)["owner_department_id"]),
        "self": _of_my_deal,
        "credited": lambda world, row: _is_credited(world, row["deal_id"]),
    },
    "PerformanceCredit": {**_PERSONAL, "owned": _of_my_deal},
    "PerformanceLine": _PERSONAL,
    "Target": {"department": _targets_my_tree, "self": lambda world, row: _is_me(world, row["employee_id"])},
    "AuditEntry": {},
}


def _held_days(world: World, row: Row) -> Any:
    return None if row["received_on"] is None else (world.today - row["received_on"]).days


def _days_left(world: World, row: Row) -> Any:
    """On the day before the due date nothing is left, and the customer is still owned."""
    return None if row["due_on"] is None else (row["due_on"] - world.today).days - 1


def _version_gone_by(world: World, row: Row) -> object:
    """That in force in the pool, but where the customer goes on by an earlier one; none before it was reckoned."""
    return None if row["settings_version"] is None else row["earlier_version"] or row["settings_version"]


def _setting(name: str, *, before: object = None) -> Callable[[World, Row], object]:
    """A setting in force: whole numbers and truth values as they are, lists as JSON; `before` of pools without it."""

    def value(_: World, row: Row) -> object:
        found = json.loads(row["settings"]).get(name, before)
        return json.dumps(found) if isinstance(found, list) else found

    return value


def _plain(default: object) -> object:
    """A default as JSON has it."""
    if isinstance(default, tuple):
        return [asdict(each) if is_dataclass(each) and not isinstance(each, type) else each for each in default]
    return default


EXPRESSIONS: Mapping[str, Callable[[World, Row], object]] = {
    "Customer.heldDays": _held_days,
    "Customer.daysLeft": _days_left,
    "Customer.settingsVersion": _version_gone_by,
    "CustomerPool.departments": _of_pool("pool_department", "department_id", "dep"),
    "CustomerPool.members": _of_pool("pool_member", "employee_id", "emp"),
    "CustomerPool.administrators": _of_pool("pool_administrator", "employee_id", "emp"),
    "CustomerPool.lacksAdministrators": _lacks_administrators,
    **{f"CustomerPool.{each.api_name}": _setting(name, before=_plain(each.default)) for name, each in OPTIONS.items()},
    "Collection.counts": lambda world, row: row["reverses_id"] is None and row["reversed_by_id"] is None,
    "Deal.open": lambda world, row: row["amount_minor"] - row["collected_minor"],
}
