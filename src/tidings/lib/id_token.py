"""ID tokens of OpenID Connect: compact JWS alone, two algorithms, every claim compared as it stands."""

from __future__ import annotations

import binascii
import json
from base64 import urlsafe_b64decode
from collections.abc import Mapping, Sequence
from typing import Any

from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, RSAKey

ALGORITHMS = {"RS256": "RSA", "ES256": "EC"}
"""What is taken, and the type of key each needs: no HMAC, so that a public key is never taken for a shared secret."""

LEEWAY = 60
"""Seconds that the clocks may differ."""

LONGEST = 16_384
"""Characters of a token."""

SMALLEST_RSA = 2_048


class TokenRefused(Exception):
    """The token is not what it should be; the text says why, and holds nothing of it."""


class UnknownKey(TokenRefused):
    """No key of that id is here; the provider may have a new one."""


def key_id_of(token: str) -> str:
    """Give the id of the key that a token says it is signed with. Raises TokenRefused without one."""
    return _header(token)["kid"]


def verified_claims(
    token: str, keys: Sequence[Mapping[str, Any]], *, issuer: str, client_id: str, nonce: str, now: float
) -> dict[str, Any]:
    """Check signature and claims (OpenID Connect Core §3.1.3.7) and give the claims. Raises TokenRefused.

    `keys` are those of the provider's JWKS, `now` is in Unix seconds.
    """
    header = _header(token)
    key = _key(keys, header["kid"], header["alg"])
    try:
        found = jws.deserialize_compact(token, key, algorithms=[header["alg"]])
        claims = json.loads(found.payload)
    except (JoseError, ValueError, TypeError, KeyError) as fault:
        raise TokenRefused("its signature is wrong") from fault
    if not isinstance(claims, dict):
        raise TokenRefused("its claims are no object")
    _check(claims, issuer=issuer, client_id=client_id, nonce=nonce, now=now)
    return claims


def _check(claims: Mapping[str, Any], *, issuer: str, client_id: str, nonce: str, now: float) -> None:
    if not _is(claims.get("iss"), issuer):
        raise TokenRefused("it is of another issuer")
    audience = claims.get("aud")
    several = audience if isinstance(audience, list) else [audience]
    if client_id not in [one for one in several if isinstance(one, str)] or len(several) > 1:
        # A token for several is for none of them alone: whoever else is named could have asked for it.
        raise TokenRefused("it is for another client")
    if claims.get("azp") is not None and not _is(claims["azp"], client_id):
        raise TokenRefused("it was given to another client")
    if not _is(claims.get("nonce"), nonce):
        raise TokenRefused("its nonce is not the one of this attempt")
    if not is_moment(claims.get("exp")) or claims["exp"] + LEEWAY <= now:
        raise TokenRefused("it has expired")
    if not is_moment(claims.get("iat")) or claims["iat"] - LEEWAY > now:
        raise TokenRefused("it was made in the future")
    subject = claims.get("sub")
    if not isinstance(subject, str) or not 1 <= len(subject) <= 255:
        raise TokenRefused("it names nobody")


def _is(value: object, wanted: str) -> bool:
    return isinstance(value, str) and value == wanted


def is_moment(value: object) -> bool:
    """Tell whether a claim is a moment in Unix seconds."""
    # Bounded, as JSON's reader takes NaN and Infinity, which no comparison finds to be over.
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < 1e12


def _header(token: str) -> dict[str, str]:
    if len(token) > LONGEST or token.count(".") != 2 or not token.isascii():
        raise TokenRefused("it is no compact token")
    first = token.partition(".")[0]
    try:
        header = json.loads(_decoded(first))
    except (ValueError, binascii.Error, RecursionError) as fault:
        raise TokenRefused("its header cannot be read") from fault
    algorithm = header.get("alg") if isinstance(header, dict) else None
    if not isinstance(algorithm, str) or algorithm not in ALGORITHMS:
        raise TokenRefused(f"it is not signed with {' or '.join(ALGORITHMS)}")
    if not isinstance(header.get("kid"), str) or not header["kid"]:
        raise TokenRefused("it does not say which key it is signed with")
    if "crit" in header or "b64" in header:
        raise TokenRefused("it asks for an extension")
    return {"alg": algorithm, "kid": header["kid"]}


def _decoded(text: str) -> bytes:
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))


def _key(keys: Sequence[Mapping[str, Any]], key_id: str, algorithm: str) -> RSAKey | ECKey:
    named = [one for one in keys if one.get("kid") == key_id]
    if not named:
        raise UnknownKey("the provider has no such key")
    fitting = [
        one
        for one in named
        if one.get("kty") == ALGORITHMS[algorithm]
        and one.get("use", "sig") == "sig"
        and one.get("alg", algorithm) == algorithm
    ]
    if len(fitting) != 1:
        raise TokenRefused("the provider's key does not fit the token's algorithm")
    return _imported(fitting[0], algorithm)


def _imported(jwk: Mapping[str, Any], algorithm: str) -> RSAKey | ECKey:
    members = ("kty", "kid", "n", "e") if algorithm == "RS256" else ("kty", "kid", "crv", "x", "y")
    plain: dict[str, str | list[str]] = {name: jwk[name] for name in members if isinstance(jwk.get(name), str)}
    try:
        if algorithm == "RS256":
            modulus = int.from_bytes(_decoded(str(plain["n"])))
            if modulus.bit_length() < SMALLEST_RSA:
                raise TokenRefused(f"the provider's key is shorter than {SMALLEST_RSA} bits")
            return RSAKey.import_key(plain)
        if plain.get("crv") != "P-256":
            raise TokenRefused("the provider's key is on another curve than P-256")
        return ECKey.import_key(plain)
    except (JoseError, ValueError, TypeError, KeyError) as fault:
        raise TokenRefused("the provider's key cannot be read") from fault
