"""What a push service checks of `Authorization: vapid t=..., k=...` (RFC 8292), with Apple's rule for the contact."""

from __future__ import annotations

import ipaddress
import json
import math
import re
from collections.abc import Collection
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import urlsplit

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

from tidings.simulator import base64url
from tidings.simulator.refusals import Reason

LONGEST = 24 * 3600
"""Seconds a token may live (RFC 8292 §2)."""

_PRIVATE_NAMES = frozenset(
    {"localhost", "local", "invalid", "test", "example", "internal", "localdomain", "lan", "home"}
)
_LABEL = re.compile(r"(?!-)[a-z0-9-]{1,63}(?<!-)")
_VERIFIER = ec.ECDSA(SHA256())


class BadVapid(Exception):
    """The header would be refused; the text says why, `reason` which rule it breaks."""

    def __init__(self, reason: Reason, text: str) -> None:
        super().__init__(text)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Signed:
    """The claims of a token whose signature fits its key."""

    key: bytes
    audience: object
    expires: object
    subject: object


@dataclass(frozen=True, slots=True)
class _Fault:
    """What is wrong with a token whoever it is for."""

    reason: Reason
    text: str


def check(header: str, *, key: bytes | None, origins: Collection[str], now: float, contact: bool = True) -> None:
    """Raise BadVapid unless the header is good for a subscription made with `key` at one of `origins`.

    `now` is in Unix seconds. Without a key the subscription is open to any application server; without `contact` any
    `sub` will do.
    """
    token, public = _parameters(header)
    signed = _signed(token, public)
    if isinstance(signed, _Fault):
        raise BadVapid(signed.reason, signed.text)
    if key is not None and signed.key != key:
        raise BadVapid(Reason.KEY_MISMATCH, "VAPID public key mismatch")
    if signed.audience not in origins if isinstance(signed.audience, str) else True:
        raise BadVapid(Reason.AUDIENCE, f"Invalid VAPID audience: this is {' or '.join(sorted(origins))}")
    _check_expiry(signed.expires, now=now)
    fault = contact_fault(signed.subject) if contact else None
    if fault:
        raise BadVapid(Reason.CONTACT, f"Invalid VAPID sub: {fault}")


def _parameters(header: str) -> tuple[str, str]:
    scheme, _, rest = header.strip().partition(" ")
    if scheme.lower() != "vapid":
        raise BadVapid(Reason.BAD_AUTHORIZATION, "Unknown auth scheme")
    given = {}
    for part in rest.split(","):
        name, _, value = part.strip().partition("=")
        given[name.strip().lower()] = value.strip().strip('"')
    if not given.get("t"):
        raise BadVapid(Reason.BAD_AUTHORIZATION, "Missing VAPID token")
    if not given.get("k"):
        raise BadVapid(Reason.PUBLIC_KEY, "Missing VAPID public key")
    return given["t"], given["k"]


@lru_cache(maxsize=4096)
def _signed(token: str, public: str) -> Signed | _Fault:
    """Verify a token once: senders use the same one for hours (RFC 8292 §5). Gives the fault as a value."""
    parts = token.split(".")
    if len(parts) != 3:
        return _Fault(Reason.TOKEN, "Invalid VAPID token: a JWS has three parts")
    try:
        point = base64url.decoded(public)
        verifier = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), point)
    except ValueError:
        return _Fault(Reason.PUBLIC_KEY, "Invalid VAPID public key")
    try:
        head, claims = (json.loads(base64url.decoded(part)) for part in parts[:2])
        signature = base64url.decoded(parts[2])
    except (ValueError, RecursionError):
        return _Fault(Reason.TOKEN, "Invalid VAPID token: not base64url of JSON")
    if not isinstance(head, dict) or not isinstance(claims, dict) or head.get("alg") != "ES256":
        return _Fault(Reason.TOKEN, "Invalid VAPID token: the algorithm must be ES256")
    if len(signature) != 64:
        return _Fault(Reason.TOKEN, "Invalid VAPID signature: 64 bytes of R and S are wanted")
    der = encode_dss_signature(int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big"))
    try:
        verifier.verify(der, f"{parts[0]}.{parts[1]}".encode(), _VERIFIER)
    except InvalidSignature:
        return _Fault(Reason.TOKEN, "Invalid VAPID signature")
    return Signed(point, claims.get("aud"), claims.get("exp"), claims.get("sub"))


def _check_expiry(expires: object, *, now: float) -> None:
    if isinstance(expires, bool) or not isinstance(expires, int | float) or not math.isfinite(expires):
        raise BadVapid(Reason.EXPIRY, "Invalid VAPID exp: a number of seconds is wanted")
    if expires <= now:
        raise BadVapid(Reason.EXPIRY, "The VAPID token has expired")
    if expires > now + LONGEST:
        raise BadVapid(Reason.EXPIRY, "The VAPID token expiration is too long")


def contact_fault(subject: object) -> str | None:
    """Say what Apple would dislike about a `sub`, None if nothing: mailto or https, at a public dotted domain."""
    if not isinstance(subject, str) or not subject:
        return "a mailto: or https: address is wanted"
    if any(character.isspace() for character in subject):
        return "it contains a space"
    scheme, _, rest = subject.partition(":")
    if scheme == "mailto":
        name, _, domain = rest.partition("@")
        if not name or ":" in name or "@" in domain:
            return "mailto: wants one address"
        return _domain_fault(domain)
    if scheme == "https":
        try:
            return _domain_fault(urlsplit(subject).hostname or "")
        except ValueError:
            return "the URL is not valid"
    return "a mailto: or https: address is wanted"


def _domain_fault(domain: str) -> str | None:
    domain = domain.lower()
    labels = domain.split(".")
    try:
        ipaddress.ip_address(domain.strip("[]"))
    except ValueError:
        pass
    else:
        return "it names an IP address"
    if len(labels) < 2 or not all(_LABEL.fullmatch(label) for label in labels):
        return f"{domain[:80] or 'nothing'} is not a public domain"
    if labels[-1] in _PRIVATE_NAMES or labels[-1].isdigit():
        return f"{domain[:80]} is not a public domain"
    return None
