"""Commands that keep an accident small: what is held, the pause of everything, the exact count."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.integration.web.instance import push_subscription
from typer.testing import CliRunner, Result

from tidings.cli.client import Api
from tidings.cli.main import build

LATER = ("--at", "2099-01-01T09:00Z")
SEND = ("send", "--title", "Storm", "--to", "all", *LATER)
Run = Callable[..., Result]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.setenv("TIDINGS_DATA", str(tmp_path / "data"))
    return lambda *arguments: CliRunner().invoke(build(), list(arguments))


@pytest.fixture
def told(run: Run, tmp_path: Path) -> Callable[..., Any]:
    """Give commands with --json of an instance with a hundred devices."""

    def tell(*arguments: str, code: int = 0) -> Any:
        ended = run(*arguments, "--json")
        assert ended.exit_code == code, ended.output
        return json.loads(ended.stdout)

    tell("vapid", "generate", "--subject", "mailto:push@example.com")
    keys = push_subscription()["keys"]
    rows = [{**push_subscription(f"{number}"), "keys": keys} for number in range(100)]
    file = tmp_path / "devices.json"
    file.write_text(json.dumps(rows))
    assert tell("subscriptions", "import", str(file))["added"] == 100
    return tell


def test_the_same_words_again_are_held_and_commands_settle_them(run: Run, told: Callable[..., Any]) -> None:
    assert told(*SEND, "--yes")["status"] == "queued"
    error = told(*SEND, "--yes", code=1)["error"]
    assert error["code"] == "repeat_tripwire"
    held, first = told("notifications", "list")["data"]
    assert held["id"] in error["mend"]
    assert (held["status"], held["held_because"], first["held_because"]) == ("paused", "repeat_tripwire", None)
    assert told("notifications", "resume", held["id"])["held_because"] is None
    assert told(*SEND, "--yes", "--confirm-volume")["status"] == "queued"
    told(*SEND, "--yes", code=1)
    waiting = told("notifications", "held")
    assert (waiting["held"], [row["title"] for row in waiting["data"]]) == (1, ["Storm"])
    listed = run("notifications", "held").stdout
    for words in (waiting["data"][0]["id"], "Storm", "100", "notifications resume", "held --send"):
        assert words in listed
    assert "1 notification held" in run("doctor", "--offline").stdout
    assert run("notifications", "held", "--cancel").exit_code == 1, "it asks"
    assert told("notifications", "held", "--cancel", "--yes") == {"count": 1}
    assert told("notifications", "list")["data"][0]["status"] == "cancelled"
    assert told("notifications", "pause", first["id"])["status"] == "paused"
    assert told("notifications", "cancel", first["id"])["status"] == "cancelled"


def test_while_everything_is_paused_what_is_sent_waits_and_says_so(run: Run, told: Callable[..., Any]) -> None:
    assert told("pause", "--reason", "Wrong link")["reason"] == "Wrong link"
    ended = run("send", "--title", "Storm", "--to", "all", "--yes")
    assert ended.exit_code == 0, ended.output
    assert "All sending is paused" in ended.stderr
    assert told("notifications", "list")["data"][0]["counts"]["sent"] == 0
    tested = run("test")
    assert tested.exit_code == 0, tested.output
    assert "All sending is paused" in tested.stderr
    assert "all sending is paused" in run("doctor", "--offline").stdout
    assert told("resume") == {"resumed": True}
    assert "all sending is paused" not in run("doctor", "--offline").stdout
    assert told("resume") == {"resumed": False}


def test_the_number_that_was_confirmed_is_the_number_that_is_stored(
    run: Run, told: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody leaves between the question and the sending, once."""
    post, left = Api.post, []

    async def and_then_somebody_leaves(api: Api, path: str, *given: Any, **more: Any) -> Any:
        answer = await post(api, path, *given, **more)
        if path == "/notifications/count" and not left:
            left.extend((await api.get("/subscriptions", limit=3))["data"])
            for one in left:
                await api.delete(f"/subscriptions/{one['id']}")
        return answer

    monkeypatch.setattr(Api, "post", and_then_somebody_leaves)
    ended = run(*SEND, "--yes")
    assert ended.exit_code == 0, ended.output
    assert "The audience has changed" in ended.stderr
    assert "To 100 devices." in ended.stderr
    assert "To 97 devices." in ended.stderr
    (only,) = told("notifications", "list")["data"]
    assert only["counts"]["audience"] == 97
