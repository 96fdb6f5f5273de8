"""Functions that conditions call in SQL: PostgreSQL has them from a migration, SQLite from here."""

from __future__ import annotations

import sqlite3
from typing import Any

from tidings.domain.filters.values import fold, moment_of, version_key


def add_functions(connection: sqlite3.Connection) -> None:
    """Give a connection tidings_fold, tidings_moment and tidings_version."""
    for name, function in (("fold", _fold), ("moment", _moment), ("version", _version)):
        connection.create_function(f"tidings_{name}", 1, function, deterministic=True)


def _fold(text: Any) -> str | None:
    return fold(text) if isinstance(text, str) else None


def _moment(text: Any) -> int | None:
    return moment_of(text) if isinstance(text, str) else None


def _version(text: Any) -> bytes | None:
    key = version_key(text) if isinstance(text, str) else None
    return None if key is None else key.encode()
