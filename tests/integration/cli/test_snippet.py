"""`tidings app snippet`: what the dashboard shows, for those who stay in the terminal."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from tidings.cli.main import build


def test_it_prints_each_way_whole_and_says_what_to_do_when_it_does_not_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TIDINGS_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("TIDINGS_PUBLIC_URL", "https://push.example.com")
    run = CliRunner()
    assert run.invoke(build(), ["key", "create", "--name", "First"]).exit_code == 0
    (app,) = json.loads(run.invoke(build(), ["app", "list", "--json"]).stdout)["data"]
    told = json.loads(run.invoke(build(), ["app", "snippet", "--json"]).stdout)
    for one in told["snippets"]:
        shown = run.invoke(build(), ["app", "snippet", "--way", one["way"], "--app", app["id"]])
        assert shown.exit_code == 0, shown.output
        for step in one["steps"]:
            assert step["code"] in shown.stdout
        assert "await Tidings.check()" in shown.stdout
        assert "localhost only" in shown.stdout
        assert f"https://push.example.com/v1/{app['id']}/push/service-worker.js" in shown.stdout
