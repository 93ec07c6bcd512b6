"""The plugin host: finds plugins, checks them before anything runs, and calls the hooks of those enabled.

Only this module knows pluggy. A plugin object keeps no state: its tenant's settings come with each call. The
calculation hooks are pure and synchronous, and a failing one fails the operation.
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable, Iterable, Mapping
from difflib import get_close_matches
from importlib.metadata import entry_points
from types import UnionType
from typing import Any, TypeVar, get_origin, get_type_hints

import pluggy

from saas.extensions.errors import PluginFailed, PluginRejected, PluginUnknown, PluginUnusable
from saas.extensions.manifest import Manifest, check_manifest
from saas.extensions.settings import PluginSettings
from saas.extensions.tenant_plugins import TenantPlugins
from saas.reads.mapping import RoomReads

ENTRY_POINTS = "saas.plugins"
_PROJECT = "saas"
F = TypeVar("F")
R = TypeVar("R")

hookspec = pluggy.HookspecMarker(_PROJECT)
hookimpl = pluggy.HookimplMarker(_PROJECT)


def installed_plugins() -> dict[str, object]:
    """The modules behind the entry-point group ``saas.plugins``, by entry name.

    :raises PluginRejected: a module that can't be imported, or a name that two packages claim.
    """
    found: dict[str, object] = {}
    for entry in entry_points(group=ENTRY_POINTS):
        if entry.name in found:
            raise PluginRejected("duplicate", entry.name)
        try:
            found[entry.name] = entry.load()
        except Exception as error:  # a plugin's import runs foreign code: whatever it raises is its rejection
            raise PluginRejected("import", entry.name, module=entry.value, error=_said(error)) from error
    return found


class PluginHost:
    """All installed plugins, checked. `specs` are the classes of hook specifications, from the rooms' ``hooks``."""

    def __init__(self, specs: Iterable[type], plugins: Mapping[str, object]) -> None:
        self._pluggy = pluggy.PluginManager(_PROJECT)
        self._results: dict[str, tuple[type | UnionType, ...]] = {}
        for spec in specs:
            self._pluggy.add_hookspecs(spec)
            self._results.update(_result_types(spec))
        self._manifests: dict[str, Manifest] = {}
        for name in sorted(plugins, reverse=True):  # pluggy calls the last registered first
            self._register(name, plugins[name])

    @property
    def manifests(self) -> Mapping[str, Manifest]:
        """The manifests of all installed plugins, by name, in alphabetical order."""
        return {name: self._manifests[name] for name in sorted(self._manifests)}

    @property
    def hooks(self) -> frozenset[str]:
        """The names of all hooks."""
        return frozenset(self._results)

    @property
    def model_apps(self) -> Mapping[str, tuple[str, str]]:
        """Plugins with tables, as the ORM and the migrations want them: label → (models, migrations)."""
        return {name: manifest.models for name, manifest in self.manifests.items() if manifest.models}

    @property
    def reads(self) -> tuple[RoomReads, ...]:
        """What the plugins offer to read."""
        return tuple(manifest.reads for manifest in self.manifests.values() if manifest.reads)

    @property
    def packages(self) -> tuple[str, ...]:
        """The packages that hold the plugins' sentences, for the catalogue."""
        return tuple(manifest.package for manifest in self.manifests.values())

    def manifest(self, name: str) -> Manifest:
        """The manifest of an installed plugin.

        :raises PluginUnknown: none has this name.
        """
        found = self._manifests.get(name)
        if found is None:
            raise PluginUnknown(
                "extensions.plugin_unknown", {"plugin": name[:40], "installed": ", ".join(self.manifests)}
            )
        return found

    def each(self, hook: str, enabled: TenantPlugins, **facts: object) -> list[tuple[str, Any]]:
        """Call a hook of every plugin that the tenant has enabled, in alphabetical order: (plugin, result) pairs.

        `settings` is passed by the host; `facts` are the hook's other arguments.

        :raises PluginUnusable: an enabled plugin can't be used, so nothing may be calculated.
        :raises PluginFailed: a plugin raised, or answered something of another type.
        """
        implementations = list(reversed(getattr(self._pluggy.hook, hook).get_hookimpls()))
        self._require_usable(enabled, {implementation.plugin_name for implementation in implementations})
        results = []
        for implementation in implementations:
            settings = enabled.settings.get(implementation.plugin_name)
            if settings is not None:
                results.append((implementation.plugin_name, self._call(hook, implementation, settings, facts)))
        return results

    def first(self, hook: str, enabled: TenantPlugins, **facts: object) -> tuple[str, Any] | None:
        """The first result that is not None, and its plugin: for guards, where one refusal is enough.

        :raises PluginUnusable: as `each`.
        :raises PluginFailed: as `each`; every plugin is asked, so that a failing one never hides behind a refusal.
        """
        answers = self.each(hook, enabled, **facts)
        return next((answer for answer in answers if answer[1] is not None), None)

    def guarded(self, plugin: str, hook: str, function: Callable[[F], R]) -> Callable[[F], R]:
        """A function that a plugin's hook answered, which fails as the hook does: an error names the plugin.

        The function given back raises PluginFailed.
        """

        def called(facts: F) -> R:
            try:
                return function(facts)
            except Exception as error:  # foreign code, as in `_call`
                raise PluginFailed(plugin, hook, _said(error)) from error

        return called

    def _require_usable(self, enabled: TenantPlugins, implementers: set[str]) -> None:
        """A plugin that is not installed might implement any hook; an installed one only what it does."""
        for name, key in enabled.unusable.items():
            if name in implementers or name not in self._manifests:
                raise PluginUnusable(key, {"plugin": name})

    def _call(
        self, hook: str, implementation: pluggy.HookImpl, settings: PluginSettings, facts: Mapping[str, object]
    ) -> object:
        given = {**facts, "settings": settings}
        try:
            result: object = implementation.function(*(given[name] for name in implementation.argnames))
        except Exception as error:  # foreign code: whatever it raises must name the plugin and fail the operation
            raise PluginFailed(implementation.plugin_name, hook, _said(error)) from error
        if not isinstance(result, self._results[hook]):
            raise PluginFailed(implementation.plugin_name, hook, f"answered {type(result).__name__}")
        return result

    def _register(self, name: str, plugin: object) -> None:
        manifest = getattr(plugin, "manifest", None)
        if not isinstance(manifest, Manifest):
            raise PluginRejected("no_manifest", name)
        if manifest.name != name:
            raise PluginRejected("name", name, manifest=manifest.name)
        check_manifest(manifest)
        self._check_hooks(name, plugin)
        self._pluggy.register(plugin, name=name)
        self._manifests[name] = manifest

    def _check_hooks(self, name: str, plugin: object) -> None:
        for attribute in dir(plugin):
            function = getattr(plugin, attribute)
            options = self._pluggy.parse_hookimpl_opts(plugin, attribute)
            if options is None:
                if attribute in self._results and inspect.isfunction(function):
                    raise PluginRejected("hook_unmarked", name, hook=attribute)
                continue
            hook = options.get("specname") or attribute
            if hook not in self._results:
                near = get_close_matches(hook, self._results, n=1)
                raise PluginRejected("hook_unknown", name, hook=hook, nearest=near[0] if near else "–")
            self._check_signature(name, hook, function, is_wrapper=bool(options["wrapper"] or options["hookwrapper"]))

    def _check_signature(self, name: str, hook: str, function: Any, *, is_wrapper: bool) -> None:
        allowed = getattr(self._pluggy.hook, hook).spec.argnames
        unknown = [argument for argument in inspect.signature(function).parameters if argument not in allowed]
        if unknown:
            raise PluginRejected("hook_argument", name, hook=hook, argument=unknown[0], allowed=", ".join(allowed))
        if is_wrapper or asyncio.iscoroutinefunction(function) or inspect.isgeneratorfunction(function):
            raise PluginRejected("hook_kind", name, hook=hook)


def _result_types(spec: type) -> dict[str, tuple[type | UnionType, ...]]:
    """Per hook of the class, what its implementations may answer, read from the specification's annotation."""
    found: dict[str, tuple[type | UnionType, ...]] = {}
    for name, function in inspect.getmembers(spec, inspect.isfunction):
        if hasattr(function, f"{_PROJECT}_spec"):
            hint = get_type_hints(function)["return"]
            found[name] = (hint if isinstance(hint, type | UnionType) else get_origin(hint) or object,)
    return found


def _said(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}"[:200]
