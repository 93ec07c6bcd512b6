"""The rooms' own root fields, by module: what the schema has beside the compiled reads."""

from __future__ import annotations

from types import ModuleType

from saas.graphql.rooms import (
    access,
    allocations,
    customers,
    identity,
    members,
    onboarding,
    own_sessions,
    people,
    plugins,
    pools,
    recycling,
    sales,
    viewer,
)

MODULES: tuple[ModuleType, ...] = (
    viewer,
    identity,
    own_sessions,
    onboarding,
    members,
    access,
    plugins,
    people,
    customers,
    pools,
    recycling,
    allocations,
    sales,
)
