"""VAPID (RFC 8292): who is sending, signed for one push service at a time and the same for an hour in every process."""

from __future__ import annotations

import json

from tidings.domain.app import Credential
from tidings.lib.crypto import base64url_from, es256_signature, private_key_from_scalar

LIFE = 12 * 3600
"""Seconds a token lives beyond the hour it was made in: RFC 8292 allows 24 h by the service's clock, not ours."""

_HOUR = 3600
_HEADER = base64url_from(b'{"typ":"JWT","alg":"ES256"}')


class Authorizations:
    """`Authorization` values by credential and push service, kept until the hour ends.

    `exp` follows from the hour alone, so all processes make the same claims and none renews more often than hourly,
    as Apple asks; a new origin costs one signature.
    """

    def __init__(self) -> None:
        self._expires = 0
        self._known: dict[tuple[str, str, str], str] = {}

    def value(self, credential: Credential, origin: str, *, now: float) -> str:
        """Give `vapid t=..., k=...` for a push service's origin (`now` in Unix seconds)."""
        expires = int(now) // _HOUR * _HOUR + LIFE
        if expires != self._expires:
            self._expires, self._known = expires, {}
        subject = credential.settings["subject"]
        key = (credential.fingerprint, origin, subject)
        known = self._known.get(key)
        if known is None:
            token = signed_token(credential.secret, origin=origin, subject=subject, expires=expires)
            known = self._known[key] = f"vapid t={token}, k={credential.fingerprint}"
        return known


def signed_token(secret: bytes, *, origin: str, subject: str, expires: int) -> str:
    """Sign the claims with a raw private key: a JWT with ES256 (RFC 8292 §2; `expires` in Unix seconds)."""
    claims = json.dumps({"aud": origin, "exp": expires, "sub": subject}, separators=(",", ":"))
    signed = f"{_HEADER}.{base64url_from(claims.encode())}"
    signature = es256_signature(private_key_from_scalar(secret), signed.encode("ascii"))
    return f"{signed}.{base64url_from(signature)}"
