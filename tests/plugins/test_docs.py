"""The plugin in docs/plugins.md is one: it installs, starts and refuses as the page says."""

from __future__ import annotations

import json
import re
import sys
from datetime import date
from importlib import import_module
from pathlib import Path

import pytest

from saas.customers.hooks import ClaimFacts, CustomerHooks, Refusal
from saas.extensions import PluginHost, TenantPlugins, parse_settings
from saas.kernel import new_id
from saas.main import HOOKS

PAGE = Path(__file__).parents[2] / "docs" / "plugins.md"


def block(language: str) -> str:
    found = re.search(rf"```{language}\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert found is not None
    return found[1]


def facts(level: str | None) -> ClaimFacts:
    return ClaimFacts(new_id(), new_id(), None, None, level, new_id(), None, date(2026, 11, 23))


def test_smallest_plugin_of_the_page_works(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    code, english = block("python"), json.loads(block("json"))
    assert len(code.splitlines()) <= 40
    locales = tmp_path / "reserved" / "locales"
    locales.mkdir(parents=True)
    (locales.parent / "__init__.py").write_text(code, encoding="utf-8")
    for locale in ("en", "zh-CN"):
        (locales / f"{locale}.json").write_text(json.dumps(english), encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    host = PluginHost([CustomerHooks], {"reserved": import_module("reserved")})
    monkeypatch.delitem(sys.modules, "reserved")
    settings = parse_settings(host.manifest("reserved").settings, {"levels": ["A"]})
    enabled = TenantPlugins({"reserved": settings})
    refusal = Refusal("reserved.level_reserved", {"level": "A"})
    assert host.first("claim_guard", enabled, facts=facts("A")) == ("reserved", refusal)
    assert host.first("claim_guard", enabled, facts=facts("B")) is None
    assert refusal.key in english


def test_every_hook_is_on_the_page() -> None:
    page = PAGE.read_text(encoding="utf-8")
    for hook in PluginHost(HOOKS, {}).hooks:
        assert f"`{hook}(" in page
