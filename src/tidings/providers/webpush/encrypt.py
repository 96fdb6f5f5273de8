"""RFC 8291: one message for one browser, as a single record that only it can read."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import NamedTuple

from tidings.lib.agreement import agreement
from tidings.lib.crypto import (
    POINT_SIZE,
    Malformed,
    PrivateKey,
    gcm_encrypt,
    hkdf_expand,
    hkdf_extract,
    point_from,
    public_key_from_point,
    shared_secret,
)

RECORD_SIZE = 4096
"""`rs` of RFC 8188 §2.1; the body is one record and always shorter."""
SALT_SIZE = 16
AUTH_SIZE = 16

_HEADER_REST = RECORD_SIZE.to_bytes(4, "big") + bytes([POINT_SIZE])
_LAST_RECORD = b"\x02"
_ROOM = RECORD_SIZE - 1 - 16  # the delimiter and the tag


class Plain(NamedTuple):
    """One message before it is encrypted. `size` is the plaintext's length with padding, in bytes."""

    text: bytes
    p256dh: bytes
    auth: bytes
    size: int


def encrypted_together(messages: Sequence[Plain]) -> list[bytes | None]:
    """Encrypt as `encrypted` does; None for whom it would be Malformed.

    All keys are agreed on before anything else is done: together that takes less, and the curve's tables stay in the
    processor's cache meanwhile.
    """
    pairs = agreement().agree([one.p256dh for one in messages])
    random = os.urandom(SALT_SIZE * len(messages))
    return [
        None
        if pair is None or len(one.auth) != AUTH_SIZE
        else _body(one, *pair, random[number * SALT_SIZE : (number + 1) * SALT_SIZE])
        for number, (one, pair) in enumerate(zip(messages, pairs, strict=True))
    ]


def encrypted(
    plaintext: bytes, *, p256dh: bytes, auth: bytes, size: int, key: PrivateKey | None = None, salt: bytes | None = None
) -> bytes:
    """Encrypt for the browser's keys (65 and 16 bytes); give the whole `aes128gcm` body, 103 bytes longer than `size`.

    `size` is the plaintext's length with padding, in bytes. Key pair and salt are new for each message unless a test
    gives them. Malformed if `p256dh` is not on the curve or `auth` has another size.
    """
    if len(auth) != AUTH_SIZE:
        raise Malformed(f"`auth` has {AUTH_SIZE} bytes; this one has {len(auth)}.")
    if key is None:
        pair = agreement().agree([p256dh])[0]
        if pair is None:
            raise Malformed("`p256dh` is not a point on the curve P-256.")
        own, secret = pair
    else:
        own, secret = point_from(key), shared_secret(key, public_key_from_point(p256dh))
    return _body(Plain(plaintext, p256dh, auth, size), own, secret, salt or os.urandom(SALT_SIZE))


def _body(message: Plain, own: bytes, secret: bytes, salt: bytes) -> bytes:
    text, p256dh, auth, size = message
    if not len(text) <= size <= _ROOM:
        raise ValueError(f"{len(text)} bytes padded to {size} are no single record of {RECORD_SIZE}")
    content_key, nonce = content_keys(keying_material(secret, auth, p256dh, own), salt)
    return salt + _HEADER_REST + own + gcm_encrypt(content_key, nonce, (text + _LAST_RECORD).ljust(size + 1, b"\0"))


def keying_material(secret: bytes, auth: bytes, p256dh: bytes, own: bytes) -> bytes:
    """Combine the ECDH secret with the browser's `auth`: 32 bytes (RFC 8291 §3.3; the browser's key goes first)."""
    return hkdf_expand(hkdf_extract(auth, secret), b"WebPush: info\0" + p256dh + own)


def content_keys(material: bytes, salt: bytes) -> tuple[bytes, bytes]:
    """Derive the AES-128 key and the nonce of the first record (RFC 8188 §2.2, §2.3)."""
    key = hkdf_extract(salt, material)
    return (
        hkdf_expand(key, b"Content-Encoding: aes128gcm\0", 16),
        hkdf_expand(key, b"Content-Encoding: nonce\0", 12),
    )
