"""What every installed plugin keeps, whoever wrote it: checked for each one found by its entry point."""

from __future__ import annotations

import ast
import inspect
import re
import sys
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import get_type_hints

import pytest

from saas.extensions import Manifest, PluginHost, installed_plugins, parse_settings
from saas.extensions.settings import dump_settings
from saas.kernel import LOCALES
from saas.main import HOOKS

PLUGINS = installed_plugins()
SPECS = HOOKS
IMPURE = frozenset({"asyncio", "http", "importlib", "io", "os", "pathlib", "random", "secrets", "socket", "sqlite3"})
IMPURE |= {"ssl", "subprocess", "sys", "threading", "time", "urllib"}
PLACEHOLDER = re.compile(r"{(\w+)}")

each_plugin = pytest.mark.parametrize("name", sorted(PLUGINS))


def manifest_of(name: str) -> Manifest:
    return PluginHost(SPECS, PLUGINS).manifest(name)


def sources(name: str) -> list[Path]:
    module = PLUGINS[name]
    assert isinstance(module, ModuleType)
    assert module.__file__ is not None
    return sorted(Path(module.__file__).parent.rglob("*.py"))


def test_our_own_plugins_are_found() -> None:
    assert "realty" in PluginHost(SPECS, PLUGINS).manifests


@each_plugin
def test_default_settings_are_valid_and_survive_storage(name: str) -> None:
    declared = manifest_of(name).settings
    assert parse_settings(declared, {}) == declared()
    assert parse_settings(declared, dump_settings(declared())) == declared()


@each_plugin
def test_sentences_stand_in_both_languages_with_the_same_values_and_a_remedy(name: str) -> None:
    """A sentence that explains a result (``name.explained.…``) refuses nothing, so it needs no remedy."""
    manifest = manifest_of(name)
    english, chinese = (manifest.locales[locale] for locale in ("en", "zh-CN"))
    assert english.keys() == chinese.keys()
    for key, sentence in english.items():
        assert set(PLACEHOLDER.findall(sentence)) == set(PLACEHOLDER.findall(chinese[key])), key
        needs_remedy = not key.startswith(f"{name}.explained.") and not key.endswith(".hint")
        assert (f"{key}.hint" in english) == needs_remedy, key
    assert set(manifest.title) == set(LOCALES)


@each_plugin
def test_hooks_have_the_types_of_their_specification(name: str) -> None:
    for spec in SPECS:
        for hook, specification in inspect.getmembers(spec, inspect.isfunction):
            function = getattr(PLUGINS[name], hook, None)
            if function is None:
                continue
            wanted, given = get_type_hints(specification), get_type_hints(function)
            assert given["return"] == wanted["return"]
            assert given.pop("settings", manifest_of(name).settings) is manifest_of(name).settings
            assert given.items() <= wanted.items()


@each_plugin
def test_imports_are_the_sdk_the_standard_library_and_itself(name: str) -> None:
    module = PLUGINS[name]
    assert isinstance(module, ModuleType)
    for source in sources(name):
        for imported in imports_of(source):
            top = imported.partition(".")[0]
            is_own = imported == module.__name__ or imported.startswith(f"{module.__name__}.")
            assert is_own or imported == "saas.sdk" or top in sys.stdlib_module_names, f"{source.name}: {imported}"


@each_plugin
def test_hooks_reach_for_no_clock_network_file_or_chance(name: str) -> None:
    for source in sources(name):
        if source.parent.name != "migrations":
            assert {imported.partition(".")[0] for imported in imports_of(source)} & IMPURE == set(), source.name


@each_plugin
def test_importing_does_nothing_else(name: str) -> None:
    """A second import gives an equal manifest: nothing is registered, counted or opened on the way."""
    module = PLUGINS[name]
    assert isinstance(module, ModuleType)
    assert import_module(module.__name__).manifest == manifest_of(name)


def imports_of(source: Path) -> list[str]:
    found: list[str] = []
    for node in ast.walk(ast.parse(source.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found.extend(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{source.name}: relative import"
            found.append(node.module or "")
    return found
