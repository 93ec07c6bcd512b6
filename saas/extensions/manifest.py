"""What a plugin says of itself, and the check that it says it rightly. Free of pluggy."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.resources import files

from saas.extensions.errors import PluginRejected
from saas.extensions.settings import NoSettings, PluginSettings
from saas.kernel import LOCALES
from saas.reads.mapping import RoomReads

API_VERSION = (1, 0)
"""The plugin API of this release: major (breaks), minor (adds)."""

_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")
_VERSION = re.compile(r"\d+\.\d+\.\d+")
_RANGE = re.compile(r"(\d+)\.(x|\d+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """One plugin. `name` is also its entry point's name and the first part of its keys and permissions.

    `api` is the range of plugin APIs it was written for: ``1.x``, or ``1.2`` for at least 1.2 and below 2.
    `package` holds its ``locales/``. `models` is (models module, migrations package), where it has tables.
    """

    name: str
    version: str
    api: str
    title: Mapping[str, str]
    package: str
    settings: type[PluginSettings] = NoSettings
    permissions: tuple[str, ...] = ()
    reads: RoomReads | None = None
    models: tuple[str, str] | None = None
    locales: Mapping[str, Mapping[str, str]] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "locales", {locale: _sentences(self.package, locale) for locale in LOCALES})


def check_manifest(manifest: Manifest) -> None:
    """Every rule that a manifest keeps.

    :raises PluginRejected: one is broken; the message names the plugin, the value and the rule.
    """
    for name, value, is_kept, rule in _rules(manifest):
        if not is_kept:
            raise PluginRejected("manifest", manifest.name, field=name, value=value, rule=rule)
    if not _fits(manifest.api):
        offered = ".".join(map(str, API_VERSION))
        raise PluginRejected("api", manifest.name, range=manifest.api, offered=offered)
    _check_locales(manifest)


def _rules(manifest: Manifest) -> list[tuple[str, str, bool, str]]:
    own = f"{manifest.name}:"
    untitled = [locale for locale in LOCALES if not manifest.title.get(locale, "").strip()]
    foreign = [permission for permission in manifest.permissions if not permission.startswith(own)]
    settings = manifest.settings
    is_settings = isinstance(settings, type) and issubclass(settings, PluginSettings)
    required = [name for name, spec in settings.model_fields.items() if spec.is_required()] if is_settings else []
    reads_plugin = manifest.reads.plugin if manifest.reads else manifest.name
    return [
        ("name", manifest.name, bool(_NAME.fullmatch(manifest.name)), "at most 40 of a-z, 0-9, _, a letter first"),
        ("version", manifest.version, bool(_VERSION.fullmatch(manifest.version)), "three numbers, as 1.0.0"),
        ("title", ", ".join(untitled), not untitled, "a title in every language"),
        ("permissions", ", ".join(foreign), not foreign, f"each begins with {own}"),
        ("settings", str(settings), is_settings, "a subclass of PluginSettings"),
        ("settings", ", ".join(required), not required, "every setting has a default"),
        ("reads", str(reads_plugin), reads_plugin == manifest.name, "its plugin is the manifest's name"),
    ]


def _fits(wanted: str) -> bool:
    match = _RANGE.fullmatch(wanted)
    if match is None or int(match[1]) != API_VERSION[0]:
        return False
    return match[2] == "x" or int(match[2]) <= API_VERSION[1]


def _check_locales(manifest: Manifest) -> None:
    keys = {locale: manifest.locales[locale].keys() for locale in LOCALES}
    everything = set().union(*keys.values())
    foreign = sorted(key for key in everything if not key.startswith(f"{manifest.name}."))
    if foreign:
        raise PluginRejected("locale_key", manifest.name, key=foreign[0])
    for locale in LOCALES:
        missing = sorted(everything - keys[locale])
        if missing:
            raise PluginRejected("locale_gap", manifest.name, key=missing[0], locale=locale)


def _sentences(package: str, locale: str) -> dict[str, str]:
    source = files(package) / "locales" / f"{locale}.json"
    if not source.is_file():
        return {}
    sentences: dict[str, str] = json.loads(source.read_text(encoding="utf-8"))
    return sentences
