"""Languages and time zones as browsers tell them, brought into the one spelling that the rest compares with."""

from __future__ import annotations

import re
from functools import lru_cache
from zoneinfo import ZoneInfo

_SUBTAG = re.compile(r"[A-Za-z0-9]{1,8}")
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}|[A-Za-z]{5,8}")
_SCRIPT = re.compile(r"[A-Za-z]{4}")
_REGION = re.compile(r"[A-Za-z]{2}|[0-9]{3}")
_VARIANT = re.compile(r"[A-Za-z0-9]{5,8}|[0-9][A-Za-z0-9]{3}")
_ZONE = re.compile(r"[A-Z][A-Za-z0-9_+-]*(/[A-Za-z0-9_+-]+){0,2}")

_RENAMED = {
    "Africa/Asmera": "Africa/Asmara",
    "America/Buenos_Aires": "America/Argentina/Buenos_Aires",
    "America/Catamarca": "America/Argentina/Catamarca",
    "America/Coral_Harbour": "America/Atikokan",
    "America/Cordoba": "America/Argentina/Cordoba",
    "America/Godthab": "America/Nuuk",
    "America/Indianapolis": "America/Indiana/Indianapolis",
    "America/Jujuy": "America/Argentina/Jujuy",
    "America/Louisville": "America/Kentucky/Louisville",
    "America/Mendoza": "America/Argentina/Mendoza",
    "Asia/Calcutta": "Asia/Kolkata",
    "Asia/Katmandu": "Asia/Kathmandu",
    "Asia/Rangoon": "Asia/Yangon",
    "Asia/Saigon": "Asia/Ho_Chi_Minh",
    "Atlantic/Faeroe": "Atlantic/Faroe",
    "Europe/Kiev": "Europe/Kyiv",
    "Pacific/Enderbury": "Pacific/Kanton",
    "Pacific/Ponape": "Pacific/Pohnpei",
    "Pacific/Truk": "Pacific/Chuuk",
}
"""The names that Chromium and Safari keep for CLDR's sake, and what the IANA database calls the same zone today."""

_NO_ZONE = frozenset({"Factory"})


def locale_from(text: str | None) -> str | None:
    """Normalise a language tag: `de_at` becomes `de-AT`; extensions go. None for what is no tag (BCP 47 §2.1)."""
    parts = (text or "").strip().replace("_", "-").split("-")
    if not _LANGUAGE.fullmatch(parts[0]) or not all(_SUBTAG.fullmatch(part) for part in parts):
        return None
    tag, rest = [parts[0].lower()], parts[1:]
    if rest and _SCRIPT.fullmatch(rest[0]):
        tag.append(rest.pop(0).title())
    if rest and _REGION.fullmatch(rest[0]):
        tag.append(rest.pop(0).upper())
    while rest and _VARIANT.fullmatch(rest[0]):
        tag.append(rest.pop(0).lower())
    # What is left are extensions, each after a single letter; anything else was never a tag.
    return "-".join(tag) if not rest or len(rest[0]) == 1 else None


def time_zone_from(text: str | None) -> str | None:
    """Give a time zone by its present IANA name; None for one that nobody knows: no reason to refuse a device."""
    name = (text or "").strip()
    name = _RENAMED.get(name, name)
    return name if _ZONE.fullmatch(name) and name not in _NO_ZONE and _is_zone(name) else None


@lru_cache(1_024)
def _is_zone(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (ValueError, OSError, LookupError):
        # No such name, or it is a folder or another file of the database.
        return False
    return True
