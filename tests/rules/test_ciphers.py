"""The ciphers against published vectors, and the bytes of a sealed value against every kind of tampering."""

from __future__ import annotations

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from saas.kernel import BadUserInput, new_id
from saas.sealing import Keyring, Place, SealBroken, TenantKeys, mask_email, mask_phone, normalise_phone
from saas.sealing.cipher import AesGcm, Algorithm, Header, NotAuthentic, Sm4Gcm, open_bytes, seal_bytes

TENANT = new_id()
KEYS = TenantKeys(index=b"i" * 32, generations={1: b"1" * 32})
PLACE = Place("customer", "phone_sealed", new_id())
PHONE = "13800138000"


def keyring(algorithm: Algorithm = Algorithm.AES_256_GCM, *, tenant: UUID = TENANT, keys: TenantKeys = KEYS) -> Keyring:
    return Keyring(tenant, keys, algorithm)


def test_aes_gcm_equals_the_vector_of_the_gcm_specification() -> None:
    """Test case 16 of McGrew and Viega, "The Galois/Counter Mode of Operation", adopted by NIST SP 800-38D."""
    cipher = AesGcm(bytes.fromhex("feffe9928665731c6d6a8f9467308308" * 2))
    nonce = bytes.fromhex("cafebabefacedbaddecaf888")
    bound = bytes.fromhex("feedfacedeadbeeffeedfacedeadbeefabaddad2")
    plaintext = bytes.fromhex(
        "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72"
        "1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39"
    )
    expected = bytes.fromhex(
        "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa"
        "8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662"
        "76fc6ece0f4e1768cddf8853bb2d551b"
    )
    assert cipher.encrypt(nonce, plaintext, bound) == expected
    assert cipher.decrypt(nonce, expected, bound) == plaintext


def test_sm4_gcm_equals_the_vector_of_rfc_8998() -> None:
    """RFC 8998, appendix A.1."""
    cipher = Sm4Gcm(bytes.fromhex("0123456789abcdeffedcba9876543210"))
    nonce = bytes.fromhex("00001234567800000000abcd")
    bound = bytes.fromhex("feedfacedeadbeeffeedfacedeadbeefabaddad2")
    plaintext = b"".join(bytes([value]) * 8 for value in (0xAA, 0xBB, 0xCC, 0xDD, 0xEE, 0xFF, 0xEE, 0xAA))
    expected = bytes.fromhex(
        "17f399f08c67d5ee19d0dc9969c4bb7d5fd46fd3756489069157b282bb200735"
        "d82710ca5c22f0ccfa7cbf93d496ac15a56834cbcf98c397b4024a2691233b8d"
        "83de3541e4c2b58177e065a9bf7b62ec"
    )
    assert cipher.encrypt(nonce, plaintext, bound) == expected
    assert cipher.decrypt(nonce, expected, bound) == plaintext


@pytest.mark.parametrize("algorithm", list(Algorithm))
def test_a_sealed_value_opens_where_it_was_sealed(algorithm: Algorithm) -> None:
    ring = keyring(algorithm)
    for text in ("", PHONE, "上海市静安区 1 号 ☎", "x" * 5000):
        sealed = ring.seal("personal", PLACE, text)
        assert keyring().open(PLACE, sealed) == text
        assert len(sealed) == 1 + 1 + 3 + 12 + len(text.encode()) + 16
        assert sealed[:5] == bytes((1, algorithm, 0, 1, 2))


@pytest.mark.parametrize("algorithm", list(Algorithm))
def test_any_changed_byte_is_refused(algorithm: Algorithm) -> None:
    ring = keyring(algorithm)
    sealed = ring.seal("personal", PLACE, PHONE)
    for position in range(len(sealed)):
        for bit in (1, 2, 128):
            changed = bytearray(sealed)
            changed[position] ^= bit
            with pytest.raises(SealBroken):
                ring.open(PLACE, bytes(changed))
    for cut in range(len(sealed)):
        with pytest.raises(SealBroken):
            ring.open(PLACE, sealed[:cut])
    with pytest.raises(SealBroken):
        ring.open(PLACE, sealed + b"\0")


def test_a_moved_value_is_refused_and_the_message_holds_no_secret() -> None:
    ring = keyring()
    sealed = ring.seal("personal", PLACE, PHONE)
    others = (
        Place("employee", PLACE.column, PLACE.row_id),
        Place(PLACE.table, "phone_2", PLACE.row_id),
        Place(PLACE.table, PLACE.column, new_id()),
        Place("customer|phone", "sealed", PLACE.row_id),
    )
    for place in others:
        with pytest.raises(SealBroken):
            ring.open(place, sealed)
    with pytest.raises(SealBroken) as refused:
        keyring(tenant=new_id()).open(PLACE, sealed)
    assert refused.value.values == {"table": "customer", "column": "phone_sealed", "row": str(PLACE.row_id)}
    assert refused.value.__cause__ is None
    assert refused.value.__suppress_context__
    assert repr(KEYS) == "TenantKeys()"


