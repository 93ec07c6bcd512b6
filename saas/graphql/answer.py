"""The response as bytes: finished JSON of each root field spliced in the document's order, never rebuilt."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import orjson

from saas.graphql.budget import Charge
from saas.graphql.errors import Fault, render
from saas.graphql.limits import Limits
from saas.kernel import Catalogue, ErrorCode

NULL = b"null"

_STATUS: Mapping[ErrorCode, int] = {
    ErrorCode.UNAUTHENTICATED: 401,
    ErrorCode.FORBIDDEN: 403,
    ErrorCode.FIELD_FORBIDDEN: 403,
    ErrorCode.THROTTLED: 429,
    ErrorCode.UNAVAILABLE: 503,
    ErrorCode.TIMEOUT: 503,
    ErrorCode.INTERNAL: 500,
}
_DOCUMENT_AT_FAULT = 400


@dataclass(slots=True)
class Answer:
    """What came of a request. `parts` is None when nothing ran; else JSON per response key, in order."""

    parts: Mapping[str, bytes] | None
    faults: Sequence[Fault] = ()
    requested: int = 0
    actual: int = 0
    charge: Charge | None = None
    operation: str = ""
    locale: str = "en"
    headers: dict[str, str] = field(default_factory=dict)

    def status(self, *, strict: bool) -> int:
        """The HTTP status: by the first refusal when nothing ran.

        With `strict` (``application/graphql-response+json``) a bad document or variable is 400; in the older media
        type it is 200, as the specification asks of it.
        """
        if self.parts is not None:
            return 200
        status = _STATUS.get(self.faults[0].code, _DOCUMENT_AT_FAULT)
        return 200 if status == _DOCUMENT_AT_FAULT and not strict else status

    def body(self, *, catalogue: Catalogue, limits: Limits, request_id: str) -> bytes:
        """The JSON of the response."""
        members: list[bytes] = []
        if self.faults:
            members.append(b'"errors":' + self.errors(catalogue=catalogue, request_id=request_id))
        if self.parts is not None:
            members.append(b'"data":' + spliced(self.parts))
        members.append(b'"extensions":' + self._extensions(limits, request_id))
        return b"{" + b",".join(members) + b"}"

    def errors(self, *, catalogue: Catalogue, request_id: str) -> bytes:
        """The JSON of the errors alone."""
        shown = [render(each, catalogue=catalogue, locale=self.locale, request_id=request_id) for each in self.faults]
        return orjson.dumps(shown)

    def _extensions(self, limits: Limits, request_id: str) -> bytes:
        available = self.charge.available if self.charge else limits.bucket
        return b'{"cost":{"requested":%d,"actual":%d,"available":%d,"restoreRate":%d},"requestId":"%b"}' % (
            self.requested,
            self.actual,
            available,
            limits.restore_rate,
            request_id.encode("ascii"),
        )


def spliced(parts: Mapping[str, bytes]) -> bytes:
    """An object of finished JSON values; GraphQL names need no escaping."""
    return b"{" + b",".join([b'"' + key.encode("ascii") + b'":' + value for key, value in parts.items()]) + b"}"
