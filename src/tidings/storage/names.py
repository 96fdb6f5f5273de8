"""Finding people by the beginnings of words of their id, name or e-mail address: rows of `user_words`.

Both databases answer it from one ordinary index. Of the words that are looked for, the one that fewest people have
says whom to look at; where all of them are common, people are looked at newest first, and a page is soon full.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from typing import NamedTuple

from sqlalchemy import ColumnElement, bindparam, delete, func, insert, literal_column, select

from tidings.domain.names import words_of
from tidings.storage.dialects import Dialect, Prepared
from tidings.storage.scope import AnySelect, Scope
from tidings.storage.tables.apps import user_words, users

w = user_words.c
RARE = 50_000
"""People who have a word, up to whom all of them are looked at."""

_LAST = "\U0010ffff"


class _Statements(NamedTuple):
    """What is executed whenever a person is written."""

    add: Prepared
    kept: Prepared


@cache
def _prepared(dialect: Dialect) -> _Statements:
    add = insert(user_words).values({one.name: bindparam(one.name) for one in w})
    return _Statements(
        add=dialect.prepare(add), kept=dialect.prepare(select(w.word).where(w.user_id == bindparam("user")))
    )


def keep(scope: Scope, app_id: int, user_id: int, words: Iterable[str]) -> None:
    """Store words of a person that are not stored yet."""
    add = _prepared(scope.dialect).add
    for word in words:
        add.count(scope.connection, {"app_id": app_id, "word": word, "user_id": user_id})


def change(scope: Scope, app_id: int, user_id: int, words: Iterable[str]) -> None:
    """Let a person be found by these words and no others."""
    wanted = set(words)
    kept = {word for (word,) in _prepared(scope.dialect).kept.rows(scope.connection, {"user": user_id})}
    if gone := sorted(kept - wanted):
        theirs = delete(user_words).where(w.user_id == user_id, scope.dialect.any_of(w.word, "gone"))
        scope.connection.execute(theirs, {"gone": scope.dialect.many(gone)})
    keep(scope, app_id, user_id, sorted(wanted - kept))


def found(scope: Scope, app_id: int, search: str, *, after: int, limit: int) -> list[int]:
    """Give the ids of people each word of the search begins a word of, newest first; none for a search without one."""
    words = words_of(search)
    if not words:
        return []
    counts = {word: _count(scope, app_id, word) for word in words}
    rarest = min(words, key=lambda word: counts[word])
    if counts[rarest] > RARE:
        query = select(users.c.id).where(users.c.app_id == app_id, *(_has(users.c.id, word) for word in words))
        key = users.c.id
    else:
        others = (_has(w.user_id, word) for word in words if word != rarest)
        query = select(w.user_id).where(w.app_id == app_id, *_begun(w.word, rarest), *others).distinct()
        key = w.user_id
    if after:
        query = query.where(key < after)
    return list(scope.connection.execute(query.order_by(key.desc()).limit(limit)).scalars())


def _count(scope: Scope, app_id: int, word: str) -> int:
    some = select(literal_column("1")).where(w.app_id == app_id, *_begun(w.word, word)).limit(RARE + 1).subquery()
    count: int = scope.connection.execute(select(func.count()).select_from(some)).scalar_one()
    return count


def _has(user: ColumnElement[int], word: str) -> ColumnElement[bool]:
    """Ask of one person at a time: of EXISTS, PostgreSQL makes a join that reads everybody's words up to them."""
    other = user_words.alias()
    one: AnySelect = select(literal_column("1")).where(other.c.user_id == user, *_begun(other.c.word, word)).limit(1)
    return one.correlate_except(other).scalar_subquery().is_not(None)


def _begun(column: ColumnElement[str], word: str) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return column >= word, column < word + _LAST
