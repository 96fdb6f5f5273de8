"""Drafts: what recipients of a notification share, composed once for each distinct result."""

from __future__ import annotations

from collections.abc import Callable

from tidings.domain.content import findings
from tidings.domain.message import Message
from tidings.domain.outcome import Refused
from tidings.pipeline.render import language_for, render
from tidings.providers import Draft, Provider

Kind = tuple[str, str | None]
"""(provider, locale) of a recipient."""


class Drafts:
    """One draft for each distinct pair of provider and language."""

    def __init__(self, message: Message, provider: Callable[[str], Provider]) -> None:
        self._message = message
        self._provider = provider
        self._index: dict[Kind, int | Refused] = {}
        self._known: dict[Kind, int | Refused] = {}
        self._unsafe = next((Refused(one.fault) for one in findings(message)), None)
        self.made: list[tuple[str, Draft]] = []

    def index_for(self, kind: Kind) -> int | Refused:
        """Give the place of such recipients' draft in `made`, or why there can be none.

        What a message says was checked when it was taken; a row that came into the database some other way was not.
        """
        if self._unsafe is not None:
            return self._unsafe
        found = self._known.get(kind)
        if found is None:
            found = self._known[kind] = self._place_of(*kind)
        return found

    def _place_of(self, provider: str, locale: str | None) -> int | Refused:
        key = (provider, language_for(self._message, locale))
        if key not in self._index:
            draft = self._provider(provider).draft(render(self._message, key[1]))
            if isinstance(draft, Refused):
                self._index[key] = draft
            else:
                self._index[key] = len(self.made)
                self.made.append((provider, draft))
        return self._index[key]
