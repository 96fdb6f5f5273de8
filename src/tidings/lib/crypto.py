"""P-256 keys, ECDH, ES256 signatures, HKDF and base64url: thin, checked forms of what `cryptography` does."""

from __future__ import annotations

import binascii
import re
from hashlib import sha256

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_der_private_key

PrivateKey = ec.EllipticCurvePrivateKey
PublicKey = ec.EllipticCurvePublicKey

POINT_SIZE = 65
"""Bytes of an uncompressed P-256 point: 0x04, X, Y."""
SCALAR_SIZE = 32
"""Bytes of a P-256 private key, and of each coordinate."""

_BLOCK = 64
"""Bytes that SHA-256 works on at a time."""
_INNER_PAD = bytes(byte ^ 0x36 for byte in range(256))
_OUTER_PAD = bytes(byte ^ 0x5C for byte in range(256))

_CURVE = ec.SECP256R1()
_ECDH = ec.ECDH()
_TO_URLSAFE = bytes.maketrans(b"+/", b"-_")
_TO_STANDARD = bytes.maketrans(b"-_", b"+/")
_LONGEST_KEY_TEXT = 8192
_LOST_ZEROS = 2
_PEM_BLOCK = re.compile(r"-----BEGIN ([A-Z0-9 ]{1,40})-----(.*?)-----END \1-----", re.DOTALL)
_PEM_PRIVATE = ("PRIVATE KEY", "EC PRIVATE KEY")


class Malformed(ValueError):
    """Bytes or text that are not what they should be; the message says why and never quotes a secret."""


def base64url_from(data: bytes) -> str:
    """Encode in the URL-safe alphabet without padding (RFC 4648 §5)."""
    return binascii.b2a_base64(data, newline=False).rstrip(b"=").translate(_TO_URLSAFE).decode("ascii")


def bytes_from_base64(text: str) -> bytes:
    """Decode base64 in either alphabet, padded or not; anything else that is not canonical raises Malformed."""
    if not text.isascii():
        raise Malformed("It has characters outside base64.")
    bare = text.encode("ascii").translate(_TO_STANDARD).rstrip(b"=")
    padding = len(text) - len(bare)
    if padding and (padding > 2 or len(text) % 4):
        raise Malformed("Its base64 padding is wrong.")
    try:
        data = binascii.a2b_base64(bare + b"=" * (-len(bare) % 4), strict_mode=True)
    except binascii.Error:
        raise Malformed("It is not base64.") from None
    if binascii.b2a_base64(data, newline=False).rstrip(b"=") != bare:
        raise Malformed("Its base64 ends in stray bits: a character is wrong or missing.")
    return data


def generate_key() -> PrivateKey:
    """Make a P-256 key pair."""
    return ec.generate_private_key(_CURVE)


def private_key_from_scalar(scalar: bytes) -> PrivateKey:
    """Take the raw private key, big-endian.

    One or two bytes too few are padded on the left and one leading zero too many is dropped: tools that treat the key
    as a number lose or add such bytes. More are lost once in 16 million keys: that is no key, and raises Malformed as
    what is out of range does.
    """
    number = scalar.removeprefix(b"\x00") if len(scalar) == SCALAR_SIZE + 1 else scalar
    if not SCALAR_SIZE - _LOST_ZEROS <= len(number) <= SCALAR_SIZE:
        raise Malformed(f"A P-256 private key has {SCALAR_SIZE} bytes; this one has {len(scalar)}.")
    try:
        return ec.derive_private_key(int.from_bytes(number, "big"), _CURVE)
    except ValueError:
        raise Malformed("It is not a number that P-256 has a key for.") from None


def scalar_from(key: PrivateKey) -> bytes:
    """Give the raw private key: always 32 bytes, leading zeros kept."""
    return key.private_numbers().private_value.to_bytes(SCALAR_SIZE, "big")


def private_key_from_text(text: str) -> PrivateKey:
    r"""Read a P-256 private key as people paste it, or raise Malformed.

    PEM (PKCS#8 or SEC 1, after an `EC PARAMETERS` block or not), with a BOM, CRLF, literal `\n` or no line breaks at
    all; the same DER in bare base64; or 32 raw bytes in base64url.
    """
    if len(text) > _LONGEST_KEY_TEXT:
        raise Malformed(f"A private key is shorter than {_LONGEST_KEY_TEXT} characters.")
    clean = text.removeprefix("\ufeff").replace("\\r", "").replace("\\n", "\n").strip()
    if "-----BEGIN" not in clean:
        data = bytes_from_base64("".join(clean.split()))
        return private_key_from_scalar(data) if len(data) <= SCALAR_SIZE + 1 else _key_from_der(data)
    blocks = dict(_PEM_BLOCK.findall(clean))
    for label in _PEM_PRIVATE:
        if label in blocks:
            return _key_from_der(bytes_from_base64("".join(blocks[label].split())))
    if "ENCRYPTED PRIVATE KEY" in blocks:
        raise Malformed("The PEM is locked with a password; unlock it with `openssl pkey -in KEY.pem` first.")
    raise Malformed("The PEM holds no whole private key.")


