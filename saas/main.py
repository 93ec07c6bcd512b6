"""Wiring, in one place: which rooms have tables, which declare reads, how a process is put together."""

from __future__ import annotations

MODEL_APPS: dict[str, tuple[str, str]] = {
    "tenants": ("tenants.models", "tenants.migrations"),
    **{
        room: (f"saas.{room}.models", f"saas.{room}.migrations")
        for room in (
            "events",
            "jobs",
            "audit",
            "access",
            "sealing",
            "identity",
            "extensions",
            "people",
            "onboarding",
            "customers",
            "sales",
        )
    },
}
"""Rooms with tables: app label → (models module, migrations package), in the order of their dependencies."""
