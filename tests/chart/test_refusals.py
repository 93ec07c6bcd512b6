"""Values that must not be installed, and what the operator is told. Each stands on values that are accepted."""

from __future__ import annotations

import pytest

from tests.chart.rendering import Document, merged, refusal, rendered, values_of

PASSWORD = "hunter2"
URL = f"postgres://app:{PASSWORD}@db.example.com/fairlead"
NOT_SHOWN = "(not shown, it may be a credential)"

CREDENTIALS: list[tuple[Document, str]] = [
    (
        {"secrets": {"redis": {"password": PASSWORD}}},
        "at '/secrets/redis': additional properties 'password' not allowed",
    ),
    ({"secrets": {"password": PASSWORD}}, "at '/secrets': additional properties 'password' not allowed"),
    ({"databaseUrl": URL}, "at '': additional properties 'databaseUrl' not allowed"),
    (
        {"secrets": {"database": {"existingSecret": URL}}},
        (
            f"- secrets.database.existingSecret is not the name of a Secret {NOT_SHOWN}: "
            "names have lower-case letters, digits, - and . only"
        ),
    ),
    (
        {"secrets": {"database": {"appKey": URL}}},
        f"- secrets.database.appKey is not a key of a Secret {NOT_SHOWN}: keys have letters, digits, -, _ and . only",
    ),
    (
        {"extraEnv": [{"name": "SMTP_PASSWORD", "value": PASSWORD}]},
        (
            "- extraEnv gives SMTP_PASSWORD a value that looks like a credential (not shown): "
            "put it into a Secret and use secretKeyRef"
        ),
    ),
    (
        {"extraEnv": [{"name": "SMTP_URL", "value": URL}]},
        (
            "- extraEnv gives SMTP_URL a value that looks like a credential (not shown): "
            "put it into a Secret and use secretKeyRef"
        ),
    ),
    (
        {"publicUrl": f"https://admin:{PASSWORD}@fairlead.example.com"},
        (
            "- publicUrl must be https://host or https://host:port, in lower case, without path: "
            "tokens and pay travel over it"
        ),
    ),
]

OWNER_LEAKS: list[tuple[Document, str]] = [
    (
        {"secrets": {"database": {"existingSecret": "fairlead-owner", "appKey": "DATABASE_URL"}}},
        (
            "- secrets.database.appKey is the owner's URL (secrets.databaseOwner), with which the database would not "
            "keep tenants apart: give the URL of the role that owns nothing"
        ),
    ),
    (
        {"extraEnv": [{"name": "REPORTS_URL", "secretKeyRef": {"name": "fairlead-owner", "key": "DATABASE_URL"}}]},
        (
            "- extraEnv gives REPORTS_URL the owner's URL (secrets.databaseOwner), which is for the migration alone: "
            "remove it"
        ),
    ),
    (
        {"extraEnv": [{"name": "DATABASE_URL", "value": "postgres://db.example.com/fairlead"}]},
        "- extraEnv sets DATABASE_URL, which the chart sets itself: use the value that stands for it",
    ),
]

