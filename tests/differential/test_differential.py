"""The compiled reader answers generated documents as graphql-core does over the same rows: data, nulls and errors."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, assume, given, settings

from tests.differential.conftest import COMPANY, NEIGHBOUR, PRODUCT, roles
from tests.differential.documents import Generated, documents
from tests.differential.stage import Role, Stage, values_of

ROLES = roles()
DOCUMENTS = documents(PRODUCT.schema.graphql, values_of(PRODUCT.registry, COMPANY, NEIGHBOUR))
EACH = 60
LONG = 840
_SETTINGS = settings(
    derandomize=True, database=None, deadline=None, suppress_health_check=list(HealthCheck), max_examples=EACH
)


@pytest.mark.parametrize("role", ROLES.values(), ids=ROLES.keys())
@_SETTINGS
@given(generated=DOCUMENTS)
async def test_answers_equal_the_oracles(stage: Stage, role: Role, generated: Generated) -> None:
    assume(stage.is_valid(generated))
    await stage.compare(role, generated)