def _key_from_der(der: bytes) -> PrivateKey:
    try:
        key = load_der_private_key(der, None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise Malformed("It is neither a PKCS#8 nor a SEC 1 private key.") from None
    if not isinstance(key, PrivateKey) or not isinstance(key.curve, ec.SECP256R1):
        raise Malformed("It is a private key, but not one on the curve P-256.")
    return key


def point_from(key: PrivateKey) -> bytes:
    """Give the public half as an uncompressed point: always 65 bytes."""
    return key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


def public_key_from_point(point: bytes) -> PublicKey:
    """Take an uncompressed point; one of another length or off the curve raises Malformed (RFC 8291 §7)."""
    if len(point) != POINT_SIZE or point[0] != 4:
        raise Malformed(f"A P-256 public key has {POINT_SIZE} bytes and begins with 4; this one has {len(point)}.")
    try:
        return ec.EllipticCurvePublicKey.from_encoded_point(_CURVE, point)
    except ValueError:
        raise Malformed("It is not a point on the curve P-256.") from None


def shared_secret(key: PrivateKey, peer: PublicKey) -> bytes:
    """Agree by ECDH: the X coordinate, always 32 bytes."""
    return key.exchange(_ECDH, peer)


def _es256() -> ec.ECDSA:
    try:
        return ec.ECDSA(hashes.SHA256(), deterministic_signing=True)
    except UnsupportedAlgorithm:  # OpenSSL before 3.2: signatures are as good, only not the same in every process
        return ec.ECDSA(hashes.SHA256())


_ES256 = _es256()


def es256_signature(key: PrivateKey, message: bytes) -> bytes:
    """Sign as JWS ES256 does: R then S, 64 bytes (RFC 7518 §3.4), the same each time where OpenSSL can (RFC 6979)."""
    r, s = decode_dss_signature(key.sign(message, _ES256))
    return r.to_bytes(SCALAR_SIZE, "big") + s.to_bytes(SCALAR_SIZE, "big")


def es256_verifies(key: PublicKey, signature: bytes, message: bytes) -> bool:
    """Say whether a 64-byte ES256 signature is the key's own over the message."""
    if len(signature) != 2 * SCALAR_SIZE:
        return False
    r, s = (int.from_bytes(half, "big") for half in (signature[:SCALAR_SIZE], signature[SCALAR_SIZE:]))
    try:
        key.verify(encode_dss_signature(r, s), message, ec.ECDSA(hashes.SHA256()))
    except InvalidSignature:
        return False
    return True


def hmac_sha256(key: bytes, message: bytes) -> bytes:
    """HMAC with SHA-256: 32 bytes (RFC 2104 §2).

    Two hashes put together here, as Python's own `hmac` module does, take less than `hmac.digest`, which sets
    OpenSSL's HMAC up for each call.
    """
    padded = (key if len(key) <= _BLOCK else sha256(key).digest()).ljust(_BLOCK, b"\0")
    inner = sha256(padded.translate(_INNER_PAD) + message).digest()
    return sha256(padded.translate(_OUTER_PAD) + inner).digest()


def hkdf_extract(salt: bytes, keying_material: bytes) -> bytes:
    """HKDF-Extract with SHA-256: 32 bytes (RFC 5869 §2.2)."""
    return hmac_sha256(salt, keying_material)


def hkdf_expand(key: bytes, info: bytes, length: int = 32) -> bytes:
    """HKDF-Expand with SHA-256, one block: at most 32 bytes (RFC 5869 §2.3)."""
    if length > hashes.SHA256.digest_size:
        raise ValueError("one block of HKDF with SHA-256 gives 32 bytes")
    return hmac_sha256(key, info + b"\x01")[:length]


def gcm_encrypt(key: bytes, nonce: bytes, plaintext: bytes) -> bytes:
    """Encrypt with AES-GCM, the 16-byte tag appended; a pair of key and nonce must never be used twice."""
    return AESGCM(key).encrypt(nonce, plaintext, None)
