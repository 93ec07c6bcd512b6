"""Keys in files: made once, kept outside the database, closed when they can't be had, destroyed for good."""

from __future__ import annotations

import json
import multiprocessing
import os
from datetime import timedelta
from multiprocessing.synchronize import Barrier
from pathlib import Path
from uuid import UUID

import pytest

from saas.kernel import LOCALES, BadUserInput, Catalogue, FrozenClock, new_id
from saas.sealing import (
    BlindIndex,
    FileKeyProvider,
    KeysDestroyed,
    KeysUnavailable,
    MasterKeyExposed,
    MasterKeyMissing,
    Place,
    SealBroken,
    SealedOpener,
    Sealer,
    TenantKeys,
    normalise_phone,
)

TENANT = UUID("01970000-0000-7000-8000-000000000001")
PLACE = Place("customer", "phone_sealed", new_id())
PHONE = "13800138000"


class CountingProvider:
    """Keys from memory; counts how often it was asked, and can be switched off."""

    def __init__(self) -> None:
        self.asked = 0
        self.is_down = False

    def tenant_keys(self, tenant_id: UUID) -> TenantKeys:
        self.asked += 1
        if self.is_down:
            raise KeysUnavailable("kms", "no answer")
        return TenantKeys(index=b"i" * 32, generations={1: tenant_id.bytes * 2})

    def destroy(self, tenant_id: UUID) -> None:
        self.is_down = True


def names_below(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.rglob("*"))


async def test_files_are_private_and_hold_no_usable_key(tmp_path: Path) -> None:
    ring = await Sealer(FileKeyProvider(tmp_path)).keyring(TENANT)
    sealed = ring.seal("personal", PLACE, PHONE)
    master, wrapped = tmp_path / "master.key", tmp_path / "keys" / f"{TENANT}.json"
    assert names_below(tmp_path) == [wrapped.name, "keys", "master.key"]
    assert [path.stat().st_mode & 0o777 for path in (master, wrapped, tmp_path / "keys")] == [0o600, 0o600, 0o700]
    keys = FileKeyProvider(tmp_path).tenant_keys(TENANT)
    assert keys.generations[1].hex() not in wrapped.read_text()
    assert keys.index != keys.generations[1]
    again = await Sealer(FileKeyProvider(tmp_path)).keyring(TENANT)
    assert again.open(PLACE, sealed) == PHONE


def test_master_key_file_may_stand_elsewhere(tmp_path: Path) -> None:
    elsewhere = tmp_path / "mounted" / "key"
    first = FileKeyProvider(tmp_path / "data", master_key_file=elsewhere).tenant_keys(TENANT)
    assert elsewhere.exists()
    assert not (tmp_path / "data" / "master.key").exists()
    assert FileKeyProvider(tmp_path / "data", master_key_file=elsewhere).tenant_keys(TENANT) == first


def test_key_files_of_two_tenants_can_not_be_exchanged(tmp_path: Path) -> None:
    provider, other = FileKeyProvider(tmp_path), new_id()
    provider.tenant_keys(TENANT)
    provider.tenant_keys(other)
    (tmp_path / "keys" / f"{TENANT}.json").write_text((tmp_path / "keys" / f"{other}.json").read_text())
    with pytest.raises(KeysUnavailable):
        provider.tenant_keys(TENANT)


def test_lost_master_key_is_never_replaced(tmp_path: Path) -> None:
    provider = FileKeyProvider(tmp_path)
    provider.tenant_keys(TENANT)
    (tmp_path / "master.key").unlink()
    for tenant_id in (TENANT, new_id()):
        with pytest.raises(MasterKeyMissing):
            provider.tenant_keys(tenant_id)
    assert not (tmp_path / "master.key").exists()
    assert len(list((tmp_path / "keys").iterdir())) == 1


@pytest.mark.skipif(os.name != "posix", reason="file modes are POSIX's")
@pytest.mark.parametrize(
    ("mode", "is_fit"), [(0o600, True), (0o400, True), (0o440, True), (0o644, False), (0o660, False)]
)
def test_master_key_that_others_may_read_is_refused(tmp_path: Path, mode: int, is_fit: bool) -> None:
    provider = FileKeyProvider(tmp_path)
    first = provider.tenant_keys(TENANT)
    (tmp_path / "master.key").chmod(mode)
    if is_fit:
        assert provider.tenant_keys(TENANT) == first
        return
    with pytest.raises(MasterKeyExposed) as refused:
        provider.tenant_keys(TENANT)
    assert refused.value.values["mode"] == f"{mode:04o}"


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("master.key", "abc"),
        ("master.key", "0" * 64),
        ("keys/{tenant}.json", "{"),
        ("keys/{tenant}.json", "[]"),
        ("keys/{tenant}.json", '{"keys": {"index": "zz", "1": "00"}}'),
        ("keys/{tenant}.json", '{"keys": {"index": 5, "1": "00"}}'),
    ],
)
def test_damaged_files_keep_values_closed(tmp_path: Path, name: str, content: str) -> None:
    provider = FileKeyProvider(tmp_path)
    provider.tenant_keys(TENANT)
    (tmp_path / name.format(tenant=TENANT)).write_text(content)
    with pytest.raises(KeysUnavailable):
        provider.tenant_keys(TENANT)


