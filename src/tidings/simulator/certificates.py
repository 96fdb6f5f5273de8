"""The simulator's own certificate authority: made anew at each start, so no private key is ever kept."""

from __future__ import annotations

import base64
import hashlib
import ssl
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import trustme
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509 import load_pem_x509_certificate


@dataclass(frozen=True, slots=True)
class Certificates:
    """What the TLS servers present: `push` offers h2 and http/1.1 by ALPN, `mcs` no protocol, `apns` h2 alone.

    `apns` asks clients for a certificate, and lets in those it was told of. `ca` is the file that clients must trust;
    `pin` the SHA-256 of the server's public key in base64, by which Chromium can be told to trust it.
    """

    push: ssl.SSLContext
    mcs: ssl.SSLContext
    apns: ssl.SSLContext
    ca: Path
    pin: str


def certificates(folder: Path, *, origins: tuple[str, ...]) -> Certificates:
    """Make the certificates for loopback and the hosts of `origins`; write the authority to `<folder>/ca.pem`."""
    hosts = {urlsplit(origin).hostname or "" for origin in origins} - {""}
    authority = trustme.CA(organization_name="Tidings simulator")
    leaf = authority.issue_cert("localhost", "127.0.0.1", "::1", *sorted(hosts - {"localhost", "127.0.0.1", "::1"}))
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    path = folder / "ca.pem"
    authority.cert_pem.write_to_path(str(path))
    key = load_pem_x509_certificate(leaf.cert_chain_pems[0].bytes()).public_key()
    spki = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return Certificates(
        push=_context(leaf, ["h2", "http/1.1"]),
        mcs=_context(leaf, []),
        apns=_asking(_context(leaf, ["h2"])),
        ca=path.resolve(),
        pin=base64.b64encode(hashlib.sha256(spki).digest()).decode(),
    )


def _context(leaf: trustme.LeafCert, protocols: list[str]) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if protocols:
        context.set_alpn_protocols(protocols)
    leaf.configure_cert(context)
    return context


def _asking(context: ssl.SSLContext) -> ssl.SSLContext:
    context.verify_mode = ssl.CERT_OPTIONAL
    # What is trusted are the certificates themselves, not who has signed them.
    context.verify_flags |= ssl.VerifyFlags.VERIFY_X509_PARTIAL_CHAIN
    return context
