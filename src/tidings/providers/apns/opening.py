"""Opening a PKCS#12 file in a process of its own: the file says how much work that is, and may say years.

Run as `python -m tidings.providers.apns.opening SECONDS`: the file and its password come in, key and certificates go
out as PEM.
"""

from __future__ import annotations

import resource
import struct
import subprocess
import sys

from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, pkcs12

MOST_SECONDS = 5
"""Of a processor. The files that tools make take a tenth of one."""

MOST_WAIT = 30
"""Seconds in all, on a machine that has other things to do."""

MOST_BITS = 4096
"""Of an RSA key; Apple's certificates are for 2048."""

WRONG, UNREADABLE, NO_KEY, NO_CERTIFICATE, OTHER_KEY = 10, 11, 12, 13, 14
"""How the process ends: the password or the file is wrong; a cipher that OpenSSL lacks; what the file does not hold."""

_LENGTH = struct.Struct("!I")


class NotOpened(Exception):
    """It was not opened; `why` is one of the codes above, or None if it takes too much work."""

    def __init__(self, why: int | None) -> None:
        super().__init__(why)
        self.why = why


def opened(data: bytes, secret: bytes) -> bytes:
    """Give private key, certificate and chain as PEM, in this order; raises NotOpened."""
    try:
        process = subprocess.run(  # noqa: S603 - our own module, our own interpreter
            [sys.executable, "-I", "-m", __name__, str(MOST_SECONDS)],
            input=_LENGTH.pack(len(secret)) + secret + data,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={},  # it reads what a stranger wrote: our settings are nothing to it
            timeout=MOST_WAIT,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise NotOpened(None) from None
    if process.returncode:
        raise NotOpened(process.returncode if process.returncode > 0 else None)
    return process.stdout


def _pem_from(data: bytes, secret: bytes) -> bytes | int:
    try:
        key, certificate, chain = pkcs12.load_key_and_certificates(data, secret or None)
    except ValueError:
        return WRONG
    except Exception as error:
        if type(error).__module__.startswith("cryptography"):
            return UNREADABLE
        raise
    if key is None:
        return NO_KEY
    if certificate is None:
        return NO_CERTIFICATE
    if not isinstance(key, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey) or key.key_size > MOST_BITS:
        return OTHER_KEY
    blocks = [key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())]
    blocks += [one.public_bytes(Encoding.PEM) for one in (certificate, *chain)]
    return b"".join(blocks)


def main() -> int:
    """Open what comes in, in so many seconds of work as the argument says."""
    seconds = int(sys.argv[1])
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
    given = sys.stdin.buffer.read()
    end = _LENGTH.size + _LENGTH.unpack_from(given)[0]
    found = _pem_from(given[end:], given[_LENGTH.size : end])
    if isinstance(found, int):
        return found
    sys.stdout.buffer.write(found)
    return 0


if __name__ == "__main__":
    sys.exit(main())
