"""The settings of a command, and its logs as they say."""

from __future__ import annotations

import logging
import os
import sys

import structlog

from saas.config import ConfigError, Settings, read_settings


def settings_of_process() -> Settings:
    """The settings in the environment.

    :raises ConfigError: one can't be used.
    """
    return read_settings(os.environ)


def settings_of_application() -> Settings:
    """The settings for whatever connects as the application.

    :raises ConfigError: one can't be used, or production names the owner alone: deriving the other roles' passwords
        from it would change those that the running processes use.
    """
    settings = settings_of_process()
    if settings.is_production and not settings.database_app_url:
        raise ConfigError(
            "SAAS_ENVIRONMENT is production and only the owner's DATABASE_URL is set; the application never connects "
            "as the owner. Set DATABASE_APP_URL and DATABASE_PLATFORM_URL."
        )
    return settings


def begin_logs(settings: Settings, *, least: int = logging.INFO) -> None:
    """Log to stderr from now on, a line an event: for people, or as JSON where SAAS_LOG_FORMAT says so."""
    is_json = settings.log_format == "json"
    shown: structlog.typing.Processor = (
        structlog.processors.JSONRenderer() if is_json else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            *([structlog.processors.format_exc_info] if is_json else []),
            shown,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(least),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr, format="%(levelname)s %(name)s: %(message)s")
