"""A push certificate as Apple makes it: opened, checked against its key, and what its extensions say read out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import NameOID

from tidings.domain.errors import CatalogueError
from tidings.providers.apns import opening
from tidings.providers.apns.opening import NotOpened, opened
from tidings.providers.apns.settings import Environment, unusable

LARGEST = 64 * 1024
"""Bytes of an upload; Apple's have about 3 000."""

_TOPICS = x509.ObjectIdentifier("1.2.840.113635.100.6.3.6")
_FLAGS = {
    Environment.SANDBOX: x509.ObjectIdentifier("1.2.840.113635.100.6.3.1"),
    Environment.PRODUCTION: x509.ObjectIdentifier("1.2.840.113635.100.6.3.2"),
}
_UTF8_STRING = 0x0C
_SEQUENCE = 0x30
_MESSAGE = b"Tidings signs this to see that the pair works"

_CONVERT = (
    "Export it once more from Keychain Access (the certificate with its private key, as .p12), or convert it: "
    "`openssl pkcs12 -legacy -in OLD.p12 -nodes -out both.pem`, then "
    "`openssl pkcs12 -export -in both.pem -out NEW.p12`."
)


@dataclass(frozen=True, slots=True)
class PushCertificate:
    """What a .p12 held. `pem` is key, certificate and chain; `topics` are what it may send to, the bundle id first."""

    fingerprint: str
    subject: str
    topics: tuple[str, ...]
    environments: frozenset[Environment]
    expires_at: datetime
    starts_at: datetime
    pem: bytes = field(repr=False)


def certificate_from(data: bytes, *, password: str) -> PushCertificate:
    """Open a PKCS#12 file, with old ciphers (RC2, 3DES) or new ones; raises CREDENTIALS_INVALID saying why not."""
    if len(data) > LARGEST:
        raise unusable("certificate", f"A push certificate is smaller than {LARGEST // 1024} KiB.")
    if data.lstrip()[:5] == b"-----":
        raise unusable(
            "certificate", "This is PEM text. Make a .p12 of it: `openssl pkcs12 -export -in both.pem -out push.p12`."
        )
    key, certificate, chain = _opened(data, password)
    check_pair(key, certificate)
    blocks = [key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())]
    blocks += [one.public_bytes(Encoding.PEM) for one in (certificate, *chain)]
    topics = _topics(certificate)
    if not topics:
        raise unusable("certificate", "It names no app: this is a certificate, but not one for Apple's push service.")
    return PushCertificate(
        fingerprint=certificate.fingerprint(hashes.SHA256()).hex(),
        subject=_name(certificate, NameOID.COMMON_NAME) or topics[0],
        topics=topics,
        environments=_environments(certificate),
        expires_at=certificate.not_valid_after_utc,
        starts_at=certificate.not_valid_before_utc,
        pem=b"".join(blocks),
    )


_Key = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey


def _opened(data: bytes, password: str) -> tuple[_Key, x509.Certificate, list[x509.Certificate]]:
    try:
        pem = opened(data, password.encode("utf-8", "replace"))
    except NotOpened as refusal:
        raise _not_opened(refusal.why, data) from None
    key = load_pem_private_key(pem, None, unsafe_skip_rsa_key_validation=True)  # it was checked where it was opened
    assert isinstance(key, _Key), "others are not given out"
    certificate, *chain = x509.load_pem_x509_certificates(pem)
    return key, certificate, chain


