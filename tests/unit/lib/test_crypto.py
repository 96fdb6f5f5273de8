"""Keys as people paste them, base64 as browsers send it, and the standard's own vectors."""

from __future__ import annotations

import base64
import hmac
import subprocess

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from hypothesis import given
from hypothesis import strategies as st

from tidings.lib import crypto

SCALAR = crypto.bytes_from_base64("yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw")
KEY = crypto.private_key_from_scalar(SCALAR)
PKCS8 = KEY.private_bytes(
    serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
).decode()
SEC1 = KEY.private_bytes(
    serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
).decode()
PARAMETERS = "-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n"


@given(st.binary(max_size=200))
def test_base64url_is_read_back_from_all_four_spellings(data: bytes) -> None:
    spellings = {
        crypto.base64url_from(data),
        base64.urlsafe_b64encode(data).decode(),
        base64.b64encode(data).decode(),
        base64.b64encode(data).decode().rstrip("="),
    }
    assert {crypto.bytes_from_base64(text) for text in spellings} == {data}
    assert "=" not in crypto.base64url_from(data)


@pytest.mark.parametrize(
    "text",
    ["A", "AB=", "AAA==", "====", "=", "AA=A", "AA AA", "AAAA\n", "AB", "AAB", "é", "\u0661AAA", "AA%3D", "A\0AA"],
)
def test_base64_that_is_not_canonical_is_refused(text: str) -> None:
    with pytest.raises(crypto.Malformed):
        crypto.bytes_from_base64(text)


@given(st.text(max_size=60))
def test_base64_of_any_text_decodes_or_is_malformed(text: str) -> None:
    try:
        data = crypto.bytes_from_base64(text)
    except crypto.Malformed:
        return
    assert crypto.base64url_from(data) == text.rstrip("=").replace("+", "-").replace("/", "_")


@pytest.mark.parametrize(
    "text",
    [
        PKCS8,
        SEC1,
        PARAMETERS + SEC1,
        "\ufeff" + PKCS8,
        PKCS8.replace("\n", "\r\n"),
        PKCS8.replace("\n", "\\n"),
        PKCS8.replace("\n", "\\r\\n"),
        PKCS8.replace("\n", " "),
        PKCS8.replace("\n", ""),
        "".join(PKCS8.splitlines()[1:-1]),
        crypto.base64url_from(SCALAR),
        base64.b64encode(SCALAR).decode(),
        f"  {crypto.base64url_from(SCALAR)}\n",
        base64.b64encode(b"\x00" + SCALAR).decode(),
    ],
)
def test_a_private_key_is_read_however_it_was_pasted(text: str) -> None:
    assert crypto.scalar_from(crypto.private_key_from_text(text)) == SCALAR


def test_a_key_made_by_openssl_is_read() -> None:
    made = subprocess.run(
        ["openssl", "ecparam", "-name", "prime256v1", "-genkey"], capture_output=True, text=True, check=True, timeout=20
    )
    assert len(crypto.point_from(crypto.private_key_from_text(made.stdout))) == 65


def _pem(key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey, password: bytes | None = None) -> str:
    locked = serialization.BestAvailableEncryption(password) if password else serialization.NoEncryption()
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, locked).decode()


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "32 bytes"),
        (crypto.base64url_from(bytes(32)), "number"),
        (crypto.base64url_from(b"\xff" * 32), "number"),
        (crypto.base64url_from(b"\x01" + SCALAR), "32 bytes"),
        (crypto.base64url_from(crypto.point_from(KEY)), "PKCS#8"),
        pytest.param(_pem(ec.generate_private_key(ec.SECP384R1())), "P-256", id="another curve"),
        pytest.param(_pem(rsa.generate_private_key(65537, 2048)), "P-256", id="RSA"),
        pytest.param(_pem(KEY, b"password"), "password", id="locked"),
        (PKCS8[:-40], "no whole private key"),
        (PKCS8.replace("M", "N", 1), "PKCS#8"),
        ("-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----", "no whole private key"),
        ("x" * 9000, "8192"),
        ("junk", "32 bytes; this one has 3"),
        ("AQ", "32 bytes; this one has 1"),
    ],
)
def test_what_is_no_private_key_is_refused_with_the_reason(text: str, why: str) -> None:
    with pytest.raises(crypto.Malformed, match=why):
        crypto.private_key_from_text(text)


def test_a_scalar_that_lost_its_leading_zeros_is_padded_on_the_left() -> None:
    short = SCALAR[:30]
    key = crypto.private_key_from_scalar(short)
    assert crypto.scalar_from(key) == b"\0\0" + short
    assert crypto.scalar_from(crypto.private_key_from_scalar(b"\0\0" + short)) == b"\0\0" + short


@pytest.mark.parametrize(
    "point",
    [
        b"",
        bytes(65),
        b"\x04" + bytes(64),
        b"\x02" + crypto.point_from(KEY)[1:],
        crypto.point_from(KEY)[:-1],
        crypto.point_from(KEY) + b"\0",
        crypto.point_from(KEY)[:-1] + bytes([crypto.point_from(KEY)[-1] ^ 1]),
        b"\x04" + b"\xff" * 64,
    ],
)
def test_a_point_off_the_curve_or_of_another_form_is_refused(point: bytes) -> None:
    with pytest.raises(crypto.Malformed):
        crypto.public_key_from_point(point)


@given(st.binary(max_size=300))
def test_an_es256_signature_is_64_bytes_and_verifies_only_its_message(message: bytes) -> None:
    signature = crypto.es256_signature(KEY, message)
    assert len(signature) == 64
    assert crypto.es256_verifies(KEY.public_key(), signature, message)
    assert not crypto.es256_verifies(KEY.public_key(), signature, message + b"x")
    assert not crypto.es256_verifies(KEY.public_key(), signature[:-1], message)
    assert not crypto.es256_verifies(crypto.generate_key().public_key(), signature, message)


def test_hkdf_gives_what_rfc_5869_appendix_a1_says() -> None:
    key = crypto.hkdf_extract(bytes(range(13)), b"\x0b" * 22)
    assert key.hex() == "077709362c2e32df0ddc3f0dc47bba6390b6c73bb50f9c3122ec844ad7c2b3e5"
    info = bytes(range(0xF0, 0xFA))
    assert crypto.hkdf_expand(key, info).hex() == "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf"
    with pytest.raises(ValueError, match="32 bytes"):
        crypto.hkdf_expand(key, info, 33)


@given(st.binary(max_size=200), st.binary(max_size=300))
def test_hmac_is_that_of_the_standard_library(key: bytes, message: bytes) -> None:
    assert crypto.hmac_sha256(key, message) == hmac.digest(key, message, "sha256")
