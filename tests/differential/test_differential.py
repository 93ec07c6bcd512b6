"""The compiled reader answers generated documents as graphql-core does over the same rows: data, nulls and errors.

Seen to fail for: NULL under `not`, `or` as `and`, parts of filters dropped, isNull, gte, lt, startsWith, NULL cursors,
cursor bounds, hasNextPage, tie-breaker, scopes (to-one, to-many, totals), rights on rows, @skip, merging, enum values.
"""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import HealthCheck, Phase, assume, given, note, settings
from hypothesis import strategies as st

from tests.differential.conftest import COMPANY, NEIGHBOUR, PRODUCT, roles
from tests.differential.documents import Generated, document
from tests.differential.stage import Role, Stage, refused_uses, values_of

ROLES = roles()
VALUES = values_of(PRODUCT.registry, COMPANY, NEIGHBOUR)
SEEDS = st.integers(0, 2**48)
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


def written(stage: Stage, role: Role, seed: int) -> Generated:
    """The document of a seed, made for the role; equal response keys may contradict each other: those are left out."""
    values = replace(VALUES, refused=refused_uses(PRODUCT.registry, role.access))
    generated = document(seed, PRODUCT.schema.graphql, values)
    assume(stage.is_valid(generated))
    note(f"{generated.text}\n{generated.variables}")
    return generated


@EVERY_ROLE
@LARGE_ARGUMENTS
@settings(REPEATED, max_examples=EACH_ROLE)
@given(seed=SEEDS)
async def test_answers_equal_the_oracles(stage: Stage, role: Role, seed: int) -> None:
    await stage.compare(role, written(stage, role, seed))


@pytest.mark.drill
@EVERY_ROLE
@LARGE_ARGUMENTS
@settings(REPEATED, max_examples=EACH_ROLE_LONG, derandomize=False)
@given(seed=SEEDS)
async def test_answers_equal_the_oracles_for_long(stage: Stage, role: Role, seed: int) -> None:
    """Over five thousand documents, others each time; hypothesis prints how to repeat a failure."""
    await stage.compare(role, written(stage, role, seed))
