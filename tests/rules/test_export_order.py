"""The order in which an export's tables may be inserted again."""

from __future__ import annotations

from tenants.export import insertion_order


def test_each_table_follows_those_it_refers_to() -> None:
    order = insertion_order({"deal": {"customer", "employee"}, "customer": {"employee"}, "employee": set()})
    assert order == ["employee", "customer", "deal"]


def test_circle_is_opened_at_its_first_name() -> None:
    order = insertion_order({"employee": {"department"}, "department": {"employee"}, "deal": {"employee"}})
    assert order == ["department", "employee", "deal"]
