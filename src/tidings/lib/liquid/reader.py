"""For whom a template is rendered: the language and the time zone that numbers and moments are written in."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from babel import Locale, UnknownLocaleError

_TAG = re.compile(r"[A-Za-z]{2,3}(?:-[A-Za-z0-9]{2,8}){0,3}")
_ENGLISH = Locale("en")
_UTC = ZoneInfo("UTC")


@dataclass(frozen=True, slots=True)
class Reader:
    """A reader's language (`de`, `pt-BR`) and zone (`Europe/Berlin`); what nobody knows is English and UTC."""

    language: str = "en"
    time_zone: str = "UTC"

    @property
    def locale(self) -> Locale:
        """Give the rules of the language."""
        return _locale(self.language)

    @property
    def zone(self) -> ZoneInfo:
        """Give the zone."""
        return _zone(self.time_zone)


@lru_cache(maxsize=64)
def _locale(language: str) -> Locale:
    """Find a language's rules, else those of the language without its region or script."""
    tag = language.replace("_", "-")
    while _TAG.fullmatch(tag):
        try:
            return Locale.parse(tag, sep="-")
        except (UnknownLocaleError, ValueError):
            tag = tag.rpartition("-")[0]
    return _ENGLISH


@lru_cache(maxsize=256)
def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (OSError, ValueError, ZoneInfoNotFoundError):
        return _UTC
