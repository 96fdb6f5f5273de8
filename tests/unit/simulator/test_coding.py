from __future__ import annotations

import base64
import os

import http_ece
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given
from hypothesis import strategies as st

from tidings.simulator.coding import CURVE, HEADER, BadCoding, Unreadable, coded_from, opened

RFC_8291_BODY = (
    "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A"
    "_yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN"
)
RFC_8291_PRIVATE = "q1dXpw3UpT5VOmu_cf_v6ih07Aems3njxI-JWgLcM94"
RFC_8291_AUTH = "BTBZMqHH6r4Tts7J_aSIgg"
RFC_8188_TWO_RECORDS = (
    "uNCkWiNYzKTnBN9ji3-qWAAAABkCYTHOG8chz_gnvgOqdGYovxyjuqRyJFjEDyoF1Fvkj6hQPdPHI51OEUKEpgz3SsLWIqS_uA"
)


def bytes_of(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def point_of(private: ec.EllipticCurvePrivateKey) -> bytes:
    return private.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


PRIVATE = ec.derive_private_key(int.from_bytes(bytes_of(RFC_8291_PRIVATE), "big"), CURVE)
AUTH = bytes_of(RFC_8291_AUTH)


def read(body: bytes) -> bytes:
    return opened(coded_from(body), private=PRIVATE, point=point_of(PRIVATE), auth=AUTH)


def sealed(plaintext: bytes, *, rs: int = 4096) -> bytes:
    made: bytes = http_ece.encrypt(
        plaintext,
        private_key=ec.generate_private_key(CURVE),
        dh=point_of(PRIVATE),
        auth_secret=AUTH,
        rs=rs,
        version="aes128gcm",
    )
    return made


def test_the_example_of_rfc_8291_decrypts() -> None:
    assert read(bytes_of(RFC_8291_BODY)) == b"When I grow up, I want to be a watermelon"


# From one byte on: for an empty plaintext http_ece writes a header without any record.
@given(st.binary(min_size=1, max_size=3993))
def test_what_another_library_encrypts_decrypts(plaintext: bytes) -> None:
    assert read(sealed(plaintext)) == plaintext


def test_two_records_are_refused() -> None:
    body = sealed(b"x" * 5000)
    with pytest.raises(BadCoding, match="one record"):
        coded_from(body)


def test_a_key_id_that_is_no_point_is_refused() -> None:
    with pytest.raises(BadCoding):
        coded_from(bytes_of(RFC_8188_TWO_RECORDS))
    body = bytearray(bytes_of(RFC_8291_BODY))
    body[HEADER - 1] ^= 1
    with pytest.raises(BadCoding, match="P-256"):
        coded_from(bytes(body))


def test_a_key_id_of_another_length_is_refused() -> None:
    body = bytearray(bytes_of(RFC_8291_BODY))
    body[20] = 64
    with pytest.raises(BadCoding, match="64 bytes"):
        coded_from(bytes(body))


def test_a_record_size_below_eighteen_is_refused() -> None:
    body = bytearray(bytes_of(RFC_8291_BODY))
    body[16:20] = (17).to_bytes(4, "big")
    with pytest.raises(BadCoding, match="17"):
        coded_from(bytes(body))


def test_a_record_that_fills_the_record_size_is_refused() -> None:
    body = bytearray(bytes_of(RFC_8291_BODY))
    body[16:20] = (len(body) - HEADER).to_bytes(4, "big")
    with pytest.raises(BadCoding, match="one record"):
        coded_from(bytes(body))


def test_one_changed_bit_is_noticed() -> None:
    body = bytearray(bytes_of(RFC_8291_BODY))
    body[-1] ^= 1
    with pytest.raises(Unreadable, match="authenticate"):
        read(bytes(body))


def test_the_wrong_secret_is_noticed() -> None:
    coded = coded_from(bytes_of(RFC_8291_BODY))
    with pytest.raises(Unreadable, match="authenticate"):
        opened(coded, private=PRIVATE, point=point_of(PRIVATE), auth=b"\x00" * 16)


def test_the_delimiter_of_a_record_that_is_not_the_last_is_refused() -> None:
    # A body cut after the first of two records decrypts, and ends in 0x01 (RFC 8188 §2).
    two = sealed(b"x" * 100, rs=64)
    body = two[:16] + (4096).to_bytes(4, "big") + two[20 : HEADER + 64]
    with pytest.raises(Unreadable, match="delimiter"):
        read(body)


@given(st.binary(max_size=300))
def test_random_bytes_are_refused_and_nothing_else_happens(body: bytes) -> None:
    with pytest.raises((BadCoding, Unreadable)):
        read(body)


@given(st.binary(min_size=17, max_size=200))
def test_random_records_under_a_good_header_do_not_decrypt(record: bytes) -> None:
    head = os.urandom(16) + (4096).to_bytes(4, "big") + b"\x41" + point_of(PRIVATE)
    with pytest.raises(Unreadable):
        read(head + record)
