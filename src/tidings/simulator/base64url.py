"""Base64 in the URL-safe alphabet (RFC 4648 §5), read strictly."""

from __future__ import annotations

import base64
import re

_ALPHABET = re.compile(r"[A-Za-z0-9_-]*={0,2}")


def encoded(data: bytes) -> str:
    """Write without padding, as every Web Push header and key is."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def decoded(text: str) -> bytes:
    """Read with or without padding; raise ValueError for any other character or an impossible length."""
    if not _ALPHABET.fullmatch(text):
        raise ValueError("not base64url")
    bare = text.rstrip("=")
    return base64.urlsafe_b64decode(bare + "=" * (-len(bare) % 4))
