"""Each model of a tenant's table queries through a manager of its own that names the tenant."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from importlib import import_module

from tortoise.models import Model

from saas.main import MODEL_APPS
from tenants import ScopedManager, TenantMeta, TenantModel

UNSCOPED = {
    "PeriodicJobState": "platform",
    "SignUpKey": "platform",
    "Account": "platform",
    "Membership": "platform",
    "Session": "platform",
    "RefreshToken": "platform",
    "Invitation": "platform",
    "SignInThrottle": "platform",
    "SecurityEvent": "platform",
    "Tenant": "platform",
    "TenantEvent": "platform",
}
"""Models of data that belongs to no tenant, with the schema that only the platform role reaches."""


def models() -> Iterator[type[Model]]:
    """Every concrete model of every room, whether or not the ORM has found it."""
    for name, (module_name, _) in MODEL_APPS.items():
        module = import_module(module_name)
        for _, kind in inspect.getmembers(module, inspect.isclass):
            if issubclass(kind, Model) and kind.__module__ == module_name and kind is not TenantModel:
                assert not kind._meta.abstract, f"{name}.{kind.__name__} is abstract: class Meta(TenantMeta)"
                yield kind


def test_unscoped_models_are_those_of_the_platform() -> None:
    found = {model.__name__: model._meta.schema for model in models() if not isinstance(scope(model), ScopedManager)}
    assert found == UNSCOPED


def test_each_tenant_model_has_a_scoped_manager_of_its_own() -> None:
    scoped = [model for model in models() if model.__name__ not in UNSCOPED]
    assert len(scoped) > 15
    for model in scoped:
        manager = scope(model)
        assert isinstance(manager, ScopedManager), model
        assert manager._model is model
        assert "tenant_id" in model._meta.fields_map
        assert issubclass(model.Meta, TenantMeta)
    assert len({id(scope(model)) for model in scoped}) == len(scoped)


def scope(model: type[Model]) -> object:
    """The manager that the model's queries start from."""
    return model._meta.manager
