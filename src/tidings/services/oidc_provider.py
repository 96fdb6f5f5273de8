"""What a provider says of itself and its keys, and the exchange of a code for a token; every call is guarded."""

from __future__ import annotations

import asyncio
import json
from base64 import b64encode
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any
from urllib.parse import quote, urlencode

from tidings.domain.errors import CatalogueError, ErrorCode
from tidings.domain.member import OidcProvider
from tidings.lib.clock import Clock
from tidings.lib.egress import ForbiddenUrl
from tidings.lib.exchange import NetworkFailure
from tidings.lib.fetch import Fetch, Fetcher
from tidings.lib.id_token import UnknownKey, verified_claims
from tidings.lib.kept import Kept
from tidings.lib.log import cut

KEEP = 3_600.0
"""Seconds that what a provider says of itself, and its keys, are kept."""

KEEP_FAULT = 10.0
"""Seconds until a provider that could not be asked is asked again: strangers begin sign-ins as often as they like."""

REFRESH_EVERY = 60.0
"""Seconds between two looks for a key that is not among those kept."""

EXCHANGES = 4
"""Codes exchanged at the same time, half of what the fetcher takes: strangers bring codes too, and keys go first."""

PATIENCE = 10.0
"""Seconds that an exchange waits for its turn."""


@dataclass(frozen=True, slots=True)
class Discovered:
    """What a provider's discovery document says."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    basic: bool


class Providers:
    """Asks providers. Raises OIDC_FAILED with what an administrator can mend."""

    def __init__(self, *, fetcher: Fetcher, clock: Clock) -> None:
        self._fetcher = fetcher
        self._clock = clock
        self._documents = Kept[Discovered](now=self._now, keep=KEEP, keep_fault=KEEP_FAULT)
        self._keys = Kept[list[Mapping[str, Any]]](now=self._now, keep=KEEP, keep_fault=KEEP_FAULT)
        self._looked_again: dict[str, float] = {}
        self._exchanges = asyncio.Semaphore(EXCHANGES)

    def check_url(self, url: str) -> None:
        """Raise ForbiddenUrl for an address that may not be called."""
        self._fetcher.checked(url)

    async def discover(self, issuer: str, *, anew: bool = False) -> Discovered:
        """Give what `<issuer>/.well-known/openid-configuration` says (OpenID Connect Discovery §4), kept or `anew`."""
        if anew:
            self._documents.forget(issuer)
        return await self._documents.get(issuer, partial(self._document, issuer))

    async def _document(self, issuer: str) -> Discovered:
        found = await self._json(f"{issuer.rstrip('/')}/.well-known/openid-configuration", what="discovery document")
        if found.get("issuer") != issuer:
            raise failed(f"The provider calls itself {cut(str(found.get('issuer')), 200)!r}; set that as the issuer.")
        places = [found.get(name) for name in ("authorization_endpoint", "token_endpoint", "jwks_uri")]
        urls = [place for place in places if isinstance(place, str)]
        if len(urls) != len(places):
            raise failed("The discovery document lacks an endpoint.")
        try:
            for url in urls:
                self.check_url(url)
        except ForbiddenUrl as fault:
            raise failed(f"The discovery document names an address that may not be called: {fault}") from fault
        ways = found.get("token_endpoint_auth_methods_supported")
        basic = not isinstance(ways, list) or "client_secret_basic" in ways
        return Discovered(issuer, urls[0], urls[1], urls[2], basic)

    async def claims(
        self,
        provider: OidcProvider,
        at: Discovered,
        *,
        code: str,
        verifier: str,
        redirect_uri: str,
        nonce: str,
    ) -> dict[str, Any]:
        """Exchange a code for an ID token and give its claims. Raises OIDC_FAILED, TokenRefused."""
        async with self._turn():
            token = await self._token(provider, at, code=code, verifier=verifier, redirect_uri=redirect_uri)
        check = partial(
            verified_claims, token, issuer=provider.issuer, client_id=provider.client_id, nonce=nonce, now=self._now()
        )
        try:
            return check(await self._keys_of(at))
        except UnknownKey:
            if self._now() - self._looked_again.get(at.jwks_uri, 0.0) >= REFRESH_EVERY:
                self._looked_again[at.jwks_uri] = self._now()
                self._keys.forget(at.jwks_uri)
            return check(await self._keys_of(at))

    @asynccontextmanager
    async def _turn(self) -> AsyncIterator[None]:
        try:
            await asyncio.wait_for(self._exchanges.acquire(), PATIENCE)
        except TimeoutError:
            raise failed("The provider is slow, and many are signing in; try again in a while.") from None
        try:
            yield
        finally:
            self._exchanges.release()

    async def _token(
        self, provider: OidcProvider, at: Discovered, *, code: str, verifier: str, redirect_uri: str
    ) -> str:
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": redirect_uri,
            "code_verifier": verifier,
        }
        headers = ["Content-Type: application/x-www-form-urlencoded", "Accept: application/json"]
        if at.basic:
            pair = f"{quote(provider.client_id, safe='')}:{quote(provider.client_secret, safe='')}"
            headers.append(f"Authorization: Basic {b64encode(pair.encode()).decode()}")
        else:
            form |= {"client_id": provider.client_id, "client_secret": provider.client_secret}
        body = urlencode(form).encode()
        found = await self._json(
            at.token_endpoint, what="answer to the code", method="POST", headers=headers, body=body
        )
        token = found.get("id_token")
        if not isinstance(token, str):
            raise failed("The provider's answer has no ID token; is `openid` among the scopes it allows?")
        return token

    async def _keys_of(self, at: Discovered) -> list[Mapping[str, Any]]:
        return await self._keys.get(at.jwks_uri, partial(self._published, at.jwks_uri))

    async def _published(self, jwks_uri: str) -> list[Mapping[str, Any]]:
        found = await self._json(jwks_uri, what="keys")
        keys = found.get("keys")
        return [one for one in keys if isinstance(one, Mapping)] if isinstance(keys, list) else []

    def _now(self) -> float:
        return self._clock.now().timestamp()

    async def _json(
        self, url: str, *, what: str, method: Any = "GET", headers: list[str] | None = None, body: bytes = b""
    ) -> dict[str, Any]:
        lines = tuple(headers or ["Accept: application/json"])
        try:
            answer = await self._fetcher.fetch(Fetch(url, method, headers=lines, body=body))
        except ForbiddenUrl as fault:
            raise failed(f"The provider's {what} is at an address that may not be called: {fault}") from fault
        if isinstance(answer, NetworkFailure):
            raise failed(f"The provider's {what} could not be fetched: {answer.kind}, {cut(answer.detail, 120)}.")
        try:
            found = json.loads(answer.body) if answer.status == 200 else None
        except (ValueError, RecursionError):
            found = None
        if not isinstance(found, dict):
            raise failed(f"The provider's {what} is no JSON object; it answered {answer.status}.")
        return found


def failed(why: str) -> CatalogueError:
    """Say what went wrong."""
    return CatalogueError(ErrorCode.OIDC_FAILED, why)
