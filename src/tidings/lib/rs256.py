"""RSA keys and RS256 signatures (RFC 7518 §3.3): thin, checked forms of what `cryptography` does."""

from __future__ import annotations

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_der_private_key,
    load_pem_private_key,
)

from tidings.lib.crypto import Malformed

LEAST_BITS = 2048
"""RFC 7518 §3.3 asks for no fewer."""

_LONGEST_PEM = 3_800
"""Characters: a key of 4096 bits has some 3 300. To check the primes of a much longer one takes minutes."""

RsaKey = rsa.RSAPrivateKey


def rsa_key_from_pem(text: str) -> RsaKey:
    r"""Read a PEM private key as people paste it: with a BOM, CRLF or literal `\n`. Raises Malformed."""
    if len(text) > _LONGEST_PEM:
        raise Malformed(f"A private key is shorter than {_LONGEST_PEM} characters.")
    clean = text.removeprefix("\ufeff").replace("\\r", "").replace("\\n", "\n").replace("\r\n", "\n").strip() + "\n"
    try:
        key = load_pem_private_key(clean.encode("utf-8", "replace"), None)
    except TypeError:
        raise Malformed("The private key is locked with a password.") from None
    except (ValueError, UnsupportedAlgorithm):
        raise Malformed("It is not a whole private key in PEM.") from None
    return _checked(key)


def rsa_key_from_der(der: bytes) -> RsaKey:
    """Read a PKCS#8 private key. Raises Malformed."""
    try:
        return _checked(load_der_private_key(der, None))
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise Malformed("It is not a PKCS#8 private key.") from None


def der_from(key: RsaKey) -> bytes:
    """Write a private key as PKCS#8."""
    return key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())


def public_der_from(key: RsaKey) -> bytes:
    """Write the public half as SubjectPublicKeyInfo."""
    return key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def rs256_signature(key: RsaKey, message: bytes) -> bytes:
    """Sign as JWS RS256 does."""
    return key.sign(message, padding.PKCS1v15(), hashes.SHA256())


def rs256_verifies(key: rsa.RSAPublicKey, signature: bytes, message: bytes) -> bool:
    """Say whether an RS256 signature is the key's own over the message."""
    try:
        key.verify(signature, message, padding.PKCS1v15(), hashes.SHA256())
    except InvalidSignature:
        return False
    return True


def _checked(key: object) -> RsaKey:
    if not isinstance(key, RsaKey):
        raise Malformed("It is a private key, but not one of RSA.")
    if key.key_size < LEAST_BITS:
        raise Malformed(f"It is an RSA key of {key.key_size} bits; {LEAST_BITS} is the least.")
    return key
