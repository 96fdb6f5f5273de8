"""Keys and certificates as Apple hands them out, made by openssl and by ourselves; nobody's real ones."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, pkcs12
from cryptography.x509.oid import NameOID

from tidings.domain.app import Credential
from tidings.lib.crypto import generate_key
from tidings.providers.apns.provider import Apns

KEY_ID, TEAM_ID, BUNDLE_ID = "2X9R4HXF34", "ABCDE12345", "com.example.app"
SETTINGS = {"key_id": KEY_ID, "team_id": TEAM_ID, "bundle_id": BUNDLE_ID, "environment": "sandbox"}
TOKEN = "c0ffee00" * 8
SANDBOX, PRODUCTION = "1.2.840.113635.100.6.3.1", "1.2.840.113635.100.6.3.2"
TOPICS = "1.2.840.113635.100.6.3.6"


def p8(key: ec.EllipticCurvePrivateKey | None = None) -> str:
    """A key as AuthKey_<Key ID>.p8 holds it."""
    made = key or generate_key()
    return made.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def key_credential(text: str | None = None, **settings: str) -> Credential:
    made = Apns().credential_from({"key": text or p8(), **SETTINGS, **settings})
    return Credential(1, 1, 1, "apns", made.fingerprint, made.secret, made.settings)


def der(tag: int, content: bytes) -> bytes:
    size = len(content)
    length = bytes([size]) if size < 128 else bytes([0x82]) + size.to_bytes(2, "big")
    return bytes([tag]) + length + content


def topics_extension(*topics: str) -> bytes:
    """The extension's form: each topic, followed by what it is good for."""
    return der(0x30, b"".join(der(0x0C, one.encode()) + der(0x30, der(0x0C, b"app")) for one in topics))


@dataclass(frozen=True)
class Made:
    """A push certificate with its key."""

    key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey
    certificate: x509.Certificate

    def p12(self, password: str = "open sesame") -> bytes:
        from cryptography.hazmat.primitives.serialization import BestAvailableEncryption

        return pkcs12.serialize_key_and_certificates(
            b"push", self.key, self.certificate, None, BestAvailableEncryption(password.encode())
        )

    def files(self, folder: Path) -> tuple[Path, Path]:
        key, certificate = folder / "key.pem", folder / "certificate.pem"
        key.write_bytes(self.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        certificate.write_bytes(self.certificate.public_bytes(Encoding.PEM))
        return key, certificate


def push_certificate(
    *topics: str,
    flags: tuple[str, ...] = (SANDBOX, PRODUCTION),
    uid: str | None = BUNDLE_ID,
    starts: datetime | None = None,
    days: int = 395,
    extension: bytes | None = None,
) -> Made:
    """A certificate like those of Apple's developer site, signed by itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    start = starts or datetime.now(UTC) - timedelta(days=1)
    names = [x509.NameAttribute(NameOID.COMMON_NAME, f"Apple Push Services: {uid}")]
    if uid:
        names.insert(0, x509.NameAttribute(NameOID.USER_ID, uid))
    builder = (
        x509.CertificateBuilder()
        .subject_name(x509.Name(names))
        .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Not Apple")]))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(start + timedelta(days=days))
    )
    for flag in flags:
        oid = x509.ObjectIdentifier(flag)
        builder = builder.add_extension(x509.UnrecognizedExtension(oid, b"\x05\x00"), critical=False)
    if topics or extension is not None:
        value = topics_extension(*topics) if extension is None else extension
        builder = builder.add_extension(
            x509.UnrecognizedExtension(x509.ObjectIdentifier(TOPICS), value), critical=False
        )
    return Made(key, builder.sign(key, hashes.SHA256()))


def openssl(folder: Path, *arguments: str) -> None:
    subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True, timeout=60)
