"""Where messages go, and the secret that they are signed with."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

from tidings.domain.errors import CatalogueError, ErrorCode, FieldFault
from tidings.lib.crypto import Malformed, bytes_from_base64
from tidings.lib.egress import ForbiddenUrl, HostPolicy, checked_url
from tidings.providers import NewCredential

LARGEST = 4096
"""Bytes of a body."""
LEAST_SECRET, MOST_SECRET = 24, 64
"""Bytes (Standard Webhooks, "Signature scheme")."""

_PREFIX = "whsec_"


def receiver_from(text: str, *, insecure: bool = False) -> str:
    """Check a receiver's URL and give its origin; raises ForbiddenUrl. `insecure` lets in http and this machine."""
    return checked_url(text, policy=HostPolicy(frozenset(), (), any_public=True, allow_insecure=insecure)).origin


def credential_from(fields: Mapping[str, str]) -> NewCredential:
    """Take `url`, which tests go to and whose origin all devices share, and `secret` (`whsec_` and base64).

    Raises CREDENTIALS_INVALID.
    """
    url = fields.get("url", "").strip()
    try:
        origin = receiver_from(url)
    except ForbiddenUrl as error:
        raise _invalid("url", error.detail) from None
    try:
        secret = bytes_from_base64(fields.get("secret", "").strip().removeprefix(_PREFIX))
    except Malformed as error:
        raise _invalid("secret", str(error)) from None
    if not LEAST_SECRET <= len(secret) <= MOST_SECRET:
        why = f"A secret has {LEAST_SECRET} to {MOST_SECRET} bytes; make one: `echo whsec_$(openssl rand -base64 32)`."
        raise _invalid("secret", why)
    name = hashlib.sha256(origin.encode() + b"\0" + secret).hexdigest()[:32]
    return NewCredential(name, secret, {"url": url, "origin": origin}, account=origin)


def _invalid(field: str, why: str) -> CatalogueError:
    return CatalogueError(ErrorCode.CREDENTIALS_INVALID, why, faults=(FieldFault(field, why),))
