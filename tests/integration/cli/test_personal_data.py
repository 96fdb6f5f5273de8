"""`tidings user export` and `erase`, `tidings app secret` and `erase`: what an operator does when somebody asks."""

from __future__ import annotations

import json
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.integration.web.instance import push_subscription
from typer.testing import Result

Run = Callable[..., Result]
Told = Callable[..., Any]


@pytest.fixture
def anna(told: Told, tmp_path: Path) -> str:
    """An instance that knows a person with one device; gives the device's id."""
    told("vapid", "generate", "--subject", "mailto:push@example.com")
    file = tmp_path / "devices.json"
    file.write_text(json.dumps([{**push_subscription(), "user": "anna"}]))
    told("subscriptions", "import", str(file))
    told("user", "set", "anna", "-a", "email=anna@example.com")
    (device,) = told("user", "show", "anna")["subscriptions"]
    return str(device["id"])


def test_a_persons_data_is_written_to_a_file_of_ones_own(run: Run, anna: str, tmp_path: Path) -> None:
    file = tmp_path / "anna.json"
    ended = run("user", "export", "anna", str(file))
    assert ended.exit_code == 0, ended.output
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    found = json.loads(file.read_text())
    assert (found["user"]["attributes"], [one["id"] for one in found["devices"]]) == (
        {"email": "anna@example.com"}, [anna],
    )  # fmt: skip
    assert "there already" in run("user", "export", "anna", str(file)).stderr
    shown = run("user", "export", anna, "-", "--device")
    assert json.loads(shown.stdout)["devices"] == found["devices"]
    missing = tmp_path / "nobody.json"
    assert run("user", "export", "nobody", str(missing)).exit_code == 1
    assert not missing.exists()


def test_a_person_is_erased_once_somebody_says_yes(run: Run, told: Told, anna: str) -> None:
    asked = run("user", "erase", "anna")
    assert (asked.exit_code, "--yes" in asked.stderr) == (1, True)
    receipt = told("user", "erase", "anna", "--yes")
    assert (receipt["status"], receipt["removed"]) == ("done", {"users": 1, "subscriptions": 1})
    assert told("user", "list") == {"data": [], "known_by_devices": []}
    assert "Backups" in run("user", "erase", "anna", "--yes").output


def test_a_device_is_erased_by_its_id(run: Run, told: Told, anna: str) -> None:
    assert told("user", "erase", anna, "--device", "--yes")["subject"] == "subscription"
    assert told("user", "show", "anna", code=0)["subscriptions"] == []
    assert run("user", "erase", "sub_none", "--device", "--yes").exit_code == 1


def test_the_identity_secret_is_made_and_shown_once(run: Run, told: Told, anna: str) -> None:
    first = told("app", "secret", "--yes")
    assert len(first["identity_secret"]) == 64
    assert first["earlier_until"] is not None
    second = told("app", "secret", "--grace", "0", "--yes")
    assert second["identity_secret"] != first["identity_secret"]
    assert second["earlier_until"] is None
    assert (run("app", "secret").exit_code, run("app", "secret", "--grace", "721", "--yes").exit_code) == (1, 2)


def test_an_app_is_erased_with_everything_in_it(run: Run, told: Told, anna: str) -> None:
    other = told("app", "create", "--name", "Other")["id"]
    assert run("app", "erase", "--yes").exit_code == 1, "several Apps: which one?"
    receipt = told("app", "erase", "--app", "My site", "--yes")
    assert (receipt["subject"], receipt["status"]) == ("app", "done")
    assert [one["id"] for one in told("app", "list")["data"]] == [other]
