"""Signing what is told to a server, in the manner of Standard Webhooks: secrets, and the three header fields."""

from __future__ import annotations

import base64
import hmac
from collections.abc import Sequence

PREFIX = "whsec_"
SECRET_BYTES = 32


def secret_text(key: bytes) -> str:
    """Write a key as its owner keeps it."""
    return PREFIX + base64.b64encode(key).decode()


def signature(key: bytes, *, message_id: str, timestamp: int, body: bytes) -> str:
    """Sign one message: `v1,` and the HMAC-SHA256 over id, timestamp and body (Standard Webhooks, "Signature scheme").

    `timestamp` is in whole seconds since 1970.
    """
    signed = b".".join((message_id.encode(), str(timestamp).encode(), body))
    return "v1," + base64.b64encode(hmac.digest(key, signed, "sha256")).decode()


def signed_headers(keys: Sequence[bytes], *, message_id: str, timestamp: int, body: bytes) -> tuple[str, ...]:
    """Give the header lines of a message; every key signs, so that a receiver may know either while one replaces it."""
    signatures = (signature(key, message_id=message_id, timestamp=timestamp, body=body) for key in keys)
    return (
        f"webhook-id: {message_id}",
        f"webhook-timestamp: {timestamp}",
        f"webhook-signature: {' '.join(signatures)}",
    )
