"""What a database URL may be, and what is said where the driver is missing."""

from __future__ import annotations

import sys

import pytest

from tidings.storage.errors import StoreRefused
from tidings.storage.postgres_store import driver_url


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg"])
def test_every_usual_spelling_leads_to_the_one_driver(scheme: str) -> None:
    assert driver_url(f"{scheme}://me@db/tidings") == "postgresql+psycopg://me@db/tidings"


@pytest.mark.parametrize("url", ["mysql://db/tidings", "tidings.db", "", "sqlite:///tidings.db", "://db"])
def test_another_database_is_refused_with_what_to_give_instead(url: str) -> None:
    with pytest.raises(StoreRefused, match="postgresql://"):
        driver_url(url)


def test_a_missing_driver_is_named_with_the_command_that_installs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(StoreRefused, match=r"pip install 'tidings\[postgres\]'"):
        driver_url("postgresql://db/tidings")
