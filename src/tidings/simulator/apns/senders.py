"""Who may send: the keys and certificates that the simulator knows, and what it finds wrong with what is shown."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from tidings.simulator import base64url
from tidings.simulator.apns.reasons import No

PRODUCTION: Final = "production"
SANDBOX: Final = "sandbox"
BOTH = frozenset({PRODUCTION, SANDBOX})

LONGEST_LIFE = 3600
"""Seconds a provider token is taken."""
SKEW = 300
"""Seconds that `iat` may be ahead."""
LEAST_BETWEEN = 20 * 60
"""Seconds that have to lie between two tokens on a connection."""

_ES256 = ec.ECDSA(hashes.SHA256())


@dataclass(frozen=True, slots=True, eq=False)
class Key:
    """A .p8 key as Apple keeps it: `topics` None are all of its team. A revoked one verifies nothing."""

    team_id: str
    key_id: str
    public: ec.EllipticCurvePublicKey
    environments: frozenset[str] = BOTH
    topics: frozenset[str] | None = None
    revoked: bool = False


@dataclass(frozen=True, slots=True)
class Certificate:
    """A push certificate: what it may send to, and where."""

    topics: tuple[str, ...]
    environments: frozenset[str] = BOTH
    revoked: bool = False


@dataclass(frozen=True, slots=True)
class Token:
    """A provider token whose signature is good."""

    key: Key
    issued: float
    text: str


class Senders:
    """All keys and certificates that were made known. `trust` is told of a certificate, so that TLS lets it in."""

    def __init__(self, trust: Callable[[str], None]) -> None:
        self._trust = trust
        self._keys: dict[str, Key] = {}
        self._certificates: dict[str, Certificate] = {}

    def add_key(self, key: Key) -> None:
        """Know a key, or know it anew."""
        self._keys[key.key_id] = key
        _verified.cache_clear()

    def add_certificate(self, pem: str, certificate: Certificate) -> str:
        """Know a certificate; give its SHA-256 in hex. Raises ValueError when the PEM is none."""
        found = x509.load_pem_x509_certificate(pem.encode())
        self._trust(pem)
        name = found.fingerprint(hashes.SHA256()).hex()
        self._certificates[name] = certificate
        return name

    def revoke(self, name: str) -> bool:
        """Revoke a key by its id, or a certificate by its SHA-256; False when there is none."""
        if name in self._keys:
            self.add_key(replace(self._keys[name], revoked=True))
        elif name in self._certificates:
            self._certificates[name] = replace(self._certificates[name], revoked=True)
        else:
            return False
        return True

    def certificate(self, der: bytes) -> Certificate | No:
        """Judge a certificate that was shown in TLS."""
        name = x509.load_der_x509_certificate(der).fingerprint(hashes.SHA256()).hex()
        found = self._certificates.get(name)
        if found is None or found.revoked:
            return No("BadCertificate", "The certificate is not known here, or was revoked")
        return found

    def token(self, header: str | None, *, now: float) -> Token | No:
        """Judge `authorization`; `now` in Unix seconds."""
        scheme, _, text = (header or "").strip().partition(" ")
        if scheme.lower() != "bearer" or not text:
            return No("MissingProviderToken", "There is neither a certificate nor `authorization: bearer`")
        key = self._keys.get(_key_id(text) or "")
        if key is None or key.revoked:
            return No("InvalidProviderToken", "No such key, or it was revoked")
        claims = _verified(text, key)
        if isinstance(claims, str):
            return No("InvalidProviderToken", claims)
        issuer, issued = claims
        if issuer != key.team_id:
            return No("InvalidProviderToken", "`iss` is not the team of this key")
        if issued < now - LONGEST_LIFE:
            return No("ExpiredProviderToken", f"`iat` is {int(now - issued)} seconds ago")
        if issued > now + SKEW:
            return No("InvalidProviderToken", "`iat` is in the future")
        return Token(key, issued, text)


def public_key(pem: str) -> ec.EllipticCurvePublicKey:
    """Read the public half of a .p8 key. Raises ValueError."""
    found = load_pem_public_key(pem.encode())
    if not isinstance(found, ec.EllipticCurvePublicKey) or not isinstance(found.curve, ec.SECP256R1):
        raise ValueError("the key must be on the curve P-256")
    return found


@lru_cache(maxsize=1024)
def _key_id(text: str) -> str | None:
    try:
        head = json.loads(base64url.decoded(text.split(".")[0]))
    except (ValueError, RecursionError):
        return None
    found = head.get("kid") if isinstance(head, dict) and head.get("alg") == "ES256" else None
    return found if isinstance(found, str) else None


@lru_cache(maxsize=1024)
def _verified(text: str, key: Key) -> tuple[str, float] | str:
    """Verify a token once; give `iss` and `iat`, or what is wrong with it."""
    parts = text.split(".")
    if len(parts) != 3:
        return "a token has three parts"
    try:
        claims = json.loads(base64url.decoded(parts[1]))
        signature = base64url.decoded(parts[2])
    except (ValueError, RecursionError):
        return "the token is not base64url of JSON"
    if len(signature) != 64 or not isinstance(claims, dict):
        return "the signature has 64 bytes, and the claims are an object"
    der = encode_dss_signature(int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big"))
    try:
        key.public.verify(der, f"{parts[0]}.{parts[1]}".encode(), _ES256)
    except InvalidSignature:
        return "the signature is not this key's"
    issued = claims.get("iat")
    if isinstance(issued, bool) or not isinstance(issued, int | float):
        return "`iat` is a number of seconds"
    return str(claims.get("iss")), float(issued)
