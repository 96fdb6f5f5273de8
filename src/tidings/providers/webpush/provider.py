"""Web Push as a provider: registrations in, encrypted requests out, answers into outcomes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache

from tidings.domain.app import Credential
from tidings.domain.errors import CatalogueError, ErrorCode, FieldFault
from tidings.domain.message import Rendered
from tidings.domain.outcome import Outcome, Refused
from tidings.domain.showing import Size
from tidings.domain.subscription import Address
from tidings.lib.crypto import (
    POINT_SIZE,
    Malformed,
    PrivateKey,
    base64url_from,
    bytes_from_base64,
    es256_signature,
    es256_verifies,
    generate_key,
    point_from,
    private_key_from_text,
    public_key_from_point,
    scalar_from,
)
from tidings.lib.egress import ForbiddenUrl, HostPolicy, UrlFault, checked_url
from tidings.lib.exchange import Answer, Request
from tidings.providers import Draft, Envelope, Finding, NewCredential
from tidings.providers.webpush.encrypt import AUTH_SIZE, Plain, encrypted_together
from tidings.providers.webpush.findings import PLACES, finding_from, own_findings_of
from tidings.providers.webpush.message import draft_from, excess, payload_from, sizes_of
from tidings.providers.webpush.outcomes import Reason
from tidings.providers.webpush.reading import outcome_from
from tidings.providers.webpush.settings import LARGEST_MOZILLA, Family, contact_checked, padded_size, service_at
from tidings.providers.webpush.showing import SHOWS
from tidings.providers.webpush.vapid import Authorizations

LEAST_TTL = 60
"""Seconds. With 0, a service may drop what it accepted, and Apple and Microsoft refuse it."""

_ENDPOINT_CODES = {
    UrlFault.INVALID: ErrorCode.SUBSCRIPTION_ENDPOINT_INVALID,
    UrlFault.TOO_LONG: ErrorCode.SUBSCRIPTION_ENDPOINT_TOO_LONG,
    UrlFault.INSECURE: ErrorCode.SUBSCRIPTION_ENDPOINT_INSECURE,
    UrlFault.USERINFO: ErrorCode.SUBSCRIPTION_ENDPOINT_USERINFO,
    UrlFault.IP_LITERAL: ErrorCode.SUBSCRIPTION_ENDPOINT_IP,
    UrlFault.PORT: ErrorCode.SUBSCRIPTION_ENDPOINT_PORT,
    UrlFault.HOST: ErrorCode.SUBSCRIPTION_ENDPOINT_FORBIDDEN,
}
_RETIRED = {
    "https://permanently-removed.invalid/": "The browser has removed this subscription for good; subscribe again.",
    "https://android.googleapis.com/gcm/send": "Google switched this push service off in 2019; subscribe again.",
}


_TOO_LARGE = {Family.MOZILLA: Reason.TOO_LARGE_FOR_MOZILLA}


class WebPush:
    """The Provider for browsers. It remembers the Authorization values of the hour, and nothing else."""

    name = "webpush"
    services = frozenset(family.label for family in Family)
    shows = SHOWS

    def service(self, origin: str) -> str:
        """Name the push service at an origin; one of those an operator has added is `other`."""
        return service_at(origin).family.label

    def __init__(self) -> None:
        self._authorizations = Authorizations()

    def address_from(self, registration: Mapping[str, object], *, policy: HostPolicy) -> tuple[Address, str]:
        """Validate `PushSubscription.toJSON()`; give its address (endpoint byte for byte) and push service's origin.

        Raises the SUBSCRIPTION_ENDPOINT_* code of what is wrong, SUBSCRIPTION_KEY_INVALID or SUBSCRIPTION_AUTH_INVALID.
        """
        endpoint = registration.get("endpoint")
        if not isinstance(endpoint, str):
            raise _invalid(ErrorCode.SUBSCRIPTION_ENDPOINT_INVALID, "endpoint", "There is no endpoint.")
        origin = _checked_origin(endpoint, policy)
        keys = registration.get("keys")
        fields = keys if isinstance(keys, Mapping) else {}
        return Address(endpoint, _checked_p256dh(fields.get("p256dh")) + _checked_auth(fields.get("auth"))), origin

    def draft(self, rendered: Rendered) -> Draft | Refused:
        """Write the payload that recipients share; Refused if it has more than 3993 bytes."""
        return draft_from(rendered)

    def sizes(self, rendered: Rendered) -> tuple[Size, ...]:
        """Measure the plaintext, for the push service of Firefox and for all others."""
        return sizes_of(rendered)

    def too_large_for(self, draft: Draft) -> tuple[tuple[str, int], ...]:
        """Name the push services that take no message so long, each with the bytes that are too many."""
        over = excess(draft, largest=LARGEST_MOZILLA)
        return ((Family.MOZILLA.label, over),) if over else ()

    def request(
        self, draft: Draft, to: Address, envelope: Envelope, *, credential: Credential, now: float
    ) -> Request | Refused:
        """Encrypt and address one message (RFC 8030 §5); Refused if this push service takes no message of its size."""
        return self.requests(draft, [(to, envelope)], credential=credential, now=now)[0]

    def requests(
        self, draft: Draft, recipients: Sequence[tuple[Address, Envelope]], *, credential: Credential, now: float
    ) -> list[Request | Refused]:
        """Encrypt and address the messages of many, in their order: each step for all of them before the next."""
        plain = [_plain(draft, to, envelope) for to, envelope in recipients]
        bodies = iter(encrypted_together([one for one in plain if isinstance(one, Plain)]))
        made: list[Request | Refused] = []
        for (to, envelope), one in zip(recipients, plain, strict=True):
            body = next(bodies) if isinstance(one, Plain) else None
            if body is not None:
                service = service_at(to.target)
                authorization = self._authorizations.value(credential, service.origin, now=now)
                shared = _lines(draft.urgency, envelope.ttl, authorization, service.family)
                topic = f"Topic: {draft.collapse_id or envelope.delivery_id}"
                made.append(Request(to.target, (*shared, topic), body))
            else:
                made.append(one if isinstance(one, Refused) else Refused(Reason.KEYS_UNUSABLE))
        return made

    def outcome(self, to: Address, answer: Answer, *, now: float) -> Outcome:
        """Look the answer up in the table of the push service that gave it."""
        return outcome_from(service_at(to.target).family, answer, now=now)

    def generate_credential(self, settings: Mapping[str, str]) -> NewCredential:
        """Make a VAPID key pair for the contact in `settings["subject"]`; raises CONTACT_INVALID."""
        return _credential(generate_key(), subject=settings.get("subject", ""))

    def import_credential(self, fields: Mapping[str, str], settings: Mapping[str, str]) -> NewCredential:
        """Take `private_key` (PEM, DER in base64, or 32 bytes in base64url) and, if given, its `public_key`.

        Raises VAPID_KEY_INVALID, VAPID_KEY_MISMATCH or CONTACT_INVALID.
        """
        try:
            key = private_key_from_text(fields.get("private_key", ""))
        except Malformed as error:
            raise _invalid(ErrorCode.VAPID_KEY_INVALID, "private_key", str(error)) from None
        stated = fields.get("public_key", "").strip()
        if stated:
            _check_pair(key, stated)
        return _credential(key, subject=settings.get("subject", ""))

    def own_findings(self, credential: Credential) -> tuple[Finding, ...]:
        """Look at the pair and the contact."""
        return own_findings_of(credential)

    def probes(self, credential: Credential, *, now: float) -> tuple[Request, ...]:
        """Push nothing to nobody at each push service that browsers subscribe with."""
        return tuple(
            Request(url, (f"TTL: {LEAST_TTL}", f"Authorization: {self._signed(credential, url, now=now)}"), b"")
            for url in PLACES.values()
        )

    def _signed(self, credential: Credential, url: str, *, now: float) -> str:
        return self._authorizations.value(credential, service_at(url).origin, now=now)

    def finding(self, credential: Credential, request: Request, answer: Answer, *, now: float) -> Finding:
        """Read the answer to one: that it knows no such browser means that it was reached."""
        family = service_at(request.url).family
        return finding_from(family, answer, outcome_from(family, answer, now=now))


def _plain(draft: Draft, to: Address, envelope: Envelope) -> Plain | Refused:
    service = service_at(to.target)
    payload = payload_from(draft, envelope)
    if len(payload) > service.largest:
        return Refused(_TOO_LARGE.get(service.family, Reason.PAYLOAD_TOO_LARGE))
    size = padded_size(len(payload), largest=service.largest)
    return Plain(payload, to.keys[:POINT_SIZE], to.keys[POINT_SIZE:], size)


@lru_cache(maxsize=256)
def _lines(urgency: str, ttl: int, authorization: str, family: Family) -> tuple[str, ...]:
    """Write the header lines that messages share; the one of its own comes last, as `lib/http2` expects."""
    return (
        f"TTL: {max(LEAST_TTL, ttl)}",
        f"Urgency: {urgency}",
        "Content-Encoding: aes128gcm",
        "Content-Type: application/octet-stream",
        f"Authorization: {authorization}",
        *(("X-WNS-Cache-Policy: cache",) if family is Family.MICROSOFT else ()),
    )


def _invalid(code: ErrorCode, field: str, detail: str) -> CatalogueError:
    return CatalogueError(code, detail, faults=(FieldFault(field, detail),))


def _checked_origin(endpoint: str, policy: HostPolicy) -> str:
    for start, detail in _RETIRED.items():
        if endpoint.lower().startswith(start):
            raise _invalid(ErrorCode.SUBSCRIPTION_ENDPOINT_FORBIDDEN, "endpoint", detail)
    try:
        origin = checked_url(endpoint, policy=policy).origin
    except ForbiddenUrl as error:
        raise _invalid(_ENDPOINT_CODES[error.fault], "endpoint", error.detail) from None
    if not endpoint.startswith(f"{origin}/"):
        # Another spelling of the same address would be another row, and the device would be told twice.
        detail = f"Browsers write this endpoint's beginning as {origin}/."
        raise _invalid(ErrorCode.SUBSCRIPTION_ENDPOINT_INVALID, "endpoint", detail)
    return origin


def _checked_p256dh(value: object) -> bytes:
    try:
        point = bytes_from_base64(value if isinstance(value, str) else "")
        public_key_from_point(point)
    except Malformed as error:
        raise _invalid(ErrorCode.SUBSCRIPTION_KEY_INVALID, "keys.p256dh", str(error)) from None
    return point


def _checked_auth(value: object) -> bytes:
    try:
        auth = bytes_from_base64(value if isinstance(value, str) else "")
    except Malformed as error:
        raise _invalid(ErrorCode.SUBSCRIPTION_AUTH_INVALID, "keys.auth", str(error)) from None
    if len(auth) != AUTH_SIZE:
        detail = f"`auth` has {AUTH_SIZE} bytes; this one has {len(auth)}."
        raise _invalid(ErrorCode.SUBSCRIPTION_AUTH_INVALID, "keys.auth", detail)
    return auth


def _check_pair(key: PrivateKey, stated: str) -> None:
    try:
        public = bytes_from_base64("".join(stated.split()))
        public_key_from_point(public)
    except Malformed as error:
        raise _invalid(ErrorCode.VAPID_KEY_INVALID, "public_key", str(error)) from None
    if public != point_from(key):
        detail = "The public key belongs to another private key; pushes signed with this pair would be refused."
        raise _invalid(ErrorCode.VAPID_KEY_MISMATCH, "public_key", detail)


def _credential(key: PrivateKey, *, subject: str) -> NewCredential:
    contact = contact_checked(subject)
    message = b"Tidings signs this to see that the pair works"
    if not es256_verifies(key.public_key(), es256_signature(key, message), message):
        raise CatalogueError(ErrorCode.VAPID_KEY_INVALID, "The key's own signature does not verify; make another key.")
    return NewCredential(
        fingerprint=base64url_from(point_from(key)), secret=scalar_from(key), settings={"subject": contact}
    )
