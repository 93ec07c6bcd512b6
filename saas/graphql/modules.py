"""The rooms' own root fields, by module: what the schema has beside the compiled reads."""

from __future__ import annotations

from types import ModuleType

from saas.graphql import customers, identity, onboarding, people, sales, viewer

MODULES: tuple[ModuleType, ...] = (viewer, identity, onboarding, people, customers, sales)
