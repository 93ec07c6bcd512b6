"""The ciphers, and the bytes of a sealed value. Nothing else in the product imports a cipher.

A sealed value is ``version | algorithm | key id | nonce | ciphertext | tag``: 1, 1, 3, 12, n and 16 bytes. The key
id is two bytes of the tenant key's generation and one of the data class. Everything before the nonce is bound in
as associated data, so that a header can't be exchanged. Sources: AES-GCM NIST SP 800-38D; SM4-GCM RFC 8998.
"""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from dataclasses import dataclass
from enum import IntEnum
from typing import ClassVar

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers import Cipher as BlockCipher
from cryptography.hazmat.primitives.ciphers import algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

VERSION = 1
NONCE_BYTES = 12
TAG_BYTES = 16
HEADER_BYTES = 5
_SHORTEST = HEADER_BYTES + NONCE_BYTES + TAG_BYTES


class Algorithm(IntEnum):
    """The algorithm byte of a sealed value; numbers are never reused."""

    AES_256_GCM = 1
    SM4_GCM = 2


class NotAuthentic(Exception):
    """The tag does not match: wrong key, wrong place, or changed bytes."""


class Cipher(ABC):
    """Authenticated encryption under one key. `nonce` (12 bytes) must never repeat under a key."""

    key_bytes: ClassVar[int]

    @abstractmethod
    def __init__(self, key: bytes) -> None: ...

    @abstractmethod
    def encrypt(self, nonce: bytes, plaintext: bytes, bound: bytes) -> bytes:
        """Ciphertext and tag; `bound` is authenticated with them."""

    @abstractmethod
    def decrypt(self, nonce: bytes, ciphertext: bytes, bound: bytes) -> bytes:
        """The plaintext.

        :raises NotAuthentic: the key, the nonce, the bytes or what is bound are not those of `encrypt`.
        """


class AesGcm(Cipher):
    """AES-256-GCM."""

    key_bytes = 32

    def __init__(self, key: bytes) -> None:
        self._aead = AESGCM(key)

    def encrypt(self, nonce: bytes, plaintext: bytes, bound: bytes) -> bytes:
        return self._aead.encrypt(nonce, plaintext, bound)

    def decrypt(self, nonce: bytes, ciphertext: bytes, bound: bytes) -> bytes:
        try:
            return self._aead.decrypt(nonce, ciphertext, bound)
        except InvalidTag:
            raise NotAuthentic from None


class Sm4Gcm(Cipher):
    """SM4-GCM, for tenants under the duty of commercial cryptography."""

    key_bytes = 16

    def __init__(self, key: bytes) -> None:
        self._key = algorithms.SM4(key)

    def encrypt(self, nonce: bytes, plaintext: bytes, bound: bytes) -> bytes:
        encryptor = BlockCipher(self._key, modes.GCM(nonce)).encryptor()
        encryptor.authenticate_additional_data(bound)
        return encryptor.update(plaintext) + encryptor.finalize() + encryptor.tag

    def decrypt(self, nonce: bytes, ciphertext: bytes, bound: bytes) -> bytes:
        if len(ciphertext) < TAG_BYTES:
            raise NotAuthentic
        body, tag = ciphertext[:-TAG_BYTES], ciphertext[-TAG_BYTES:]
        decryptor = BlockCipher(self._key, modes.GCM(nonce, tag)).decryptor()
        decryptor.authenticate_additional_data(bound)
        try:
            return decryptor.update(body) + decryptor.finalize()
        except InvalidTag:
            raise NotAuthentic from None


CIPHERS: dict[Algorithm, type[Cipher]] = {Algorithm.AES_256_GCM: AesGcm, Algorithm.SM4_GCM: Sm4Gcm}


@dataclass(frozen=True, slots=True)
class Header:
    """What a sealed value says of itself: how and under which key it was sealed."""

    algorithm: Algorithm
    generation: int
    class_code: int

    def encode(self) -> bytes:
        """The five bytes before the nonce."""
        return bytes((VERSION, self.algorithm, *self.generation.to_bytes(2), self.class_code))

    @classmethod
    def decode(cls, head: bytes) -> Header:
        """The header that `encode` gave.

        :raises NotAuthentic: too short, or of a version or algorithm that is unknown.
        """
        if len(head) != HEADER_BYTES or head[0] != VERSION:
            raise NotAuthentic
        try:
            return cls(Algorithm(head[1]), int.from_bytes(head[2:4]), head[4])
        except ValueError:
            raise NotAuthentic from None


def seal_bytes(cipher: Cipher, head: bytes, plaintext: bytes, bound: bytes) -> bytes:
    """Seal under a fresh random nonce, which is safe for 2^32 values under one key (SP 800-38D, 8.3)."""
    nonce = os.urandom(NONCE_BYTES)
    return head + nonce + cipher.encrypt(nonce, plaintext, head + bound)


def open_bytes(cipher: Cipher, sealed: bytes, bound: bytes) -> bytes:
    """The plaintext of `seal_bytes`.

    :raises NotAuthentic: it was changed, or sealed with another key or for another place.
    """
    if len(sealed) < _SHORTEST:
        raise NotAuthentic
    body = HEADER_BYTES + NONCE_BYTES
    return cipher.decrypt(sealed[HEADER_BYTES:body], sealed[body:], sealed[:HEADER_BYTES] + bound)
