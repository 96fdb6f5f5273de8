"""FCM as a provider: tokens in, messages out, answers into outcomes; and what its credentials are and prove."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from functools import lru_cache
from urllib.parse import quote

from tidings.domain.app import Credential
from tidings.domain.errors import CatalogueError, ErrorCode, FieldFault
from tidings.domain.message import Rendered, Urgency
from tidings.domain.outcome import Misconfigured, Outcome, Refused, Unavailable
from tidings.domain.showing import Size
from tidings.domain.subscription import Address
from tidings.lib.egress import HostPolicy
from tidings.lib.exchange import Answer, Request
from tidings.providers import Draft, Envelope, Finding, Grant, NewCredential, Quota
from tidings.providers.fcm.conditions import TOPIC, fault_of
from tidings.providers.fcm.findings import grant_finding_from, send_finding_from
from tidings.providers.fcm.message import (
    LARGEST_TO_TOPIC,
    body_from,
    data_fault,
    draft_from,
    payload_size,
    push_type_fault,
    sizes_of,
)
from tidings.providers.fcm.oauth import grant_from_answer, grant_request_from
from tidings.providers.fcm.outcomes import Reason
from tidings.providers.fcm.reading import outcome_from
from tidings.providers.fcm.settings import A_MINUTE, ORIGIN, account_from, quota_from, warnings_of
from tidings.providers.fcm.showing import SHOWS

LONGEST_TOKEN = 4_096
"""Characters; tokens have about 160 now, and Google names no limit."""

TEST_TOPIC = "tidings-connection-test"
"""What a test of credentials is addressed to; it is only validated, and nobody gets it."""

_KINDS = ("token", "fid", "topic", "condition")
_TOKEN = re.compile(r"[A-Za-z0-9:_.%/+=~-]+", re.ASCII)
_APPLES = re.compile(r"(?:[0-9A-Fa-f]{2}){32,}")
"""How apps write Apple's device tokens; Firebase's own are never hexadecimal digits alone."""
_MANY = frozenset({b"topic", b"condition"})
"""Kinds that Google sends on to many devices."""

_PROBE = Rendered("Test", "", None, None, None, None, (), Urgency.NORMAL, None, None, {})
_ENVELOPE = Envelope("0" * 32, "0" * 16, 60)


class Fcm:
    """The Provider for devices with apps that registered with Firebase. It remembers nothing."""

    name = "fcm"
    services = frozenset({"fcm"})
    shows = SHOWS

    def service(self, origin: str) -> str:
        """Name the push service at an origin."""
        return "fcm"

    def address_from(self, registration: Mapping[str, object], *, policy: HostPolicy) -> tuple[Address, str]:
        """Take `{"token": ...}`, or instead `fid`, `topic` or `condition`; raises DEVICE_TOKEN_INVALID.

        The kind is kept as the address's keys, empty for a token: Google moves from tokens to installation ids.
        """
        named = [(kind, registration[kind]) for kind in _KINDS if registration.get(kind) is not None]
        if len(named) != 1:
            raise _invalid("token", "Send the registration token that the Firebase SDK gave the app.")
        kind, value = named[0]
        if not isinstance(value, str) or not value:
            raise _invalid(kind, "It is not a text.")
        _check(kind, value)
        return Address(value, b"" if kind == "token" else kind.encode("ascii")), ORIGIN

    def draft(self, rendered: Rendered) -> Draft | Refused:
        """Write what recipients share; Refused beyond 4096 bytes of keys and values."""
        return draft_from(rendered)

    def draft_for_relay(self, rendered: Rendered) -> Draft | Refused:
        """Write it for topics and conditions; Refused beyond 2048 bytes of keys and values."""
        draft = draft_from(rendered)
        if isinstance(draft, Refused):
            return draft
        over = _over(body_from(draft, _target(Address(TEST_TOPIC, b"topic")), _ENVELOPE, now=0))
        return (
            Refused(f"is {over} bytes too long: {LARGEST_TO_TOPIC} fit into a push to a topic") if over > 0 else draft
        )

    def sizes(self, rendered: Rendered) -> tuple[Size, ...]:
        """Measure keys and values."""
        return sizes_of(rendered)

    def fault(self, rendered: Rendered) -> FieldFault | None:
        """Name the member of `data` that FCM keeps for itself, or a kind of Apple's push that it does not carry."""
        return data_fault(rendered.data) or push_type_fault(rendered)

    def too_large_for(self, draft: Draft) -> tuple[tuple[str, int], ...]:
        """There is one service, and what it does not take is refused."""
        return ()

    def request(
        self, draft: Draft, to: Address, envelope: Envelope, *, credential: Credential, now: float
    ) -> Request | Refused:
        """Write one send; `credential.secret` is the access token. Refused if a topic takes no message of its size."""
        body = body_from(draft, _target(to), envelope, now=now)
        if to.keys in _MANY and _over(body) > 0:
            return Refused(Reason.PAYLOAD_TOO_LARGE)
        return _request(credential, body)

    def outcome(self, to: Address, answer: Answer, *, now: float) -> Outcome:
        """Say by table what an answer means."""
        return outcome_from(answer, now=now)

    def quota(self, credential: Credential) -> Quota:
        """Give what a project may send in a minute."""
        a_minute = int(credential.settings.get("messages_per_minute", A_MINUTE))
        return Quota(f"fcm:{credential.settings['project_id']}", a_minute)

    def credential_from(self, fields: Mapping[str, str]) -> NewCredential:
        """Take `service_account`, the whole JSON file; `project_id` where it is another one than the file's, and
        `messages_per_minute` where the project may send another number than Google's usual one.
        """
        account = account_from(fields.get("service_account", ""), project_id=fields.get("project_id", ""))
        settings = {
            "project_id": account.project_id,
            "client_email": account.client_email,
            "home_project": account.home_project,
        }
        if (a_minute := quota_from(fields.get("messages_per_minute", ""))) is not None:
            settings["messages_per_minute"] = str(a_minute)
        return NewCredential(account.key_id, account.private_key, settings, account=account.project_id)

    def serves(self, settings: Mapping[str, str], registration: Mapping[str, object]) -> bool:
        """A device may name the project that its app registered with."""
        named = registration.get("project_id")
        return named is None or named == settings.get("project_id")

    def warnings(self, settings: Mapping[str, str]) -> tuple[str, ...]:
        """Say when an account's name shows that it may do more than send messages."""
        return warnings_of(settings)

    def grant_request(self, credential: Credential, *, now: float) -> Request:
        """Ask Google for an access token."""
        return grant_request_from(credential, now=now)

    def grant_from(self, answer: Answer, *, now: float) -> Grant | Misconfigured | Unavailable:
        """Read Google's answer."""
        return grant_from_answer(answer, now=now)

    def grant_finding(self, fault: Misconfigured | Unavailable | None) -> Finding:
        """Say why Google gives no token."""
        return grant_finding_from(fault)

    def probes(self, credential: Credential, *, now: float) -> tuple[Request, ...]:
        """Have a message to a topic validated: Google checks project, API and permission, and delivers nothing."""
        draft = draft_from(_PROBE)
        assert isinstance(draft, Draft)
        target = _target(Address(TEST_TOPIC, b"topic"))
        return (_request(credential, body_from(draft, target, _ENVELOPE, now=now, only_validate=True)),)

    def finding(self, credential: Credential, request: Request, answer: Answer, *, now: float) -> Finding:
        """Read the answer to it."""
        return send_finding_from(outcome_from(answer, now=now), credential.settings)


