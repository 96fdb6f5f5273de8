"""`tidings member` and `tidings audit`, as an operator types them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from typer.testing import Result

Run = Callable[..., Result]


def test_the_operator_invites_and_finds_it_written_down(run: Run, told: Callable[..., Any]) -> None:
    told("key", "create", "--name", "CI", "--scope", "read", "--days", "30")
    invited = told("member", "invite", "ben@example.com", "--role", "admin")
    assert (invited["role"], "/invite#" in invited["link"]) == ("admin", True)
    assert told("member", "list")["data"] == []
    assert "There is no member" in run("member", "reset", "ben@example.com").stderr
    actions = [entry["action"] for entry in told("audit", "list")["data"]]
    assert actions[:2] == ["invitation.created", "key.created"]
    assert told("audit", "verify")["ok"] is True
    assert "as they were written" in run("audit", "verify").stdout


def test_the_log_is_written_to_a_file(run: Run, told: Callable[..., Any], tmp_path: Path) -> None:
    told("key", "create", "--name", "CI")
    file = tmp_path / "audit.csv"
    assert told("audit", "export", "--format", "csv", "--out", str(file)) == {"file": str(file)}
    assert "key.created" in file.read_text()
    assert '"action": "key.created"' in run("audit", "export").stdout
