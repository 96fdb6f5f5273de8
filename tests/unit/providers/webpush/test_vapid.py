"""VAPID: the standard's vector, verifiers that are not ours, and one token an hour for each push service."""

from __future__ import annotations

import json
import re

import jwt
import py_vapid
from hypothesis import given
from hypothesis import strategies as st

from tidings.domain.app import Credential
from tidings.lib import crypto
from tidings.lib.crypto import base64url_from, bytes_from_base64
from tidings.providers.webpush.vapid import LIFE, Authorizations, signed_token

KEY = crypto.generate_key()
PUBLIC = base64url_from(crypto.point_from(KEY))
CREDENTIAL = Credential(
    1, 1, 1, "webpush", PUBLIC, crypto.scalar_from(KEY), settings={"subject": "mailto:push@example.com"}
)
GOOGLE, APPLE = "https://fcm.googleapis.com", "https://web.push.apple.com"
HOUR = 1_798_761_600.0


def parts(value: str) -> tuple[str, str]:
    match = re.fullmatch(r"vapid t=([\w-]+\.[\w-]+\.[\w-]+), k=([\w-]{87})", value, re.ASCII)
    assert match
    return match[1], match[2]


def claims(value: str) -> dict[str, object]:
    token, key = parts(value)
    public = crypto.public_key_from_point(bytes_from_base64(key))
    read: dict[str, object] = jwt.decode(
        token, public, algorithms=["ES256"], options={"verify_exp": False, "verify_aud": False}
    )
    return read


def test_the_vector_of_rfc_8292_section_2_4_is_signed_as_we_sign() -> None:
    token = (
        "eyJ0eXAiOiJKV1QiLCJhbGciOiJFUzI1NiJ9.eyJhdWQiOiJodHRwczovL3B1c2guZXhhbXBsZS5uZXQiLCJleHAiOjE0NTM1MjM3NjgsInN1Yi"
        "I6Im1haWx0bzpwdXNoQGV4YW1wbGUuY29tIn0.i3CYb7t4xfxCDquptFOepC9GAu_HLGkMlMuCGSK2rpiUfnK9ojFwDXb1JrErtmysazNjjvW2L9"
        "OkSSHzvoD1oA"
    )
    point = bytes_from_base64("BA1Hxzyi1RUM1b5wjxsn7nGxAszw2u61m164i3MrAIxHF6YK5h4SDYic-dRuU_RCPCfA5aq9ojSwk5Y2EmClBPs")
    assert point[1:33] == bytes_from_base64("DUfHPKLVFQzVvnCPGyfucbECzPDa7rWbXriLcysAjEc")
    assert point[33:] == bytes_from_base64("F6YK5h4SDYic-dRuU_RCPCfA5aq9ojSwk5Y2EmClBPs")
    signed, _, signature = token.rpartition(".")
    assert crypto.es256_verifies(crypto.public_key_from_point(point), bytes_from_base64(signature), signed.encode())
    ours = signed_token(
        CREDENTIAL.secret, origin="https://push.example.net", subject="mailto:push@example.com", expires=1453523768
    )
    assert ours.rpartition(".")[0] == signed


def test_py_vapid_accepts_the_header() -> None:
    value = Authorizations().value(CREDENTIAL, GOOGLE, now=4_000_000_000.0)  # what has expired by its clock it refuses
    assert py_vapid.Vapid02.verify(value.replace(", k=", ",k="))  # it cannot read the space of RFC 8292's own example


@given(st.binary(min_size=1, max_size=32), st.sampled_from([GOOGLE, APPLE, "https://push.example.net:8443"]))
def test_pyjwt_verifies_a_token_of_any_key(secret: bytes, origin: str) -> None:
    try:
        key = crypto.private_key_from_scalar(secret)
    except crypto.Malformed:
        return
    token = signed_token(crypto.scalar_from(key), origin=origin, subject="mailto:a@b.de", expires=4_000_000_000)
    read = jwt.decode(token, key.public_key(), algorithms=["ES256"], audience=origin)
    assert read == {"aud": origin, "exp": 4_000_000_000, "sub": "mailto:a@b.de"}
    assert jwt.get_unverified_header(token) == {"typ": "JWT", "alg": "ES256"}


