"""Google's token endpoint: a service account's signed claim is checked, and an access token given for it."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from tidings.lib.clock import Clock
from tidings.simulator import base64url
from tidings.simulator.answers import Request, Response

TOKEN_URI = "https://oauth2.googleapis.com/token"  # noqa: S105 - an address
SCOPES = ("https://www.googleapis.com/auth/firebase.messaging", "https://www.googleapis.com/auth/cloud-platform")
LIFE = 3_599
SKEW = 300
"""Seconds that a claim's times may be off."""

_GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
_JSON = ("content-type", "application/json; charset=utf-8")


@dataclass(slots=True)
class Project:
    """A project of Firebase with its service account; the switches are what operators get wrong."""

    id: str
    key_id: str
    key: rsa.RSAPrivateKey = field(repr=False)
    api_enabled: bool = True
    permitted: bool = True
    key_revoked: bool = False
    account_deleted: bool = False

    @property
    def email(self) -> str:
        """The account's name."""
        return f"tidings@{self.id}.iam.gserviceaccount.com"

    def file(self) -> dict[str, str]:
        """Give the account's file, as the console hands it out."""
        pem = self.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
        return {
            "type": "service_account",
            "project_id": self.id,
            "private_key_id": self.key_id,
            "private_key": pem,
            "client_email": self.email,
            "client_id": str(uuid.uuid5(uuid.NAMESPACE_DNS, self.id).int)[:21],
            "auth_uri": "https://accounts.google.com/o/oauth2/auth",
            "token_uri": TOKEN_URI,
            "universe_domain": "googleapis.com",
        }


class OAuth:
    """Knows projects by their accounts, and the tokens it has given."""

    def __init__(self, *, clock: Clock, random_bytes: Callable[[int], bytes]) -> None:
        self.projects: dict[str, Project] = {}
        self.given = 0
        self._clock = clock
        self._random_bytes = random_bytes
        self._tokens: dict[str, tuple[Project, float]] = {}

    def project(self, name: str) -> Project:
        """Give a project, made with a key of its own when it is first asked for."""
        if name not in self.projects:
            key = rsa.generate_private_key(public_exponent=65_537, key_size=2048)
            self.projects[name] = Project(name, self._random_bytes(20).hex(), key)
        return self.projects[name]

    def bearer(self, authorization: str) -> Project | None:
        """Give whose token a header carries; None when it is none, or has ended."""
        kind, _, token = authorization.partition(" ")
        found = self._tokens.get(token) if kind == "Bearer" else None
        return found[0] if found and self._clock.now().timestamp() < found[1] else None

    def forget(self) -> int:
        """Let no token that was given hold any more; give how many."""
        held, self._tokens = len(self._tokens), {}
        return held

    def token(self, request: Request) -> Response:
        """Exchange a claim for a token (RFC 7523 §2.1)."""
        form = parse_qs(request.body.decode("ascii", "replace"))
        if request.method != "POST" or form.get("grant_type") != [_GRANT]:
            return _refused("unsupported_grant_type", "Invalid grant_type")
        found = self._project_of(form.get("assertion", [""])[0])
        if not isinstance(found, Project):
            return _refused("invalid_grant", found)
        token = "ya29.c." + base64url.encoded(self._random_bytes(48))
        self._tokens[token] = (found, self._clock.now().timestamp() + LIFE)
        self.given += 1
        body = {"access_token": token, "expires_in": LIFE, "token_type": "Bearer"}
        return Response(200, (_JSON,), json.dumps(body).encode())

    def _project_of(self, assertion: str) -> Project | str:
        """Check a claim; give whose it is, or Google's words for what is wrong with it."""
        try:
            head, claims, signature = assertion.split(".")
            header, said = (_decoded(part) for part in (head, claims))
            signed = base64url.decoded(signature)
        except ValueError:
            return "Bad Request"
        project = next((one for one in self.projects.values() if one.email == said.get("iss")), None)
        if project is None or project.account_deleted:
            return "Invalid grant: account not found"
        try:
            key = project.key.public_key()
            key.verify(signed, f"{head}.{claims}".encode(), padding.PKCS1v15(), hashes.SHA256())
        except InvalidSignature:
            return "Invalid JWT Signature."
        if project.key_revoked or header.get("kid") != project.key_id or header.get("alg") != "RS256":
            return "Invalid JWT Signature."
        if said.get("aud") != TOKEN_URI or said.get("scope") not in SCOPES:
            return "Invalid JWT: wrong audience or scope"
        now, begun, ends = self._clock.now().timestamp(), said.get("iat"), said.get("exp")
        timely = (
            isinstance(begun, int)
            and isinstance(ends, int)
            and ends - begun <= 3600
            and begun <= now + SKEW
            and ends >= now - SKEW
        )
        if not timely:
            return (
                "Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable timeframe. "
                "Check your iat and exp values in the JWT claim."
            )
        return project


def _decoded(part: str) -> dict[str, Any]:
    found = json.loads(base64url.decoded(part))
    if not isinstance(found, dict):
        raise ValueError("not an object")
    return found


def _refused(error: str, words: str) -> Response:
    return Response(400, (_JSON,), json.dumps({"error": error, "error_description": words}).encode())
