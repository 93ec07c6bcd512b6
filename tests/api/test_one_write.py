"""A response leaves in one piece: head and body in one write, in the order of the requests."""

from __future__ import annotations

import asyncio
from typing import cast

from tests.api.conftest import Api

_BODY = b'{"query": "{__typename}"}'
_HEAD = b"POST /graphql HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
_REQUEST = _HEAD + b"X-Request-Id: %b\r\nContent-Length: %d\r\n\r\n"


class _Listener(asyncio.Protocol):
    """Keeps what arrives, piece by piece as the system hands it over."""

    def __init__(self) -> None:
        self.pieces: list[bytes] = []
        self.arrived = asyncio.Event()
        self.is_closed = asyncio.get_running_loop().create_future()

    def data_received(self, data: bytes) -> None:
        self.pieces.append(data)
        self.arrived.set()

    def connection_lost(self, error: Exception | None) -> None:
        self.is_closed.set_result(error)


def _request(name: bytes, more: bytes = b"") -> bytes:
    head = _REQUEST % (name, len(_BODY))
    return head.replace(b"Host: x\r\n", b"Host: x\r\n" + more) + _BODY


async def _connected(api: Api) -> tuple[asyncio.WriteTransport, _Listener]:
    port = int(str(api.client.base_url).rsplit(":", 1)[1].strip("/"))
    transport, protocol = await asyncio.get_running_loop().create_connection(_Listener, "127.0.0.1", port)
    return cast("asyncio.WriteTransport", transport), protocol


async def test_head_and_body_arrive_together(api: Api) -> None:
    transport, listener = await _connected(api)
    for number in range(20):
        listener.pieces.clear()
        listener.arrived.clear()
        transport.write(_request(b"request-%02d" % number))
        await listener.arrived.wait()
        (piece,) = listener.pieces
        assert piece.startswith(b"HTTP/1.1 200 OK\r\n")
        assert piece.endswith(b'"requestId":"request-%02d"}}' % number)
    transport.close()


async def test_pipelined_requests_are_answered_in_order(api: Api) -> None:
    transport, listener = await _connected(api)
    transport.write(b"".join(_request(b"request-%02d" % number) for number in range(5)))
    async with asyncio.timeout(10):
        while b"".join(listener.pieces).count(b"HTTP/1.1 200") < 5:
            listener.arrived.clear()
            await listener.arrived.wait()
    whole = b"".join(listener.pieces)
    places = [whole.index(b'"requestId":"request-%02d"' % number) for number in range(5)]
    assert places == sorted(places)
    transport.close()


async def test_what_was_written_leaves_before_the_connection_closes(api: Api) -> None:
    transport, listener = await _connected(api)
    transport.write(_request(b"request-last", b"Connection: close\r\n"))
    async with asyncio.timeout(10):
        assert await listener.is_closed is None
    whole = b"".join(listener.pieces)
    assert whole.startswith(b"HTTP/1.1 200 OK\r\n")
    assert whole.endswith(b'"requestId":"request-last"}}')
