"""Normal and masked forms of personal values, as they stand beside the sealed ones."""

from __future__ import annotations

import re
import unicodedata

from saas.kernel import BadUserInput

_FILLING = re.compile(r"[\s\-‐-―().·/]+")
_MAINLAND_MOBILE = re.compile(r"(?:\+86|0086|86)?(1[3-9]\d{9})", re.ASCII)
_MOBILE_DIGITS = 11
_OTHER_PHONE = re.compile(r"\+?\d{5,15}", re.ASCII)


def normalise_phone(text: str) -> str:
    """The one form in which a phone number is stored and looked up.

    A mainland mobile number is its 11 digits; any other keeps its digits and a leading plus sign, 5 to 15 digits
    (ITU-T E.164 allows 15). Full-width digits, spaces, dashes, dots and brackets are taken as people write them.

    :raises BadUserInput: anything else; the message does not repeat the text.
    """
    if len(text) == _MOBILE_DIGITS and text.isascii() and text.isdecimal() and "13" <= text[:2] <= "19":
        return text  # as lists have them by the thousand
    bare = _FILLING.sub("", unicodedata.normalize("NFKC", text))
    mobile = _MAINLAND_MOBILE.fullmatch(bare)
    if mobile:
        return mobile[1]
    if _OTHER_PHONE.fullmatch(bare):
        return bare
    raise BadUserInput("sealing.not_a_phone", {"length": len(text)})


def mask_phone(text: str) -> str:
    """A number that its owner recognises and nobody can dial: ``138****5678``; short numbers show less."""
    head, tail = (3, 4) if len(text) >= 11 else (2, 2) if len(text) >= 8 else (1, 1)
    return f"{text[:head]}****{text[-tail:]}"


def mask_email(text: str) -> str:
    """The first letter and the domain: ``l***@example.com``."""
    name, _, domain = text.partition("@")
    return f"{name[:1]}***@{domain}"
