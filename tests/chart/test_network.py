"""Who reaches the pods, whom they reach, and what keeps enough of them up."""

from __future__ import annotations

from typing import Any

from tests.chart.rendering import Document, Release, merged, rendered, values_of

DNS_PORTS = [{"protocol": "UDP", "port": 53}, {"protocol": "TCP", "port": 53}]
KUBE_DNS = {
    "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "kube-system"}},
    "podSelector": {"matchLabels": {"k8s-app": "kube-dns"}},
}
DNS = {"to": [KUBE_DNS], "ports": DNS_PORTS}
HTTP = [{"protocol": "TCP", "port": 8000}]


def tcp(*ports: int) -> list[dict[str, Any]]:
    return [{"protocol": "TCP", "port": port} for port in ports]


def component(name: str) -> Document:
    labels = {"name": "fairlead", "instance": "demo", "component": name}
    return {"podSelector": {"matchLabels": {f"app.kubernetes.io/{key}": value for key, value in labels.items()}}}


def namespace(name: str) -> Document:
    return {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": name}}}


def policy(release: Release, name: str) -> Document:
    spec = release.named("NetworkPolicy", f"demo-fairlead-{name}")["spec"]
    assert isinstance(spec, dict)
    return spec


def test_web_is_reached_from_the_ingress_controller_and_the_chart_test_only(releases: dict[str, Release]) -> None:
    assert policy(releases["minimal"], "web")["ingress"] == [
        {"from": [namespace("ingress-nginx")], "ports": HTTP},
        {"from": [component("test")], "ports": HTTP},
    ]


def test_named_peers_and_monitoring_narrow_and_extend_it(releases: dict[str, Release]) -> None:
    controller = namespace("edge") | {"podSelector": {"matchLabels": {"app": "nginx"}}}
    assert policy(releases["production"], "web")["ingress"] == [
        {"from": [controller], "ports": HTTP},
        {"from": [component("test")], "ports": HTTP},
        {"from": [namespace("observability")], "ports": HTTP},
    ]


def test_nobody_reaches_worker_migration_or_chart_test(releases: dict[str, Release]) -> None:
    for name in ("worker", "migrate", "test"):
        spec = policy(releases["production"], name)
        assert spec["policyTypes"] == ["Ingress", "Egress"]
        assert "ingress" not in spec


def test_egress_is_dns_postgresql_and_redis(releases: dict[str, Release]) -> None:
    for name in ("web", "worker"):
        assert policy(releases["minimal"], name)["egress"] == [DNS, {"ports": tcp(5432)}, {"ports": tcp(6379)}]


def test_egress_to_named_servers_only(releases: dict[str, Release]) -> None:
    postgres = {"to": [{"ipBlock": {"cidr": "10.30.0.5/32"}}], "ports": tcp(6432)}
    valkey = {"to": [namespace("cache") | {"podSelector": {"matchLabels": {"app": "valkey"}}}], "ports": tcp(6379)}
    for name in ("web", "worker"):
        assert policy(releases["production"], name)["egress"] == [DNS, postgres, valkey]
    assert policy(releases["production"], "migrate")["egress"] == [DNS, postgres]


def test_extra_egress_belongs_to_one_component(releases: dict[str, Release]) -> None:
    cached_dns = {"to": [{"ipBlock": {"cidr": "169.254.20.10/32"}}, KUBE_DNS], "ports": DNS_PORTS}
    servers = [cached_dns, {"ports": tcp(5432)}, {"ports": tcp(6379)}]
    private = ["10.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.168.0.0/16"]
    release = releases["egress"]
    assert policy(release, "web")["egress"] == [
        *servers,
        {"to": [{"ipBlock": {"cidr": "192.0.2.10/32"}}], "ports": tcp(443)},
    ]
    assert policy(release, "worker")["egress"] == [
        *servers,
        {"to": [{"ipBlock": {"cidr": "192.0.2.25/32"}}], "ports": tcp(465, 587)},
        {"to": [{"ipBlock": {"cidr": "0.0.0.0/0", "except": private}}], "ports": tcp(443)},
    ]


def test_the_chart_test_reaches_web_only(releases: dict[str, Release]) -> None:
    assert policy(releases["minimal"], "test")["egress"] == [DNS, {"to": [component("web")], "ports": HTTP}]


def test_every_pod_is_under_exactly_one_policy(releases: dict[str, Release]) -> None:
    for profile in ("minimal", "production", "egress"):
        release = releases[profile]
        policies = [d["spec"]["podSelector"]["matchLabels"] for d in release.documents if d["kind"] == "NetworkPolicy"]
        for name, pod in release.pods():
            covering = [labels for labels in policies if labels.items() <= pod["metadata"]["labels"].items()]
            assert len(covering) == 1, name


def test_switched_off_policies_are_told(releases: dict[str, Release]) -> None:
    assert releases["single"].names("NetworkPolicy") == []
    assert "Network policies are off" in releases["single"].notes
    assert "Network policies are off" not in releases["minimal"].notes


def test_service_leads_to_web(releases: dict[str, Release]) -> None:
    service = releases["minimal"].named("Service", "demo-fairlead-web")["spec"]
    assert service["ports"] == [{"name": "http", "port": 80, "targetPort": "http"}]
    assert service["selector"] == component("web")["podSelector"]["matchLabels"]


def test_ingress_answers_for_the_public_host_with_tls(releases: dict[str, Release]) -> None:
    assert releases["production"].named("Ingress", "demo-fairlead")["spec"] == {
        "ingressClassName": "nginx",
        "tls": [{"hosts": ["sales.example.com"], "secretName": "sales-example-com"}],
        "rules": [
            {
                "host": "sales.example.com",
                "http": {
                    "paths": [
                        {
                            "path": "/",
                            "pathType": "Prefix",
                            "backend": {"service": {"name": "demo-fairlead-web", "port": {"name": "http"}}},
                        }
                    ]
                },
            }
        ],
    }
    assert releases["minimal"].names("Ingress") == []


def test_one_pod_at_a_time_may_be_drained(releases: dict[str, Release]) -> None:
    for name in ("web", "worker"):
        budget = releases["minimal"].named("PodDisruptionBudget", f"demo-fairlead-{name}")["spec"]
        assert budget == {
            "maxUnavailable": 1,
            "unhealthyPodEvictionPolicy": "AlwaysAllow",
            "selector": component(name)["podSelector"],
        }


def test_a_single_replica_has_no_budget_that_would_block_its_node(releases: dict[str, Release]) -> None:
    assert releases["single"].names("PodDisruptionBudget") == []
    alone = {"web": {"autoscaling": {"enabled": True, "minReplicas": 1}}}
    scaled = rendered(merged(values_of("minimal"), alone))
    assert scaled.names("PodDisruptionBudget") == ["demo-fairlead-worker"]


def test_autoscaling_owns_the_number_of_web_pods(releases: dict[str, Release]) -> None:
    release = releases["production"]
    assert "replicas" not in release.named("Deployment", "demo-fairlead-web")["spec"]
    assert release.named("Deployment", "demo-fairlead-worker")["spec"]["replicas"] == 4
    scaler = release.named("HorizontalPodAutoscaler", "demo-fairlead-web")["spec"]
    assert (scaler["minReplicas"], scaler["maxReplicas"]) == (3, 12)
    assert scaler["scaleTargetRef"] == {"apiVersion": "apps/v1", "kind": "Deployment", "name": "demo-fairlead-web"}
    assert scaler["metrics"][0]["resource"]["target"] == {"type": "Utilization", "averageUtilization": 60}


def test_without_autoscaling_the_number_is_the_values(releases: dict[str, Release]) -> None:
    assert releases["minimal"].named("Deployment", "demo-fairlead-web")["spec"]["replicas"] == 2
    assert releases["single"].named("Deployment", "crm-web")["spec"]["replicas"] == 1
    assert releases["minimal"].names("HorizontalPodAutoscaler") == []


def test_prometheus_is_told_only_where_asked(releases: dict[str, Release]) -> None:
    monitor = releases["production"].named("ServiceMonitor", "demo-fairlead")
    assert monitor["metadata"]["labels"]["release"] == "prometheus"
    assert monitor["spec"] == {
        "selector": component("web")["podSelector"],
        "endpoints": [{"port": "http", "path": "/metrics", "interval": "30s"}],
    }
    assert releases["minimal"].names("ServiceMonitor") == []
