"""One sentence for whatever ends a command: the fact, the rule, the remedy. A trace only where somebody asks for it."""

from __future__ import annotations

import os
import traceback
from collections.abc import Mapping
from importlib.resources import files

import asyncpg
import typer
from redis.exceptions import RedisError
from tortoise.exceptions import BaseORMException
from typer.exceptions import TyperException

from saas.bench.errors import BenchError
from saas.config import ConfigError
from saas.kernel import AppError, Catalogue
from saas.servers import ServerStartError
from tenants.roles import RolesRefused

FAILED = 1
INTERRUPTED = 130


class CommandRefused(Exception):
    """A command can't do what was asked.

    :param fact: what is wrong, with its values; :param remedy: what to do about it. Both whole sentences.
    """

    def __init__(self, fact: str, remedy: str = "") -> None:
        super().__init__(" ".join(filter(None, (fact, remedy))))
        self.fact = fact
        self.remedy = remedy


def report(error: BaseException, *, debug: bool) -> int:
    """Say on stderr why the command ended; the exit status that goes with it."""
    if debug:
        typer.echo("".join(traceback.format_exception(error)), err=True)
    cause = _innermost(error)
    if isinstance(cause, (KeyboardInterrupt, typer.Abort)):
        typer.echo("Interrupted.", err=True)
        return INTERRUPTED
    if isinstance(cause, TyperException):
        return _of_usage(cause)
    if isinstance(cause, BrokenPipeError):
        return FAILED  # the reader of our output has left: nothing to tell, nobody to tell it to
    fact, remedy = explain(cause)
    typer.echo(f"saas: {fact} {remedy}".rstrip(), err=True)
    return FAILED


def _of_usage(error: TyperException) -> int:
    """What is wrong with the arguments, and where the right ones stand; without any, the help itself."""
    message = error.format_message()
    if message.startswith("Usage:"):
        typer.echo(message, err=True)
        return error.exit_code
    context = getattr(error, "ctx", None)
    command = context.command_path if context else "saas"
    typer.echo(f"saas: {_ended(message)} `{command} --help` shows how.", err=True)
    return error.exit_code


def explain(error: BaseException) -> tuple[str, str]:
    """What happened and what to do about it; the latter is empty where nobody knows."""
    if isinstance(error, (CommandRefused, ServerStartError)):
        return " ".join(filter(None, (error.fact, getattr(error, "rule", "")))), error.remedy
    if isinstance(error, (BenchError, ConfigError, RolesRefused)):
        return str(error), ""
    if isinstance(error, AppError):
        return _localised(error)
    if isinstance(error, (asyncpg.PostgresError, asyncpg.InterfaceError, BaseORMException)):
        return _of_database(error)
    if isinstance(error, RedisError):
        return f"Redis can't be used: {_ended(error)}", "Start it, or correct REDIS_URL; `saas doctor` looks closer."
    if isinstance(error, OSError):
        return _of_system(error)
    return (
        f"A fault of the program: {_ended(f'{type(error).__name__}: {error}')}",
        "`saas --debug …` shows where; please report it.",
    )


def _innermost(error: BaseException) -> BaseException:
    """The cause inside groups of one, as task groups raise them."""
    while isinstance(error, BaseExceptionGroup) and error.exceptions:
        error = error.exceptions[0]
    return error


_DATABASE_FAULTS: tuple[tuple[type[BaseException], str, str], ...] = (
    (
        asyncpg.InvalidAuthorizationSpecificationError,  # a wrong password is one of these
        "PostgreSQL refuses the user or password of the database's URL.",
        "Correct DATABASE_URL, DATABASE_APP_URL or DATABASE_PLATFORM_URL.",
    ),
    (asyncpg.InvalidCatalogNameError, "PostgreSQL has no such database.", "Create it, or correct the URL."),
    (asyncpg.UndefinedTableError, "The database lacks tables of this version.", "Run `saas migrate`."),
    (asyncpg.UndefinedColumnError, "The database lacks columns of this version.", "Run `saas migrate`."),
    (asyncpg.UndefinedFunctionError, "The database lacks functions of this version.", "Run `saas migrate`."),
    (asyncpg.InvalidSchemaNameError, "The database lacks schemas of this version.", "Run `saas migrate`."),
    (
        asyncpg.InsufficientPrivilegeError,
        "PostgreSQL does not allow this",
        "Use the owner's URL, or run `saas migrate`.",
    ),
    (asyncpg.CannotConnectNowError, "PostgreSQL takes no connections at present", "Wait until it has started."),
    (
        asyncpg.TooManyConnectionsError,
        "PostgreSQL has no connection left.",
        "Raise max_connections, or stop a process.",
    ),
    (asyncpg.DiskFullError, "PostgreSQL's disk is full.", "Free some space on the database's disk."),
    (asyncpg.PostgresConnectionError, "The connection to PostgreSQL was lost", "Start the server and try again."),
)


def _of_database(error: BaseException) -> tuple[str, str]:
    told = _database_cause(error)
    for kind, fact, remedy in _DATABASE_FAULTS:
        if isinstance(told, kind):
            return (fact if fact.endswith(".") else f"{fact}: {_ended(told)}"), remedy
    if isinstance(told, OSError):
        return _of_system(told)
    return f"PostgreSQL refuses: {_ended(told)}", "`saas doctor` looks at the servers."


def _database_cause(error: BaseException) -> BaseException:
    """What the driver said, where the ORM has put its own error around it."""
    cause = error
    while isinstance(cause, BaseORMException):
        inner = cause.__cause__ or next((each for each in cause.args if isinstance(each, BaseException)), None)
        if inner is None:
            break
        cause = inner
    return cause


def _of_system(error: OSError) -> tuple[str, str]:
    reason = error.strerror or str(error) or type(error).__name__
    if isinstance(error, (ConnectionError, TimeoutError)) or error.filename is None:
        return f"A server can't be reached: {_ended(reason)}", "`saas doctor` tells which one, and why."
    return f"{error.filename} can't be used: {_ended(reason)}", "Name another place, or give this user the right to it."


def _localised(error: AppError) -> tuple[str, str]:
    words = Catalogue.of(_packages())
    locale = operator_locale(os.environ)
    hint = f"{error.key}.hint"
    remedy = words.text(locale, hint, error.values) if words.has(locale, hint) or words.has("en", hint) else ""
    return words.text(locale, error.key, error.values), remedy


def operator_locale(environ: Mapping[str, str]) -> str:
    """The product's language that is nearest to the terminal's."""
    named = next((environ[name] for name in ("LC_ALL", "LC_MESSAGES", "LANG") if environ.get(name)), "")
    return "zh-CN" if named.startswith("zh") else "en"


def _packages() -> list[str]:
    """Every package of ours that has sentences."""
    rooms = [room.name for room in files("saas").iterdir() if room.joinpath("locales").is_dir()]
    return ["tenants", *(f"saas.{room}" for room in sorted(rooms))]


def _ended(text: object) -> str:
    """The text's first line as the end of a sentence."""
    line = (str(text).strip().splitlines() or [type(text).__name__])[0].strip()
    return line if line.endswith((".", "!", "?")) else f"{line}."
