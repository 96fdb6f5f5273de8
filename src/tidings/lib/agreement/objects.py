"""Agrees with `cryptography`'s key objects: slow, and there wherever Tidings runs."""

from __future__ import annotations

from collections.abc import Sequence

from tidings.lib.agreement.agreed import Agreed
from tidings.lib.crypto import Malformed, generate_key, point_from, public_key_from_point, shared_secret


def agreed_by_objects(peers: Sequence[bytes]) -> list[Agreed | None]:
    """Agree with a key object for each half."""
    return [_agreed_by_objects(peer) for peer in peers]


def _agreed_by_objects(peer: bytes) -> Agreed | None:
    try:
        theirs = public_key_from_point(peer)
    except Malformed:
        return None
    key = generate_key()
    return point_from(key), shared_secret(key, theirs)
