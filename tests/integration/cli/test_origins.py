"""`tidings app set`, `allow` and `disallow`: which sites may subscribe."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from typer.testing import Result

CONTACT = ("--subject", "mailto:push@example.com")
Run = Callable[..., Result]


def test_origins_are_replaced_by_those_given(run: Run, told: Callable[..., Any]) -> None:
    told("vapid", "generate", *CONTACT)
    changed = told("app", "set", "--origin", "https://www.example.com", "--origin", "https://shop.example.com/")
    assert changed["origins"] == ["https://www.example.com", "https://shop.example.com"]
    emptied = run("app", "set", "--origin", "").stdout
    assert "localhost only" in emptied
    assert "Removed: https://www.example.com, https://shop.example.com." in " ".join(emptied.split())
    refused = run("app", "set", "--origin", "http://www.example.com")
    assert refused.exit_code == 1
    assert "https" in refused.stderr


def test_one_site_is_let_in_or_out_and_the_others_stay(run: Run, told: Callable[..., Any]) -> None:
    told("vapid", "generate", *CONTACT)
    told("app", "set", "--origin", "https://www.example.com")
    both = ["https://www.example.com", "https://shop.example.com"]
    assert told("app", "allow", "https://Shop.example.com/")["origins"] == both
    assert "already" in run("app", "allow", "https://shop.example.com").stderr
    assert told("app", "disallow", "https://www.example.com")["origins"] == both[1:]
    assert "was not let in" in run("app", "disallow", "https://www.example.com").stderr
    refused = run("app", "allow", "http://www.example.com").stderr
    assert "Origin: " in refused
    assert "allow_origins" not in refused
