"""The pods: what they run, as whom, with which variables, and how they start and stop."""

from __future__ import annotations

import pytest

from tests.chart.rendering import Document, Release, merged, rendered, values_of

OWNER = "secret:fairlead-owner/DATABASE_URL"
EXPECTED_IMAGE = {
    "minimal": "example/fairlead:0.1.0",
    "production": "example/fairlead:1.4.2",
    "single": "registry.example.com:5000/sales/fairlead@sha256:" + "0123456789abcdef" * 4,
    "egress": "example/fairlead:0.1.0",
}
BASE_ENVIRONMENT = {"SAAS_ENVIRONMENT": "production", "SAAS_LOG_FORMAT": "json"}
SERVICE_ENVIRONMENT = BASE_ENVIRONMENT | {
    "SAAS_DATA": "/var/lib/fairlead",
    "SAAS_PUBLIC_URL": "https://fairlead.example.com",
    "DATABASE_APP_URL": "secret:fairlead-database/DATABASE_APP_URL",
    "DATABASE_PLATFORM_URL": "secret:fairlead-database/DATABASE_PLATFORM_URL",
    "REDIS_URL": "secret:fairlead-redis/REDIS_URL",
    "SAAS_MASTER_KEY_FILE": "/run/secrets/fairlead/master.key",
}


def test_runs_four_kinds_of_pod_with_one_container_each(release: Release) -> None:
    pods = dict(release.pods())
    assert sorted(pods) == ["migrate", "test", "web", "worker"]
    for pod in pods.values():
        assert len(pod["spec"]["containers"]) == 1
        assert "initContainers" not in pod["spec"]


@pytest.mark.parametrize("profile", EXPECTED_IMAGE)
def test_runs_its_own_image_only(releases: dict[str, Release], profile: str) -> None:
    containers = [pod["spec"]["containers"][0] for _, pod in releases[profile].pods()]
    assert {container["image"] for container in containers} == {EXPECTED_IMAGE[profile]}


def test_every_pod_meets_the_restricted_profile(release: Release) -> None:
    for component, pod in release.pods():
        assert pod["spec"]["securityContext"] == {
            "runAsNonRoot": True,
            "runAsUser": 10001,
            "runAsGroup": 10001,
            "fsGroup": 10001,
            "seccompProfile": {"type": "RuntimeDefault"},
        }, component
        assert release.container(component)["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "runAsNonRoot": True,
            "capabilities": {"drop": ["ALL"]},
        }, component
        assert not {"hostNetwork", "hostPID", "hostIPC"} & pod["spec"].keys()


def test_no_pod_gets_a_token_of_the_cluster_or_variables_of_other_services(release: Release) -> None:
    for _, pod in release.pods():
        assert pod["spec"]["automountServiceAccountToken"] is False
        assert pod["spec"]["enableServiceLinks"] is False
        assert pod["spec"]["serviceAccountName"] in release.names("ServiceAccount")
    for name in release.names("ServiceAccount"):
        assert release.named("ServiceAccount", name)["automountServiceAccountToken"] is False
    assert not [d["kind"] for d in release.documents if d["kind"].startswith(("Role", "ClusterRole"))]


def test_every_container_has_limited_memory_and_requests_and_unthrottled_cpu(release: Release) -> None:
    for component, _ in release.pods():
        resources = release.container(component)["resources"]
        assert set(resources["requests"]) == {"cpu", "memory"}
        assert set(resources["limits"]) == {"memory"}


def test_writes_to_tmp_and_the_shared_data_and_reads_the_master_key(release: Release) -> None:
    tmp = {"name": "tmp", "emptyDir": {"sizeLimit": "1Gi"}}
    pods = dict(release.pods())
    for component in ("web", "worker"):
        assert [volume["name"] for volume in pods[component]["spec"]["volumes"]] == ["tmp", "data", "master-key"]
        assert pods[component]["spec"]["volumes"][1]["persistentVolumeClaim"] == {"claimName": "fairlead-data"}
        assert release.container(component)["volumeMounts"] == [
            {"name": "tmp", "mountPath": "/tmp"},
            {"name": "data", "mountPath": "/var/lib/fairlead"},
            {"name": "master-key", "mountPath": "/run/secrets/fairlead", "readOnly": True},
        ]
    assert pods["migrate"]["spec"]["volumes"] == [tmp]
    assert "volumes" not in pods["test"]["spec"]