def _request(credential: Credential, body: bytes) -> Request:
    url, lines = _way(credential.settings["project_id"], credential.secret)
    return Request(url, lines, body, own=0)


@lru_cache(maxsize=64)
def _way(project_id: str, token: bytes) -> tuple[str, tuple[str, ...]]:
    """Write what all requests of a project share while a token lasts."""
    return (
        f"{ORIGIN}/v1/projects/{quote(project_id, safe=':')}/messages:send",
        ("Content-Type: application/json", f"Authorization: Bearer {token.decode('ascii', 'replace')}"),
    )


def _over(body: bytes) -> int:
    return payload_size(json.loads(body)["message"]) - LARGEST_TO_TOPIC


def _target(to: Address) -> bytes:
    kind = to.keys or b"token"
    return b'"%s":%s' % (kind, json.dumps(to.target).encode("ascii"))


def _check(kind: str, value: str) -> None:
    if kind in ("token", "fid"):
        if len(value) > LONGEST_TOKEN or not _TOKEN.fullmatch(value):
            raise _invalid(kind, "It is too long, or has characters that Firebase does not use in it.")
        if _APPLES.fullmatch(value):
            raise _invalid(kind, "It is a token of Apple, not of Firebase; register it for APNs, or send FCM's own.")
    elif kind == "topic":
        if value.startswith("/topics/"):
            raise _invalid(kind, "Write the name alone, without `/topics/`.")
        if not TOPIC.fullmatch(value):
            raise _invalid(kind, "A topic's name has letters, digits and `-_.~%`.")
    elif (why := fault_of(value)) is not None:
        raise _invalid(kind, why)


def _invalid(field: str, detail: str) -> CatalogueError:
    return CatalogueError(ErrorCode.DEVICE_TOKEN_INVALID, detail, faults=(FieldFault(field, detail),))
