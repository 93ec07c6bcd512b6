"""The plugin host: what stops the start, who is called with which settings, and what a failing plugin does."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from saas.customers.hooks import ClaimFacts, CustomerHooks, Refusal, refuse_by_plugins
from saas.extensions import (
    Manifest,
    NoSettings,
    PluginFailed,
    PluginHost,
    PluginRejected,
    PluginSettings,
    PluginUnknown,
    PluginUnusable,
    TenantPlugins,
    hookimpl,
    installed_plugins,
)
from saas.kernel import LOCALES, Catalogue, RuleRefused, new_id
from saas.reads.mapping import RoomReads

FACTS = ClaimFacts(
    tenant_id=new_id(),
    customer_id=new_id(),
    district_code="310106",
    industry=None,
    level=None,
    claimant_id=new_id(),
    claimant_department_id=None,
    on=date(2026, 11, 23),
)


class Word(PluginSettings):
    """Settings of the toy plugins."""

    word: str = "no"


def manifest(name: str, **changes: Any) -> Manifest:
    entries: dict[str, Any] = {
        "name": name,
        "version": "1.0.0",
        "api": "1.x",
        "title": {"en": name, "zh-CN": name},
        "package": "tests",
        "settings": Word,
    }
    return Manifest(**{**entries, **changes})


def plugin(name: str, guard: Callable[..., Any] | None = None, **parts: Any) -> SimpleNamespace:
    hooks = {"claim_guard": hookimpl(guard)} if guard else {}
    return SimpleNamespace(**{"manifest": manifest(name), **hooks, **parts})


def host(**plugins: object) -> PluginHost:
    return PluginHost([CustomerHooks], plugins)


def says_its_word(facts: ClaimFacts, settings: Word) -> Refusal | None:
    return Refusal(f"toy.{settings.word}")


def enabled(**settings: str) -> TenantPlugins:
    return TenantPlugins({name: Word(word=word) for name, word in settings.items()})


def rejection(**plugins: object) -> PluginRejected:
    with pytest.raises(PluginRejected) as rejected:
        host(**plugins)
    return rejected.value


def test_each_enabled_plugin_is_called_with_its_own_settings_in_order() -> None:
    three = host(c=plugin("c", says_its_word), a=plugin("a", says_its_word), b=plugin("b", says_its_word))
    answers = three.each("claim_guard", enabled(c="x", a="y"), facts=FACTS)
    assert answers == [("a", Refusal("toy.y")), ("c", Refusal("toy.x"))]
    assert three.each("claim_guard", enabled(), facts=FACTS) == []
    assert list(three.manifests) == ["a", "b", "c"]
    assert three.hooks == {"allocation_method", "claim_guard"}


def test_hook_may_take_fewer_arguments() -> None:
    assert host(a=plugin("a", lambda: None)).each("claim_guard", enabled(a="x"), facts=FACTS) == [("a", None)]


def test_first_answer_that_refuses_counts() -> None:
    two = host(a=plugin("a", lambda facts: None), b=plugin("b", says_its_word))
    assert two.first("claim_guard", enabled(a="x", b="y"), facts=FACTS) == ("b", Refusal("toy.y"))
    assert two.first("claim_guard", enabled(a="x"), facts=FACTS) is None
    with pytest.raises(RuleRefused) as refused:
        refuse_by_plugins(two, enabled(b="y"), FACTS)
    assert (refused.value.key, refused.value.values) == ("toy.y", {})


def test_failing_plugin_fails_the_operation_and_is_named() -> None:
    def fails(facts: ClaimFacts) -> None:
        raise ZeroDivisionError("by nothing")

    broken = host(a=plugin("a", says_its_word), b=plugin("b", fails))
    with pytest.raises(PluginFailed) as failed:
        broken.first("claim_guard", enabled(a="x", b="x"), facts=FACTS)
    assert failed.value.values == {"plugin": "b", "hook": "claim_guard", "fact": "ZeroDivisionError: by nothing"}
    assert broken.first("claim_guard", enabled(a="x"), facts=FACTS) == ("a", Refusal("toy.x"))


def test_answer_of_another_type_fails_the_operation() -> None:
    with pytest.raises(PluginFailed) as failed:
        host(a=plugin("a", lambda: True)).each("claim_guard", enabled(a="x"), facts=FACTS)
    assert failed.value.values["fact"] == "answered bool"


def test_nothing_is_decided_while_an_enabled_plugin_can_not_be_used() -> None:
    lost = TenantPlugins({"a": Word()}, {"insurance": "extensions.plugin_missing"})
    with pytest.raises(PluginUnusable) as unusable:
        host(a=plugin("a", says_its_word)).each("claim_guard", lost, facts=FACTS)
    assert unusable.value.values == {"plugin": "insurance"}
    assert lost.names == {"a"}


def test_outdated_settings_stop_only_the_hooks_that_the_plugin_has() -> None:
    outdated = TenantPlugins({"a": Word()}, {"b": "extensions.plugin_settings_outdated"})
    without = host(a=plugin("a", says_its_word), b=plugin("b"))
    assert without.each("claim_guard", outdated, facts=FACTS) == [("a", Refusal("toy.no"))]
    with pytest.raises(PluginUnusable):
        host(a=plugin("a", says_its_word), b=plugin("b", says_its_word)).each("claim_guard", outdated, facts=FACTS)


def test_what_the_wiring_needs() -> None:
    reads = RoomReads(plugin="b")
    tables = ("plugins.b.models", "plugins.b.migrations")
    second = SimpleNamespace(manifest=manifest("b", reads=reads, models=tables))
    both = host(a=plugin("a"), b=second)
    assert both.model_apps == {"b": tables}
    assert both.reads == (reads,)
    assert both.packages == ("tests", "tests")
    foreign = SimpleNamespace(manifest=manifest("b", reads=RoomReads(plugin="a")))
    assert rejection(b=foreign).values["field"] == "reads"


def offer(folder: Path, package: str, name: str, code: str) -> None:
    """Lay a plugin's package and its metadata where the interpreter finds installed ones."""
    (folder / f"{package}.py").write_text(code)
    metadata = folder / f"{package}-1.0.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0.0\n")
    (metadata / "entry_points.txt").write_text(f"[saas.plugins]\n{name} = {package}\n")


