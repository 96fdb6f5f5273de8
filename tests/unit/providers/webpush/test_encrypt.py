"""RFC 8291, byte for byte, and read back by an implementation that is not ours."""

from __future__ import annotations

import http_ece
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidings.lib import crypto
from tidings.lib.crypto import Malformed, bytes_from_base64
from tidings.providers.webpush.encrypt import content_keys, encrypted, keying_material
from tidings.providers.webpush.settings import LARGEST, padded_size

# RFC 8291 §5 and Appendix A.
PLAINTEXT = b"When I grow up, I want to be a watermelon"
AS_PRIVATE = bytes_from_base64("yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw")
AS_PUBLIC = bytes_from_base64("BP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A8")
UA_PRIVATE = bytes_from_base64("q1dXpw3UpT5VOmu_cf_v6ih07Aems3njxI-JWgLcM94")
UA_PUBLIC = bytes_from_base64("BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4")
SALT = bytes_from_base64("DGv6ra1nlYgDCS1FRnbzlw")
AUTH = bytes_from_base64("BTBZMqHH6r4Tts7J_aSIgg")
SECRET = bytes_from_base64("kyrL1jIIOHEzg3sM2ZWRHDRB62YACZhhSlknJ672kSs")
PRK_KEY = bytes_from_base64("Snr3JMxaHVDXHWJn5wdC52WjpCtd2EIEGBykDcZW32k")
IKM = bytes_from_base64("S4lYMb_L0FxCeq0WhDx813KgSYqU26kOyzWUdsXYyrg")
PRK = bytes_from_base64("09_eUZGrsvxChDCGRCdkLiDXrReGOEVeSCdCcPBSJSc")
CEK = bytes_from_base64("oIhVW04MRdy2XN9CiKLxTg")
NONCE = bytes_from_base64("4h_95klXJ5E_qnoN")
HEADER = bytes_from_base64(
    "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A8"
)
CIPHERTEXT = bytes_from_base64("8pfeW0KbunFT06SuDKoJH9Ql87S1QUrdirN6GcG7sFz1y1sqLgVi1VhjVkHsUoEsbI_0LpXMuGvnzQ")
BODY = bytes_from_base64(
    "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A_y"
    "l95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN"
)

BROWSER = crypto.generate_key()
BROWSER_PUBLIC = crypto.point_from(BROWSER)


def opened(body: bytes, auth: bytes = AUTH) -> bytes:
    """Decrypt with http-ece, which strips delimiter and padding; refuse more than one record (RFC 8291 §4)."""
    record_size, id_size = int.from_bytes(body[16:20], "big"), body[20]
    if len(body) - 21 - id_size > record_size:
        raise ValueError("more than one record")
    plaintext: bytes = http_ece.decrypt(body, private_key=BROWSER, auth_secret=auth, version="aes128gcm")
    return plaintext


class TestRfc8291Vector:
    def test_the_keys_belong_together(self) -> None:
        assert crypto.point_from(crypto.private_key_from_scalar(AS_PRIVATE)) == AS_PUBLIC
        assert crypto.point_from(crypto.private_key_from_scalar(UA_PRIVATE)) == UA_PUBLIC

    def test_every_intermediate_value_is_the_printed_one(self) -> None:
        key = crypto.private_key_from_scalar(AS_PRIVATE)
        assert crypto.shared_secret(key, crypto.public_key_from_point(UA_PUBLIC)) == SECRET
        assert crypto.hkdf_extract(AUTH, SECRET) == PRK_KEY
        assert keying_material(SECRET, AUTH, UA_PUBLIC, AS_PUBLIC) == IKM
        assert crypto.hkdf_extract(SALT, IKM) == PRK
        assert content_keys(IKM, SALT) == (CEK, NONCE)
        assert crypto.gcm_encrypt(CEK, NONCE, PLAINTEXT + b"\x02") == CIPHERTEXT

    def test_the_body_is_the_printed_one_and_has_144_bytes(self) -> None:
        key = crypto.private_key_from_scalar(AS_PRIVATE)
        body = encrypted(PLAINTEXT, p256dh=UA_PUBLIC, auth=AUTH, size=len(PLAINTEXT), key=key, salt=SALT)
        assert body == BODY == HEADER + CIPHERTEXT
        assert len(body) == 144  # the RFC's own Content-Length of 145 is wrong

    def test_the_printed_body_opens_with_the_browsers_key(self) -> None:
        browser = crypto.private_key_from_scalar(UA_PRIVATE)
        assert http_ece.decrypt(BODY, private_key=browser, auth_secret=AUTH, version="aes128gcm") == PLAINTEXT


