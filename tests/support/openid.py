"""An OpenID provider over TLS on this machine, honest unless a test makes it lie."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import ssl
import time
from base64 import urlsafe_b64encode
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from html import escape
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import trustme
from joserfc import jws
from joserfc.jwk import ECKey, RSAKey

CLIENT = "tidings-client"
SECRET = "client-secret"


def encoded(value: object) -> bytes:
    return urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=")


@dataclass
class Published:
    """A key as the provider writes it, whether it is any good or not."""

    jwk: dict[str, str]

    def as_dict(self, *, private: bool) -> dict[str, str]:
        return self.jwk


@dataclass
class Provider:
    """Its keys, whom it signs in, and how it lies; `token` makes the ID token out of the claims."""

    port: int = 0
    scheme: str = "https"
    now: Callable[[], float] = time.time
    key: RSAKey | ECKey = field(default_factory=lambda: RSAKey.generate_key(2048, {"kid": "one"}))
    published: list[Any] | None = None
    person: dict[str, Any] = field(
        default_factory=lambda: {
            "sub": "person-1", "email": "ben@example.com", "email_verified": True, "name": "Ben",
        }
    )  # fmt: skip
    claims: dict[str, Any] = field(default_factory=dict)
    header: dict[str, Any] = field(default_factory=dict)
    document: dict[str, Any] = field(default_factory=dict)
    token: Callable[[Provider, dict[str, Any]], str] | None = None
    codes: dict[str, dict[str, str]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    pace: asyncio.Event | None = None
    """Answers wait for it, all of them or those of the paths in `slow`."""
    slow: set[str] = field(default_factory=set)

    @property
    def issuer(self) -> str:
        return f"{self.scheme}://localhost:{self.port}"

    def authorize(self, url: str) -> dict[str, str]:
        """Sign the person in, as a browser that follows the redirect would see it; gives the callback's query."""
        assert url.startswith(f"{self.issuer}/authorize?")
        asked = {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
        assert (asked["response_type"], asked["client_id"]) == ("code", CLIENT)
        assert asked["code_challenge_method"] == "S256"
        code = f"code-{len(self.codes)}"
        self.codes[code] = asked
        return {"state": asked["state"], "code": code}

    def page(self, url: str) -> str:
        """Ask who somebody is, as a provider's page does: they are the person, or go back with nothing."""
        asked = {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
        taken = urlencode({**self.authorize(url), "iss": self.issuer})
        refused = urlencode({"error": "access_denied", "state": asked["state"]})
        back, name = asked["redirect_uri"], escape(str(self.person["name"]))
        ways = ((taken, f"Sign in as {name}"), (refused, "Cancel"))
        links = "".join(f'<p><a href="{escape(f"{back}?{query}")}">{words}</a></p>' for query, words in ways)
        return f"<!doctype html><title>Work</title><h1>The provider asks</h1>{links}"

    def signed(self, claims: dict[str, Any]) -> str:
        algorithm = "RS256" if isinstance(self.key, RSAKey) else "ES256"
        header = {"alg": algorithm, "kid": self.key.kid, **self.header}
        plain = {name: value for name, value in header.items() if value is not None}
        return jws.serialize_compact(plain, json.dumps(claims), self.key, algorithms=[algorithm])

    def public_pem(self) -> bytes:
        return self.key.as_pem(private=False)

    def answer(self, path: str, body: str, authorization: str) -> tuple[int, dict[str, Any] | str]:
        if path.startswith("/authorize?"):
            return 200, self.page(f"{self.issuer}{path}")
        if path == "/.well-known/openid-configuration":
            places = {"authorization_endpoint": "authorize", "token_endpoint": "token", "jwks_uri": "keys"}
            document = {"issuer": self.issuer, **{name: f"{self.issuer}/{place}" for name, place in places.items()}}
            return 200, document | self.document
        if path == "/keys":
            keys = self.published if self.published is not None else [self.key]
            return 200, {"keys": [one.as_dict(private=False) for one in keys]}
        if path == "/token":
            return self._exchange({name: values[0] for name, values in parse_qs(body).items()}, authorization)
        return 404, {}

    def _exchange(self, form: dict[str, str], authorization: str) -> tuple[int, dict[str, Any]]:
        asked = self.codes.pop(form["code"], None)
        challenge = urlsafe_b64encode(hashlib.sha256(form["code_verifier"].encode()).digest()).rstrip(b"=").decode()
        if asked is None or challenge != asked["code_challenge"] or form["redirect_uri"] != asked["redirect_uri"]:
            return 400, {"error": "invalid_grant"}
        if not authorization.startswith("Basic "):
            return 401, {"error": "invalid_client"}
        now = int(self.now())
        claims = {"iss": self.issuer, "aud": CLIENT, "nonce": asked["nonce"], "iat": now, "exp": now + 300}
        claims |= self.person | self.claims
        claims = {name: value for name, value in claims.items() if value is not None}
        return 200, {"id_token": self.token(self, claims) if self.token else self.signed(claims)}


def unsigned(provider: Provider, claims: dict[str, Any]) -> str:
    return f"{encoded({'alg': 'none', 'kid': provider.key.kid}).decode()}.{encoded(claims).decode()}."


def hmac_with_public_key(provider: Provider, claims: dict[str, Any]) -> str:
    signing = encoded({"alg": "HS256", "kid": provider.key.kid}) + b"." + encoded(claims)
    mac = hmac.digest(provider.public_pem(), signing, "sha256")
    return (signing + b"." + urlsafe_b64encode(mac).rstrip(b"=")).decode()


def of_p256(provider: Provider, claims: dict[str, Any]) -> str:
    other = ECKey.generate_key("P-256", {"kid": "one"})
    return jws.serialize_compact({"alg": "ES256", "kid": "one"}, json.dumps(claims), other, algorithms=["ES256"])


def of_another_key(provider: Provider, claims: dict[str, Any]) -> str:
    other = RSAKey.generate_key(2048, {"kid": provider.key.kid})
    return jws.serialize_compact({"alg": "RS256", "kid": "one"}, json.dumps(claims), other, algorithms=["RS256"])


@asynccontextmanager
async def running_provider(authority: trustme.CA | None) -> AsyncIterator[Provider]:
    """Serve a provider on a free port until the block ends; without an authority by http, as for development."""
    provider = Provider(scheme="https" if authority else "http")

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
        except asyncio.IncompleteReadError:  # a browser opens connections that it may need
            return writer.close()
        lines = {name.lower(): value.strip() for name, _, value in (one.partition(":") for one in head.splitlines())}
        body = (await reader.readexactly(int(lines.get("content-length", "0")))).decode()
        path = head.split()[1]
        provider.asked.append(path)
        if provider.pace is not None and (not provider.slow or path in provider.slow):
            await provider.pace.wait()
        status, document = provider.answer(path, body, lines.get("authorization", ""))
        raw = (document if isinstance(document, str) else json.dumps(document)).encode()
        kind = "text/html" if isinstance(document, str) else "application/json"
        told = f"HTTP/1.1 {status} X\r\nContent-Type: {kind}\r\nContent-Length: {len(raw)}\r\n"
        writer.write(told.encode() + b"Connection: close\r\n\r\n" + raw)
        await writer.drain()
        writer.close()

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER) if authority else None
    if authority is not None and context is not None:
        authority.issue_cert("localhost").configure_cert(context)
    server = await asyncio.start_server(handle, "127.0.0.1", 0, ssl=context)
    provider.port = server.sockets[0].getsockname()[1]
    try:
        yield provider
    finally:
        server.close()
        await server.wait_closed()
