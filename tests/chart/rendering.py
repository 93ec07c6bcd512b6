"""Renders the chart for a value set, and finds things in what came out."""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
CHART = ROOT / "helm"
PROFILES = ("minimal", "production", "single", "egress")

Document = dict[str, Any]


def values_of(profile: str) -> Document:
    """The values of a profile, as an operator would write them."""
    values: Document = yaml.safe_load((Path(__file__).parent / "values" / f"{profile}.yaml").read_text())
    return values


def merged(base: Document, override: Document) -> Document:
    """`base` with `override` laid over it, the way Helm lays one values file over another."""
    result = deepcopy(base)
    for key, value in override.items():
        both = isinstance(value, dict) and isinstance(result.get(key), dict)
        result[key] = merged(result[key], value) if both else value
    return result


@dataclass(frozen=True)
class Release:
    """One rendered release: its Kubernetes documents and its notes."""

    documents: tuple[Document, ...]
    notes: str

    def named(self, kind: str, name: str) -> Document:
        """The one document of that kind and name; KeyError when it is not there exactly once."""
        found = [d for d in self.documents if d["kind"] == kind and d["metadata"]["name"] == name]
        if len(found) != 1:
            raise KeyError(f"{kind} {name}: {len(found)} of {self.names(kind)}")
        return found[0]

    def names(self, kind: str) -> list[str]:
        """The names of all documents of that kind, sorted."""
        return sorted(d["metadata"]["name"] for d in self.documents if d["kind"] == kind)

    def pods(self) -> Iterator[tuple[str, Document]]:
        """Every pod the release can start: its component and its {metadata, spec}."""
        for document in self.documents:
            if document["kind"] in ("Deployment", "Job"):
                pod = document["spec"]["template"]
            elif document["kind"] == "Pod":
                pod = document
            else:
                continue
            yield pod["metadata"]["labels"]["app.kubernetes.io/component"], pod

    def container(self, component: str) -> Document:
        """The only container of a component's pod."""
        (container,) = dict(self.pods())[component]["spec"]["containers"]
        assert isinstance(container, dict)
        return container

    def environment(self, component: str) -> dict[str, str]:
        """A component's variables; one read from a Secret as `secret:NAME/KEY`."""
        variables: dict[str, str] = {}
        for item in self.container(component).get("env", ()):
            assert item["name"] not in variables, f"{item['name']} is set twice"
            reference = item.get("valueFrom", {}).get("secretKeyRef")
            variables[item["name"]] = f"secret:{reference['name']}/{reference['key']}" if reference else item["value"]
        return variables


def helm() -> Any:
    """Helm's SDK; skips the test that asks for it where it is not installed (it has no wheel for every platform)."""
    return pytest.importorskip("helm_python", reason="helm-python-sdk is not installed: the chart cannot be rendered")


def rendered(values: Document, *, name: str = "demo", chart_path: Path = CHART) -> Release:
    """The release these values give; raises HelmError when the chart refuses them."""
    with helm().Chart.load(chart_path) as chart:
        files: dict[str, str] = chart.render(values, name=name, namespace="sales", is_install=True)
    notes = files.pop("fairlead/templates/NOTES.txt")
    documents = [d for text in files.values() for d in yaml.safe_load_all(text) if d]
    return Release(documents=tuple(documents), notes=notes)


def refusal(values: Document, *, name: str = "demo") -> str:
    """What the chart says when it refuses these values; fails the test when it accepts them."""
    with pytest.raises(helm().HelmError) as refused:
        rendered(values, name=name)
    return str(refused.value)


def errors_of_lint(values: Document) -> list[str]:
    """What `helm lint --strict` finds, above the level of a recommendation."""
    report = helm().lint(CHART, values, strict=True)
    worse = [f"{m['path']}: {m['error']}" for m in report["messages"] if m["severity"] > 1]
    return worse + list(report["errors"])
