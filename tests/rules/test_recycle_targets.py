"""Where a recycled customer goes: the pool that the rules find (P30), or a person who can have it (P31)."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pytest

from saas.customers import PoolSettings
from saas.customers.recycling import (
    PersonFacts,
    PoolFacts,
    Receiver,
    Target,
    TargetRules,
    TargetWay,
    Unfit,
    recycle_target,
    told_target,
)
from saas.kernel import AppErrors, Catalogue

TODAY = date(2026, 11, 23)
OWNER, BOSS = UUID(int=1), UUID(int=2)
TEAM, NORTH, ROOT = UUID(int=11), UUID(int=12), UUID(int=13)
OWN, FIRST, OTHER, CLOSED = UUID(int=21), UUID(int=22), UUID(int=23), UUID(int=24)
OWN_POOL, DEFAULT, OTHERS = PoolFacts(OWN, "乙"), PoolFacts(FIRST, "甲", is_default=True), PoolFacts(OTHER, "丙")
CATALOGUE = Catalogue.of(["saas.customers"])


def target(rules: TargetRules, *pools: PoolFacts, person: PersonFacts | None = None) -> Target:
    return recycle_target(
        rules,
        own_pool_id=OWN,
        former_owner_id=OWNER,
        pools=pools,
        departments=(TEAM, NORTH, ROOT),
        person=person,
        today=TODAY,
    )


def of(pool: PoolFacts, *department_ids: UUID) -> PoolFacts:
    return replace(pool, department_ids=frozenset(department_ids), is_everybodys=False)


@pytest.mark.parametrize(
    ("pools", "expected"),
    [
        ((OWN_POOL, DEFAULT), OWN),
        ((of(OWN_POOL, NORTH), of(OTHERS, TEAM), DEFAULT), OTHER),
        ((of(OWN_POOL, ROOT), of(OTHERS, NORTH), DEFAULT), OTHER),
        ((of(OWN_POOL, TEAM), of(OTHERS, TEAM), DEFAULT), OWN),
        ((of(DEFAULT, TEAM), of(OTHERS, TEAM)), FIRST),
        ((of(OWN_POOL, UUID(int=99)), DEFAULT, OTHERS), FIRST),
        ((of(OWN_POOL, UUID(int=99)), of(DEFAULT, UUID(int=99))), FIRST),
        ((of(OTHERS, UUID(int=99)),), OWN),
        ((of(OWN_POOL), DEFAULT), FIRST),
        ((OTHERS, replace(OTHERS, id=CLOSED, name="戊")), OTHER),
    ],
)
def test_by_default_it_is_the_pool_of_the_owners_department(pools: tuple[PoolFacts, ...], expected: UUID) -> None:
    """The nearest department that a pool names, then pools that are everybody's, then the default (P30)."""
    assert target(TargetRules(), *pools) == Target(expected)
    assert target(TargetRules(), *reversed(pools)) == Target(expected)


@pytest.mark.parametrize(
    ("way", "pool_ids", "expected"),
    [
        (TargetWay.FIXED, (OTHER,), OTHER),
        (TargetWay.FIXED, (CLOSED,), FIRST),
        (TargetWay.LISTED, (OTHER, FIRST), OTHER),
        (TargetWay.LISTED, (CLOSED, OTHER, FIRST), OTHER),
        (TargetWay.LISTED, (CLOSED,), FIRST),
    ],
)
def test_named_pools_are_taken_in_their_order_where_they_are_open(
    way: TargetWay, pool_ids: tuple[UUID, ...], expected: UUID
) -> None:
    assert target(TargetRules(way, pool_ids), OWN_POOL, DEFAULT, of(OTHERS, TEAM)) == Target(expected)


@pytest.mark.parametrize(
    ("person", "unfit", "told"),
    [
        (None, Unfit.NOBODY, "nobody is named"),
        (PersonFacts(BOSS, is_on_staff=False), Unfit.LEFT, "not on the staff"),
        (PersonFacts(OWNER), Unfit.FORMER_OWNER, "former owner"),
        (PersonFacts(BOSS, free_on=TODAY + timedelta(days=1)), Unfit.COOLDOWN, "cooldown"),
        (PersonFacts(BOSS, is_full=True), Unfit.FULL, "as many customers"),
        (PersonFacts(BOSS, free_on=TODAY), None, "reports to"),
        (PersonFacts(BOSS), None, "reports to"),
    ],
)
def test_a_person_gets_it_or_the_pool_does_and_it_is_told_why(
    person: PersonFacts | None, unfit: Unfit | None, told: str
) -> None:
    """P31: never silent. Who gets it keeps it in the pool it belonged to."""
    rules = TargetRules(receiver=Receiver.SUPERVISOR)
    found = target(rules, of(OTHERS, TEAM), OWN_POOL, person=person)
    assert found == (Target(OWN, BOSS) if unfit is None else Target(OTHER, unfit=unfit))
    (sentence,) = told_target(found, receiver=rules.receiver)
    assert told in next(text for _, text, _ in sentence.lines(CATALOGUE, "en"))


def test_nothing_is_told_of_people_where_the_pool_gets_it() -> None:
    assert told_target(target(TargetRules(), OWN_POOL), receiver=Receiver.POOL) == ()
    backup = target(TargetRules(receiver=Receiver.BACKUP), OWN_POOL, person=PersonFacts(BOSS))
    assert [each.key for each in told_target(backup, receiver=Receiver.BACKUP)] == ["customers.recycle_to_backup"]


@pytest.mark.parametrize(
    ("wanted", "field", "key"),
    [
        ({"recycle_target": "fixed"}, "recyclePools", "customers.pool_target_without_pools"),
        (
            {"recycle_target": "fixed", "recycle_pools": (OWN, OTHER)},
            "recyclePools",
            "customers.pool_target_without_pools",
        ),
        ({"recycle_target": "listed"}, "recyclePools", "customers.pool_target_without_pools"),
        ({"recycle_to": "backup"}, "recycleBackup", "customers.pool_backup_missing"),
    ],
)
def test_targets_that_name_nobody_are_refused(wanted: dict[str, Any], field: str, key: str) -> None:
    with pytest.raises(AppErrors) as refused:
        PoolSettings().changed(wanted, valid_from=TODAY)
    (fault,) = refused.value.errors
    assert (fault.field, fault.key) == ((field,), key)