def _not_opened(why: int | None, data: bytes) -> CatalogueError:
    if why == opening.WRONG and data[:1] != bytes([_SEQUENCE]):
        return unusable("certificate", f"This is no .p12 file. {_CONVERT}")
    if why == opening.WRONG and _is_certificate(data):
        return unusable(
            "certificate",
            "This is the certificate alone (.cer), without its private key. Open it on the Mac that asked Apple for "
            "it; in Keychain Access select it with the key below it, and export both as .p12.",
        )
    if why == opening.WRONG:
        return unusable("password", f"The password does not open this .p12, or the file is damaged. {_CONVERT}")
    if why == opening.UNREADABLE:
        return unusable("certificate", f"It is locked with a cipher that OpenSSL cannot read. {_CONVERT}")
    if why in (opening.NO_KEY, opening.NO_CERTIFICATE):
        missing = "private key" if why == opening.NO_KEY else "certificate"
        return unusable(
            "certificate",
            f"The .p12 holds no {missing}: in Keychain Access, select the certificate with its key below it.",
        )
    if why == opening.OTHER_KEY:
        return unusable(
            "certificate",
            f"Its private key is neither RSA of up to {opening.MOST_BITS} bits nor on an elliptic curve.",
        )
    return unusable("certificate", f"To open it takes more work than any .p12 should. {_CONVERT}")


def _is_certificate(data: bytes) -> bool:
    try:
        x509.load_der_x509_certificate(data)
    except ValueError:
        return False
    return True


def check_pair(key: _Key, certificate: x509.Certificate) -> None:
    """See that a private key belongs to a certificate and signs for it; raises CREDENTIALS_INVALID."""
    public = certificate.public_key()
    form = (Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    if key.public_key().public_bytes(*form) != public.public_bytes(*form):
        raise unusable("certificate", "Its private key belongs to another certificate. Export both together.")
    try:
        if isinstance(key, rsa.RSAPrivateKey):
            signature = key.sign(_MESSAGE, padding.PKCS1v15(), hashes.SHA256())
            key.public_key().verify(signature, _MESSAGE, padding.PKCS1v15(), hashes.SHA256())
        else:
            signature = key.sign(_MESSAGE, ec.ECDSA(hashes.SHA256()))
            key.public_key().verify(signature, _MESSAGE, ec.ECDSA(hashes.SHA256()))
    except (InvalidSignature, ValueError):
        raise unusable("certificate", "Its private key makes signatures that do not verify; make a new one.") from None


def _environments(certificate: x509.Certificate) -> frozenset[Environment]:
    """Read for which environments Apple made it; one without a mark (as for MDM) is for production."""
    present = {extension.oid for extension in certificate.extensions}
    found = frozenset(environment for environment, oid in _FLAGS.items() if oid in present)
    return found or frozenset({Environment.PRODUCTION})


def _topics(certificate: x509.Certificate) -> tuple[str, ...]:
    """Give the topics of the extension, which are all that it may send to, or the one that its subject names."""
    subject = _name(certificate, NameOID.USER_ID)
    first = (subject,) if subject else ()
    for extension in certificate.extensions:
        if extension.oid == _TOPICS and isinstance(extension.value, x509.UnrecognizedExtension):
            try:
                return tuple(dict.fromkeys((*first, *_strings(extension.value.value))))
            except (ValueError, IndexError):
                break
    return first


def _name(certificate: x509.Certificate, oid: x509.ObjectIdentifier) -> str:
    found = certificate.subject.get_attributes_for_oid(oid)
    return str(found[0].value) if found else ""


def _strings(der: bytes) -> list[str]:
    """Read the topics: a sequence in which each name is followed by a sequence of what it is good for."""
    ((tag, content),) = _elements(der)
    if tag != _SEQUENCE:
        raise ValueError("no sequence")
    return [value.decode("utf-8") for kind, value in _elements(content) if kind == _UTF8_STRING]


def _elements(der: bytes) -> Iterator[tuple[int, bytes]]:
    """Give tag and content of one element of DER after the other (ITU-T X.690 §8.1)."""
    at = 0
    while at < len(der):
        tag, size = der[at], der[at + 1]
        at += 2
        if size & 0x80:
            count = size & 0x7F
            size = int.from_bytes(der[at : at + count], "big")
            at += count
        if at + size > len(der):
            raise ValueError("cut short")
        yield tag, der[at : at + size]
        at += size
