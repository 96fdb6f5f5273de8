"""Commands run in this process, on an instance of their own that no server has."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from tidings.cli.main import build

Run = Callable[..., Result]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.setenv("TIDINGS_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("TIDINGS_SENDERS", "1")
    monkeypatch.setenv("TIDINGS_ALLOW_INSECURE_ENDPOINTS", "true")
    monkeypatch.delenv("TIDINGS_CONTACT", raising=False)
    return lambda *arguments, stdin=None: CliRunner().invoke(build(), list(arguments), input=stdin)


@pytest.fixture
def told(run: Run) -> Callable[..., Any]:
    def tell(*arguments: str, code: int = 0, stdin: str | None = None) -> Any:
        ended = run(*arguments, "--json", stdin=stdin)
        assert ended.exit_code == code, ended.output
        assert ended.stderr == ""
        return json.loads(ended.stdout)

    return tell
