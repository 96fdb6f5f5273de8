"""`tidings preset`: says what there is, what it made, and what it left alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from typer.testing import Result

from tidings.presets import NAMES

Run = Callable[..., Result]


def test_the_list_names_each_with_what_it_tells_of(run: Run, told: Callable[..., Any]) -> None:
    told("preset", "apply", "community")
    assert [one["name"] for one in told("preset", "list")["data"]] == list(NAMES)
    listed = run("preset", "list").stdout
    for words in (*NAMES, "conversation.escalated", "tidings preset apply NAME"):
        assert words in listed


def test_it_says_what_was_made_and_a_second_time_that_nothing_was(run: Run, told: Callable[..., Any]) -> None:
    first = run("preset", "apply", "live_chat")
    assert first.exit_code == 0, first.output
    for words in ("New lead to owners and admins", "Trigger", "trg_", "Segment", "Made 13 things of live_chat."):
        assert words in first.stdout
    again = run("preset", "apply", "live_chat")
    assert (again.exit_code, "Nothing was made: all of live_chat is there." in again.stdout) == (0, True)
    applied = told("preset", "apply", "live_chat")
    assert (applied["preset"], applied["made"], len(applied["parts"])) == ("live_chat", 0, 13)
    assert {one["outcome"] for one in applied["parts"]} == {"there"}


def test_one_of_several_apps_is_named(run: Run, told: Callable[..., Any]) -> None:
    told("preset", "apply", "site")
    told("app", "create", "--name", "Second")
    assert told("preset", "apply", "site", code=1)["error"]["code"] == "app_required"
    assert told("preset", "apply", "site", "--app", "Second")["made"] > 0
    assert told("preset", "apply", "site", "--app", "Second")["made"] == 0


def test_a_name_that_is_none_is_wrong_usage_and_the_names_are_said(run: Run) -> None:
    refused = run("preset", "apply", "shop")
    assert refused.exit_code == 2
    assert "site, live_chat, bots, community" in " ".join(refused.output.replace("│", " ").split())
