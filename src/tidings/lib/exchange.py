"""The values of an HTTP exchange: what is asked, what came back, what went wrong on the way."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum


@dataclass(frozen=True, slots=True)
class ClientIdentity:
    """Who we are in TLS: a certificate chain (ours first) and its private key, both PEM; `name` is for people."""

    name: str
    certificate: bytes = field(repr=False)
    private_key: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Request:
    """One POST, ready for the wire. `headers` are whole lines (`TTL: 60`); `url` is sent byte for byte.

    With an `identity` it goes over a connection that shows that certificate, and over HTTP/2 alone. A `cautious` one
    shares a new connection with no other until an answer there was neither 401 nor 403.
    """

    url: str = field(repr=False)
    headers: tuple[str, ...] = field(repr=False)
    body: bytes = field(repr=False)
    identity: ClientIdentity | None = None
    cautious: bool = False


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer: header names in lower case, the body cut to 8 KiB, the time it took in seconds."""

    status: int
    headers: dict[str, str]
    body: bytes
    seconds: float = 0.0


class FailureKind(StrEnum):
    """Why there was no answer."""

    DNS = "dns"
    CONNECT = "connect"
    TLS = "tls"
    TIMEOUT = "timeout"
    FORBIDDEN_ADDRESS = "forbidden_address"
    RESET = "reset"
    PROTOCOL = "protocol"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class NetworkFailure:
    """No answer; `detail` is the library's own words, cut and escaped."""

    kind: FailureKind
    detail: str = ""


Answer = Reply | NetworkFailure
