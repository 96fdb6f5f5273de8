"""The receiving half of Web Push encryption, written from RFC 8188 and RFC 8291 apart from the sender's code."""

from __future__ import annotations

from dataclasses import dataclass

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

SALT, RECORD_SIZE, KEY_LENGTH, TAG = 16, 4, 65, 16
HEADER = SALT + RECORD_SIZE + 1 + KEY_LENGTH
SMALLEST_RECORD_SIZE = 18
CURVE = ec.SECP256R1()


class BadCoding(Exception):
    """The body is not an aes128gcm push message; the text says which rule it breaks."""


class Unreadable(Exception):
    """The body is well formed and still does not decrypt for this receiver."""


@dataclass(frozen=True, slots=True)
class Coded:
    """The header of an aes128gcm body, read and checked, and its one record."""

    salt: bytes
    sender: ec.EllipticCurvePublicKey
    sender_point: bytes
    record: bytes


def coded_from(body: bytes) -> Coded:
    """Read a body: salt, record size, the sender's point, exactly one record (RFC 8188 §2.1, RFC 8291 §4)."""
    if len(body) < HEADER + TAG + 1:
        raise BadCoding(f"the body has {len(body)} bytes; header, delimiter and tag alone are {HEADER + TAG + 1}")
    size = int.from_bytes(body[SALT : SALT + RECORD_SIZE], "big")
    if size < SMALLEST_RECORD_SIZE:
        raise BadCoding(f"the record size is {size}; the least is {SMALLEST_RECORD_SIZE}")
    if body[SALT + RECORD_SIZE] != KEY_LENGTH:
        raise BadCoding(f"the key id has {body[SALT + RECORD_SIZE]} bytes; an uncompressed point has {KEY_LENGTH}")
    record = body[HEADER:]
    if len(record) >= size:
        raise BadCoding(f"{len(record)} bytes do not fit one record of size {size}; a push message is one record")
    point = body[HEADER - KEY_LENGTH : HEADER]
    try:
        sender = ec.EllipticCurvePublicKey.from_encoded_point(CURVE, point)
    except ValueError as error:
        raise BadCoding("the sender's key is not a point on P-256") from error
    return Coded(body[:SALT], sender, point, record)


def opened(coded: Coded, *, private: ec.EllipticCurvePrivateKey, point: bytes, auth: bytes) -> bytes:
    """Decrypt for the receiver with that key pair and secret (RFC 8291 §3.3, §3.4); raise Unreadable."""
    shared = private.exchange(ec.ECDH(), coded.sender)
    keying = _hkdf(auth, shared, info=b"WebPush: info\x00" + point + coded.sender_point, length=32)
    key = _hkdf(coded.salt, keying, info=b"Content-Encoding: aes128gcm\x00", length=16)
    nonce = _hkdf(coded.salt, keying, info=b"Content-Encoding: nonce\x00", length=12)
    try:
        padded = AESGCM(key).decrypt(nonce, coded.record, None)
    except InvalidTag:
        raise Unreadable("the record does not authenticate: wrong key, wrong secret or changed bytes") from None
    content = padded.rstrip(b"\x00")
    if not content.endswith(b"\x02"):
        raise Unreadable("the last record must end with the delimiter 0x02 and zeros")
    return content[:-1]


def _hkdf(salt: bytes, secret: bytes, *, info: bytes, length: int) -> bytes:
    return HKDF(SHA256(), length, salt, info).derive(secret)
