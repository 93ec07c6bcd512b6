"""The rooms' own root fields, by module: what the schema has beside the compiled reads."""

from __future__ import annotations

from types import ModuleType

from saas.graphql.rooms import (
    access,
    allocations,
    customers,
    deals,
    explanations,
    identity,
    imports,
    incentive_plans,
    incentives,
    members,
    onboarding,
    opportunities,
    own_sessions,
    payroll,
    payroll_inputs,
    payroll_structures,
    payslips,
    people,
    plugins,
    pools,
    recycling,
    sales,
    targets,
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
    opportunities,
    deals,
    targets,
    incentive_plans,
    incentives,
    explanations,
    imports,
    payroll_structures,
    payroll_inputs,
    payroll,
    payslips,
)
