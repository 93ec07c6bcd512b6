"""The chart as a whole: valid for the Kubernetes versions it claims, closed to typing errors, documented."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.chart.rendering import CHART, PROFILES, Document, Release, errors_of_lint, helm, merged, rendered, values_of

kubernetes_validate = pytest.importorskip("kubernetes_validate", reason="kubernetes-validate is not installed")

# The first version the chart claims, one between, and the newest whose schemas are bundled.
KUBERNETES = ("1.30", "1.33", "1.37")
# Kinds without a schema of Kubernetes itself; tests/chart/test_network.py compares them whole.
CUSTOM_KINDS = {"ServiceMonitor"}


@pytest.mark.parametrize("version", KUBERNETES)
def test_documents_are_valid(release: Release, version: str) -> None:
    for document in release.documents:
        if document["kind"] not in CUSTOM_KINDS:
            assert kubernetes_validate.validate(document, version, strict=True) == version


def test_the_validation_notices_a_misspelt_key(releases: dict[str, Release]) -> None:
    service = json.loads(json.dumps(releases["minimal"].named("Service", "demo-fairlead-web")))
    service["spec"]["selektor"] = {}
    with pytest.raises(kubernetes_validate.ValidationError, match="selektor"):
        kubernetes_validate.validate(service, KUBERNETES[0], strict=True)


@pytest.mark.parametrize("profile", PROFILES)
def test_lint_finds_nothing(profile: str) -> None:
    assert errors_of_lint(values_of(profile)) == []


def test_kinds_of_the_minimal_release(releases: dict[str, Release]) -> None:
    kinds = sorted(document["kind"] for document in releases["minimal"].documents)
    assert kinds == sorted(
        ["Deployment"] * 2
        + ["PodDisruptionBudget"] * 2
        + ["NetworkPolicy"] * 4
        + ["ServiceAccount"] * 2
        + ["Job", "Pod", "Service"]
    )


def test_needs_no_other_chart_and_states_the_oldest_kubernetes() -> None:
    about = yaml.safe_load((CHART / "Chart.yaml").read_text())
    assert "dependencies" not in about
    assert not (CHART / "charts").exists()
    assert about["kubeVersion"] == f">={KUBERNETES[0]}.0-0"


def test_the_notes_say_how_to_reach_and_check_it(releases: dict[str, Release]) -> None:
    notes = releases["production"].notes
    assert "It answers at https://sales.example.com:8443" in notes
    assert "helm test demo --namespace sales" in notes
    assert "job/demo-fairlead-migrate" in notes
    assert "The chart made no ingress. https://fairlead.example.com must lead, by TLS" in releases["minimal"].notes


@pytest.mark.parametrize("name", ["true", "on", "null"])
def test_a_name_that_yaml_reads_otherwise_stays_a_name(name: str) -> None:
    release = rendered(merged(values_of("production"), {"fullnameOverride": name}), name=name)
    for document in release.documents:
        assert isinstance(document["metadata"]["name"], str)
        assert document["metadata"]["labels"]["app.kubernetes.io/instance"] == name
    for _, pod in release.pods():
        assert pod["spec"]["serviceAccountName"] in release.names("ServiceAccount")


def test_the_packaged_chart_is_the_chart(releases: dict[str, Release], tmp_path: Path) -> None:
    archive = helm().package(CHART, destination=tmp_path)
    assert Path(archive).name == "fairlead-0.1.0.tgz"
    assert rendered(values_of("production"), chart_path=Path(archive)) == releases["production"]


def schema() -> Document:
    loaded: Document = json.loads((CHART / "values.schema.json").read_text())
    return loaded


def objects(node: Any, path: str = "") -> Iterator[tuple[str, Document]]:
    """Every object type in the schema that lists its properties, with its path."""
    if isinstance(node, dict):
        if isinstance(node.get("properties"), dict) and node.get("type") == "object":
            yield path, node
        for key, value in node.items():
            yield from objects(value, f"{path}/{key}")


def test_the_schema_admits_no_unknown_key_anywhere() -> None:
    found = dict(objects(schema()))
    assert {"", "/properties/secrets/properties/redis", "/definitions/peer"} <= found.keys()
    assert [path for path, node in found.items() if node.get("additionalProperties") is not False] == []


def leaves(values: Document, path: str = "") -> Iterator[str]:
    """Dotted paths of all values; an empty mapping or a list is one value."""
    for key, value in values.items():
        dotted = f"{path}.{key}" if path else key
        if isinstance(value, dict) and value:
            yield from leaves(value, dotted)
        else:
            yield dotted


def test_the_readme_explains_every_value_with_its_default() -> None:
    defaults = yaml.safe_load((CHART / "values.yaml").read_text())
    rows = re.findall(
        r"^\| `([A-Za-z.]+)` \| (?:`(.*?)`|—) \| (.+) \|$", (CHART / "README.md").read_text(), re.MULTILINE
    )
    table = {name: default for name, default, _ in rows}
    assert len(table) == len(rows), "a value is explained twice"
    for name, default in table.items():
        value = defaults
        for step in name.split("."):
            value = value[step]
        assert (yaml.safe_load(default) if default else "") == value, name
    explained = [path for path in leaves(defaults) if any(path == n or path.startswith(f"{n}.") for n in table)]
    assert explained == list(leaves(defaults))
