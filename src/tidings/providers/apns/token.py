"""The provider token: who is sending, the same for 45 minutes in every process, without anybody sharing it."""

from __future__ import annotations

import json

from tidings.domain.app import Credential
from tidings.lib.crypto import base64url_from, es256_signature, private_key_from_scalar

LIFE = 45 * 60
"""Seconds a token is used. Apple takes one for an hour, and complains of more than one new one in 20 minutes."""

LEAST_AGE = 60
"""Seconds a token is old when it is first used: a clock that is a minute fast makes none that is from the future."""


def issued_at(now: float) -> int:
    """Give `iat` of the token to use now: between one and 46 minutes ago, and the same in every process."""
    return int(now - LEAST_AGE) // LIFE * LIFE


def signed_token(secret: bytes, *, key_id: str, team_id: str, issued: int) -> str:
    """Sign the claims with a raw private key: a JWT with ES256, and nothing but what Apple reads."""
    header = json.dumps({"alg": "ES256", "kid": key_id}, separators=(",", ":"))
    claims = json.dumps({"iss": team_id, "iat": issued}, separators=(",", ":"))
    signed = f"{base64url_from(header.encode())}.{base64url_from(claims.encode())}"
    signature = es256_signature(private_key_from_scalar(secret), signed.encode("ascii"))
    return f"{signed}.{base64url_from(signature)}"


class ProviderTokens:
    """`authorization` values by key, kept until the next one is due."""

    def __init__(self) -> None:
        self._issued = 0
        self._known: dict[tuple[str, str, bytes], str] = {}

    def value(self, credential: Credential, *, now: float) -> str:
        """Give `bearer <token>` for a key (`now` in Unix seconds)."""
        issued = issued_at(now)
        if issued != self._issued:
            self._issued, self._known = issued, {}
        key_id, team_id = credential.settings["key_id"], credential.settings["team_id"]
        key = (key_id, team_id, credential.secret)
        known = self._known.get(key)
        if known is None:
            token = signed_token(credential.secret, key_id=key_id, team_id=team_id, issued=issued)
            known = self._known[key] = f"bearer {token}"
        return known
