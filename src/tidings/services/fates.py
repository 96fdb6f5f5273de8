"""Fates: devices of an audience go in, what would become of each comes out: what it is told, or why nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from tidings.domain.delivery import SkipReason
from tidings.domain.message import Rendered
from tidings.domain.outcome import Refused
from tidings.domain.person import Person
from tidings.domain.subscription import Recipient
from tidings.pipeline.personal import Unrenderable, Words
from tidings.providers import provider
from tidings.services.sorting import Matter, sort
from tidings.storage import Transaction

MOST_WRITTEN = 150
"""Different texts that are written: an author may write templates that take long."""


class WhyNot(StrEnum):
    """Why no device of somebody is told."""

    ACTOR = "actor"
    CONDITIONS = "conditions"
    NOT_MEANT = "not_meant"
    NO_DEVICE = "no_device"
    PREFERENCE_OFF = "preference_off"
    QUIET_HOURS = "quiet_hours"
    UNRENDERABLE = "template_failed"
    REFUSED = "message_refused"
    INTEGRATION_PAUSED = "integration_paused"
    WEB_PUSH_OFF = "web_push_off"
    NO_CREDENTIAL = "no_credential"
    DOUBTED = "address_doubted"


WORDS = {
    WhyNot.PREFERENCE_OFF: "Push is off for this event type: they turned it off, or it is off by default and they left "
    "it so.",
    WhyNot.QUIET_HOURS: "Their quiet hours last longer than its time to live.",
    WhyNot.INTEGRATION_PAUSED: "The integration that reaches them is paused; it waits until that goes on.",
    WhyNot.WEB_PUSH_OFF: "Web push of the App was turned off, and browsers are all they have.",
    WhyNot.NO_CREDENTIAL: "The key that their devices registered with was revoked or removed.",
    WhyNot.DOUBTED: "What their devices registered looks as if it belonged to another app, and rests for a while.",
}
WEIGHT = {reason: n for n, reason in enumerate(WhyNot)}
"""Of somebody whose devices are left out for several reasons, the first one is told."""


class Fate(NamedTuple):
    """What becomes of one device: told a text, now or from `until` on, or `why` not."""

    text: Rendered | None = None
    language: str | None = None
    until: datetime | None = None
    why: WhyNot | None = None
    detail: str = ""


@dataclass(slots=True)
class Texts:
    """Writes each text once, and only so many: `spent` says that there were more."""

    words: Words
    made: dict[object, Rendered | Unrenderable] = field(default_factory=dict)
    refused: dict[object, Refused | None] = field(default_factory=dict)
    spent: bool = False

    def of(self, language: str | None, person: Person) -> Rendered | Unrenderable | None:
        """Give what somebody reads, why it cannot be written, or None where too much was written already."""
        key = (language, self.words.used(language, person))
        if key not in self.made:
            if len(self.made) >= MOST_WRITTEN:
                self.spent = True
                return None
            try:
                self.made[key] = self.words.render(language, person)
            except Unrenderable as fault:
                self.made[key] = fault
        return self.made[key]

    def refusal(self, via: str, language: str | None, person: Person, text: Rendered) -> Refused | None:
        """Say why a push service would not take it."""
        key = (via, language, self.words.used(language, person))
        if key not in self.refused:
            draft = provider(via).draft(text)
            self.refused[key] = draft if isinstance(draft, Refused) else None
        return self.refused[key]


def fates_of(
    tx: Transaction,
    matter: Matter,
    found: list[Recipient],
    owners: Mapping[int, Person],
    texts: Texts,
    *,
    order: Sequence[str],
    now: datetime,
) -> dict[str | None, list[Fate]]:
    """Say of each device, by whose it is, what would become of it. Texts are written for people in `order` first."""
    by = sort(tx, matter, [device.subscription_id for device in found], found, now=now)
    held = frozenset(by.held)
    place = {name: n for n, name in enumerate(order)}
    fates: dict[str | None, list[Fate]] = {}
    for device in sorted(found, key=lambda each: place.get(owners[each.subscription_id].external_id or "", len(place))):
        person, which = owners[device.subscription_id], device.subscription_id
        if which in by.skipped:
            fate = _skipped(by.skipped[which])
        elif which in held:
            fate = Fate(why=WhyNot.INTEGRATION_PAUSED, detail=WORDS[WhyNot.INTEGRATION_PAUSED])
        else:
            fate = _written(texts, device, person)._replace(until=by.put_off.get(which))
        fates.setdefault(person.external_id, []).append(fate)
    return fates


def _skipped(reason: str) -> Fate:
    known = {SkipReason.PREFERENCE_OFF, SkipReason.QUIET_HOURS, SkipReason.WEB_PUSH_OFF, SkipReason.NO_CREDENTIAL}
    why = WhyNot(reason) if reason in known else WhyNot.DOUBTED
    return Fate(why=why, detail=WORDS[why])


def _written(texts: Texts, device: Recipient, person: Person) -> Fate:
    language = texts.words.language_for(device.locale, person)
    text = texts.of(language, person)
    if isinstance(text, Unrenderable):
        return Fate(why=WhyNot.UNRENDERABLE, detail=f"{text.field}: {text.words}")
    if text is not None and (refused := texts.refusal(device.provider, language, person, text)) is not None:
        return Fate(why=WhyNot.REFUSED, detail=f"{device.provider}: {refused.reason}")
    return Fate(text, language)