def test_mounts_one_key_of_the_named_secret_readable_by_the_group(releases: dict[str, Release]) -> None:
    volumes = dict(releases["production"].pods())["web"]["spec"]["volumes"]
    assert volumes[2]["secret"] == {
        "secretName": "fairlead-master-key",
        "defaultMode": 0o440,
        "items": [{"key": "root", "path": "master.key"}],
    }


def test_environment_of_the_minimal_release(releases: dict[str, Release]) -> None:
    release = releases["minimal"]
    assert release.environment("web") == SERVICE_ENVIRONMENT
    assert release.environment("worker") == SERVICE_ENVIRONMENT | {
        "DATABASE_RELAY_URL": "secret:fairlead-database/DATABASE_RELAY_URL",
        "SAAS_COMPLETION_WAIT_SECONDS": "30",
    }
    assert release.environment("migrate") == BASE_ENVIRONMENT | {"DATABASE_URL": OWNER, "SAAS_DATA": "/tmp/fairlead"}
    assert release.environment("test") == {}


def test_keys_inside_secrets_can_be_named(releases: dict[str, Release]) -> None:
    worker = releases["production"].environment("worker")
    assert {name: value for name, value in worker.items() if value.startswith("secret:")} == {
        "DATABASE_APP_URL": "secret:fairlead-database/app",
        "DATABASE_PLATFORM_URL": "secret:fairlead-database/platform",
        "DATABASE_RELAY_URL": "secret:fairlead-database/relay",
        "REDIS_URL": "secret:fairlead-redis/url",
        "SMTP_PASSWORD": "secret:fairlead-smtp/password",
    }
    assert releases["production"].environment("migrate")["DATABASE_URL"] == "secret:fairlead-owner/url"


def test_the_owners_url_reaches_the_migration_alone(release: Release) -> None:
    owner = release.environment("migrate")["DATABASE_URL"]
    for component in ("web", "worker", "test"):
        assert "DATABASE_URL" not in release.environment(component)
        assert owner not in release.environment(component).values()


def test_the_relays_url_reaches_the_worker_alone(release: Release) -> None:
    holders = [component for component, _ in release.pods() if "DATABASE_RELAY_URL" in release.environment(component)]
    assert holders == ["worker"]


def test_makes_no_secret_and_no_configuration_object(release: Release) -> None:
    assert {d["kind"] for d in release.documents} & {"Secret", "ConfigMap"} == set()


def test_trusts_forwarded_addresses_only_of_a_named_proxy(releases: dict[str, Release]) -> None:
    assert releases["production"].environment("web")["FORWARDED_ALLOW_IPS"] == "10.20.0.0/16"
    assert "FORWARDED_ALLOW_IPS" not in releases["minimal"].environment("web")
    assert "web.forwardedAllowIps is empty" in releases["minimal"].notes
    assert "web.forwardedAllowIps is empty" not in releases["production"].notes


def test_commands(releases: dict[str, Release]) -> None:
    release = releases["production"]
    assert release.container("web")["args"] == ["serve", "--host", "0.0.0.0", "--port", "8000", "--workers", "2"]
    assert release.container("worker")["args"] == ["worker"]
    assert release.container("migrate")["args"] == ["migrate"]
    assert [c for c in ("web", "worker", "migrate") if "command" in release.container(c)] == []


def test_probes_of_web(release: Release) -> None:
    web = release.container("web")
    assert web["startupProbe"]["httpGet"] == {"path": "/healthz", "port": "http"}
    assert web["livenessProbe"]["httpGet"] == {"path": "/healthz", "port": "http"}
    assert web["readinessProbe"]["httpGet"] == {"path": "/readyz", "port": "http"}
    assert web["ports"] == [{"name": "http", "containerPort": 8000}]


def test_probes_of_the_worker(release: Release) -> None:
    worker = release.container("worker")
    assert worker["startupProbe"]["exec"] == {"command": ["saas", "worker", "--check"]}
    assert worker["livenessProbe"]["exec"] == {"command": ["saas", "worker", "--check"]}
    assert "readinessProbe" not in worker, "nothing sends requests to a worker"


@pytest.mark.parametrize(("profile", "wait", "grace"), [("minimal", 30, 45), ("production", 120, 135)])
def test_a_worker_may_finish_its_jobs(releases: dict[str, Release], profile: str, wait: int, grace: int) -> None:
    release = releases[profile]
    assert release.environment("worker")["SAAS_COMPLETION_WAIT_SECONDS"] == str(wait)
    assert dict(release.pods())["worker"]["spec"]["terminationGracePeriodSeconds"] == grace


