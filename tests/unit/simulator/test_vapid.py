from __future__ import annotations

import base64
import json
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given
from hypothesis import strategies as st

from tidings.simulator.vapid import BadVapid, check, contact_fault

NOW = 1_800_000_000.0
ORIGIN = "https://push.example.net"
RFC_8292_TOKEN = (
    "eyJ0eXAiOiJKV1QiLCJhbGciOiJFUzI1NiJ9.eyJhdWQiOiJodHRwczovL3B1c2guZXhhbXBsZS5uZXQiLCJleHAiOjE0NTM1MjM3NjgsInN1YiI6Im1ha"
    "Wx0bzpwdXNoQGV4YW1wbGUuY29tIn0.i3CYb7t4xfxCDquptFOepC9GAu_HLGkMlMuCGSK2rpiUfnK9ojFwDXb1JrErtmysazNjjvW2L9OkSSHzvoD1oA"
)
RFC_8292_KEY = "BA1Hxzyi1RUM1b5wjxsn7nGxAszw2u61m164i3MrAIxHF6YK5h4SDYic-dRuU_RCPCfA5aq9ojSwk5Y2EmClBPs"
PRIVATE = ec.derive_private_key(7, ec.SECP256R1())
OTHER = ec.derive_private_key(8, ec.SECP256R1())


def text_of(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def point_of(private: ec.EllipticCurvePrivateKey) -> bytes:
    return private.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


def header(
    *, private: ec.EllipticCurvePrivateKey = PRIVATE, k: str | None = None, algorithm: str = "ES256", **claims: Any
) -> str:
    said = {"aud": ORIGIN, "exp": int(NOW) + 3600, "sub": "mailto:ops@example.com", **claims}
    said = {name: value for name, value in said.items() if value is not ...}
    token = jwt.encode(said, private if algorithm == "ES256" else "s" * 32, algorithm=algorithm)
    return f"vapid t={token}, k={k or text_of(point_of(private))}"


def fault(text: str, *, key: bytes | None = None) -> str | None:
    try:
        check(text, key=key, origins={ORIGIN}, now=NOW)
    except BadVapid as error:
        return str(error)
    return None


def test_the_example_of_rfc_8292_is_accepted_while_it_is_valid() -> None:
    key = base64.urlsafe_b64decode(RFC_8292_KEY + "=")
    check(f"vapid t={RFC_8292_TOKEN}, k={RFC_8292_KEY}", key=key, origins={ORIGIN}, now=1_453_523_000)
    with pytest.raises(BadVapid, match="expired"):
        check(f"vapid t={RFC_8292_TOKEN}, k={RFC_8292_KEY}", key=key, origins={ORIGIN}, now=1_453_523_769)


def test_a_good_token_is_accepted_in_any_order_and_case_of_the_scheme() -> None:
    assert fault(header(), key=point_of(PRIVATE)) is None
    token, _, key = header().removeprefix("vapid ").partition(", ")
    assert fault(f"VAPID {key},{token}", key=point_of(PRIVATE)) is None


def test_a_subscription_made_with_another_key_refuses_it() -> None:
    assert fault(header(), key=point_of(OTHER)) == "VAPID public key mismatch"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (header(k=text_of(point_of(OTHER))), "signature"),
        (header(algorithm="HS256"), "ES256"),
        (header(aud="https://push.example.net/"), "audience"),
        (header(aud="https://elsewhere.example.net"), "audience"),
        (header(aud=...), "audience"),
        (header(exp=int(NOW)), "expired"),
        (header(exp=int(NOW) + 86_401), "too long"),
        (header(exp=...), "exp"),
        (header(sub=...), "sub"),
        (header(sub="mailto:ops@localhost"), "sub"),
        (header(k="BAAA"), "public key"),
        (header(k="!" * 87), "public key"),
        (header().replace("vapid ", "Bearer "), "scheme"),
        (header().partition(", k=")[0], "Missing VAPID public key"),
        ("vapid k=BAAA", "Missing VAPID token"),
        ("vapid", "Missing VAPID token"),
        (f"vapid t=a.b, k={text_of(point_of(PRIVATE))}", "three parts"),
        (f"vapid t=a.b.c, k={text_of(point_of(PRIVATE))}", "base64url"),
    ],
)
def test_each_fault_is_named(text: str, why: str) -> None:
    found = fault(text)
    assert found is not None
    assert why in found


@pytest.mark.parametrize("exp", ["1800000100", True, None, [], 1e400])
def test_an_expiry_that_is_no_number_is_refused(exp: object) -> None:
    claims = {"aud": ORIGIN, "exp": exp, "sub": "mailto:ops@example.com"}
    # json writes 1e400 as Infinity, which PyJWT would refuse to sign; so the parts are put together here.
    body = ".".join(text_of(json.dumps(part).encode()) for part in ({"alg": "ES256"}, claims))
    signer = jwt.algorithms.ECAlgorithm(jwt.algorithms.ECAlgorithm.SHA256)
    signed = f"{body}.{text_of(signer.sign(body.encode(), PRIVATE))}"
    found = fault(f"vapid t={signed}, k={text_of(point_of(PRIVATE))}")
    assert found is not None
    assert "exp" in found


@pytest.mark.parametrize(
    "subject",
    [
        "mailto:ops@example.com",
        "https://example.com/contact",
        "https://a.b.example.org:8443/",
        "mailto:o+x@mail.example.net",
    ],
)
def test_a_public_contact_is_fine(subject: str) -> None:
    assert contact_fault(subject) is None


@pytest.mark.parametrize(
    "subject",
    [
        None,
        "",
        42,
        "ops@example.com",
        "http://example.com",
        "mailto:",
        "mailto:ops",
        "mailto:@example.com",
        "mailto:mailto:ops@example.com",
        "mailto:a@b@example.com",
        "mailto: ops@example.com",
        "mailto:ops@localhost",
        "mailto:ops@host.local",
        "mailto:ops@host.invalid",
        "mailto:ops@host.test",
        "mailto:ops@site.example",
        "mailto:ops@127.0.0.1",
        "mailto:ops@[::1]",
        "https://localhost",
        "https://127.1",
        "https://[::1]/",
        "https://[",
        "https://",
        "https://-bad.com",
    ],
)
def test_a_contact_apple_would_refuse_is_refused(subject: object) -> None:
    assert contact_fault(subject)


@given(st.text(max_size=200))
def test_no_header_text_raises_anything_else(text: str) -> None:
    assert fault(text) is not None
    assert fault(f"vapid {text}") is not None
    assert fault(f"vapid t={text}, k={text_of(point_of(PRIVATE))}") is not None


def test_json_nested_beyond_reason_is_refused() -> None:
    deep = text_of(b"[" * 20_000)
    assert fault(f"vapid t={deep}.{deep}.{deep}, k={text_of(point_of(PRIVATE))}") is not None