def test_folder_that_can_not_be_written_is_a_clear_error(tmp_path: Path) -> None:
    (tmp_path / "keys").write_text("a file where the folder should be")
    with pytest.raises(KeysUnavailable) as refused:
        FileKeyProvider(tmp_path).tenant_keys(TENANT)
    assert str(tmp_path) in str(refused.value.values["place"])


async def test_keys_are_remembered_for_five_minutes_and_then_closed_when_the_provider_is_down(
    clock: FrozenClock,
) -> None:
    provider = CountingProvider()
    sealer = Sealer(provider, clock=clock)
    first = await sealer.keyring(TENANT)
    provider.is_down = True
    clock.advance(timedelta(minutes=4, seconds=59))
    assert await sealer.keyring(TENANT) is first
    assert provider.asked == 1
    clock.advance(timedelta(seconds=1))
    with pytest.raises(KeysUnavailable):
        await sealer.keyring(TENANT)
    provider.is_down = False
    assert await sealer.keyring(TENANT) is not first
    assert provider.asked == 3


async def test_destroyed_keys_open_nothing_and_are_never_made_again(tmp_path: Path) -> None:
    sealer, neighbour = Sealer(FileKeyProvider(tmp_path)), new_id()
    ring = await sealer.keyring(TENANT)
    beside = (await sealer.keyring(neighbour)).seal("pay", PLACE, "9000.00")
    before = (tmp_path / "keys" / f"{TENANT}.json").read_text()
    wrapped = json.loads(before)["keys"]
    assert ring.seal("pay", PLACE, "8000.00")
    for _ in range(2):
        await sealer.destroy(TENANT)
        with pytest.raises(KeysDestroyed):
            await sealer.keyring(TENANT)
    after = (tmp_path / "keys" / f"{TENANT}.json").read_text()
    assert not any(text in after for text in wrapped.values())
    assert (await sealer.keyring(neighbour)).open(PLACE, beside) == "9000.00"


async def test_reader_opens_rows_and_looks_up_by_the_normal_form(tmp_path: Path) -> None:
    sealer = Sealer(FileKeyProvider(tmp_path))
    ring = await sealer.keyring(TENANT)
    opener = await SealedOpener(sealer, {"Customer.phone": BlindIndex("customer.phone", normalise_phone)}).prepare(
        TENANT
    )
    sealed = ring.seal("personal", PLACE, PHONE)
    assert opener("personal", "customer", "phone_sealed", PLACE.row_id, sealed) == PHONE
    with pytest.raises(SealBroken):
        opener("personal", "customer", "phone_sealed", new_id(), sealed)
    found = opener.blind_index("personal", "Customer.phone", "+86 138-0013-8000")
    assert found == ring.blind_index("customer.phone", PHONE)
    with pytest.raises(KeyError):
        opener.blind_index("personal", "Customer.taxNumber", "x")
    with pytest.raises(BadUserInput):
        opener.blind_index("personal", "Customer.phone", "x")


def _load(folder: Path, barrier: Barrier) -> str:
    barrier.wait()
    return FileKeyProvider(folder).tenant_keys(TENANT).generations[1].hex()


def _race(folder: Path, barrier: Barrier, number: int) -> None:
    (folder / f"seen-{number}").write_text(_load(folder / "data", barrier))


def test_processes_that_meet_a_new_tenant_at_once_get_one_key(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    barrier = context.Barrier(4)
    processes = [context.Process(target=_race, args=(tmp_path, barrier, number)) for number in range(4)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(timeout=30)
    assert [process.exitcode for process in processes] == [0, 0, 0, 0]
    assert len({(tmp_path / f"seen-{number}").read_text() for number in range(4)}) == 1
    assert [path.name for path in (tmp_path / "data" / "keys").iterdir()] == [f"{TENANT}.json"]


def test_every_refusal_has_its_sentence_in_both_languages() -> None:
    catalogue = Catalogue.of(["saas.sealing"])
    keys = {
        "sealing.broken",
        "sealing.keys_unavailable",
        "sealing.master_key_missing",
        "sealing.master_key_exposed",
        "sealing.keys_destroyed",
        "sealing.not_a_phone",
    }
    for locale in LOCALES:
        assert keys <= catalogue.keys(locale)
    assert catalogue.keys("en") == catalogue.keys("zh-CN")
