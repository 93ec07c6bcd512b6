"""An HTTP request understood strictly: what is not plainly a GraphQL request is refused with the right status.

Only POST with a JSON content type is taken. A page of another site can't send that without the browser asking us
first, and we allow no origin: that closes cross-site forgery, whatever credentials are used.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import Any, NamedTuple

import orjson

from saas.kernel import LOCALES, AppError, BadUserInput, LimitExceeded, Scalar

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Headers = Mapping[bytes, bytes]

JSON = b"application/json"
GRAPHQL_RESPONSE = b"application/graphql-response+json"
EVENT_STREAM = b"text/event-stream"
_WILDCARDS = frozenset({b"application/*", b"*/*"})
_CLIENT = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._/-]{0,39}", re.ASCII)
_UTF8 = re.compile(r"utf-?8", re.ASCII | re.IGNORECASE)
_DISCARDED_TIMES = 16
_DISCARD_SECONDS = 2.0
_HASH = re.compile(r"[0-9a-f]{64}", re.ASCII)


class ClientGone(Exception):
    """The client hung up before its request was complete."""


class RefusedByHttp(Exception):
    """The request is refused with an HTTP status; `error` puts it into words."""

    def __init__(self, status: int, error: AppError, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(status)
        self.status = status
        self.error = error
        self.headers = dict(headers or {})


class GraphQLBody(NamedTuple):
    """The members of a well-formed request body; `is_plain`: none of its texts holds a control character (other than
    tab, line feed and carriage return) or a lone surrogate."""

    text: str | None
    document_hash: str | None
    operation_name: str | None
    variables: Mapping[str, Any]
    is_plain: bool


def response_type(accept: bytes | None) -> bytes:
    """The media type to answer in.

    A client that names no type, or only wildcards, gets ``application/json``, as the specification's audits ask.

    :raises RefusedByHttp: 406, none of its types is ours.
    """
    if not accept:
        return JSON
    if accept in (GRAPHQL_RESPONSE, JSON):
        return accept
    best, quality = None, 0.0
    for media_type, wanted in _accepted(accept):
        own = JSON if media_type in _WILDCARDS else media_type
        if own in (GRAPHQL_RESPONSE, JSON) and wanted > quality:
            best, quality = own, wanted
    if best is None:
        raise RefusedByHttp(406, BadUserInput("web.not_acceptable", {"accept": _shown(accept)}))
    return best


def _accepted(accept: bytes) -> list[tuple[bytes, float]]:
    found: list[tuple[bytes, float]] = []
    for part in accept.lower().split(b","):
        media_type, *parameters = (piece.strip() for piece in part.split(b";"))
        quality = 1.0
        for parameter in parameters:
            name, _, value = parameter.partition(b"=")
            if name == b"q":
                quality = _quality(value)
            elif name == b"charset" and not _UTF8.fullmatch(value.strip(b'"').decode("latin-1")):
                quality = 0.0
        found.append((media_type, quality))
    return found


def _quality(value: bytes) -> float:
    try:
        quality = float(value)
    except ValueError:
        return 0.0
    return quality if 0.0 <= quality <= 1.0 else 0.0


def check_content(headers: Headers) -> None:
    """Accept uncompressed JSON in UTF-8 only.

    :raises RefusedByHttp: 415, another type, encoding or charset.
    """
    encoding = headers.get(b"content-encoding", b"identity").strip().lower()
    if encoding != b"identity":
        raise _unsupported("web.content_encoding", encoding)
    content_type = headers.get(b"content-type", b"")
    if content_type == JSON:
        return
    media_type, *parameters = (piece.strip() for piece in content_type.lower().split(b";"))
    if media_type != JSON:
        raise _unsupported("web.content_type", content_type)
    for parameter in parameters:
        name, _, value = parameter.partition(b"=")
        if name.strip() == b"charset" and not _UTF8.fullmatch(value.strip().strip(b'"').decode("latin-1")):
            raise _unsupported("web.charset", value)


def _unsupported(key: str, found: bytes) -> RefusedByHttp:
    return RefusedByHttp(415, BadUserInput(key, {"found": _shown(found)}), {"Accept": "application/json"})


async def read_body(headers: Headers, receive: Receive, *, most: int) -> bytes:
    """The whole body, at most `most` bytes; a larger one is not kept.

    :raises RefusedByHttp: 413.
    :raises ClientGone: the client hung up.
    """
    parts: list[bytes] = []
    room = most if _declared(headers) <= most else -1
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientGone
        part: bytes = message.get("body", b"")
        room -= len(part)
        if room < 0:
            await _discard(message, receive, most * _DISCARDED_TIMES)
            raise _too_large(most)
        parts.append(part)
        if not message.get("more_body", False):
            return parts[0] if len(parts) == 1 else b"".join(parts)


def _declared(headers: Headers) -> int:
    declared = headers.get(b"content-length", b"0")
    return int(declared) if declared.isdigit() and len(declared) <= 12 else 0


async def _discard(message: Message, receive: Receive, most: int) -> None:
    """Read on without keeping, for a while: a client that is still sending would see a reset and not the answer."""
    try:
        async with asyncio.timeout(_DISCARD_SECONDS):
            while message.get("more_body", False) and most > 0:
                message = await receive()
                most -= len(message.get("body", b""))
    except TimeoutError:
        return


def _too_large(most: int) -> RefusedByHttp:
    values: dict[str, Scalar] = {"limit": "body_bytes", "allowed": most, "found": f"> {most}"}
    # what is left of the body is not read, so the connection can't be used again
    return RefusedByHttp(413, LimitExceeded("graphql.limit_exceeded", values), {"Connection": "close"})


def parse_body(body: bytes) -> GraphQLBody:
    """The members of a GraphQL request.

    :raises RefusedByHttp: 400: no JSON, no object, or a member of the wrong type. A batch is an array, and refused.
    """
    try:
        found = orjson.loads(body)
    except orjson.JSONDecodeError:
        raise _malformed("web.json_malformed") from None
    return members_of(found, is_plain=is_plain_text(body))


def members_of(found: object, *, is_plain: bool) -> GraphQLBody:
    """The members of a GraphQL request that was read from JSON.

    :raises RefusedByHttp: 400, as `parse_body`.
    """
    if not isinstance(found, dict):
        raise _malformed("web.body_no_object")
    text = _text(found, "query")
    document_hash = _hash(_object(found, "extensions"))
    if text is None and document_hash is None:
        raise _malformed("web.query_missing")
    variables = _object(found, "variables") or {}
    return GraphQLBody(text, document_hash, _text(found, "operationName"), variables, is_plain)


def is_plain_text(body: bytes) -> bool:
    """Whether no text in some JSON holds a character that is not to be stored.

    JSON has control characters below space only as escapes; tab and the ends of lines have short ones.
    """
    return b"\\u" not in body and b"\\b" not in body and b"\\f" not in body and b"\x7f" not in body


def _text(body: dict[str, Any], name: str) -> str | None:
    value = body.get(name)
    if value is None or isinstance(value, str):
        return value
    raise RefusedByHttp(400, BadUserInput("web.member_no_text", {"member": name}, field=(name,)))


def _object(body: dict[str, Any], name: str) -> dict[str, Any] | None:
    value = body.get(name)
    if value is None or isinstance(value, dict):
        return value
    raise RefusedByHttp(400, BadUserInput("web.member_no_object", {"member": name}, field=(name,)))


def _hash(extensions: dict[str, Any] | None) -> str | None:
    persisted = (extensions or {}).get("persistedQuery")
    if persisted is None:
        return None
    found = persisted.get("sha256Hash") if isinstance(persisted, dict) else None
    if not isinstance(found, str) or not _HASH.fullmatch(found):
        raise _malformed("web.hash_malformed")
    return found


def _malformed(key: str) -> RefusedByHttp:
    return RefusedByHttp(400, BadUserInput(key))


def bearer_token(headers: Headers) -> str | None:
    """The token of the Authorization header; None without the header.

    A header that holds no bearer token gives an empty one, which no session has.
    """
    header = headers.get(b"authorization")
    if header is None:
        return None
    scheme, _, token = header.decode("latin-1").partition(" ")
    return token.strip()[:512] if scheme.lower() == "bearer" else ""


def client_name(headers: Headers) -> str:
    """What the calling program calls itself, where that is a name; else ``web``."""
    name = headers.get(b"x-client-name", b"web").decode("latin-1")
    return name if _CLIENT.fullmatch(name) else "web"


def wants_stream(headers: Headers) -> bool:
    """Whether the client takes a stream of events first of all."""
    return headers.get(b"accept", b"").lstrip().lower().startswith(EVENT_STREAM)


def accepted_locale(header: bytes | None) -> str | None:
    """The language of ours that Accept-Language prefers; None when it names none of them."""
    if not header:
        return None
    best, quality = None, 0.0
    for language, wanted in _accepted(header):
        name = language.decode("latin-1")
        own = "zh-CN" if name == "zh" or name.startswith("zh-") else "en" if name.partition("-")[0] == "en" else None
        if own in LOCALES and wanted > quality:
            best, quality = own, wanted
    return best


def _shown(value: bytes) -> str:
    return "".join(character for character in value.decode("latin-1")[:80] if character.isprintable())
