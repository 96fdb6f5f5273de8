"""The floor: what nobody can leave out for one message, measured by others' code in the same run."""

from __future__ import annotations

import os
import re
import resource
import shutil
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from time import process_time_ns

from cryptography.hazmat.primitives.asymmetric import ec

from tidings.bench.sink import Sink

BODY_SIZE = 360
"""Bytes of a body as the bench sends it: 256 of padded plaintext, header and tags."""

_CURVE = ec.SECP256R1()


@dataclass(frozen=True, slots=True)
class Floor:
    """CPU microseconds: a new P-256 key pair, an ECDH with a key that is parsed already, a request of h2load."""

    generate: float
    agree: float
    request: float

    @property
    def whole(self) -> float:
        """The sum."""
        return self.generate + self.agree + self.request


def microseconds(work: Callable[[int], object], *, rounds: int, repeats: int = 5) -> float:
    """Give the CPU of one round: the median of some repeats, as the machine may be shared."""
    found = []
    for _ in range(repeats):
        begun = process_time_ns()
        for number in range(rounds):
            work(number)
        found.append((process_time_ns() - begun) / rounds / 1_000)
    return median(found)


def measure_floor(sink: Sink, *, rounds: int, requests: int) -> Floor | None:
    """Measure it; None without h2load (apt: nghttp2-client)."""
    h2load = shutil.which("h2load")
    if h2load is None:
        return None
    own = ec.generate_private_key(_CURVE)
    peers = [ec.generate_private_key(_CURVE).public_key() for _ in range(100)]
    return Floor(
        generate=microseconds(lambda _: ec.generate_private_key(_CURVE), rounds=rounds),
        agree=_openssl_agree() or microseconds(lambda n: own.exchange(ec.ECDH(), peers[n % 100]), rounds=rounds),
        request=_h2load(h2load, sink, requests),
    )


def _openssl_agree() -> float | None:
    """Ask `openssl speed` for one ECDH, if there is one; it prints seconds and operations a second."""
    openssl = shutil.which("openssl")
    if openssl is None:
        return None
    said = subprocess.run(  # noqa: S603 - the program found above
        [openssl, "speed", "-seconds", "1", "ecdhp256"], capture_output=True, text=True, check=False
    ).stdout
    found = re.search(r"nistp256\)\s+\S+\s+([0-9.]+)", said)
    return 1e6 / float(found[1]) if found else None


def _h2load(h2load: str, sink: Sink, requests: int) -> float:
    body = sink.ca_file.parent / "body.bin"
    body.write_bytes(os.urandom(BODY_SIZE))
    return median(_h2load_once(h2load, sink, requests, body) for _ in range(3))


def _h2load_once(h2load: str, sink: Sink, requests: int, body: Path) -> float:
    before = _children()
    command: Sequence[str] = [
        h2load,
        "-n",
        str(requests),
        "-c",
        "1",
        "-m",
        "50",
        "-d",
        str(body),
        *(part for header in HEADERS for part in ("-H", header)),
        f"{sink.origin}/push/{'x' * 150}",
    ]
    subprocess.run(command, check=True, capture_output=True)  # noqa: S603 - the program found above
    return (_children() - before) / requests * 1e6


HEADERS = (
    "TTL: 3600",
    "Urgency: normal",
    f"Topic: {'0' * 32}",
    "Content-Encoding: aes128gcm",
    "Content-Type: application/octet-stream",
    f"Authorization: vapid t={'x' * 200}, k={'y' * 87}",
)


def _children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
