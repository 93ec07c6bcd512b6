"""HTTP as uvicorn speaks it over httptools, each response in one write.

uvicorn writes the head of a response and its body apart, and each write is a call of the system that wakes the client:
for a short answer that is a third of all processor time. Here what is written in one turn of the event loop leaves
together at its end.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from saas.graphql.limits import Limits


class OneWriteProtocol(HttpToolsProtocol):
    """uvicorn's protocol for ``Config(http=…)``."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(_Gathered(transport, self.loop))


SPOKEN: Mapping[str, Any] = MappingProxyType(
    {
        "http": OneWriteProtocol,
        "ws": "websockets-sansio",
        "ws_max_size": Limits().body_bytes,
        "ws_per_message_deflate": False,  # what is small gains nothing, and what swells is a bomb
    }
)
"""What uvicorn speaks, for its ``Config(…)``."""


class _Gathered(asyncio.Transport):
    """A transport that keeps what is written until the loop's next turn; everything else is the transport's own."""

    __slots__ = ("_kept", "_loop", "_transport")

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__()
        self._transport = transport
        self._loop = loop
        self._kept: list[bytes] = []

    def write(self, data: bytes | bytearray | memoryview) -> None:
        if not self._kept:
            self._loop.call_soon(self._flush)
        self._kept.append(bytes(data))

    def _flush(self) -> None:
        if self._kept:
            kept, self._kept = self._kept, []
            self._transport.write(kept[0] if len(kept) == 1 else b"".join(kept))

    def close(self) -> None:
        self._flush()
        self._transport.close()

    def write_eof(self) -> None:
        self._flush()
        self._transport.write_eof()

    def abort(self) -> None:
        self._kept.clear()
        self._transport.abort()

    def get_write_buffer_size(self) -> int:
        return self._transport.get_write_buffer_size() + sum(map(len, self._kept))

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        self._transport.set_write_buffer_limits(high, low)

    def can_write_eof(self) -> bool:
        return self._transport.can_write_eof()

    def is_closing(self) -> bool:
        return self._transport.is_closing()

    def is_reading(self) -> bool:
        return self._transport.is_reading()

    def pause_reading(self) -> None:
        self._transport.pause_reading()

    def resume_reading(self) -> None:
        self._transport.resume_reading()

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return self._transport.get_extra_info(name, default)

    def get_protocol(self) -> asyncio.BaseProtocol:
        return self._transport.get_protocol()

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        """For an upgrade: whoever comes next writes for itself."""
        self._flush()
        self._transport.set_protocol(protocol)
