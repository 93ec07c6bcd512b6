"""Typed settings of plugins: how they are declared, and how what a company sent becomes one, or a reason.

Outside (GraphQL, stored rows) settings are JSON with camelCase names; inside, an immutable typed object.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, TypeVar
from uuid import UUID

import orjson
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer, StringConstraints, ValidationError
from pydantic.alias_generators import to_camel
from pydantic_core import ErrorDetails

from saas.extensions.errors import SettingRefused
from saas.kernel import Scalar, parse_public_id, public_id

SETTINGS_BYTES = 64 * 1024
_EMPLOYEE_PREFIX = "emp"
_LEGAL_ENTITY_PREFIX = "ent"


@dataclass(frozen=True, slots=True)
class Problem:
    """Why settings don't hold together: a key in the plugin's locales, its values, and where."""

    key: str
    args: Mapping[str, Scalar]
    path: tuple[str, ...] = ()


class PluginSettings(BaseModel):
    """The base of a plugin's settings and of their parts: unknown names are refused, nothing can be changed."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        strict=True,
        alias_generator=to_camel,
        validate_by_name=True,
        validate_by_alias=True,
    )

    def problems(self) -> Iterator[Problem]:
        """What no single field can tell; the first one refuses the settings. Override it; keep it pure."""
        return iter(())


class NoSettings(PluginSettings):
    """For plugins that have nothing to set."""


def _uuid_of(prefix: str) -> BeforeValidator:
    def parsed(value: object) -> object:
        return str(parse_public_id(value, prefix=prefix)) if isinstance(value, str) and "_" in value else value

    return BeforeValidator(parsed)


def _shown_as(prefix: str) -> PlainSerializer:
    return PlainSerializer(lambda value: public_id(prefix, value), return_type=str, when_used="json")


EmployeeId = Annotated[UUID, _uuid_of(_EMPLOYEE_PREFIX), _shown_as(_EMPLOYEE_PREFIX), Field(strict=False)]
"""An employee, shown as a public id (``emp_…``); taken as one, or as a UUID."""


LegalEntityId = Annotated[UUID, _uuid_of(_LEGAL_ENTITY_PREFIX), _shown_as(_LEGAL_ENTITY_PREFIX), Field(strict=False)]
"""A legal entity, shown as a public id (``ent_…``); taken as one, or as a UUID."""


Title = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=100)]
"""A name that people read, 1 to 100 characters."""


S = TypeVar("S", bound=PluginSettings)


def parse_settings(declared: type[S], sent: Mapping[str, Any]) -> S:
    """The typed settings of what was sent.

    :raises SettingRefused: an unknown or missing name, a value of another type, or one of the plugin's own rules.
    """
    text = orjson.dumps(sent)
    if len(text) > SETTINGS_BYTES:
        raise SettingRefused("extensions.settings_too_large", {"bytes": len(text), "limit": SETTINGS_BYTES})
    try:
        settings = declared.model_validate_json(text, by_alias=True, by_name=False)
    except ValidationError as error:
        raise _refusal(error.errors(include_url=False)[0]) from None
    problem = next(settings.problems(), None)
    if problem:
        raise SettingRefused(problem.key, problem.args, field=("settings", *problem.path))
    return settings


def dump_settings(settings: PluginSettings) -> dict[str, Any]:
    """Settings as JSON values, as they are stored and shown."""
    return settings.model_dump(mode="json", by_alias=True)


_FACTS = {
    "extra_forbidden": "setting_unknown",
    "missing": "setting_missing",
    "literal_error": "setting_not_allowed",
    "enum": "setting_not_allowed",
}


def _refusal(error: ErrorDetails) -> SettingRefused:
    """The first fault, in our own words: the library speaks English only."""
    path = tuple(str(part) for part in error["loc"])
    fact = _FACTS.get(error["type"], "setting_invalid")
    expected = str(error.get("ctx", {}).get("expected", error["type"].replace("_", " ")))
    return SettingRefused(
        f"extensions.{fact}", {"path": ".".join(path), "expected": expected}, field=("settings", *path)
    )
