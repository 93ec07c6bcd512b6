"""The compiled reader answers generated documents as graphql-core does over the same rows: data, nulls and errors."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, Phase, assume, given, settings

from tests.differential.conftest import COMPANY, NEIGHBOUR, PRODUCT, roles
from tests.differential.documents import Generated, documents
from tests.differential.stage import Role, Stage, values_of

ROLES = roles()
DOCUMENTS = documents(PRODUCT.schema.graphql, values_of(PRODUCT.registry, COMPANY, NEIGHBOUR))
EACH_ROLE, EACH_ROLE_LONG = 70, 900
EVERY_ROLE = pytest.mark.parametrize("role", ROLES.values(), ids=ROLES.keys())
REPEATED = settings(
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.explicit, Phase.generate, Phase.shrink],
)
LARGE_ARGUMENTS = pytest.mark.filterwarnings("ignore::hypothesis.errors.HypothesisWarning")


@EVERY_ROLE
@LARGE_ARGUMENTS
@settings(REPEATED, max_examples=EACH_ROLE)
@given(generated=DOCUMENTS)
async def test_answers_equal_the_oracles(stage: Stage, role: Role, generated: Generated) -> None:
    assume(stage.is_valid(generated))
    await stage.compare(role, generated)


@pytest.mark.drill
@EVERY_ROLE
@LARGE_ARGUMENTS
@settings(REPEATED, max_examples=EACH_ROLE_LONG, derandomize=False)
@given(generated=DOCUMENTS)
async def test_answers_equal_the_oracles_for_long(stage: Stage, role: Role, generated: Generated) -> None:
    """Over five thousand documents, others each time; hypothesis prints how to repeat a failure."""
    assume(stage.is_valid(generated))
    await stage.compare(role, generated)
