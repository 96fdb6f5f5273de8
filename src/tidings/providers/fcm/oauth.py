"""Tokens of Google: a claim signed with the service account's key is exchanged for one (RFC 7523 §2.1)."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlencode

from tidings.domain.app import Credential
from tidings.domain.outcome import FaultScope, Misconfigured, Unavailable
from tidings.lib.backoff import retry_after
from tidings.lib.crypto import base64url_from
from tidings.lib.exchange import Answer, Reply, Request
from tidings.lib.rs256 import rs256_signature, rsa_key_from_der
from tidings.providers import Grant
from tidings.providers.fcm.outcomes import RETRY_AFTER_CAP, Reason, unanswered
from tidings.providers.fcm.settings import TOKEN_URI

SCOPE = "https://www.googleapis.com/auth/firebase.messaging"
"""The least that sending needs."""

LIFE = 3_600
"""Seconds for which a claim may hold; Google takes no longer one, and its tokens live as long."""

_JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer"
_LONGEST_TOKEN = 8_192

_REFUSALS = (
    ("invalid jwt signature", Reason.KEY_REVOKED),
    ("reasonable timeframe", Reason.CLOCK_SKEW),
    ("iat and exp", Reason.CLOCK_SKEW),
    ("token used too early", Reason.CLOCK_SKEW),
    ("account not found", Reason.ACCOUNT_MISSING),
    ("not a valid email", Reason.ACCOUNT_MISSING),
    ("disabled", Reason.ACCOUNT_DISABLED),
)
"""Words of `error_description` in lower case -> what they mean (OAuth 2.0 for service accounts, Google)."""


def assertion(credential: Credential, *, now: float) -> str:
    """Sign the claim: who we are, what for, and until when (`now` in Unix seconds)."""
    header = {"alg": "RS256", "typ": "JWT", "kid": credential.fingerprint}
    claims = {
        "iss": credential.settings["client_email"],
        "scope": SCOPE,
        "aud": TOKEN_URI,
        "iat": int(now),
        "exp": int(now) + LIFE,
    }
    signed = ".".join(base64url_from(json.dumps(part, separators=(",", ":")).encode()) for part in (header, claims))
    signature = rs256_signature(rsa_key_from_der(credential.secret), signed.encode("ascii"))
    return f"{signed}.{base64url_from(signature)}"


def grant_request_from(credential: Credential, *, now: float) -> Request:
    """Ask for a token."""
    body = urlencode({"grant_type": _JWT_BEARER, "assertion": assertion(credential, now=now)})
    return Request(TOKEN_URI, ("Content-Type: application/x-www-form-urlencoded",), body.encode("ascii"))


def grant_from_answer(answer: Answer, *, now: float) -> Grant | Misconfigured | Unavailable:
    """Read the answer; whatever it holds, this never raises."""
    if not isinstance(answer, Reply):
        return Unavailable(None, unanswered(answer.kind))
    said = _object_of(answer.body)
    if answer.status == 200:
        token, life = said.get("access_token"), said.get("expires_in")
        if isinstance(token, str) and 0 < len(token) <= _LONGEST_TOKEN and token.isascii() and token.isprintable():
            seconds = life if isinstance(life, int) and 0 < life <= LIFE else LIFE
            return Grant(token.encode("ascii"), now + seconds)
        return Unavailable(None, Reason.PROTOCOL)
    if answer.status in (400, 401, 403):
        words = f"{said.get('error')} {said.get('error_description')}".lower()
        reason = next((reason for sign, reason in _REFUSALS if sign in words), Reason.GRANT_DENIED)
        return Misconfigured(reason, FaultScope.CREDENTIAL)
    asked, said_at = answer.headers.get("retry-after"), answer.headers.get("date")
    after = retry_after(asked, now=now, cap=RETRY_AFTER_CAP, said_at=said_at)
    return Unavailable(after, Reason.GRANT_UNAVAILABLE)


def _object_of(body: bytes) -> dict[str, Any]:
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}
