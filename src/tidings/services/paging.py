"""Cursor pages: a list, and where the next one begins: after a number, or, in order of words, after a word."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from tidings.domain.errors import CatalogueError, ErrorCode

T = TypeVar("T")

DEFAULT_LIMIT = 50
MAX_LIMIT = 200
_HIGHEST = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """Some rows of a list; `next_cursor` is None on the last page."""

    data: list[T]
    next_cursor: str | None


def position_from(cursor: str | None) -> int:
    """Read a cursor as the position to go on after; None begins at 0. Raises INVALID_CURSOR."""
    if cursor is None:
        return 0
    try:
        text = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True).decode("ascii")
        position = int(text) if text.isdigit() and len(text) < 20 else 0
    except (ValueError, binascii.Error) as fault:
        raise CatalogueError(ErrorCode.INVALID_CURSOR) from fault
    if not 0 < position <= _HIGHEST:
        raise CatalogueError(ErrorCode.INVALID_CURSOR)
    return position


def page_from(rows: Sequence[T], *, limit: int, position: Callable[[T], int]) -> Page[T]:
    """Make a page of `limit` rows out of up to `limit + 1`; the one too many only tells that there is a next page."""
    shown = list(rows[:limit])
    if len(rows) <= limit or not shown:
        return Page(shown, None)
    return Page(shown, cursor_at(position(shown[-1])))


def cursor_at(position: int) -> str:
    """Write the position to go on after as a cursor."""
    return base64.urlsafe_b64encode(str(position).encode()).rstrip(b"=").decode()


def word_from(cursor: str | None) -> str:
    """Read a cursor as the word to go on after; None begins before the first. Raises INVALID_CURSOR."""
    if cursor is None:
        return ""
    try:
        word = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True).decode()
    except (ValueError, binascii.Error) as fault:
        raise CatalogueError(ErrorCode.INVALID_CURSOR) from fault
    if not word or "\0" in word:
        raise CatalogueError(ErrorCode.INVALID_CURSOR)
    return word


def worded_page(rows: Sequence[T], *, limit: int, word: Callable[[T], str]) -> Page[T]:
    """Make a page as `page_from` does, of rows that are in the order of a word."""
    shown = list(rows[:limit])
    if len(rows) <= limit or not shown:
        return Page(shown, None)
    return Page(shown, base64.urlsafe_b64encode(word(shown[-1]).encode()).rstrip(b"=").decode())
