"""Ids in inputs: read strictly, with the field at fault named."""

from __future__ import annotations

from uuid import UUID

from saas.kernel import AppError, parse_public_id


def placed_id(text: str, *, prefix: str, field: tuple[str, ...]) -> UUID:
    """The UUID of an id in an input; `field` is its path below ``input``.

    :raises BadUserInput: the text is no id; :raises WrongIdType: it is another type's.
    """
    try:
        return parse_public_id(text, prefix=prefix)
    except AppError as error:
        raise error.at("input", *field) from None


def optional_id(text: str | None, *, prefix: str, field: tuple[str, ...]) -> UUID | None:
    """The same for an id that may be absent."""
    return None if text is None else placed_id(text, prefix=prefix, field=field)
