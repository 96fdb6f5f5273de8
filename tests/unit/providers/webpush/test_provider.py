"""Registrations, requests and keys of Web Push, as browsers, services and operators meet them."""

from __future__ import annotations

import base64
import json
from dataclasses import replace
from typing import Any

import http_ece
import pytest
from cryptography.hazmat.primitives import serialization

from tidings.domain.app import Credential
from tidings.domain.errors import CatalogueError, ErrorCode
from tidings.domain.message import Rendered, Urgency
from tidings.domain.outcome import Refused
from tidings.domain.subscription import Address
from tidings.lib import crypto
from tidings.lib.crypto import base64url_from
from tidings.lib.egress import HostPolicy, UrlFault
from tidings.lib.exchange import Request
from tidings.providers import Draft, Envelope, GeneratesKeys
from tidings.providers.webpush import provider as module
from tidings.providers.webpush.provider import WebPush
from tidings.providers.webpush.settings import default_policy

NOW = 1_798_761_600.0
WEB_PUSH = WebPush()
POLICY = default_policy()
BROWSER = crypto.private_key_from_scalar(b"browser".ljust(32, b"."))
POINT, AUTH = crypto.point_from(BROWSER), b"0123456789abcdef"
GOOGLE = "https://fcm.googleapis.com/fcm/send/c0ffee:APA91b"
MOZILLA = "https://updates.push.services.mozilla.com/wpush/v2/gAAAA"
MICROSOFT = "https://wns2-par02p.notify.windows.com/w/?token=BQYAAAD%2b%2fx%3d"
ENVELOPE = Envelope("0123456789abcdef0123456789abcdef", "AAAA-bbb_CCC0123", 3600)
MESSAGE = Rendered("Title", "Body", "https://www.example.com/", None, None, None, (), Urgency.HIGH, None, None, {})
SUBJECT = {"subject": "mailto:push@example.com"}
MADE = WEB_PUSH.generate_credential(SUBJECT)
CREDENTIAL = Credential(1, 1, 1, "webpush", MADE.fingerprint, MADE.secret, MADE.settings)


def registration(endpoint: object = GOOGLE, p256dh: object = None, auth: object = None) -> dict[str, object]:
    return {
        "endpoint": endpoint,
        "expirationTime": None,
        "keys": {
            "p256dh": base64url_from(POINT) if p256dh is None else p256dh,
            "auth": base64url_from(AUTH) if auth is None else auth,
        },
    }


def refusal(body: dict[str, Any], policy: HostPolicy = POLICY) -> CatalogueError:
    with pytest.raises(CatalogueError) as refused:
        WEB_PUSH.address_from(body, policy=policy)
    return refused.value


def request(endpoint: str = GOOGLE, message: Rendered = MESSAGE, envelope: Envelope = ENVELOPE) -> Request | Refused:
    draft = WEB_PUSH.draft(message)
    assert isinstance(draft, Draft)
    return WEB_PUSH.request(draft, Address(endpoint, POINT + AUTH), envelope, credential=CREDENTIAL, now=NOW)


def headers(made: Request | Refused) -> dict[str, str]:
    assert isinstance(made, Request)
    return dict(line.split(": ", 1) for line in made.headers)


