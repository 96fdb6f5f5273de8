"""`tidings user`: people whom only their devices name are people too."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.integration.web.instance import push_subscription
from typer.testing import Result

Run = Callable[..., Result]


def test_people_whom_only_devices_name_are_listed_and_shown(run: Run, told: Callable[..., Any], tmp_path: Path) -> None:
    told("vapid", "generate", "--subject", "mailto:push@example.com")
    file = tmp_path / "devices.json"
    file.write_text(json.dumps([{**push_subscription(name), "user": "u-42"} for name in ("one", "two")]))
    assert told("subscriptions", "import", str(file))["added"] == 2
    assert told("user", "list") == {"data": [], "known_by_devices": [{"id": "u-42", "devices": 2}]}
    words = "known by 2 devices, without details of its own"
    assert words in run("user", "list").stdout
    shown = run("user", "show", "u-42")
    assert (shown.exit_code, words in shown.stderr) == (0, True)
    assert "no user" in run("user", "show", "u-43").stderr
    told("user", "set", "u-42", "--locale", "de")
    assert words not in run("user", "list").stdout + run("user", "show", "u-42").stderr
