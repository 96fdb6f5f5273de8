"""Drafts: what recipients of a notification share, composed once for each distinct result."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence

from tidings.domain.content import ContentFault, findings
from tidings.domain.message import Message
from tidings.domain.outcome import Refused
from tidings.domain.person import NOBODY, Person
from tidings.domain.subscription import Recipient
from tidings.pipeline.personal import Unrenderable, Words
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
        self._words: Words | None = None
        self._unsafe = self._read() if message.templated else next((Refused(f.fault) for f in findings(message)), None)
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

    def for_each(
        self, recipients: Sequence[Recipient], people: Mapping[int, Person]
    ) -> tuple[list[tuple[str, Draft]], list[int | Refused]]:
        """Compose what these recipients are told, once for all who are told the same.

        Gives the drafts, and for each recipient the place of the draft or why there can be none: what cannot be
        written for one person keeps nobody else from being told.
        """
        made: list[tuple[str, Draft]] = []
        known: dict[Hashable, int | Refused] = {}
        places: list[int | Refused] = []
        for one in recipients:
            if self._words is None:
                places.append(self._unsafe or Refused(ContentFault.TEMPLATE_FAILED))
                continue
            person = people.get(one.subscription_id, NOBODY)
            language = self._words.language_for(one.locale, person)
            key = (one.provider, language, self._words.used(language, person))
            if key not in known:
                known[key] = self._drafted(self._words, one.provider, language, person, made)
            places.append(known[key])
        return made, places

    def _drafted(
        self, words: Words, provider: str, language: str | None, person: Person, made: list[tuple[str, Draft]]
    ) -> int | Refused:
        try:
            draft = self._provider(provider).draft(words.render(language, person))
        except Unrenderable as fault:
            return Refused(fault.fault)
        if isinstance(draft, Refused):
            return draft
        made.append((provider, draft))
        return len(made) - 1

    def _read(self) -> Refused | None:
        try:
            self._words = Words(self._message)
        except Unrenderable as fault:
            return Refused(fault.fault)
        return None

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