class TestAddress:
    @pytest.mark.parametrize("endpoint", [GOOGLE, MOZILLA, MICROSOFT, "https://web.push.apple.com/QGk1"])
    def test_a_browsers_subscription_is_kept_byte_for_byte(self, endpoint: str) -> None:
        address, origin = WEB_PUSH.address_from(registration(endpoint), policy=POLICY)
        assert address == Address(endpoint, POINT + AUTH)
        assert endpoint.startswith(f"{origin}/")

    def test_keys_are_taken_in_either_alphabet_padded_or_not(self) -> None:
        spellings = (
            (base64.b64encode, False),
            (base64.b64encode, True),
            (base64.urlsafe_b64encode, False),
            (base64.urlsafe_b64encode, True),
        )
        for encode, bare in spellings:
            p256dh, auth = encode(POINT).decode(), encode(AUTH).decode()
            body = registration(GOOGLE, p256dh.rstrip("=") if bare else p256dh, auth.rstrip("=") if bare else auth)
            assert WEB_PUSH.address_from(body, policy=POLICY)[0].keys == POINT + AUTH

    @pytest.mark.parametrize(
        ("endpoint", "code"),
        [
            (None, ErrorCode.SUBSCRIPTION_ENDPOINT_INVALID),
            ("", ErrorCode.SUBSCRIPTION_ENDPOINT_INVALID),
            ("https://fcm.googleapis.com/a b", ErrorCode.SUBSCRIPTION_ENDPOINT_INVALID),
            (f"{GOOGLE}{'a' * 3000}", ErrorCode.SUBSCRIPTION_ENDPOINT_TOO_LONG),
            ("http://fcm.googleapis.com/fcm/send/a", ErrorCode.SUBSCRIPTION_ENDPOINT_INSECURE),
            ("https://fcm.googleapis.com@evil.example/", ErrorCode.SUBSCRIPTION_ENDPOINT_USERINFO),
            ("https://127.0.0.1/", ErrorCode.SUBSCRIPTION_ENDPOINT_IP),
            ("https://2130706433/", ErrorCode.SUBSCRIPTION_ENDPOINT_IP),
            ("https://fcm.googleapis.com:8443/", ErrorCode.SUBSCRIPTION_ENDPOINT_PORT),
            ("https://fcm.googleapis.com.evil.example/", ErrorCode.SUBSCRIPTION_ENDPOINT_FORBIDDEN),
            ("https://push.example.com/up", ErrorCode.SUBSCRIPTION_ENDPOINT_FORBIDDEN),
        ],
    )
    def test_each_fault_of_an_endpoint_has_its_code(self, endpoint: object, code: ErrorCode) -> None:
        refused = refusal(registration(endpoint))
        assert refused.code is code
        assert [fault.field for fault in refused.faults] == ["endpoint"]

    def test_every_fault_that_egress_knows_has_a_code(self) -> None:
        assert set(module._ENDPOINT_CODES) == set(UrlFault)

    @pytest.mark.parametrize(
        ("endpoint", "words"),
        [
            ("https://permanently-removed.invalid/fcm/send/a", "has removed this subscription"),
            ("https://android.googleapis.com/gcm/send/a", "switched this push service off"),
        ],
    )
    def test_what_browsers_left_behind_is_refused_with_the_reason_whatever_the_policy(
        self, endpoint: str, words: str
    ) -> None:
        for policy in (POLICY, default_policy(extra_hosts=["*"])):
            refused = refusal(registration(endpoint), policy)
            assert refused.code is ErrorCode.SUBSCRIPTION_ENDPOINT_FORBIDDEN
            assert words in refused.detail

    @pytest.mark.parametrize(
        "p256dh",
        [
            7,
            "",
            "not base64!",
            base64url_from(POINT[:-1]),
            base64url_from(POINT + b"\0"),
            base64url_from(POINT[1:]),
            base64url_from(b"\x04" + bytes(64)),
            base64url_from(POINT[:-1] + bytes([POINT[-1] ^ 1])),
            base64url_from(b"\x02" + POINT[1:33]),
        ],
    )
    def test_a_public_key_that_is_none_is_refused(self, p256dh: object) -> None:
        refused = refusal(registration(GOOGLE, p256dh))
        assert refused.code is ErrorCode.SUBSCRIPTION_KEY_INVALID
        assert [fault.field for fault in refused.faults] == ["keys.p256dh"]

    @pytest.mark.parametrize(
        "auth", [7, "", "?", base64url_from(AUTH[:15]), base64url_from(AUTH + b"x"), base64url_from(AUTH) + "=" * 3]
    )
    def test_an_auth_secret_that_is_not_16_bytes_is_refused(self, auth: object) -> None:
        refused = refusal(registration(GOOGLE, auth=auth))
        assert refused.code is ErrorCode.SUBSCRIPTION_AUTH_INVALID
        assert [fault.field for fault in refused.faults] == ["keys.auth"]

    @pytest.mark.parametrize("keys", [None, [], "x", {}])
    def test_a_subscription_without_keys_is_refused(self, keys: object) -> None:
        assert refusal({"endpoint": GOOGLE, "keys": keys}).code is ErrorCode.SUBSCRIPTION_KEY_INVALID

    @pytest.mark.parametrize(
        "endpoint",
        [
            "https://FCM.googleapis.com/fcm/send/x",
            "HTTPS://fcm.googleapis.com/fcm/send/x",
            "https://fcm.googleapis.com:443/fcm/send/x",
            "https://fcm.googleapis.com",
        ],
    )
    def test_another_spelling_of_the_same_address_is_refused(self, endpoint: str) -> None:
        refused = refusal(registration(endpoint))
        assert refused.code is ErrorCode.SUBSCRIPTION_ENDPOINT_INVALID
        assert "https://fcm.googleapis.com/" in refused.detail

    def test_no_refusal_quotes_the_endpoints_path(self) -> None:
        assert "secret-token" not in str(refusal(registration("https://push.example.com/secret-token")))


