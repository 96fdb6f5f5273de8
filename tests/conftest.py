"""What every test may use."""

from __future__ import annotations

import os
from datetime import UTC, datetime

import pytest
from hypothesis import HealthCheck, settings

from tidings.lib.clock import FixedClock

# Other work shares the machine: a slow example is no failure.
settings.register_profile("tidings", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("tidings")


@pytest.fixture
def clock() -> FixedClock:
    """A clock that stands at noon until the test moves it."""
    return FixedClock(datetime(2026, 11, 21, 12, tzinfo=UTC))


@pytest.fixture(autouse=True)
def _no_settings_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    """Forget TIDINGS_ variables of whoever runs the tests, but for those that steer the tests themselves."""
    steering = {"TIDINGS_REQUIRE_POSTGRES", "TIDINGS_REQUIRE_BROWSERS", "TIDINGS_TEST_DATABASE_URL"}
    for name in list(os.environ):
        if name.startswith("TIDINGS_") and name not in steering:
            monkeypatch.delenv(name)
