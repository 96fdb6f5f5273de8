"""The values of an HTTP exchange: what is asked, what came back, what went wrong on the way."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal, NamedTuple


@dataclass(frozen=True, slots=True)
class ClientIdentity:
    """Who we are to a peer: requests of different identities never share a connection.

    In TLS it shows a certificate chain (ours first) with its private key, both PEM; or nothing, where they are empty
    and what tells us apart is in the headers.
    """

    name: str
    certificate: bytes = field(default=b"", repr=False)
    private_key: bytes = field(default=b"", repr=False)


class Request(NamedTuple):
    """One request, nearly always a POST. `headers` are whole lines (`TTL: 60`); `url` is sent byte for byte.

    With an `identity` it goes over a connection that is that identity's alone. A `cautious` one shares a new connection
    with no other until an answer there was neither 401 nor 403. `own` says how many of the last header lines are
    this request's alone: what stands before them is written once for all that share it.
    """

    url: str
    headers: tuple[str, ...]
    body: bytes
    identity: ClientIdentity | None = None
    cautious: bool = False
    method: Literal["POST", "GET", "DELETE"] = "POST"
    own: int = 1

    def __repr__(self) -> str:
        return f"Request(identity={self.identity!r}, cautious={self.cautious!r})"  # all else is secret


class Reply(NamedTuple):
    """An answer: header names in lower case, the body cut to 8 KiB, the time it took in seconds."""

    status: int
    headers: Mapping[str, str]
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
