"""What every way to agree takes and gives."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from tidings.lib.crypto import POINT_SIZE

Agreed = tuple[bytes, bytes]
"""Our new public point (65 bytes) and the shared X coordinate (32 bytes)."""

Agree = Callable[[Sequence[bytes]], list[Agreed | None]]
"""Peers' points in; what was agreed on with each out, None where it is no point of the curve (RFC 8291 §7)."""

UNCOMPRESSED = b"\x04"


def is_point(peer: bytes) -> bool:
    """Say if it has a point's form (SEC 1 §2.3.3); whether it lies on the curve is the arithmetic's to find out."""
    return type(peer) is bytes and len(peer) == POINT_SIZE and peer[:1] == UNCOMPRESSED
