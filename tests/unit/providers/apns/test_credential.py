"""Keys and certificates as people upload them: made by openssl, read, or refused in words that help."""

from __future__ import annotations

import base64
from datetime import datetime
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, load_pem_private_key, pkcs12
from cryptography.x509 import load_pem_x509_certificate

from support.apple import BUNDLE_ID, PRODUCTION, SANDBOX, SETTINGS, der, openssl, p8, push_certificate
from tidings.domain.errors import CatalogueError, ErrorCode
from tidings.providers import NewCredential
from tidings.providers.apns.certificate import check_pair
from tidings.providers.apns.provider import Apns

PASSWORD = "open sesame"


def upload(data: bytes, *, password: str = PASSWORD, **settings: str) -> NewCredential:
    fields = {"certificate": base64.b64encode(data).decode(), "password": password}
    return Apns().credential_from({**fields, **settings})


def refusal(fields: dict[str, str], **settings: str) -> CatalogueError:
    with pytest.raises(CatalogueError) as caught:
        Apns().credential_from({**fields, **settings})
    return caught.value


def refused_p12(data: bytes, *, password: str = PASSWORD, **settings: str) -> CatalogueError:
    return refusal({"certificate": base64.b64encode(data).decode(), "password": password}, **settings)


def hashed_for_ever(plain: bytes) -> bytes:
    """The same .p12, but its password is to be hashed two thousand million times."""
    at = plain.rindex(b"\x30\x41\x30\x31")  # where it says how its integrity is shown
    whole = plain[4:at] + b"\x30\x43" + plain[at + 2 : -4] + b"\x02\x04\x7f\xff\xff\xff"
    return der(0x30, whole)


class TestKey:
    def test_a_p8_of_openssl_is_taken_with_its_ids(self, tmp_path: Path) -> None:
        openssl(tmp_path, "ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", "ec.pem")
        openssl(tmp_path, "pkcs8", "-topk8", "-nocrypt", "-in", "ec.pem", "-out", "AuthKey_2X9R4HXF34.p8")
        text = (tmp_path / "AuthKey_2X9R4HXF34.p8").read_text()
        made = Apns().credential_from({"key": text, **SETTINGS, "key_id": " 2x9r4hxf34 "})
        assert made.fingerprint.startswith("ABCDE12345.2X9R4HXF34.")
        assert made.account == "com.example.app"
        assert made.settings == {**SETTINGS, "auth": "key"}
        key = load_pem_private_key(text.encode(), None)
        assert isinstance(key, ec.EllipticCurvePrivateKey)
        assert int.from_bytes(made.secret, "big") == key.private_numbers().private_value

    @pytest.mark.parametrize(
        ("change", "field", "says"),
        [
            ({"key_id": "short"}, "key_id", "10 letters and digits"),
            ({"team_id": ""}, "team_id", "10 letters and digits"),
            ({"team_id": "2X9R4HXF34"}, "team_id", "are the same"),
            ({"bundle_id": "app"}, "bundle_id", "com.example.app"),
            ({"bundle_id": "com.example.app.voip"}, "bundle_id", "Leave `.voip` out"),
            ({"bundle_id": "com.exämple.app"}, "bundle_id", "com.example.app"),
            ({"bundle_id": f"{SETTINGS['team_id']}.{BUNDLE_ID}"}, "bundle_id", "Leave the Team ID"),
            ({"environment": "live"}, "environment", "`sandbox`"),
        ],
    )
    def test_each_field_that_is_wrong_is_named(self, change: dict[str, str], field: str, says: str) -> None:
        error = refusal({"key": p8()}, **(SETTINGS | change))
        assert [fault.field for fault in error.faults] == [field]
        assert says in error.detail

    @pytest.mark.parametrize(
        ("text", "says"),
        [
            ("", "BEGIN PRIVATE KEY"),
            ("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----", "This is a certificate"),
            ('{"type": "service_account"}', "base64"),
            ("x" * 9000, "8192"),
            ("-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----", "password"),
        ],
    )
    def test_what_is_no_key_is_refused(self, text: str, says: str) -> None:
        error = refusal({"key": text}, **SETTINGS)
        assert error.code is ErrorCode.CREDENTIALS_INVALID
        assert says in error.detail

    def test_a_key_of_another_curve_is_refused(self, tmp_path: Path) -> None:
        openssl(tmp_path, "ecparam", "-name", "secp384r1", "-genkey", "-noout", "-out", "ec.pem")
        assert "P-256" in refusal({"key": (tmp_path / "ec.pem").read_text()}, **SETTINGS).detail


