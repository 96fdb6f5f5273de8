"""Where Firefox is, as the distribution ships it, and what makes its push connection lead to our simulator."""

from __future__ import annotations

import os
import shutil

import pytest

from tidings.simulator import browsers

NAMES = ("firefox-esr", "firefox")


def firefox() -> str:
    """Find the program; skip the test where there is none, unless TIDINGS_REQUIRE_BROWSERS says that it must run."""
    for name in NAMES:
        if found := shutil.which(name):
            return found
    if os.environ.get("TIDINGS_REQUIRE_BROWSERS"):
        pytest.fail("Firefox is not installed, and TIDINGS_REQUIRE_BROWSERS is set")
    pytest.skip("Firefox is not installed; `make browsers` installs it where it may")


def preferences(autopush: str) -> dict[str, str | float | bool]:
    """What makes Firefox use our push socket and our desktop."""
    return {
        **browsers.preferences(autopush),
        "dom.push.retryBaseInterval": 300,
        # Without it showNotification() waits for a desktop that is not there.
        "alerts.useSystemBackend": True,
    }
