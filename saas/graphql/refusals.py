"""What a mutation answers when it is refused: its payload with nothing in it but the errors, in the caller's language.

A refusal without values reads the same each time. Where many want one thing, nearly all answers are that one; so it is
kept with its document.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence

from graphql import FieldNode

from saas.graphql.complete import Completion
from saas.graphql.errors import Fault, fault_of
from saas.graphql.fields import RootField
from saas.graphql.operation import Running
from saas.graphql.payloads import user_error
from saas.kernel import AppError, Carrier

_KEPT = 50
"""Per document; the documents themselves are bounded."""


def refused_payload(
    running: Running, root: RootField, key: str, nodes: list[FieldNode], errors: Sequence[AppError]
) -> tuple[bytes | None, list[Fault]]:
    """The payload's JSON, or None and the faults where a refusal belongs at the top level."""
    top_level = [error for error in errors if error.code.carrier is Carrier.TOP_LEVEL]
    if top_level:
        return None, [fault_of(error, (key,)) for error in top_level]
    kept, place = running.document.refusals, _place(running, nodes, errors)
    known = kept.get(place) if place is not None else None
    if known is not None:
        return known, []
    completion = Completion(running.services.schema.graphql, running.document, running.values)
    catalogue, locale = running.services.catalogue, running.locale
    payload = root.result(user_errors=[user_error(each, catalogue=catalogue, locale=locale) for each in errors])
    text = completion.finish(running.definition(root.name).type, payload, nodes, (key,))
    if text is not None and place is not None and not completion.depends_on_variables and len(kept) < _KEPT:
        kept[place] = text
    return text, completion.faults


def _place(running: Running, nodes: list[FieldNode], errors: Sequence[AppError]) -> Hashable | None:
    """What such a refusal is kept by; None where it holds values."""
    if any(error.values for error in errors):
        return None
    return running.locale, tuple(map(id, nodes)), tuple((error.code, error.key, error.field) for error in errors)
