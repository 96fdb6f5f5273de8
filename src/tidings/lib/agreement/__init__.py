"""ECDH with new P-256 key pairs, by the fastest way that works here: most of the arithmetic of a Web Push message.

Three ways do the same: `lanes` (a compiled part, eight peers side by side, on processors with AVX-512 IFMA), `points`
(OpenSSL's curve functions) and `objects` (`cryptography`). Each is tried out against `cryptography` before it is used.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cache

from tidings.lib.agreement.agreed import Agree, Agreed
from tidings.lib.agreement.lanes import load_lanes
from tidings.lib.agreement.objects import agreed_by_objects
from tidings.lib.agreement.points import load_points
from tidings.lib.crypto import generate_key, point_from, public_key_from_point, shared_secret


class Way(StrEnum):
    """How keys are agreed on, the fastest first."""

    LANES = "eight side by side (AVX-512 IFMA)"
    POINTS = "one by one (OpenSSL's curve functions)"
    OBJECTS = "one by one (key objects of cryptography)"


_LOADERS: dict[Way, Callable[[], Agree]] = {
    Way.LANES: load_lanes,
    Way.POINTS: load_points,
    Way.OBJECTS: lambda: agreed_by_objects,
}
_FEW = 1
"""How many the points do sooner: up to eight side by side take as long as one and a half one by one."""


@dataclass(frozen=True, slots=True)
class Agreement:
    """The way that is used here, and what it does."""

    way: Way
    agree: Agree


@cache
def agreement() -> Agreement:
    """Give the fastest way that works here."""
    ways = list(_working())
    best = ways[0]
    if best.way is not Way.LANES:
        return best
    one, many = ways[1].agree, best.agree

    def agree(peers: Sequence[bytes]) -> list[Agreed | None]:
        return (one if len(peers) <= _FEW else many)(peers)

    return Agreement(Way.LANES, agree)


def _working() -> Iterator[Agreement]:
    for way, load in _LOADERS.items():
        try:
            agree = load()
        except (OSError, AttributeError):
            continue
        if _is_right(agree):
            yield Agreement(way, agree)


def _is_right(agree: Agree) -> bool:
    keys = [generate_key() for _ in range(9)]
    try:
        pairs = agree([point_from(key) for key in keys])
        return all(
            pair is not None and shared_secret(key, public_key_from_point(pair[0])) == pair[1]
            for key, pair in zip(keys, pairs, strict=True)
        )
    except (OSError, ValueError):
        return False
