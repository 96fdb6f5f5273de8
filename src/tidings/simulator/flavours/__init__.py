"""How each push service answers: one flavour, one value."""

from __future__ import annotations

from urllib.parse import urlsplit

from tidings.simulator.flavours.apple import APPLE
from tidings.simulator.flavours.google import CHROMIUM, GOOGLE
from tidings.simulator.flavours.manner import JSON, Flavour, FlavourName, Taken
from tidings.simulator.flavours.microsoft import MICROSOFT
from tidings.simulator.flavours.mozilla import MESSAGES, MOZILLA, MOZILLA_ANDROID, STRICT

__all__ = [
    "APPLE",
    "BY_HOST",
    "CHROMIUM",
    "FLAVOURS",
    "GOOGLE",
    "JSON",
    "MESSAGES",
    "MICROSOFT",
    "MOZILLA",
    "MOZILLA_ANDROID",
    "STRICT",
    "Flavour",
    "FlavourName",
    "Taken",
    "origins_of",
]

FLAVOURS = {one.name: one for one in (STRICT, GOOGLE, MOZILLA, MOZILLA_ANDROID, MICROSOFT, APPLE)}
"""By name; Apple's path fits nearly everything, so it is last."""

BY_HOST = {
    host: one
    for one in (GOOGLE, MOZILLA, APPLE, MICROSOFT)
    for host in (urlsplit(one.origin).hostname or "", *one.hosts)
}
"""Who is meant by the name a client called."""


def origins_of(flavour: Flavour) -> frozenset[str]:
    """Give the audiences a token for this service may name in real life."""
    return frozenset({flavour.origin, *(f"https://{host}" for host in flavour.hosts)})
