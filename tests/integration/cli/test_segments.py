"""`tidings segment`: made, counted, found by name or id, sent to, deleted."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.integration.web.instance import push_subscription
from typer.testing import Result

Run = Callable[..., Result]
PRO = 'user.plan == "pro"'


@pytest.fixture
def people(told: Callable[..., Any], tmp_path: Path) -> None:
    told("vapid", "generate", "--subject", "mailto:push@example.com")
    file = tmp_path / "devices.json"
    owners = ("anna", "anna", "ben")
    file.write_text(json.dumps([{**push_subscription(f"d{n}"), "user": one} for n, one in enumerate(owners)]))
    assert told("subscriptions", "import", str(file))["added"] == 3
    told("user", "set", "anna", "-a", "plan=pro")


@pytest.mark.usefixtures("people")
def test_a_segment_is_made_counted_found_and_deleted(run: Run, told: Callable[..., Any]) -> None:
    assert "No segment exists yet" in run("segment", "list").stdout
    made = told("segment", "create", "Payers", PRO)
    assert (made["count"], made["exact"], made["conditions_text"]) == (2, True, PRO)
    assert "Payers" in run("segment", "list").stdout
    for name in ("Payers", made["id"]):
        assert told("segment", "show", name)["count"] == 2
        assert told("segment", "count", name) == {"count": 2, "exact": True}
    assert told("segment", "count", "--conditions", f"!({PRO})") == {"count": 1, "exact": True}
    assert "2 devices." in run("segment", "count", "Payers").stdout
    again = told("segment", "create", "Payers", PRO, code=1)
    assert again["error"]["code"] == "segment_name_taken"
    wrong = run("segment", "create", "Wrong", "user.plan = 1")
    assert (wrong.exit_code, "Character 11" in wrong.stderr) == (1, True)
    assert "`errors`" not in wrong.stderr
    assert "Conditions read like" in wrong.stderr
    assert "add --conditions" in run("segment", "count", PRO).stderr
    assert "no segment 'Nobody'" in run("segment", "show", "Nobody").stderr
    assert told("segment", "delete", "Payers", "--yes") == {"id": made["id"], "deleted": True}
    assert told("segment", "list") == {"data": []}


@pytest.mark.usefixtures("people")
def test_a_notification_goes_to_a_segment_by_its_name_after_naming_the_count(
    run: Run, told: Callable[..., Any]
) -> None:
    made = told("segment", "create", "Payers: all", PRO)
    words = ("--title", "Thank you", "--at", "2099-01-01T09:00")
    asked = run("send", "--to", "segment:Payers: all", *words, stdin="n\n")
    assert "2 devices" in asked.stderr + asked.stdout
    stored = told("send", "--to", "segment:Payers: all", *words, "--yes")
    assert stored["audience"] == 2
    assert "for 2099-01-01 09:00" in run("notifications", "list").stdout
    past = run("send", "--to", "segment:Payers: all", "--title", "Late", "--at", "2001-01-01T09:00", "--yes")
    assert (past.exit_code, "--at: " in past.stderr) == (1, True)
    missing = told("send", "--to", "segment:Nobody", *words, "--yes", code=1)
    assert missing["error"]["code"] == "not_found"
    used = told("segment", "delete", made["id"], "--yes", code=1)
    assert used["error"]["code"] == "segment_in_use"
    assert stored["id"] in used["error"]["message"]


def test_a_wrong_setting_says_what_it_takes(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TIDINGS_PORT", "eighty")
    assert "The setting TIDINGS_PORT is not valid: it takes a whole number." in run("segment", "list").stderr
    assert "--port is not valid: the most is 65535." in run("up", "--port", "99999").stderr