class TestRequest:
    def test_every_header_is_as_the_services_want_it(self) -> None:
        assert headers(request()) == {
            "TTL": "3600",
            "Urgency": "high",
            "Topic": ENVELOPE.delivery_id,
            "Content-Encoding": "aes128gcm",
            "Content-Type": "application/octet-stream",
            "Authorization": headers(request())["Authorization"],
        }
        assert headers(request())["Authorization"].endswith(f", k={MADE.fingerprint}")

    def test_the_browser_reads_the_payload(self) -> None:
        made = request()
        assert isinstance(made, Request)
        plaintext = http_ece.decrypt(made.body, private_key=BROWSER, auth_secret=AUTH, version="aes128gcm")
        assert json.loads(plaintext)["tidings"] == {"d": ENVELOPE.delivery_id, "t": ENVELOPE.receipt_token}
        assert len(made.body) == 256 + 103

    def test_windows_gets_its_cache_policy_and_nobody_else(self) -> None:
        assert headers(request(MICROSOFT))["X-WNS-Cache-Policy"] == "cache"
        assert "X-WNS-Cache-Policy" not in headers(request(MOZILLA))

    @pytest.mark.parametrize(("left", "sent"), [(0, "60"), (-5, "60"), (59, "60"), (61, "61"), (2_419_200, "2419200")])
    def test_a_time_to_live_is_never_under_a_minute(self, left: int, sent: str) -> None:
        assert headers(request(envelope=ENVELOPE._replace(ttl=left)))["TTL"] == sent

    def test_a_collapse_id_becomes_a_topic_that_apple_takes_too(self) -> None:
        topic = headers(request(message=replace(MESSAGE, collapse_id="conversation/42 äöü")))["Topic"]
        assert len(topic) == 32
        assert topic.isalnum()
        assert topic != ENVELOPE.delivery_id

    def test_what_is_too_large_for_firefox_on_a_phone_still_goes_to_the_others(self) -> None:
        message = replace(MESSAGE, body="x" * 3000)
        assert isinstance(request(GOOGLE, message), Request)
        assert request(MOZILLA, message) == Refused("too_large_for_mozilla")

    @pytest.mark.parametrize("endpoint", [GOOGLE, MOZILLA, MICROSOFT])
    def test_no_body_is_larger_than_its_service_takes(self, endpoint: str) -> None:
        for length in range(0, 3900, 150):
            made = request(endpoint, replace(MESSAGE, body="x" * length))
            if isinstance(made, Request):
                assert len(made.body) - 103 <= (2700 if endpoint == MOZILLA else 3993)

    @pytest.mark.parametrize("keys", [b"", POINT, b"\x04" + bytes(80), AUTH + POINT])
    def test_stored_keys_that_went_bad_refuse_this_message_and_harm_no_other(self, keys: bytes) -> None:
        draft = WEB_PUSH.draft(MESSAGE)
        assert isinstance(draft, Draft)
        made = WEB_PUSH.request(draft, Address(GOOGLE, keys), ENVELOPE, credential=CREDENTIAL, now=NOW)
        assert made == Refused("subscription_keys_unusable")
        good = Address(GOOGLE, POINT + AUTH)
        recipients = [(good, ENVELOPE), (Address(GOOGLE, keys), ENVELOPE), (good, ENVELOPE)]
        first, bad, last = WEB_PUSH.requests(draft, recipients, credential=CREDENTIAL, now=NOW)
        assert bad == made
        assert isinstance(first, Request)
        assert isinstance(last, Request)
        assert first.body[:86] != last.body[:86], "each has a salt and a key pair of its own"


