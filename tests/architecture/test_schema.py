"""The schema's rules hold, and each rule notices what breaks it."""

from __future__ import annotations

from types import ModuleType

import pytest
import strawberry

from saas.graphql.fields import Info, mutation, query
from saas.graphql.payloads import Payload, Ref, mapped
from saas.graphql.schema import ApiSchema, build_schema, drift
from saas.reads import Registry
from saas.reads.mapping import Column, ReadType, RoomReads, ScalarKind
from tests.api import toy
from tests.architecture import schema_rules


@pytest.fixture(scope="module")
def schema() -> ApiSchema:
    return build_schema(Registry([toy.READS]), [toy.module()])


def test_every_element_is_described(schema: ApiSchema) -> None:
    assert schema_rules.undescribed(schema) == []


def test_no_list_is_unbounded(schema: ApiSchema) -> None:
    assert schema_rules.unbounded_lists(schema) == []
    assert schema_rules.connections_without_page(schema) == []


def test_every_root_field_is_guarded_or_public(schema: ApiSchema) -> None:
    assert schema_rules.unguarded_roots(schema) == []


def test_no_float(schema: ApiSchema) -> None:
    assert schema_rules.floats(schema) == []


def test_idempotent_mutations_ask_for_a_key_and_tell_a_replay(schema: ApiSchema) -> None:
    assert schema_rules.idempotency_gaps(schema) == []


def test_limits_are_published(schema: ApiSchema) -> None:
    text = schema.print()
    for figure in ("2000 tokens", "depth 12", "30 aliases", "50 directives", "20 root fields", "cost 10000"):
        assert figure in text


def test_refused_fields_are_nullable_and_structural_ones_are_not(schema: ApiSchema) -> None:
    text = schema.print()
    assert '  """Its name. Since 0.1."""\n  name: String!\n' in text
    assert '  """Its name. Needs Boat.name. Since 0.1."""\n  name: String\n' in text
    assert '  """Its price, in yuan. Data class: pay. Needs Boat.price. Since 0.1."""\n  price: Decimal\n' in text


def test_drift_shows_what_differs(schema: ApiSchema) -> None:
    text = schema.print()
    assert drift(schema, text) == []
    assert drift(schema, text.replace("  price: Decimal\n", "  price: String\n", 1)) == [
        "-  price: String",
        "+  price: Decimal",
    ]
    assert drift(schema, "\n".join(reversed(text.splitlines()))) == ["the order of lines differs"]


def test_printing_twice_gives_the_same_bytes(schema: ApiSchema) -> None:
    assert build_schema(Registry([toy.READS]), [toy.module()]).print() == schema.print()


@strawberry.type(description="Rates")
class Rates:
    """A type that breaks rules."""

    rates: list[float]


async def bare(info: Info) -> Rates:
    return Rates(rates=[])


def test_rules_notice_what_breaks_them() -> None:
    module = ModuleType("broken")
    vars(module)["bare"] = query(public=True, description="Bare")(bare)
    nameless = ReadType(
        "Nameless", "nameless", "nam", "", (Column("x", ScalarKind.INT, "x", "", since=""),), scopes={"all": "true"}
    )
    broken = build_schema(Registry([RoomReads(types=(nameless,))]), [module])
    assert sorted(schema_rules.undescribed(broken)) == ["Nameless.x", "Rates", "Rates.rates"]
    assert schema_rules.unbounded_lists(broken) == ["Rates.rates"]
    assert schema_rules.floats(broken) == ["Float"]


def test_root_field_says_exactly_one_guard() -> None:
    with pytest.raises(TypeError, match="bare: say exactly one of"):
        query(description="Bare")(bare)
    with pytest.raises(TypeError, match="bare: say exactly one of"):
        query(description="Bare", public=True, requires="x:y")(bare)


@strawberry.type(description="A payload that can't be made from user errors alone. Since 0.1.")
class NeedyPayload(Payload):
    """A payload with a field that needs a value."""

    boat: Ref | None = mapped("Boat", description="A boat. Since 0.1.")
    count: int = strawberry.field(description="How many. Since 0.1.")


async def needy(info: Info) -> NeedyPayload:
    return NeedyPayload(count=1)


def test_payload_fields_need_defaults() -> None:
    module = ModuleType("needy")
    vars(module)["needy"] = mutation(public=True, description="Needy")(needy)
    with pytest.raises(TypeError, match="payload of needy: each field but user_errors needs a default"):
        build_schema(Registry([toy.READS]), [module])