MISTAKES: list[tuple[Document, str]] = [
    ({"web": {"replicas": 0}}, "at '/web/replicas': minimum: got 0, want 1"),
    ({"worker": {"replicas": 0}}, "at '/worker/replicas': minimum: got 0, want 1"),
    ({"web": {"replica": 3}}, "at '/web': additional properties 'replica' not allowed"),
    ({"worker": {"completionWaitSeconds": "30"}}, "at '/worker/completionWaitSeconds': got string, want integer"),
    ({"secrets": {"redis": None}}, "at '/secrets': missing property 'redis'"),
    (
        {"secrets": {"redis": {"existingSecret": ""}}},
        "- secrets.redis.existingSecret is empty: create a Secret in this namespace and give its name here",
    ),
    (
        {"image": {"tag": "latest"}},
        '- image.tag is "latest", which names no version: give a version tag or image.digest',
    ),
    (
        {"image": {"repository": "example/fairlead:latest"}},
        "at '/image/repository': 'example/fairlead:latest' does not",
    ),
    ({"image": {"digest": "sha256:0123"}}, "at '/image/digest': 'sha256:0123' does not match pattern"),
    (
        {"ingress": {"enabled": True}},
        (
            "- ingress.enabled needs ingress.tls.secretName: plain HTTP is not offered, "
            "because tokens and pay travel over it"
        ),
    ),
    ({"ingress": {"enabled": True, "tls": None}}, "at '/ingress': missing property 'tls'"),
    ({"publicUrl": "http://fairlead.example.com"}, "- publicUrl must be https://host or https://host:port"),
    ({"publicUrl": "https://fairlead.example.com/app"}, "- publicUrl must be https://host or https://host:port"),
    (
        {"networkPolicy": {"ingressController": {"namespace": ""}}},
        (
            "- networkPolicy.ingressController names neither a namespace nor CIDRs, so nobody could reach web: "
            "name the ingress controller's namespace"
        ),
    ),
    (
        {"networkPolicy": {"dns": {"namespace": ""}}},
        (
            "- networkPolicy.dns names neither a namespace nor CIDRs, so no name could be resolved: "
            "name the namespace of the cluster's DNS"
        ),
    ),
    ({"networkPolicy": {"postgres": {"cidrs": ["10.0.0.1"]}}}, "at '/networkPolicy/postgres/cidrs/0': '10.0.0.1' does"),
    (
        {"networkPolicy": {"extraEgress": {"worker": [{"cidr": "192.0.2.25/32", "ports": []}]}}},
        "at '/networkPolicy/extraEgress/worker/0/ports': minItems: got 0, want 1",
    ),
    (
        {"web": {"autoscaling": {"enabled": True, "minReplicas": 7, "maxReplicas": 6}}},
        "- web.autoscaling.minReplicas is 7, above maxReplicas 6: raise maxReplicas",
    ),
    (
        {"web": {"autoscaling": {"enabled": True}, "resources": {"requests": {"cpu": None}}}},
        "- web.autoscaling measures CPU against web.resources.requests.cpu, which is not set: set it",
    ),
]


def test_the_common_ground_is_accepted() -> None:
    assert rendered(values_of("minimal")).names("Deployment") == ["demo-fairlead-web", "demo-fairlead-worker"]


@pytest.mark.parametrize(("override", "message"), CREDENTIALS)
def test_refuses_a_credential_without_repeating_it(override: Document, message: str) -> None:
    told = refusal(merged(values_of("minimal"), override))
    assert message in told
    assert PASSWORD not in told


@pytest.mark.parametrize(("override", "message"), OWNER_LEAKS)
def test_refuses_the_owners_url_outside_the_migration(override: Document, message: str) -> None:
    assert message in refusal(merged(values_of("minimal"), override))


@pytest.mark.parametrize(("override", "message"), MISTAKES)
def test_refuses_a_mistake(override: Document, message: str) -> None:
    assert message in refusal(merged(values_of("minimal"), override))


def test_refuses_a_release_name_that_no_service_can_have() -> None:
    told = refusal(values_of("minimal"), name="2026")
    assert (
        '- the release is named "2026", and a Service\'s name must begin with a letter: give fullnameOverride' in told
    )
    named = merged(values_of("minimal"), {"fullnameOverride": "sales"})
    assert rendered(named, name="2026").names("Deployment") == ["sales-web", "sales-worker"]


def test_tells_everything_that_is_missing_at_once() -> None:
    problems = [line for line in refusal({}).splitlines() if line.startswith("- ")]
    assert [line.split(" ")[1] for line in problems] == [
        "image.repository",
        "secrets.databaseOwner.existingSecret",
        "secrets.database.existingSecret",
        "secrets.redis.existingSecret",
        "secrets.masterKey.existingSecret",
        "data.existingClaim",
        "publicUrl",
    ]


def test_no_default_is_a_credential() -> None:
    """A fresh chart has no working secret, so that no installation starts with one that others know."""
    release = rendered(values_of("minimal"))
    plain = {
        value
        for component, _ in release.pods()
        for value in release.environment(component).values()
        if not value.startswith("secret:")
    }
    assert plain == {
        "production",
        "json",
        "/tmp/fairlead",
        "/var/lib/fairlead",
        "https://fairlead.example.com",
        "/run/secrets/fairlead/master.key",
        "30",
    }
