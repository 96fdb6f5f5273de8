"""TLS contexts: whom we believe, and as whom we come."""

from __future__ import annotations

import os
import ssl
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from tidings.lib.exchange import ClientIdentity

MOST = 64
"""Identities whose contexts are kept."""


class Trust:
    """Makes contexts: TLS 1.2 and up, HTTP/2 preferred; certificates are verified unless one asks otherwise."""

    def __init__(self, ca_file: str) -> None:
        self._ca_file = ca_file
        self._contexts: dict[tuple[bool, ClientIdentity | None], ssl.SSLContext] = {}

    def context(self, *, verified: bool, identity: ClientIdentity | None) -> ssl.SSLContext:
        """Give the context; OSError (ssl.SSLError is one) if the CA file or the identity cannot be read."""
        key = (verified, identity)
        found = self._contexts.get(key)
        if found is None:
            if len(self._contexts) >= MOST:
                self._contexts.clear()
            found = self._contexts[key] = self._made(verified, identity)
        return found

    def _made(self, verified: bool, identity: ClientIdentity | None) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.set_alpn_protocols(["h2", "http/1.1"])
        if verified:
            context.load_verify_locations(cafile=self._ca_file)
        else:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        if identity is not None and identity.certificate:
            with _file_of(identity.certificate + b"\n" + identity.private_key) as path:
                context.load_cert_chain(path, password=_no_password)
        return context


def _no_password() -> str:
    raise ssl.SSLError("the private key is locked with a password")


@contextmanager
def _file_of(secret: bytes) -> Iterator[str]:
    """Write a secret where OpenSSL can read it by name: into memory (Linux), else into a file that goes at once."""
    descriptor, path = -1, None
    try:
        if hasattr(os, "memfd_create"):
            descriptor = os.memfd_create("identity", os.MFD_CLOEXEC)
        else:
            descriptor, path = tempfile.mkstemp()
        os.write(descriptor, secret)
        yield path or f"/dev/fd/{descriptor}"
    finally:
        with suppress(OSError):
            if descriptor >= 0:
                os.close(descriptor)
            if path is not None:
                os.unlink(path)
