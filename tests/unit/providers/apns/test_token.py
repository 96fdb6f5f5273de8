"""The provider token: Apple's form, the same in every process, renewed when it has to be."""

from __future__ import annotations

import subprocess
import sys
from itertools import pairwise

import jwt
import pytest
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from hypothesis import given
from hypothesis import strategies as st

from support.apple import KEY_ID, TEAM_ID, key_credential, p8
from tidings.lib.crypto import PrivateKey
from tidings.providers.apns.token import LEAST_AGE, LIFE, ProviderTokens, issued_at

NOW = 1_798_761_600.0
TEXT = p8()
CREDENTIAL = key_credential(TEXT)


def test_a_token_holds_what_apple_reads_and_nothing_else() -> None:
    scheme, _, token = ProviderTokens().value(CREDENTIAL, now=NOW).partition(" ")
    key = load_pem_private_key(TEXT.encode(), None)
    assert isinstance(key, PrivateKey)
    claims = jwt.decode(token, key.public_key(), algorithms=["ES256"], options={"verify_iat": False})
    assert scheme == "bearer"
    assert claims == {"iss": TEAM_ID, "iat": issued_at(NOW)}
    assert jwt.get_unverified_header(token) == {"alg": "ES256", "kid": KEY_ID}


@given(st.floats(min_value=1.7e9, max_value=4e9))
def test_a_token_is_never_of_the_future_and_never_an_hour_old(now: float) -> None:
    assert LEAST_AGE <= now - issued_at(now) <= LIFE + LEAST_AGE + 1


@given(st.lists(st.floats(min_value=0, max_value=86_400), min_size=1, max_size=200))
def test_however_often_it_is_asked_there_is_one_new_token_in_45_minutes(moments: list[float]) -> None:
    issued = sorted({issued_at(NOW + moment) for moment in moments})
    assert all(later - earlier >= LIFE for earlier, later in pairwise(issued))


def test_every_process_makes_the_same_token() -> None:
    program = (
        "import sys; from tidings.domain.app import Credential;"
        "from tidings.providers.apns.token import ProviderTokens;"
        "c = Credential(1, 1, 1, 'apns', 'f', bytes.fromhex(sys.argv[1]),"
        f" {{'key_id': {KEY_ID!r}, 'team_id': {TEAM_ID!r}}});"
        f"print(ProviderTokens().value(c, now={NOW} + float(sys.argv[2])))"
    )
    lag = NOW - issued_at(NOW)
    said = [
        subprocess.run(
            [sys.executable, "-c", program, CREDENTIAL.secret.hex(), str(later)],
            capture_output=True,
            text=True,
            check=True,
        ).stdout.strip()
        for later in (0.0, LIFE + LEAST_AGE - lag - 1.0)
    ]
    assert set(said) == {ProviderTokens().value(CREDENTIAL, now=NOW)}


def test_each_key_has_its_own_token_and_all_are_renewed_together() -> None:
    tokens, other = ProviderTokens(), key_credential()
    first = tokens.value(CREDENTIAL, now=NOW)
    assert tokens.value(CREDENTIAL, now=NOW) is first
    assert tokens.value(other, now=NOW) != first
    assert tokens.value(CREDENTIAL, now=NOW + LIFE) != first


@pytest.mark.parametrize("form", ["{}", "\ufeff{}", "  {}\n\n"])
def test_a_key_is_read_however_it_was_pasted(form: str) -> None:
    assert key_credential(form.format(TEXT)).secret == CREDENTIAL.secret
    assert key_credential(TEXT.replace("\n", "\r\n")).secret == CREDENTIAL.secret
    assert key_credential(TEXT.replace("\n", "\\n")).secret == CREDENTIAL.secret
