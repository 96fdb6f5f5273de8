"""The command as people start it: light, with the three exit codes."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from tidings.cli.main import build

TIDINGS = [sys.executable, "-c", "from tidings.cli.main import run; run()"]
HEAVY = ("fastapi", "sqlalchemy", "pycurl", "httpx2", "uvicorn", "cryptography", "pydantic_settings")

IMPORTS = f"""
import sys
from tidings.cli.main import run
try:
    run()
except SystemExit as end:
    assert not end.code, end.code
found = [name for name in {HEAVY!r} if name in sys.modules]
assert not found, found
"""


def tidings(*arguments: str, data: Path | None = None, stdin: str = "") -> subprocess.CompletedProcess[str]:
    given = [*arguments, *(("--data", str(data)) if data else ())]
    return subprocess.run([*TIDINGS, *given], input=stdin, capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.parametrize("arguments", [["--help"], ["--version"], ["send", "--help"], ["vapid", "generate", "--help"]])
def test_help_and_version_import_nothing_heavy(arguments: list[str]) -> None:
    ended = subprocess.run(
        [sys.executable, "-c", IMPORTS, *arguments], capture_output=True, text=True, timeout=60, check=False
    )
    assert ended.returncode == 0, ended.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ["nonsense"],
        ["send", "--title", "T"],
        ["send", "--title", "T", "--to", "segment:"],
        ["send", "--to", "all"],
        ["send", "--title", "T", "--template", "tpl_1", "--to", "all"],
        ["send", "--template", "tpl_1", "--variables", "[1]", "--to", "all"],
        ["vapid", "import"],
        ["app", "set"],
        ["key", "create", "--name", "n", "--scope", "all"],
    ],
)
def test_wrong_usage_ends_with_2(arguments: list[str], tmp_path: Path) -> None:
    ended = tidings(*arguments, *(["--data", str(tmp_path / "data")] if arguments != ["nonsense"] else []))
    assert ended.returncode == 2, ended.stderr
    assert not (tmp_path / "data").exists()


def test_a_failure_ends_with_1_and_says_how_to_mend(tmp_path: Path) -> None:
    ended = tidings("backup", str(tmp_path / "copy.db"), data=tmp_path)
    assert ended.returncode == 1
    assert ended.stdout == ""
    assert len(ended.stderr.splitlines()) == 2


@pytest.mark.parametrize(
    "arguments",
    [["app", "list"], ["app", "create", "--name", "n"], ["app", "set", "--name", "n"], ["user", "set", "u-42"]],
)
def test_what_begins_nothing_makes_no_instance(arguments: list[str], tmp_path: Path) -> None:
    ended = CliRunner().invoke(build(), [*arguments, "--data", str(tmp_path / "data")])
    assert ended.exit_code == 1
    assert "There is no instance in" in ended.stderr
    assert not (tmp_path / "data").exists()


def test_beside_a_demo_the_instance_in_use_is_named(tmp_path: Path) -> None:
    for folder in (tmp_path, tmp_path / "demo"):
        made = CliRunner().invoke(
            build(), ["vapid", "generate", "--subject", "mailto:push@example.com", "--data", str(folder)]
        )
        assert made.exit_code == 0, made.output
    listed = CliRunner().invoke(build(), ["app", "list", "--data", str(tmp_path)])
    assert f"Using the instance in {tmp_path}, not the demo" in " ".join(listed.stderr.split())


def test_with_json_a_failure_is_json_on_stdout_alone(tmp_path: Path) -> None:
    ended = tidings("worker", "--json", data=tmp_path)
    assert ended.returncode == 1
    assert "PostgreSQL" in json.loads(ended.stdout)["error"]["mend"]
    assert ended.stderr == ""


def test_a_wrong_setting_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TIDINGS_PORT", "eighty")
    ended = tidings("backup", "x.db", data=tmp_path)
    assert ended.returncode == 1
    assert "TIDINGS_PORT" in ended.stderr


def test_help_lists_every_command() -> None:
    listed = set(re.findall(r"^│ ([a-z-]+) {2,}", tidings("--help").stdout, re.MULTILINE))
    running = {"up", "worker", "migrate", "backup", "doctor", "simulator", "bench"}
    assert running | {"vapid", "test", "send", "subscriptions", "segment", "preset"} <= listed
    assert {"app", "member", "key", "user", "audit"} <= listed


@pytest.mark.parametrize("arguments", [["--help"], ["send", "--help"], ["key", "create", "--help"], ["app", "--help"]])
def test_help_asks_for_no_value_beside_a_switch(arguments: list[str]) -> None:
    assert "<bool>" not in tidings(*arguments).stdout


def test_a_misspelt_setting_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "tidings.toml"
    file.write_text("portt = 8081")
    monkeypatch.setenv("TIDINGS_CONFIG", str(file))
    ended = tidings("up", data=tmp_path)
    assert ended.returncode == 1
    assert "Did you mean `port`?" in ended.stderr
    file.write_text("")
    monkeypatch.setenv("TIDINGS_SNEDERS", "1")
    ended = tidings("worker", data=tmp_path)
    assert "Did you mean TIDINGS_SENDERS?" in " ".join(ended.stderr.split())
