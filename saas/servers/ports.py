"""Ports on loopback: the one that is asked for, else the one used last, else a free one.

Coming back on the same port lets processes that outlived a crashed server find the new one.
"""

from __future__ import annotations

import socket
import sys
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path

from saas.servers import errors
from saas.servers.folder import write_private

_ATTEMPTS = 5


class Port:
    """Where one server listens: its choice, and the file that remembers it."""

    def __init__(self, server: str, *, memory: Path, variable: str, environ: Mapping[str, str]) -> None:
        self._server = server
        self._memory = memory
        self._variable = variable
        self._environ = environ

    def last(self) -> int | None:
        """The port of the last start."""
        with suppress(FileNotFoundError, ValueError):
            return int(self._memory.read_text(encoding="ascii"))
        return None

    async def find(self, attempt: Callable[[int], Awaitable[str | None]], folder: Path) -> int:
        """Start the server by `attempt`, which gives None or its output at failure, until a port is not lost to others.

        :raises ServerStartError: the port asked for is taken, or the server fails for another reason.
        """
        fixed = asked_port(self._environ, self._variable)
        for port in self._candidates(fixed):
            write_private(self._memory, str(port))
            output = await attempt(port)
            if output is None:
                return port
            if not errors.lost_port(output):
                raise errors.explain_failure(output, server=self._server, folder=folder)
        raise errors.port_refused(self._server, fixed or port, self._variable)

    def _candidates(self, fixed: int | None) -> Iterator[int]:
        if fixed is not None:
            yield fixed
            return
        last = self.last()
        if last is not None and _is_free(last):
            yield last
        for _ in range(_ATTEMPTS):
            yield free_port()


def free_port() -> int:
    """A port that is free now; it may be lost before a server takes it, so callers try again."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        if sys.platform != "win32":
            # As the servers do: connections that still fade away don't hold the port.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except (OSError, OverflowError):
            return False
    return True


def asked_port(environ: Mapping[str, str], variable: str) -> int | None:
    """The port that the operator fixed in `variable`, if any.

    :raises ServerStartError: it is not a port number.
    """
    text = environ.get(variable, "").strip()
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and 1 <= int(text) <= 65535):
        raise errors.ServerStartError(
            f"{variable} is {text[:20]!r}.", rule="A port is a number from 1 to 65535.", remedy=f"Correct {variable}."
        )
    return int(text)