def test_plugins_are_found_by_their_entry_points(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    offer(tmp_path, "toy_found", "toy", "word = 'found'")
    assert getattr(installed_plugins()["toy"], "word", None) == "found"


def test_plugin_that_can_not_be_imported_stops_the_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    offer(tmp_path, "toy_broken", "toy", "import no_such_library")
    with pytest.raises(PluginRejected) as rejected:
        installed_plugins()
    assert rejected.value.key == "extensions.rejected_import"
    assert rejected.value.values == {
        "plugin": "toy",
        "module": "toy_broken",
        "error": "ModuleNotFoundError: No module named 'no_such_library'",
    }


def test_name_that_two_packages_claim_stops_the_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    offer(tmp_path, "toy_one", "toy", "")
    offer(tmp_path, "toy_two", "toy", "")
    with pytest.raises(PluginRejected) as rejected:
        installed_plugins()
    assert (rejected.value.key, rejected.value.values) == ("extensions.rejected_duplicate", {"plugin": "toy"})


def test_unknown_plugin_names_the_installed_ones() -> None:
    with pytest.raises(PluginUnknown) as unknown:
        host(a=plugin("a"), b=plugin("b")).manifest("c")
    assert unknown.value.values == {"plugin": "c", "installed": "a, b"}


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"version": "1.0"}, "version"),
        ({"title": {"en": "Toy"}}, "title"),
        ({"title": {"en": "Toy", "zh-CN": " "}}, "title"),
        ({"permissions": ("customer:claim",)}, "permissions"),
        ({"settings": dict}, "settings"),
    ],
)
def test_invalid_manifest_stops_the_start(changes: dict[str, Any], field: str) -> None:
    rejected = rejection(toy=SimpleNamespace(manifest=manifest("toy", **changes)))
    assert rejected.key == "extensions.rejected_manifest"
    assert (rejected.values["plugin"], rejected.values["field"]) == ("toy", field)


