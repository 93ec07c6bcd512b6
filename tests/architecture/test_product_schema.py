"""The product's own schema keeps the rules that every schema of ours keeps."""

from __future__ import annotations

import pytest

from saas.graphql.schema import ApiSchema
from saas.main import installed_product
from tests.architecture import schema_rules


@pytest.fixture(scope="module")
def product_schema() -> ApiSchema:
    return installed_product().schema


def test_every_element_is_described(product_schema: ApiSchema) -> None:
    assert schema_rules.undescribed(product_schema) == []


def test_no_list_is_unbounded(product_schema: ApiSchema) -> None:
    assert schema_rules.unbounded_lists(product_schema) == []
    assert schema_rules.connections_without_page(product_schema) == []


def test_every_root_field_is_guarded_or_public(product_schema: ApiSchema) -> None:
    assert schema_rules.unguarded_roots(product_schema) == []


def test_no_float_and_no_idempotency_gap(product_schema: ApiSchema) -> None:
    assert schema_rules.floats(product_schema) == []
    assert schema_rules.idempotency_gaps(product_schema) == []
