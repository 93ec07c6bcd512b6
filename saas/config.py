"""Typed settings, read once from the environment; every variable the product knows is here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from saas.servers import data_folder


class ConfigError(Exception):
    """A setting can't be used; the text gives the fact, the rule and the remedy."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What an installation is told from outside. An empty text means "not set".

    `database_url` is the owner's (it migrates); the application connects with `database_app_url` and
    `database_platform_url`, the worker's relay with `database_relay_url`. Where only the owner's is set, the other
    roles are made and their passwords derived from it; where none is set, embedded servers run in `data`.
    """

    data: Path
    environment: str = "development"
    database_url: str = ""
    database_app_url: str = ""
    database_platform_url: str = ""
    database_relay_url: str = ""
    redis_url: str = ""
    master_key_file: str = ""
    public_url: str = "http://127.0.0.1:8000"
    log_format: str = "text"
    completion_wait_seconds: int = 30
    pool_size: int = 8
    require_trusted_documents: bool = False
    documents: Path | None = None

    @property
    def is_production(self) -> bool:
        """Whether real people's data is served: nothing is embedded then, nothing is made up."""
        return self.environment == "production"

    @property
    def wants_embedded_postgres(self) -> bool:
        """Whether nobody named a PostgreSQL server."""
        return not (self.database_url or self.database_app_url)

    @property
    def wants_embedded_redis(self) -> bool:
        """Whether nobody named a Redis or Valkey server."""
        return not self.redis_url


def read_settings(environ: Mapping[str, str]) -> Settings:
    """The settings of this process.

    :raises ConfigError: a value can't be used, or production lacks a server.
    """
    settings = Settings(
        data=data_folder(environ),
        environment=_choice(environ, "SAAS_ENVIRONMENT", ("development", "production")),
        database_url=environ.get("DATABASE_URL", ""),
        database_app_url=environ.get("DATABASE_APP_URL", ""),
        database_platform_url=environ.get("DATABASE_PLATFORM_URL", ""),
        database_relay_url=environ.get("DATABASE_RELAY_URL", ""),
        redis_url=environ.get("REDIS_URL", ""),
        master_key_file=environ.get("SAAS_MASTER_KEY_FILE", ""),
        public_url=environ.get("SAAS_PUBLIC_URL", "http://127.0.0.1:8000"),
        log_format=_choice(environ, "SAAS_LOG_FORMAT", ("text", "json")),
        completion_wait_seconds=_number(environ, "SAAS_COMPLETION_WAIT_SECONDS", 30),
        pool_size=_number(environ, "SAAS_POOL_SIZE", 8),
        require_trusted_documents=_choice(environ, "SAAS_TRUSTED_DOCUMENTS", ("optional", "required")) == "required",
        documents=Path(environ["SAAS_DOCUMENTS"]) if environ.get("SAAS_DOCUMENTS") else None,
    )
    if settings.require_trusted_documents and settings.documents is None:
        raise ConfigError(
            "SAAS_TRUSTED_DOCUMENTS is required and SAAS_DOCUMENTS names no folder, so every request would be refused. "
            "Put the clients' documents into a folder as *.graphql and name it."
        )
    if settings.documents is not None and not settings.documents.is_dir():
        raise ConfigError(f"SAAS_DOCUMENTS is {settings.documents}, which is no folder.")
    if settings.is_production and settings.wants_embedded_postgres:
        raise ConfigError(
            "SAAS_ENVIRONMENT is production and no database is named; production never runs an embedded server. "
            "Set DATABASE_APP_URL and DATABASE_PLATFORM_URL (DATABASE_URL for `saas migrate`)."
        )
    if bool(settings.database_app_url) != bool(settings.database_platform_url):
        raise ConfigError(
            "Only one of DATABASE_APP_URL and DATABASE_PLATFORM_URL is set; the two roles go together. "
            "Set both, or only DATABASE_URL."
        )
    return settings


def _choice(environ: Mapping[str, str], name: str, allowed: tuple[str, ...]) -> str:
    value = environ.get(name) or allowed[0]
    if value not in allowed:
        raise ConfigError(f"{name} is {value!r}; it must be one of {', '.join(allowed)}.")
    return value


def _number(environ: Mapping[str, str], name: str, default: int) -> int:
    text = environ.get(name) or str(default)
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= 10_000:
        raise ConfigError(f"{name} is {text!r}; it must be a whole number from 1 to 10,000.")
    return int(text)
