"""One sentence and its remedy for whatever an operator can get wrong; never a trace unless asked for."""

from __future__ import annotations

import re
import shutil
import socket
from pathlib import Path

import asyncpg
import pytest
from redis.exceptions import ConnectionError as RedisConnectionError
from tortoise.exceptions import OperationalError

from saas.bench.errors import ForeignDatabase
from saas.cli.failures import CommandRefused, explain, operator_locale, report
from saas.servers import Servers
from tests.cli.conftest import Ended, Operator

UNKNOWN = "01a0ffff-0000-7000-8000-000000000000"


def test_wrong_password(operator: Operator, named_url: str) -> None:
    url = re.sub(r":[^:@]+@", ":wrong@", named_url)
    for command in (["migrate"], ["migrate", "--check"]):
        assert operator.saas(*command, DATABASE_URL=url) == Ended(
            1,
            "",
            "saas: PostgreSQL refuses the user or password of the database's URL. "
            "Correct DATABASE_URL, DATABASE_APP_URL or DATABASE_PLATFORM_URL.\n",
        )


def test_missing_database(operator: Operator, named_url: str) -> None:
    ended = operator.saas("migrate", DATABASE_URL=named_url.replace("/named", "/nowhere"))
    assert ended == Ended(1, "", "saas: PostgreSQL has no such database. Create it, or correct the URL.\n")


def test_no_server(operator: Operator) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    ended = operator.saas("migrate", DATABASE_URL=f"postgres://owner:secret@127.0.0.1:{port}/fairlead")
    assert (ended.status, ended.out) == (1, "")
    assert ended.err.startswith("saas: A server can't be reached: ")
    assert ended.err.endswith(" `saas doctor` tells which one, and why.\n")
    assert ended.err.count("\n") == 1
    assert "secret" not in ended.err


def test_trace_only_when_asked_for(operator: Operator, named_url: str) -> None:
    ended = operator.saas("migrate", "--debug", DATABASE_URL=named_url.replace("/named", "/nowhere"))
    assert ended.status == 1
    assert ended.err.startswith("Traceback (most recent call last):\n")
    assert ended.err.endswith("\nsaas: PostgreSQL has no such database. Create it, or correct the URL.\n")


def test_data_folder_of_a_newer_version(operator: Operator, own_servers: Servers, tmp_path: Path) -> None:
    folder = tmp_path / "data"
    folder.mkdir(mode=0o700)
    shutil.copytree(own_servers.data / "postgres", folder / "postgres", ignore=shutil.ignore_patterns("postmaster.pid"))
    shutil.copy(own_servers.data / "postgres.password", folder)
    (folder / "postgres" / "PG_VERSION").write_text("99\n")
    ended = operator.saas("tenant", "list", SAAS_DATA=str(folder))
    assert (ended.status, ended.out) == (1, "")
    assert ended.err.startswith(f"saas: {folder / 'postgres'} was made by PostgreSQL 99, which is newer than ")
    assert ended.err.count("\n") == 1


def test_setting_that_is_none(operator: Operator) -> None:
    assert operator.saas("tenant", "list", SAAS_ENVIRONMENT="staging") == Ended(
        1, "", "saas: SAAS_ENVIRONMENT is 'staging'; it must be one of development, production.\n"
    )


def test_production_never_works_as_the_owner(operator: Operator, named_url: str) -> None:
    ended = operator.saas("tenant", "list", SAAS_ENVIRONMENT="production", DATABASE_URL=named_url)
    assert ended == Ended(
        1,
        "",
        "saas: SAAS_ENVIRONMENT is production and only the owner's DATABASE_URL is set; the application never connects "
        "as the owner. Set DATABASE_APP_URL and DATABASE_PLATFORM_URL.\n",
    )


def test_unknown_company_in_the_terminals_language(operator: Operator) -> None:
    suspend = ("tenant", "suspend", UNKNOWN, "--reason", "unpaid")
    in_english, in_chinese = operator.saas(*suspend), operator.saas(*suspend, LANG="zh_CN.UTF-8")
    assert (in_english.status, in_chinese.status) == (1, 1)
    assert in_english.err == f"saas: There is no company {UNKNOWN}. `saas tenant list` shows those there are.\n"
    assert in_chinese.err.startswith("saas: ")
    assert re.search(r"[\u4e00-\u9fff]", in_chinese.err)
    assert UNKNOWN in in_chinese.err


@pytest.mark.parametrize(
    ("error", "fact", "remedy"),
    [
        (
            OperationalError(asyncpg.UndefinedTableError('relation "employee" does not exist')),
            "The database lacks tables of this version.",
            "Run `saas migrate`.",
        ),
        (
            asyncpg.InsufficientPrivilegeError("permission denied for schema public"),
            "PostgreSQL does not allow this: permission denied for schema public.",
            "Use the owner's URL, or run `saas migrate`.",
        ),
        (
            asyncpg.SyntaxOrAccessError("odd\nDETAIL: long"),
            "PostgreSQL refuses: odd.",
            "`saas doctor` looks at the servers.",
        ),
        (
            RedisConnectionError("Error 111 connecting to h:1."),
            "Redis can't be used: Error 111 connecting to h:1.",
            "Start it, or correct REDIS_URL; `saas doctor` looks closer.",
        ),
        (
            PermissionError(13, "Permission denied", "/srv/out"),
            "/srv/out can't be used: Permission denied.",
            "Name another place, or give this user the right to it.",
        ),
        (
            ForeignDatabase(3),
            (
                "The database already holds 3 tenants that are not this benchmark's; it is filled only when empty. "
                "Name an empty database in DATABASE_URL, or none: an embedded one is used then."
            ),
            "",
        ),
        (
            ZeroDivisionError("division by zero"),
            "A fault of the program: ZeroDivisionError: division by zero.",
            "`saas --debug …` shows where; please report it.",
        ),
    ],
)
def test_each_fault_has_its_sentence(error: BaseException, fact: str, remedy: str) -> None:
    assert explain(error) == (fact, remedy)


def test_a_task_group_tells_its_cause(capsys: pytest.CaptureFixture[str]) -> None:
    assert report(ExceptionGroup("work", [CommandRefused("The fact.", "The remedy.")]), debug=False) == 1
    assert capsys.readouterr().err == "saas: The fact. The remedy.\n"


def test_interrupted(capsys: pytest.CaptureFixture[str]) -> None:
    assert report(KeyboardInterrupt(), debug=False) == 130
    assert capsys.readouterr().err == "Interrupted.\n"


def test_language_of_the_terminal() -> None:
    assert operator_locale({"LANG": "zh_CN.UTF-8"}) == "zh-CN"
    assert operator_locale({"LANG": "zh_CN.UTF-8", "LC_ALL": "C"}) == "en"
    assert operator_locale({}) == "en"