def test_the_audience_is_each_services_own_origin() -> None:
    authorizations = Authorizations()
    for origin in (GOOGLE, APPLE, GOOGLE):
        assert claims(authorizations.value(CREDENTIAL, origin, now=HOUR))["aud"] == origin


def test_a_token_is_kept_for_the_hour_and_renewed_in_the_next() -> None:
    authorizations = Authorizations()
    first = authorizations.value(CREDENTIAL, APPLE, now=HOUR)
    assert authorizations.value(CREDENTIAL, APPLE, now=HOUR + 3599.9) is first
    second = authorizations.value(CREDENTIAL, APPLE, now=HOUR + 3600)
    assert claims(first)["exp"] == HOUR + LIFE
    assert claims(second)["exp"] == HOUR + 3600 + LIFE


@given(st.floats(1.7e9, 4e9))
def test_expiry_is_an_integer_between_11_and_12_hours_away(now: float) -> None:
    expires = claims(Authorizations().value(CREDENTIAL, GOOGLE, now=now))["exp"]
    assert isinstance(expires, int)
    assert 11 * 3600 < expires - now <= 12 * 3600


def test_a_clock_that_is_set_back_over_the_hour_brings_the_old_token_again_and_no_new_one() -> None:
    authorizations = Authorizations()
    jumping = [authorizations.value(CREDENTIAL, APPLE, now=HOUR + after) for after in (-1, 1, -1, 1, -1)]
    assert len(set(jumping)) == 2
    assert jumping[0] == jumping[2] == jumping[4]


@given(st.lists(st.floats(-7200, 7200), min_size=1, max_size=30))
def test_however_a_clock_jumps_a_service_sees_one_token_for_each_hour(jumps: list[float]) -> None:
    authorizations, now, tokens, hours = Authorizations(), HOUR, set(), set()
    for jump in jumps:
        now += jump
        tokens.add(authorizations.value(CREDENTIAL, GOOGLE, now=now))
        hours.add(int(now) // 3600)
    assert len(tokens) == len(hours)


@given(now=st.floats(1.7e9, 4e9), fast=st.floats(-11 * 3600 + 1, 12 * 3600))
def test_a_clock_that_is_hours_wrong_makes_tokens_that_services_take(now: float, fast: float) -> None:
    expires = claims(Authorizations().value(CREDENTIAL, GOOGLE, now=now + fast))["exp"]
    assert isinstance(expires, int)
    assert 0 < expires - now <= 24 * 3600, "RFC 8292 §2, by the clock of the service"


def test_two_processes_sign_the_same_token() -> None:
    one, two = (Authorizations().value(CREDENTIAL, APPLE, now=now) for now in (HOUR + 1, HOUR + 3000))
    assert claims(one) == claims(two)
    assert one == two


def test_another_contact_or_another_key_is_another_token() -> None:
    authorizations = Authorizations()
    other_key = crypto.generate_key()
    others = (
        Credential(1, 1, 1, "webpush", PUBLIC, CREDENTIAL.secret, settings={"subject": "https://www.example.com"}),
        Credential(
            2,
            1,
            1,
            "webpush",
            base64url_from(crypto.point_from(other_key)),
            crypto.scalar_from(other_key),
            settings=CREDENTIAL.settings,
        ),
    )
    values = {authorizations.value(one, GOOGLE, now=HOUR) for one in (CREDENTIAL, *others)}
    assert len(values) == 3
    assert {claims(value)["sub"] for value in values} == {"mailto:push@example.com", "https://www.example.com"}


def test_the_claims_are_written_as_the_services_read_them() -> None:
    token, key = parts(Authorizations().value(CREDENTIAL, GOOGLE, now=HOUR))
    assert key == PUBLIC
    assert json.loads(bytes_from_base64(token.split(".")[1])) == {
        "aud": GOOGLE,
        "exp": int(HOUR) + LIFE,
        "sub": "mailto:push@example.com",
    }
