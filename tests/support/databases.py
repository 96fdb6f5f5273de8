"""Databases copied from one that is migrated and otherwise empty: quicker than migrating one for each test."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg
from psycopg.sql import SQL, Identifier

from tidings.storage.open import migrate


class Databases:
    """Databases of one PostgreSQL server; `url` leads to its maintenance database."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._numbers = count(1)
        self._template = self._create("template0")
        migrate(database_url=self._at(self._template), folder=Path())

    @contextmanager
    def empty(self) -> Iterator[str]:
        """Give the URL of a database without tables."""
        yield from self._borrowed("template0")

    @contextmanager
    def migrated(self) -> Iterator[str]:
        """Give the URL of a database that is up to date and holds nothing."""
        yield from self._borrowed(self._template)

    def close(self) -> None:
        """Remove the database the others were copied from."""
        self._drop(self._template)

    def _borrowed(self, template: str) -> Iterator[str]:
        name = self._create(template)
        try:
            yield self._at(name)
        finally:
            self._drop(name)

    def _create(self, template: str) -> str:
        name = f"tidings_{os.getpid()}_{next(self._numbers)}"
        self._run(SQL("CREATE DATABASE {} TEMPLATE {}").format(Identifier(name), Identifier(template)))
        return name

    def _drop(self, name: str) -> None:
        self._run(SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(Identifier(name)))

    def _at(self, name: str) -> str:
        return urlunsplit(urlsplit(self._url)._replace(path=f"/{name}"))

    def _run(self, statement: psycopg.sql.Composed) -> None:
        with psycopg.connect(self._url, autocommit=True) as connection:
            connection.execute(statement)
