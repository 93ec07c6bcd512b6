"""Settings: what a process is told from outside, and what it refuses."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from saas.config import ConfigError, read_settings
from saas.graphql.documents import ListedDocuments

APP = "postgres://saas_app:x@db/fairlead"
PLATFORM = "postgres://saas_platform:x@db/fairlead"


def test_nothing_set_means_embedded_development(tmp_path: Path) -> None:
    settings = read_settings({"SAAS_DATA": str(tmp_path)})
    assert (settings.data, settings.environment) == (tmp_path, "development")
    assert settings.wants_embedded_postgres
    assert settings.wants_embedded_redis


@pytest.mark.parametrize(
    ("environ", "fact"),
    [
        ({"SAAS_ENVIRONMENT": "staging"}, "SAAS_ENVIRONMENT is 'staging'; it must be one of development, production."),
        ({"SAAS_ENVIRONMENT": "production"}, "no database is named; production never runs an embedded server."),
        ({"DATABASE_APP_URL": APP}, "Only one of DATABASE_APP_URL and DATABASE_PLATFORM_URL is set"),
        ({"SAAS_POOL_SIZE": "0"}, "SAAS_POOL_SIZE is '0'; it must be a whole number from 1 to 10,000."),
        ({"SAAS_POOL_SIZE": "８"}, "SAAS_POOL_SIZE is '８'; it must be a whole number from 1 to 10,000."),
        ({"SAAS_TRUSTED_DOCUMENTS": "required"}, "SAAS_DOCUMENTS names no folder"),
        ({"SAAS_DOCUMENTS": "/nowhere/at/all"}, "SAAS_DOCUMENTS is /nowhere/at/all, which is no folder."),
    ],
)
def test_unusable_setting_is_refused_with_the_fact(tmp_path: Path, environ: dict[str, str], fact: str) -> None:
    with pytest.raises(ConfigError) as refused:
        read_settings({"SAAS_DATA": str(tmp_path), **environ})
    assert fact in str(refused.value)


def test_production_takes_the_working_roles(tmp_path: Path) -> None:
    environ = {"SAAS_ENVIRONMENT": "production", "DATABASE_APP_URL": APP, "DATABASE_PLATFORM_URL": PLATFORM}
    settings = read_settings({"SAAS_DATA": str(tmp_path), **environ})
    assert not settings.wants_embedded_postgres
    assert settings.database_url == ""


async def test_registered_documents_are_found_by_the_hash_of_their_file(tmp_path: Path) -> None:
    (tmp_path / "console").mkdir()
    file = tmp_path / "console" / "customers.graphql"
    file.write_text("{ customers(first: 10) { nodes { name } } }\n", encoding="utf-8")
    listed = ListedDocuments.in_folder(tmp_path)
    assert await listed.text(hashlib.sha256(file.read_bytes()).hexdigest()) == file.read_text(encoding="utf-8")
    assert await listed.text("0" * 64) is None