def test_the_content_keys_are_those_of_rfc_8188_section_3_1() -> None:
    material, salt = bytes_from_base64("yqdlZ-tYemfogSmv7Ws5PQ"), bytes_from_base64("I1BsxtFttlv3u_Oo94xnmw")
    assert crypto.hkdf_extract(salt, material) == bytes_from_base64("zyeH5phsIsgUyd4oiSEIy35x-gIi4aM7y0hCF8mwn9g")
    key, nonce = content_keys(material, salt)
    assert key == bytes_from_base64("_wniytB-ofscZDh4tbSjHw")
    assert nonce == bytes_from_base64("Bcs8gkIRKLI8GeI8")
    body = salt + (4096).to_bytes(4, "big") + b"\0" + crypto.gcm_encrypt(key, nonce, b"I am the walrus\x02")
    assert body == bytes_from_base64("I1BsxtFttlv3u_Oo94xnmwAAEAAA-NAVub2qFgBEuQKRapoZu-IxkIva3MEB1PD-ly8Thjg")


def test_the_two_records_of_rfc_8188_section_3_2_are_no_web_push_message() -> None:
    body = bytes_from_base64(
        "uNCkWiNYzKTnBN9ji3-qWAAAABkCYTHOG8chz_gnvgOqdGYovxyjuqRyJFjEDyoF1Fvkj6hQPdPHI51OEUKEpgz3SsLWIqS_uA"
    )
    with pytest.raises(ValueError, match="more than one record"):
        opened(body)


@given(st.binary(max_size=LARGEST), st.binary(min_size=16, max_size=16), st.data())
def test_another_implementation_reads_what_we_encrypt(plaintext: bytes, auth: bytes, data: st.DataObject) -> None:
    size = data.draw(st.integers(len(plaintext), LARGEST))
    body = encrypted(plaintext, p256dh=BROWSER_PUBLIC, auth=auth, size=size)
    assert opened(body, auth) == plaintext
    assert len(body) == size + 103 <= 4096
    assert body[16:21] == b"\0\0\x10\0\x41"


@given(st.integers(0, LARGEST), st.sampled_from([2700, LARGEST]))
def test_lengths_in_one_bucket_cannot_be_told_apart(size: int, largest: int) -> None:
    padded = padded_size(size, largest=largest)
    assert padded >= size
    assert padded in {256, 512, 1024, 2048} or padded == size > 2048


def test_every_message_has_its_own_key_and_salt() -> None:
    bodies = [encrypted(b"same", p256dh=BROWSER_PUBLIC, auth=AUTH, size=256) for _ in range(50)]
    assert len({body[:16] for body in bodies}) == len({body[21:86] for body in bodies}) == 50


def test_a_message_that_needs_a_second_record_is_never_made() -> None:
    for plaintext, size in ((bytes(4080), 4080), (b"ab", 1)):
        with pytest.raises(ValueError, match="no single record"):
            encrypted(plaintext, p256dh=BROWSER_PUBLIC, auth=AUTH, size=size)


def test_a_point_off_the_curve_is_refused_before_anything_is_computed() -> None:
    with pytest.raises(Malformed):
        encrypted(b"x", p256dh=UA_PUBLIC[:-1] + b"\0", auth=AUTH, size=256)