def test_another_tenants_key_is_refused() -> None:
    sealed = keyring().seal("personal", PLACE, PHONE)
    with pytest.raises(SealBroken):
        keyring(keys=TenantKeys(index=b"i" * 32, generations={1: b"2" * 32})).open(PLACE, sealed)


def test_data_classes_have_keys_of_their_own_and_unknown_ones_are_refused() -> None:
    ring = keyring()
    sealed = bytearray(ring.seal("personal", PLACE, PHONE))
    sealed[4] = 3
    with pytest.raises(SealBroken):
        ring.open(PLACE, bytes(sealed))
    with pytest.raises(KeyError):
        ring.seal("public", PLACE, PHONE)


def test_an_old_generation_stays_readable_and_new_values_use_the_newest() -> None:
    old = keyring().seal("personal", PLACE, PHONE)
    rotated = keyring(keys=TenantKeys(index=b"i" * 32, generations={1: b"1" * 32, 2: b"2" * 32}))
    assert rotated.open(PLACE, old) == PHONE
    new = rotated.seal("personal", PLACE, PHONE)
    assert Header.decode(new[:5]).generation == 2
    assert rotated.blind_index("Customer.phone", PHONE) == keyring().blind_index("Customer.phone", PHONE)
    with pytest.raises(SealBroken):
        keyring().open(PLACE, new)


def test_nonces_do_not_repeat() -> None:
    cipher, head = AesGcm(b"k" * 32), Header(Algorithm.AES_256_GCM, 1, 2).encode()
    nonces = {seal_bytes(cipher, head, b"", b"")[5:17] for _ in range(100_000)}
    assert len(nonces) == 100_000


def test_what_is_bound_is_part_of_the_seal() -> None:
    cipher, head = AesGcm(b"k" * 32), Header(Algorithm.AES_256_GCM, 1, 2).encode()
    sealed = seal_bytes(cipher, head, b"text", b"here")
    assert open_bytes(cipher, sealed, b"here") == b"text"
    with pytest.raises(NotAuthentic):
        open_bytes(cipher, sealed, b"there")


def test_blind_index_depends_on_tenant_and_field_only() -> None:
    ring = keyring()
    index = ring.blind_index("Customer.phone", PHONE)
    assert len(index) == 16
    assert index == keyring().blind_index("Customer.phone", PHONE)
    other_tenant = keyring(tenant=new_id(), keys=TenantKeys(index=b"j" * 32, generations={1: b"1" * 32}))
    different = {
        ring.blind_index("Employee.phone", PHONE),
        ring.blind_index("Customer.phone", "13800138001"),
        other_tenant.blind_index("Customer.phone", PHONE),
        bytes.fromhex(ring.digest(PHONE)),
    }
    assert len(different | {index}) == 5
    assert len(ring.digest(PHONE)) == 32


@pytest.mark.parametrize(
    ("written", "normal"),
    [
        ("13800138000", "13800138000"),
        (" 138 0013-8000 ", "13800138000"),
        ("+86 138-0013-8000", "13800138000"),
        ("0086 13800138000", "13800138000"),
        ("8613800138000", "13800138000"),
        ("（+86）138–0013–8000", "13800138000"),
        ("１３８００１３８０００", "13800138000"),
        ("010-8888 6666", "01088886666"),
        ("(0755) 2688.8888", "075526888888"),
        ("+1 (415) 555-0100", "+14155550100"),
        ("95588", "95588"),
    ],
)
def test_phone_has_one_normal_form(written: str, normal: str) -> None:
    assert normalise_phone(written) == normal
    assert normalise_phone(normal) == normal


@pytest.mark.parametrize(
    "written", ["", "1234", "1" * 16, "138001380O0", "010-88886666转12", "13+800138000", "٠١٢٣٤٥٦"]
)
def test_what_is_no_phone_is_refused_without_repeating_it(written: str) -> None:
    with pytest.raises(BadUserInput) as refused:
        normalise_phone(written)
    assert refused.value.key == "sealing.not_a_phone"
    assert refused.value.values == {"length": len(written)}


@given(st.text(alphabet="0123456789 +-()１８", max_size=24))
def test_normal_form_of_a_normal_form_is_itself(written: str) -> None:
    try:
        normal = normalise_phone(written)
    except BadUserInput:
        return
    assert normalise_phone(normal) == normal
    assert set(normal) <= set("+0123456789")


@given(st.text(), st.uuids())
def test_any_text_comes_back(text: str, row_id: UUID) -> None:
    place = Place("customer", "phone_sealed", row_id)
    assert keyring().open(place, keyring().seal("pay", place, text)) == text


def test_masked_forms() -> None:
    assert mask_phone("13800138000") == "138****8000"
    assert mask_phone("+14155550100") == "+14****0100"
    assert mask_phone("88886666") == "88****66"
    assert mask_phone("95588") == "9****8"
    assert mask_email("li.na@example.com") == "l***@example.com"
