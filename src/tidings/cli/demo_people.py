"""Who the demo's subscribers are: people with names, roles and languages, on the browsers that people have."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

PEOPLE = 120
"""Those whom the App knows; everybody else subscribed without signing in."""

MARK = {"demo": "simulated"}
"""The tag that every start finds its predecessor's subscribers by."""

_NAMES = (
    ("Anna Berger", "de-AT", "Europe/Vienna"),
    ("Jo Reed", "en-GB", "Europe/London"),
    ("Mia Quai", "de-CH", "Europe/Zurich"),
    ("Luís Prado", "pt-BR", "America/Sao_Paulo"),
    ("Aiko Mori", "ja-JP", "Asia/Tokyo"),
    ("Camille Roux", "fr-FR", "Europe/Paris"),
    ("Noah Lindqvist", "sv-SE", "Europe/Stockholm"),
    ("Leila Haddad", "ar-EG", "Africa/Cairo"),
    ("Sam Whitlock", "en-US", "America/New_York"),
    ("Giulia Conti", "it-IT", "Europe/Rome"),
    ("Kofi Mensah", "en-GH", "Africa/Accra"),
    ("Zofia Nowak", "pl-PL", "Europe/Warsaw"),
)
_FAMILIES = ("Adler", "Brandt", "Castro", "Dubois", "Eriksen", "Fischer", "Gallo", "Hoang", "Ito", "Jansen")
_DEVICES = (
    ("Chrome on Windows", 24),
    ("Chrome on Android", 22),
    ("Safari on iPhone", 16),
    ("Chrome on macOS", 10),
    ("Safari on macOS", 7),
    ("Edge on Windows", 7),
    ("Firefox on Windows", 5),
    ("Samsung Internet on Android", 4),
    ("Firefox on Linux", 3),
    ("Opera on Windows", 2),
)
"""With how many of a hundred have them."""

_ROLES = (("reader", 8), ("operator", 1), ("editor", 1))
_PLANS = (("free", 6), ("pro", 3), ("team", 1))
_OWN = ("Safari on iPhone", "Chrome on macOS", "Firefox on Linux")
"""The devices of u-42, to whom every example sends: one of them always takes what comes."""


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody the App knows."""

    external_id: str
    name: str
    role: str
    plan: str
    locale: str
    time_zone: str

    @property
    def attributes(self) -> dict[str, Any]:
        """Give what the App knows of them beside language and time zone."""
        return {"name": self.name, "role": self.role, "plan": self.plan, "available": self.role == "operator"}


READERS = (
    Person("u-ida", "Ida Brandt", "editor", "pro", "en-GB", "Europe/London"),
    Person("u-jo", "Jo Reed", "reader", "free", "en-GB", "Europe/London"),
)
"""Whom a visitor of the sample site may sign in as; what browsers are theirs is for the visitor to say."""


def people(*, seed: int) -> tuple[Person, ...]:
    """Make up the people: u-1 to u-120; u-42 is Anna Berger, an operator."""
    chance = random.Random(seed)  # noqa: S311 - a crowd, not a secret
    made = []
    for number in range(1, PEOPLE + 1):
        name, locale, zone = _NAMES[(number - 42) % len(_NAMES)]
        if number != 42:
            name = f"{name.split()[0]} {_FAMILIES[number % len(_FAMILIES)]}"
        role = "operator" if number in (7, 42) else _one_of(_ROLES, chance)
        made.append(Person(f"u-{number}", name, role, _one_of(_PLANS, chance), locale, zone))
    return tuple(made)


def peopled(rows: Sequence[Mapping[str, Any]], known: Sequence[Person], *, seed: int) -> list[dict[str, Any]]:
    """Give each subscription a device, a language, a time zone and tags, and some of them somebody they belong to."""
    chance = random.Random(seed)  # noqa: S311
    owners: list[tuple[Person | None, str]] = [
        (one, device) for one in known if one.external_id == "u-42" for device in _OWN
    ]
    for one in known:
        if one.external_id != "u-42":
            owners += [(one, _one_of(_DEVICES, chance)) for _ in range(chance.choice((1, 1, 2, 3)))]
    owners += [(None, _one_of(_DEVICES, chance)) for _ in range(max(0, len(rows) - len(owners)))]
    given = owners[: len(rows)]
    chance.shuffle(given)
    return [_row(row, *who, chance) for row, who in zip(rows, given, strict=True)]


def _row(row: Mapping[str, Any], person: Person | None, device: str, chance: random.Random) -> dict[str, Any]:
    _, locale, zone = chance.choice(_NAMES)
    plan = person.plan if person else "free"
    return {
        **row,
        **({"user": person.external_id} if person else {}),
        "device": device,
        "locale": person.locale if person else locale,
        "time_zone": person.time_zone if person else zone,
        "tags": {**MARK, "plan": plan, "topic": chance.choice(("ferries", "weather", "market", "culture"))},
    }


def _one_of(shares: Sequence[tuple[str, int]], chance: random.Random) -> str:
    (found,) = chance.choices([name for name, _ in shares], [share for _, share in shares])
    return found