def test_setting_without_default_stops_the_start() -> None:
    class Demanding(PluginSettings):
        word: str

    rejected = rejection(toy=SimpleNamespace(manifest=manifest("toy", settings=Demanding)))
    assert rejected.values["value"] == "word"


@pytest.mark.parametrize(
    ("api", "is_fit"), [("1.x", True), ("1.0", True), ("1.1", False), ("2.x", False), ("1", False)]
)
def test_plugin_api_range(api: str, is_fit: bool) -> None:
    toy = SimpleNamespace(manifest=manifest("toy", api=api))
    if is_fit:
        assert list(host(toy=toy).manifests) == ["toy"]
    else:
        assert rejection(toy=toy).values == {"plugin": "toy", "range": api, "offered": "1.0"}


def test_bad_names_stop_the_start() -> None:
    assert rejection(toy=SimpleNamespace()).key == "extensions.rejected_no_manifest"
    assert rejection(toy=plugin("other")).values == {"plugin": "toy", "manifest": "other"}
    assert rejection(Toy=plugin("Toy")).values["field"] == "name"


def test_misspelt_hook_stops_the_start_and_the_nearest_is_named() -> None:
    rejected = rejection(toy=plugin("toy", claim_gard=hookimpl(lambda facts: None)))
    assert rejected.key == "extensions.rejected_hook_unknown"
    assert rejected.values == {"plugin": "toy", "hook": "claim_gard", "nearest": "claim_guard"}


def test_hook_without_mark_stops_the_start() -> None:
    rejected = rejection(toy=plugin("toy", claim_guard=lambda facts: None))
    assert rejected.key == "extensions.rejected_hook_unmarked"


def test_hook_that_asks_for_more_stops_the_start() -> None:
    rejected = rejection(toy=plugin("toy", lambda facts, database: None))
    assert rejected.values == {
        "plugin": "toy",
        "hook": "claim_guard",
        "argument": "database",
        "allowed": "facts, settings",
    }


def test_coroutines_generators_and_wrappers_stop_the_start() -> None:
    async def later(facts: ClaimFacts) -> None: ...

    def yields(facts: ClaimFacts) -> Any:
        yield None

    for guard in (hookimpl(later), hookimpl(yields), hookimpl(yields, wrapper=True)):
        assert rejection(toy=plugin("toy", claim_guard=guard)).key == "extensions.rejected_hook_kind"


def test_locales_must_be_complete_and_their_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def sentences(package: str, en: str, zh: str) -> Manifest:
        folder = tmp_path / package / "locales"
        folder.mkdir(parents=True)
        (tmp_path / package / "__init__.py").write_text("")
        (folder / "en.json").write_text(en)
        (folder / "zh-CN.json").write_text(zh)
        return manifest("toy", package=package, settings=NoSettings)

    monkeypatch.syspath_prepend(tmp_path)
    gap = rejection(toy=SimpleNamespace(manifest=sentences("toy_gap", '{"toy.a": "a"}', "{}")))
    assert gap.values == {"plugin": "toy", "key": "toy.a", "locale": "zh-CN"}
    foreign = sentences("toy_foreign", '{"kernel.a": "a"}', '{"kernel.a": "a"}')
    assert rejection(toy=SimpleNamespace(manifest=foreign)).key == "extensions.rejected_locale_key"


def test_every_rejection_has_its_sentence_and_remedy_in_both_languages() -> None:
    catalogue = Catalogue.of(["saas.extensions"])
    assert catalogue.keys("en") == catalogue.keys("zh-CN")
    for locale in LOCALES:
        keys = catalogue.keys(locale)
        facts = {key for key in keys if not key.endswith(".hint")}
        assert {f"{fact}.hint" for fact in facts} == keys - facts
    rejected = rejection(toy=plugin("toy", claim_gard=hookimpl(lambda facts: None)))
    assert catalogue.text("en", rejected.key, rejected.values) == (
        "The plugin “toy” implements “claim_gard”, which is not a hook; the nearest is “claim_guard”."
    )
