"""What every provider promises, run on each of them: pure requests, an outcome for any answer, errors by code."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import assert_never

import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.apple import SETTINGS, p8
from support.apple import TOKEN as DEVICE
from support.apple import key_credential as apple_key
from support.service_account import account_file
from tidings.domain.app import Credential
from tidings.domain.errors import CatalogueError
from tidings.domain.message import Action, Rendered, Urgency
from tidings.domain.outcome import (
    Accepted,
    Gone,
    KeyMismatch,
    Misconfigured,
    Outcome,
    Refused,
    Throttled,
    Unavailable,
    Unmapped,
)
from tidings.lib.crypto import base64url_from, generate_key, point_from
from tidings.lib.egress import HostPolicy
from tidings.lib.exchange import Answer, FailureKind, NetworkFailure, Reply, Request
from tidings.providers import (
    REGISTRY,
    BuildsTogether,
    Draft,
    Envelope,
    GeneratesKeys,
    NewCredential,
    Provider,
    TakesCredentials,
    provider,
)
from tidings.providers.apns.provider import Apns
from tidings.providers.fake.provider import Fake
from tidings.providers.fcm.provider import Fcm
from tidings.providers.webhook.provider import Webhook
from tidings.providers.webpush.provider import WebPush

NOW = 1_798_761_600.0
ENVELOPE = Envelope("0123456789abcdef0123456789abcdef", "AAAAbbbbCCCC0123", 3600)
TOKEN = "dHIoDxE7Hdg:APA91bH1Zj0kNa8kq_wLm-x5Tq9pZ3rYv7uB2nC6sD4eF1gH0iJ"
UNREGISTERED = (
    b'{"error":{"code":404,"status":"NOT_FOUND","details":[{"@type":'
    b'"type.googleapis.com/google.firebase.fcm.v1.FcmError","errorCode":"UNREGISTERED"}]}}'
)
MESSAGE = Rendered(
    title="Grüße",
    body="A visitor waits",
    url="https://www.example.com/inbox",
    icon=None,
    image=None,
    badge_count=2,
    actions=(Action("yes", "Yes"),),
    urgency=Urgency.HIGH,
    collapse_id=None,
    language="de",
    data={"n": [1, None]},
)


@dataclass(frozen=True)
class Case:
    """A provider with what it needs to speak."""

    via: Provider
    registration: Mapping[str, object]
    policy: HostPolicy

    url: str
    """Where a message to it is posted."""
    dead: Reply = field(default_factory=lambda: Reply(410, {}, b""))
    """What is answered for an address that is no more."""
    stored: Callable[[], Credential] | None = None
    """Makes what a sender gets to send with; None: the provider makes its own keys."""

    upload: Callable[[int], Mapping[str, str]] | None = None
    """Makes what an operator uploads, another one for each number."""

    def key(self, which: int) -> NewCredential:
        if self.upload is not None:
            assert isinstance(self.via, TakesCredentials)
            return self.via.credential_from(self.upload(which))
        assert isinstance(self.via, GeneratesKeys)
        return self.via.generate_credential({"subject": "mailto:push@example.com"})

    def credential(self) -> Credential:
        if self.stored is not None:
            return self.stored()
        assert isinstance(self.via, GeneratesKeys)
        made = self.via.generate_credential({"subject": "mailto:push@example.com"})
        return Credential(1, 1, 1, self.via.name, made.fingerprint, made.secret, made.settings)

    def request(self, message: Rendered = MESSAGE, envelope: Envelope = ENVELOPE) -> Request | Refused:
        draft = self.via.draft(message)
        assert isinstance(draft, Draft)
        to, _ = self.via.address_from(self.registration, policy=self.policy)
        return self.via.request(draft, to, envelope, credential=self.credential(), now=NOW)

    def outcome(self, answer: Answer) -> Outcome:
        to, _ = self.via.address_from(self.registration, policy=self.policy)
        return self.via.outcome(to, answer, now=NOW)


def webpush_case(endpoint: str = "https://fcm.googleapis.com/fcm/send/c0ffee:APA91b") -> Case:
    keys = {"p256dh": base64url_from(point_from(generate_key())), "auth": base64url_from(b"a" * 16)}
    return Case(WebPush(), {"endpoint": endpoint, "keys": keys}, HostPolicy(frozenset(), (), any_public=True), endpoint)


def fcm_case() -> Case:
    settings = {"project_id": "my-app-1a2b3", "client_email": "push@my-app-1a2b3.iam.gserviceaccount.com"}
    return Case(
        Fcm(),
        {"provider": "fcm", "token": TOKEN},
        HostPolicy(frozenset(), ()),
        "https://fcm.googleapis.com/v1/projects/my-app-1a2b3/messages:send",
        Reply(404, {}, UNREGISTERED),
        lambda: Credential(1, 1, 1, "fcm", "0" * 40, b"ya29.a-token-of-google", settings),
        lambda which: {"service_account": account_file(which=which)},
    )


def apns_case() -> Case:
    return Case(
        Apns(),
        {"provider": "apns", "token": DEVICE, "environment": "sandbox"},
        HostPolicy(frozenset(), ()),
        f"https://api.sandbox.push.apple.com/3/device/{DEVICE}",
        Reply(410, {}, b'{"reason":"Unregistered","timestamp":1798000000000}'),
        apple_key,
        lambda which: {"key": p8(), **SETTINGS},
    )


def webhook_case(url: str = "https://hooks.example.com/devices/7") -> Case:
    def upload(which: int) -> dict[str, str]:
        return {"url": "https://hooks.example.com/", "secret": "whsec_" + base64url_from(bytes([which]) * 32)}

    def stored() -> Credential:
        made = Webhook().credential_from(upload(1))
        return Credential(1, 1, 1, "webhook", made.fingerprint, made.secret, made.settings)

    registration = {"provider": "webhook", "token": url}
    return Case(Webhook(), registration, HostPolicy(frozenset(), ()), url, stored=stored, upload=upload)


CASES: dict[str, Callable[[], Case]] = {
    "webhook": webhook_case,
    "apns": apns_case,
    "webpush": webpush_case,
    "fcm": fcm_case,
    "fake": lambda: Case(
        Fake(), {"endpoint": "https://fake.invalid/a"}, HostPolicy(frozenset(), ()), "https://fake.invalid/a"
    ),
}


@pytest.fixture(params=sorted(REGISTRY), scope="module")
def case(request: pytest.FixtureRequest) -> Case:
    """One case per registered provider: a new provider without a case fails here."""
    return CASES[request.param]()


def consequence(outcome: Outcome) -> str:
    """What follows from each outcome; mypy proves that none is forgotten."""
    match outcome:
        case Accepted():
            return "sent"
        case Gone() | KeyMismatch():
            return "expire"
        case Refused():
            return "fail"
        case Misconfigured():
            return "pause"
        case Throttled() | Unavailable() | Unmapped():
            return "retry"
        case _:
            assert_never(outcome)


def test_the_registry_gives_the_same_instance_under_its_own_name() -> None:
    for name in REGISTRY:
        assert provider(name) is provider(name)
        assert provider(name).name == name


class TestRequest:
    def test_a_message_becomes_a_post_to_the_address_byte_for_byte(self, case: Case) -> None:
        request = case.request()
        assert isinstance(request, Request)
        assert request.url == case.url
        assert request.body

    def test_built_together_each_is_what_it_is_alone(self, case: Case) -> None:
        draft, credential = case.via.draft(MESSAGE), case.credential()
        to, _ = case.via.address_from(case.registration, policy=case.policy)
        assert isinstance(draft, Draft)
        if not isinstance(case.via, BuildsTogether):
            return  # then senders build one after the other
        envelopes = [Envelope(digit * 32, digit * 16, 3_600) for digit in "abc"]
        together = case.via.requests(draft, [(to, one) for one in envelopes], credential=credential, now=NOW)
        alone = [case.via.request(draft, to, one, credential=credential, now=NOW) for one in envelopes]
        for one, other in zip(together, alone, strict=True):
            assert isinstance(one, Request)
            assert isinstance(other, Request)
            assert (one.url, one.headers, len(one.body)) == (other.url, other.headers, len(other.body))

    def test_no_header_can_be_split_into_two(self, case: Case) -> None:
        request = case.request(replace(MESSAGE, collapse_id="a\r\nX-Evil: 1", title="t\r\nX-Evil: 1"))
        assert isinstance(request, Request)
        assert all(line.isascii() and line.isprintable() and ": " in line for line in request.headers)

    def test_a_draft_survives_the_way_to_another_process(self, case: Case) -> None:
        draft = case.via.draft(MESSAGE)
        assert pickle.loads(pickle.dumps(draft)) == draft

    def test_a_message_that_fits_no_push_is_refused_when_it_is_drafted(self, case: Case) -> None:
        refused = case.via.draft(replace(MESSAGE, body="x" * 5000))
        assert isinstance(refused, Refused)
        assert "bytes too long" in refused.reason

    @given(title=st.text(min_size=1, max_size=300), body=st.text(max_size=300), tag=st.none() | st.text(max_size=80))
    def test_any_text_can_be_sent(self, case: Case, title: str, body: str, tag: str | None) -> None:
        message = replace(MESSAGE, title=title, body=body, collapse_id=tag)
        assert isinstance(case.via.draft(message), Draft | Refused)

    def test_secrets_do_not_show_in_representations(self, case: Case) -> None:
        request = case.request()
        to, _ = case.via.address_from(case.registration, policy=case.policy)
        credential = case.credential()
        shown = f"{request!r} {to!r} {credential!r} {case.via.draft(MESSAGE)!r}"
        assert str(case.registration.get("endpoint") or case.registration.get("token")) not in shown
        assert repr(credential.secret) not in shown
        assert MESSAGE.title not in shown


class TestOutcome:
    @given(
        status=st.integers(-1, 1200),
        body=st.binary(max_size=300) | st.text(max_size=100).map(str.encode),
        headers=st.dictionaries(
            st.sampled_from(["retry-after", "location", "apns-id", "x-wns-msg-id", "x-wns-error-description"])
            | st.text(),
            st.text(max_size=300),
        ),
    )
    def test_any_answer_gives_an_outcome(self, case: Case, status: int, body: bytes, headers: dict[str, str]) -> None:
        outcome = case.outcome(Reply(status, headers, body))
        assert consequence(outcome)
        if isinstance(outcome, Throttled | Unavailable):
            assert outcome.after is None or 0 <= outcome.after <= 6 * 3600
        assert (consequence(outcome) == "sent") <= (200 <= status < 300)

    @pytest.mark.parametrize("kind", list(FailureKind))
    def test_no_answer_never_costs_a_subscription(self, case: Case, kind: FailureKind) -> None:
        assert consequence(case.outcome(NetworkFailure(kind, "\x00details"))) in {"retry", "fail"}

    @pytest.mark.parametrize(
        "body",
        [
            b"[" * 8192,
            b'{"errno":' + b"9" * 8000 + b"}",
            b'{"errno":null,"reason":7}',
            b"[]",
            b"\xff\xfe",
            b'{"errno":1e999}',
        ],
    )
    @pytest.mark.parametrize("status", [400, 401, 403, 404, 410, 413, 429, 500, 503])
    def test_a_body_made_to_break_a_parser_does_not(self, case: Case, status: int, body: bytes) -> None:
        assert consequence(case.outcome(Reply(status, {}, body)))

    def test_success_goes_to_sent_and_a_dead_address_to_expired(self, case: Case) -> None:
        assert consequence(case.outcome(Reply(201, {}, b""))) == "sent"
        assert consequence(case.outcome(case.dead)) == "expire"

    def test_a_refused_credential_never_costs_a_subscription(self, case: Case) -> None:
        assert consequence(case.outcome(Reply(401, {}, b""))) == "pause"

    def test_a_throttle_carries_the_time_that_was_named(self, case: Case) -> None:
        outcome = case.outcome(Reply(429, {"retry-after": "17"}, b""))
        assert isinstance(outcome, Throttled)
        assert outcome.after == 17


class TestRegistration:
    @pytest.mark.parametrize(
        "registration", [{}, {"endpoint": None}, {"endpoint": 7}, {"endpoint": ""}, {"endpoint": []}]
    )
    def test_what_is_no_registration_is_refused_by_code(self, case: Case, registration: dict[str, object]) -> None:
        with pytest.raises(CatalogueError) as refusal:
            case.via.address_from(registration, policy=case.policy)
        assert refusal.value.code.startswith(("subscription_", "device_"))

    @given(
        st.dictionaries(
            st.sampled_from(["endpoint", "keys", "expirationTime"]),
            st.recursive(st.none() | st.integers() | st.text(), lambda v: st.lists(v) | st.dictionaries(st.text(), v)),
        )
    )
    def test_any_json_is_taken_or_refused_by_code(self, case: Case, registration: dict[str, object]) -> None:
        try:
            address, origin = case.via.address_from(registration, policy=case.policy)
        except CatalogueError:
            return
        assert address.target == registration["endpoint"]
        assert origin


class TestKeys:
    def test_two_keys_differ_and_show_their_secret_to_nobody(self, case: Case) -> None:
        one, two = case.key(0), case.key(1)
        assert one.fingerprint != two.fingerprint
        assert repr(one.secret) not in repr(one)
        assert all(isinstance(value, str) for value in one.settings.values())

    def test_an_import_without_a_key_is_refused_by_code(self, case: Case) -> None:
        via: object = case.via
        empty = partial(via.credential_from, {}) if isinstance(via, TakesCredentials) else None
        if isinstance(via, GeneratesKeys):
            empty = partial(via.import_credential, {}, {"subject": "mailto:push@example.com"})
        assert empty is not None
        with pytest.raises(CatalogueError):
            empty()