@pytest.mark.parametrize(("profile", "drain", "grace"), [("minimal", 5, 40), ("production", 10, 75)])
def test_web_drains_before_it_stops(releases: dict[str, Release], profile: str, drain: int, grace: int) -> None:
    release = releases[profile]
    assert release.container("web")["lifecycle"] == {"preStop": {"sleep": {"seconds": drain}}}
    assert dict(release.pods())["web"]["spec"]["terminationGracePeriodSeconds"] == grace


def test_an_upgrade_keeps_all_web_pods_serving(release: Release) -> None:
    (web,) = [d for d in release.documents if d["kind"] == "Deployment" and d["metadata"]["name"].endswith("-web")]
    assert web["spec"]["strategy"] == {"rollingUpdate": {"maxSurge": "25%", "maxUnavailable": 0}}


def test_migrates_before_install_and_upgrade(releases: dict[str, Release]) -> None:
    job = releases["minimal"].named("Job", "demo-fairlead-migrate")
    assert job["metadata"]["annotations"]["helm.sh/hook"] == "pre-install,pre-upgrade"
    assert job["spec"]["backoffLimit"] == 1
    assert job["spec"]["activeDeadlineSeconds"] == 900
    assert job["spec"]["template"]["spec"]["restartPolicy"] == "Never"


def test_what_the_migration_stands_on_is_made_before_it(releases: dict[str, Release]) -> None:
    def order(document: Document) -> tuple[str, int]:
        annotations = document["metadata"]["annotations"]
        return annotations["helm.sh/hook"], int(annotations["helm.sh/hook-weight"])

    release, name = releases["minimal"], "demo-fairlead-migrate"
    job = release.named("Job", name)
    assert order(job) == ("pre-install,pre-upgrade", 0)
    assert job["spec"]["template"]["spec"]["serviceAccountName"] == name
    assert order(release.named("ServiceAccount", name)) == ("pre-install,pre-upgrade", -10)
    assert order(release.named("NetworkPolicy", name)) == ("pre-install,pre-upgrade", -10)


def test_replicas_spread_over_zones_and_nodes(release: Release) -> None:
    for component in ("web", "worker"):
        pod = dict(release.pods())[component]
        constraints = pod["spec"]["topologySpreadConstraints"]
        keys = [constraint["topologyKey"] for constraint in constraints]
        assert keys == ["topology.kubernetes.io/zone", "kubernetes.io/hostname"]
        for constraint in constraints:
            assert constraint["whenUnsatisfiable"] == "ScheduleAnyway"
            assert constraint["labelSelector"]["matchLabels"].items() <= pod["metadata"]["labels"].items()


def test_placement_reaches_every_pod(releases: dict[str, Release]) -> None:
    for _, pod in releases["production"].pods():
        assert pod["spec"]["nodeSelector"] == {"kubernetes.io/arch": "amd64"}
        assert [toleration["key"] for toleration in pod["spec"]["tolerations"]] == ["dedicated"]
        assert pod["spec"]["imagePullSecrets"] == [{"name": "registry"}]


def test_the_chart_test_asks_the_service_for_readiness(releases: dict[str, Release]) -> None:
    (program,) = releases["production"].container("test")["args"]
    compile(program, "chart test", "exec")
    assert '"http://demo-fairlead-web:80/readyz"' in program
    pod = releases["production"].named("Pod", "demo-fairlead-test")
    assert pod["metadata"]["annotations"]["helm.sh/hook"] == "test"


def test_long_release_names_stay_within_a_dns_label() -> None:
    release = rendered(values_of("production"), name="a" * 53)
    longest = max((d["metadata"]["name"] for d in release.documents), key=len)
    assert longest == "a" * 50 + "-migrate"
    assert len(longest) <= 63


def test_the_longest_waits_still_leave_time_to_stop() -> None:
    override = {"web": {"drainSeconds": 300, "requestWaitSeconds": 3600}, "worker": {"completionWaitSeconds": 86400}}
    pods = dict(rendered(merged(values_of("minimal"), override)).pods())
    assert pods["web"]["spec"]["terminationGracePeriodSeconds"] == 3905
    assert pods["worker"]["spec"]["terminationGracePeriodSeconds"] == 86415
