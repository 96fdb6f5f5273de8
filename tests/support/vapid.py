"""A VAPID key pair as the provider keeps it and as peers want it."""

from __future__ import annotations

import base64
from dataclasses import dataclass

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from tidings.domain.app import Credential


def base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


@dataclass(frozen=True, slots=True)
class Keys:
    """One key pair, both halves in base64url."""

    private: str
    public: str
    secret: bytes

    def credential(self, *, subject: str = "mailto:ops@example.com") -> Credential:
        return Credential(
            id=1,
            integration_id=1,
            app_id=1,
            provider="webpush",
            fingerprint=self.public,
            secret=self.secret,
            settings={"subject": subject},
        )


def new_keys() -> Keys:
    """Make a key pair with `cryptography`, not with the code under test."""
    key = ec.generate_private_key(ec.SECP256R1())
    secret = key.private_numbers().private_value.to_bytes(32, "big")
    public = key.public_key().public_bytes(serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint)
    return Keys(private=base64url(secret), public=base64url(public), secret=secret)
