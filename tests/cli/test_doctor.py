"""`saas doctor` and `saas plugin list`: what is there, what is not right, what to do."""

from __future__ import annotations

from pathlib import Path

from saas.servers import Servers
from tests.cli.conftest import Operator


def test_everything_is_right(operator: Operator, own_servers: Servers) -> None:
    ended = operator.saas("doctor", "--json")
    assert (ended.status, ended.err) == (0, "")
    assert {finding["name"]: (finding["ok"], finding["remedy"]) for finding in ended.json} == dict.fromkeys(
        ("settings", "python", "programs", "data folder", "servers", "migrations", "plugins", "master key"), (True, "")
    )
    facts = {finding["name"]: finding["fact"] for finding in ended.json}
    assert facts["settings"] == f"development; PostgreSQL embedded, Redis embedded; data in {own_servers.data}."
    assert facts["migrations"] == "The database is up to date."
    assert facts["plugins"] == "china 1.0.0, pharma 1.0.0, realty 1.0.0 installed."


def test_what_is_wrong_has_its_remedy(operator: Operator, named_url: str, tmp_path: Path) -> None:
    key = tmp_path / "master.key"
    key.write_text("abc\n")
    key.chmod(0o600)
    base = named_url.rpartition("/")[0]
    ended = operator.saas("doctor", DATABASE_URL=f"{base}/nowhere", SAAS_MASTER_KEY_FILE=str(key), LANG="en_GB.UTF-8")
    assert (ended.status, ended.err) == (1, "")
    wrong = [line for line in ended.out.splitlines() if line.startswith("WRONG")]
    assert [line.split("  ")[1].strip() for line in wrong] == ["database", "master key"]
    assert f"{'':<20}Create it, or correct DATABASE_URL." in ended.out.splitlines()
    assert str(key) in wrong[1]


def test_doctor_changes_no_role(operator: Operator, named_url: str) -> None:
    ended = operator.saas("doctor", "--json", DATABASE_URL=named_url)
    assert ended.status == 0
    still_works = operator.saas("tenant", "list", "--json")
    assert (still_works.status, still_works.err) == (0, "")


def test_setting_that_is_none(operator: Operator) -> None:
    ended = operator.saas("doctor", "--json", SAAS_POOL_SIZE="many")
    assert ended.status == 1
    assert [(finding["name"], finding["ok"]) for finding in ended.json] == [("settings", False)]


def test_plugins(operator: Operator) -> None:
    table = operator.saas("plugin", "list")
    head, china, pharma, realty = table.out.splitlines()
    assert (table.status, table.err) == (0, "")
    assert head == "name    version  api  title"
    assert china == "china   1.0.0    1.x  Payroll in China"
    assert pharma == "pharma  1.0.0    1.x  Pharma"
    assert realty == "realty  1.0.0    1.x  Real estate"
    chinese = operator.saas("plugin", "list", LANG="zh_CN.UTF-8").out.splitlines()
    assert chinese[1:] == [
        "china   1.0.0    1.x  中国薪酬",
        "pharma  1.0.0    1.x  医药",
        "realty  1.0.0    1.x  房地产",
    ]
    listed = operator.saas("plugin", "list", "--json").json
    assert [(plugin["name"], plugin["permissions"]) for plugin in listed] == [
        ("china", []),
        ("pharma", []),
        ("realty", []),
    ]
    assert {plugin["settings"]["type"] for plugin in listed} == {"object"}
