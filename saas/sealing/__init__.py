"""Sealed values: envelope encryption per tenant and data class, masked forms and blind indexes beside them.

All cryptography of stored data goes through this room; no other imports a cipher.
"""

from saas.sealing.errors import KeysDestroyed, KeysUnavailable, MasterKeyExposed, MasterKeyMissing, SealBroken
from saas.sealing.keys import FileKeyProvider, KeyProvider, TenantKeys
from saas.sealing.opening import BlindIndex, RowOpener, SealedOpener
from saas.sealing.rules import mask_email, mask_phone, normalise_phone
from saas.sealing.sealer import DATA_CLASSES, Keyring, Place, Sealer

__all__ = [
    "DATA_CLASSES",
    "BlindIndex",
    "FileKeyProvider",
    "KeyProvider",
    "Keyring",
    "KeysDestroyed",
    "KeysUnavailable",
    "MasterKeyExposed",
    "MasterKeyMissing",
    "Place",
    "RowOpener",
    "SealBroken",
    "SealedOpener",
    "Sealer",
    "TenantKeys",
    "mask_email",
    "mask_phone",
    "normalise_phone",
]
