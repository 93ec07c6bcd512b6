"""Each value set is rendered once for all tests that look at it."""

from __future__ import annotations

import pytest

from tests.chart.rendering import PROFILES, Release, rendered, values_of


@pytest.fixture(scope="session")
def releases() -> dict[str, Release]:
    """Every profile's release, by profile."""
    return {profile: rendered(values_of(profile)) for profile in PROFILES}


@pytest.fixture(params=PROFILES)
def release(request: pytest.FixtureRequest, releases: dict[str, Release]) -> Release:
    """One release after another, for what must hold for all of them."""
    return releases[request.param]
