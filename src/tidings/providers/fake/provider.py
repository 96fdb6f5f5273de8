"""The whole Provider protocol in plain JSON, and the script of answers that stands in for the network."""

from __future__ import annotations

import hashlib
import json
import secrets
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import assert_never

from tidings.domain.app import Credential
from tidings.domain.errors import CatalogueError, ErrorCode
from tidings.domain.message import Rendered
from tidings.domain.outcome import (
    Accepted,
    Gone,
    KeyMismatch,
    Misconfigured,
    Outcome,
    Refused,
    Throttled,
    ThrottleScope,
    Unavailable,
    Unmapped,
)
from tidings.domain.subscription import Address
from tidings.lib.backoff import retry_after
from tidings.lib.egress import HostPolicy
from tidings.lib.exchange import Answer, NetworkFailure, Reply, Request
from tidings.providers import Draft, Envelope, NewCredential

ORIGIN = "https://fake.invalid"
"""Where all fake addresses are; what follows the slash is the device's name."""
LARGEST = 4096
"""Bytes of a message."""
_CAP = 6 * 3600.0

ACCEPTED = Reply(201, {"location": "m/1"}, b"")
"""What a device without a script answers."""


class Fake:
    """A provider for tests: a request's body is the message itself, and each status means one outcome."""

    name = "fake"
    services = frozenset({"other"})

    def service(self, origin: str) -> str:
        """Name the push service at an origin."""
        return "other"

    def __init__(self, random_bytes: Callable[[int], bytes] = secrets.token_bytes) -> None:
        self._random_bytes = random_bytes

    def address_from(self, registration: Mapping[str, object], *, policy: HostPolicy) -> tuple[Address, str]:
        """Take `{"endpoint": "https://fake.invalid/<device>"}`; SUBSCRIPTION_ENDPOINT_INVALID otherwise."""
        endpoint = registration.get("endpoint")
        if not isinstance(endpoint, str) or not endpoint.startswith(f"{ORIGIN}/"):
            raise CatalogueError(ErrorCode.SUBSCRIPTION_ENDPOINT_INVALID, f"It does not begin with `{ORIGIN}/`.")
        return Address(endpoint), ORIGIN

    def draft(self, rendered: Rendered) -> Draft | Refused:
        """Write title and body as JSON; Refused beyond 4096 bytes."""
        message = json.dumps({"title": rendered.title, "body": rendered.body}).encode()
        if len(message) > LARGEST:
            return Refused(f"is {len(message) - LARGEST} bytes too long: {LARGEST} fit into a push")
        return Draft((message,), rendered.urgency.value, rendered.collapse_id)

    def too_large_for(self, draft: Draft) -> tuple[tuple[str, int], ...]:
        """Every service takes every message."""
        return ()

    def request(
        self, draft: Draft, to: Address, envelope: Envelope, *, credential: Credential, now: float
    ) -> Request | Refused:
        """Say everything in headers that a test may want to see."""
        headers = (
            f"Delivery: {envelope.delivery_id}",
            f"Receipt-Token: {envelope.receipt_token}",
            f"TTL: {envelope.ttl}",
            f"Urgency: {draft.urgency}",
            f"Authorization: {credential.fingerprint}",
        )
        return Request(to.target, headers, draft.parts[0])

    def outcome(self, to: Address, answer: Answer, *, now: float) -> Outcome:
        """Read 2xx, 410, 409, 413, 401, 429 and 503 as one outcome each; all else is Unmapped."""
        match answer:
            case NetworkFailure():
                return Unavailable(None, answer.kind.value)
            case Reply():
                return _outcome(answer, now)
            case _:
                assert_never(answer)

    def generate_credential(self, settings: Mapping[str, str]) -> NewCredential:
        """Make a key of 32 random bytes."""
        return _credential(self._random_bytes(32), settings)

    def import_credential(self, fields: Mapping[str, str], settings: Mapping[str, str]) -> NewCredential:
        """Take any text as `private_key`; VAPID_KEY_INVALID without it."""
        text = fields.get("private_key")
        if not text:
            raise CatalogueError(ErrorCode.VAPID_KEY_INVALID)
        return _credential(text.encode("utf-8", "replace"), settings)


def _outcome(reply: Reply, now: float) -> Outcome:
    after = retry_after(reply.headers.get("retry-after"), now=now, cap=_CAP)
    outcomes: dict[int, Outcome] = {
        401: Misconfigured("unauthorized"),
        409: KeyMismatch("key_mismatch"),
        410: Gone("gone"),
        413: Refused("payload_too_large"),
        429: Throttled(after, ThrottleScope.DEVICE),
        503: Unavailable(after, "unavailable"),
    }
    if 200 <= reply.status < 300:
        return Accepted(reply.headers.get("location", ""))
    return outcomes.get(reply.status, Unmapped(reply.status, "unmapped_answer"))


def _credential(secret: bytes, settings: Mapping[str, str]) -> NewCredential:
    return NewCredential(f"fake-{hashlib.sha256(secret).hexdigest()[:16]}", secret, dict(settings))


class Script:
    """A push service that answers each device from its own list, then `otherwise`; it keeps what it was sent.

    `Script({"https://fake.invalid/a": [Reply(503, {}, b""), ACCEPTED]})` fails the first try and takes the second.
    """

    def __init__(self, answers: Mapping[str, Sequence[Answer]] | None = None, *, otherwise: Answer = ACCEPTED) -> None:
        self._answers = {url: deque(list_) for url, list_ in (answers or {}).items()}
        self._otherwise = otherwise
        self.sent: list[Request] = []

    def answer(self, request: Request) -> Answer:
        """Record a request and give the next answer of its device."""
        self.sent.append(request)
        waiting = self._answers.get(request.url)
        return waiting.popleft() if waiting else self._otherwise