PEM = BROWSER.private_bytes(
    serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
).decode()
RAW = base64url_from(crypto.scalar_from(BROWSER))
PUBLIC = base64url_from(POINT)


class TestKeys:
    def test_it_is_a_provider_that_generates_keys(self) -> None:
        assert isinstance(WEB_PUSH, GeneratesKeys)

    def test_a_generated_key_is_87_characters_of_a_pair_that_belongs_together(self) -> None:
        assert len(MADE.fingerprint) == 87
        assert crypto.point_from(crypto.private_key_from_scalar(MADE.secret)) == crypto.bytes_from_base64(
            MADE.fingerprint
        )
        assert MADE.settings == SUBJECT

    @pytest.mark.parametrize("private", [PEM, RAW, f"\ufeff{PEM}", PEM.replace("\n", "\\n"), PEM.replace("\n", "\r\n")])
    @pytest.mark.parametrize("public", ["", PUBLIC, f" {PUBLIC}=\n", base64.b64encode(POINT).decode()])
    def test_a_key_made_elsewhere_is_imported(self, private: str, public: str) -> None:
        made = WEB_PUSH.import_credential({"private_key": private, "public_key": public}, SUBJECT)
        assert (made.fingerprint, made.secret) == (PUBLIC, crypto.scalar_from(BROWSER))

    def test_a_public_key_of_another_pair_is_refused(self) -> None:
        with pytest.raises(CatalogueError) as refused:
            WEB_PUSH.import_credential({"private_key": RAW, "public_key": MADE.fingerprint}, SUBJECT)
        assert refused.value.code is ErrorCode.VAPID_KEY_MISMATCH

    @pytest.mark.parametrize(
        ("fields", "field"),
        [
            ({}, "private_key"),
            ({"private_key": "x"}, "private_key"),
            ({"private_key": PUBLIC}, "private_key"),
            ({"private_key": RAW, "public_key": RAW}, "public_key"),
            ({"private_key": RAW, "public_key": "?"}, "public_key"),
        ],
    )
    def test_a_key_that_is_none_is_refused_and_never_quoted(self, fields: dict[str, str], field: str) -> None:
        with pytest.raises(CatalogueError) as refused:
            WEB_PUSH.import_credential(fields, SUBJECT)
        assert refused.value.code is ErrorCode.VAPID_KEY_INVALID
        assert [fault.field for fault in refused.value.faults] == [field]
        assert RAW not in str(refused.value)

    @pytest.mark.parametrize("settings", [{}, {"subject": ""}, {"subject": "mailto:me@localhost"}])
    def test_no_key_is_made_without_a_contact_that_all_services_take(self, settings: dict[str, str]) -> None:
        for make in (
            lambda: WEB_PUSH.generate_credential(settings),
            lambda: WEB_PUSH.import_credential({"private_key": RAW}, settings),
        ):
            with pytest.raises(CatalogueError) as refused:
                make()
            assert refused.value.code is ErrorCode.CONTACT_INVALID