CIPHERS = {
    "modern": [],
    "legacy": ["-legacy"],
    "rc2-40": ["-legacy", "-certpbe", "PBE-SHA1-RC2-40", "-keypbe", "PBE-SHA1-3DES", "-macalg", "sha1"],
    "3des": ["-certpbe", "PBE-SHA1-3DES", "-keypbe", "PBE-SHA1-3DES", "-macalg", "sha1", "-legacy"],
}


class TestCertificate:
    @pytest.mark.parametrize("ciphers", CIPHERS.values(), ids=CIPHERS)
    def test_a_p12_of_openssl_is_read_whatever_its_ciphers(self, tmp_path: Path, ciphers: list[str]) -> None:
        made = push_certificate(BUNDLE_ID, f"{BUNDLE_ID}.voip", f"{BUNDLE_ID}.complication")
        made.files(tmp_path)
        pair = ["-inkey", "key.pem", "-in", "certificate.pem", "-out", "push.p12", "-passout", f"pass:{PASSWORD}"]
        openssl(tmp_path, "pkcs12", "-export", *pair, *ciphers)
        found = upload((tmp_path / "push.p12").read_bytes())
        assert found.settings["topics"].split() == [BUNDLE_ID, f"{BUNDLE_ID}.voip", f"{BUNDLE_ID}.complication"]
        assert found.settings["bundle_id"] == BUNDLE_ID
        assert found.settings["environments"] == "production sandbox"
        assert found.settings["auth"] == "certificate"
        assert datetime.fromisoformat(found.settings["expires_at"]) == made.certificate.not_valid_after_utc
        assert load_pem_private_key(found.secret, None).private_numbers() == made.key.private_numbers()  # type: ignore[union-attr]
        assert load_pem_x509_certificate(found.secret) == made.certificate

    def test_a_p12_without_a_password_is_read(self, tmp_path: Path) -> None:
        push_certificate(BUNDLE_ID).files(tmp_path)
        openssl(
            tmp_path,
            *("pkcs12", "-export", "-inkey", "key.pem", "-in", "certificate.pem", "-out", "p.p12", "-passout", "pass:"),
        )
        assert upload((tmp_path / "p.p12").read_bytes(), password="").settings["bundle_id"] == BUNDLE_ID

    @pytest.mark.parametrize(
        ("flags", "environments", "usual"),
        [
            ((SANDBOX,), "sandbox", "sandbox"),
            ((PRODUCTION,), "production", "production"),
            ((SANDBOX, PRODUCTION), "production sandbox", "production"),
            ((), "production", "production"),
        ],
    )
    def test_its_marks_say_for_which_environment_it_is(
        self, flags: tuple[str, ...], environments: str, usual: str
    ) -> None:
        settings = upload(push_certificate(BUNDLE_ID, flags=flags).p12()).settings
        assert (settings["environments"], settings["environment"]) == (environments, usual)

    def test_the_subject_names_the_app_where_no_extension_does(self) -> None:
        assert upload(push_certificate(uid="com.apple.mgmt.External.6e").p12()).settings["topics"] == (
            "com.apple.mgmt.External.6e"
        )

    @pytest.mark.parametrize("extension", [b"", b"\x30", b"\x30\x82\xff\xff", b"\x0c\x01x", b"\x30\x84", b"\x00" * 9])
    def test_an_extension_made_to_break_a_parser_does_not(self, extension: bytes) -> None:
        assert upload(push_certificate(extension=extension).p12()).settings["topics"] == BUNDLE_ID

    def test_many_topics_have_a_longer_form(self) -> None:
        topics = [f"com.example.app.number{n:03}" for n in range(80)]
        extension = der(0x30, b"".join(der(0x0C, one.encode()) + der(0x30, b"") for one in topics))
        found = upload(push_certificate(extension=extension).p12()).settings["topics"].split()
        assert found == [BUNDLE_ID, *topics]

    def test_a_wrong_password_is_called_one_with_the_way_to_convert(self) -> None:
        error = refused_p12(push_certificate(BUNDLE_ID).p12(), password="wrong")
        assert [fault.field for fault in error.faults] == ["password"]
        assert "openssl pkcs12 -legacy" in error.detail

    @pytest.mark.parametrize(
        ("data", "says"),
        [
            (b"-----BEGIN CERTIFICATE-----\n", "openssl pkcs12 -export"),
            (b"not a p12", "no .p12 file"),
            (b"", "BEGIN PRIVATE KEY"),
            (b"\x30" * 70_000, "64 KiB"),
            (b"\x30\x82\x01\x00" + b"\x00" * 40, "does not open"),
        ],
    )
    def test_what_is_no_p12_is_refused(self, data: bytes, says: str) -> None:
        assert says in refused_p12(data).detail

    def test_one_that_asks_for_hours_of_work_is_given_up(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("tidings.providers.apns.opening.MOST_SECONDS", 1)
        plain = push_certificate(BUNDLE_ID).p12()
        assert plain.endswith(b"\x02\x02\x08\x00"), "the last it says is how often to hash the password"
        assert "more work" in refused_p12(hashed_for_ever(plain)).detail

    def test_base64_that_is_none_is_refused(self) -> None:
        assert "base64" in refusal({"certificate": "\u00e4\u00f6", "password": ""}).detail

    def test_a_certificate_without_its_key_is_refused(self, tmp_path: Path) -> None:
        push_certificate(BUNDLE_ID).files(tmp_path)
        openssl(
            tmp_path,
            *(
                "pkcs12",
                "-export",
                "-nokeys",
                "-in",
                "certificate.pem",
                "-out",
                "p.p12",
                "-passout",
                f"pass:{PASSWORD}",
            ),
        )
        assert "no private key" in refused_p12((tmp_path / "p.p12").read_bytes()).detail

    def test_a_key_of_another_certificate_is_refused(self) -> None:
        one, two = push_certificate(BUNDLE_ID), push_certificate(BUNDLE_ID)
        with pytest.raises(CatalogueError, match="belongs to another certificate"):
            check_pair(one.key, two.certificate)
        loose = pkcs12.serialize_key_and_certificates(None, one.key, None, [two.certificate], NoEncryption())
        assert "no certificate" in refused_p12(loose, password="").detail

    def test_a_certificate_of_no_app_is_refused(self) -> None:
        assert "names no app" in refused_p12(push_certificate(uid=None).p12()).detail

    def test_a_bundle_id_of_another_app_is_refused(self) -> None:
        error = refused_p12(push_certificate(BUNDLE_ID).p12(), bundle_id="com.example.other")
        assert [fault.field for fault in error.faults] == ["bundle_id"]
        assert "com.example.app" in error.detail

    def test_an_environment_that_it_is_not_for_is_refused(self) -> None:
        error = refused_p12(push_certificate(BUNDLE_ID, flags=(SANDBOX,)).p12(), environment="production")
        assert [fault.field for fault in error.faults] == ["environment"]
        assert "sandbox alone" in error.detail

    def test_the_topic_of_a_certificate_for_calls_alone_is_not_taken_for_the_bundle_id(self) -> None:
        data = push_certificate(f"{BUNDLE_ID}.voip", uid=f"{BUNDLE_ID}.voip").p12()
        for stated in ({}, {"bundle_id": BUNDLE_ID}):
            settings = upload(data, **stated).settings
            assert (settings["bundle_id"], settings["topics"]) == (BUNDLE_ID, f"{BUNDLE_ID}.voip")

    def test_what_apples_site_gives_to_load_is_known_for_lacking_the_key(self) -> None:
        cer = push_certificate(BUNDLE_ID).certificate.public_bytes(Encoding.DER)
        assert "certificate alone (.cer)" in refused_p12(cer).detail
