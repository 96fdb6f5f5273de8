"""One call to a server of somebody else's choosing: the same guard as delivery, any method, an answer of some size."""

from __future__ import annotations

import asyncio
import socket
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, Literal

import certifi
import pycurl

from tidings.lib.curl_errors import KINDS
from tidings.lib.egress import AddressGuard, CheckedUrl, HostPolicy, checked_url
from tidings.lib.exchange import Answer, FailureKind, NetworkFailure, Reply, Request
from tidings.lib.log import cut
from tidings.lib.transfer import Transfer, target_of

AT_ONCE = 8
"""Calls under way at most: each has a thread, and none is worth a queue of them."""

WHERE_A_URL_LEADS = HostPolicy(hosts=frozenset(), suffixes=(), any_public=True, any_port=True)
"""For what an administrator sets up: any public host on any port, by https."""


@dataclass(frozen=True, slots=True)
class Fetch:
    """What to ask for: `headers` are whole lines (`Accept: application/json`), `most` is bytes of an answer's body.

    A longer answer is none; with `cut` it is the beginning of one, and the rest is not waited for.
    """

    url: str = field(repr=False)
    method: Literal["GET", "POST"] = "GET"
    headers: tuple[str, ...] = field(default=(), repr=False)
    body: bytes = field(default=b"", repr=False)
    most: int = 256 * 1024
    cut: bool = False


class Fetcher:
    """Fetches by https alone, follows no redirect, and asks the guard about each address that it connects to.

    `policy` says which URLs are taken; one that allows insecure ones takes http and loopback, for development. Times
    are in seconds. `ca_file` is for tests; without it certifi's list counts. `at_once` calls have threads of their own
    where it is given: calls that hang then hold up nobody else.
    """

    def __init__(
        self,
        *,
        guard: AddressGuard,
        policy: HostPolicy = WHERE_A_URL_LEADS,
        ca_file: str | None = None,
        connect_timeout: float = 5,
        total_timeout: float = 10,
        at_once: int | None = None,
    ) -> None:
        self._guard = guard
        self._policy = policy
        self._ca_file = ca_file or certifi.where()
        self._timeouts = (connect_timeout, total_timeout)
        self._threads = None if at_once is None else ThreadPoolExecutor(at_once, thread_name_prefix="tidings-fetch")
        self._places = asyncio.Semaphore(at_once or AT_ONCE)

    def checked(self, url: str) -> CheckedUrl:
        """Check a URL that is to be stored. Raises ForbiddenUrl."""
        return checked_url(url, policy=self._policy)

    async def fetch(self, what: Fetch) -> Answer:
        """Ask, and give the answer or why there is none: one that is too long is none. Raises ForbiddenUrl."""
        self.checked(what.url)
        if target_of(Request(what.url, what.headers, what.body)) is None:
            return NetworkFailure(FailureKind.PROTOCOL, "a URL or header line that cannot be written as HTTP")
        async with self._places:
            return await asyncio.get_running_loop().run_in_executor(self._threads, self._performed, what)

    def _performed(self, what: Fetch) -> Answer:
        call = _Call(pycurl.Curl(), self._guard, most=what.most)
        easy = call.transfer.easy
        try:
            for option, value in self._options(what, call).items():
                easy.setopt(option, value)
            easy.perform()
        except pycurl.error as error:
            if not (what.cut and len(call.body) > what.most):
                return call.failure(int(error.args[0]), str(error.args[1]))
            return _reply(easy, call, what)
        else:
            return _reply(easy, call, what)
        finally:
            easy.close()
            call.close()

    def _options(self, what: Fetch, call: _Call) -> dict[int, Any]:
        connect, total = self._timeouts
        options: dict[int, Any] = {
            pycurl.URL: what.url,
            pycurl.HTTPHEADER: list(what.headers),
            pycurl.NOSIGNAL: 1,
            pycurl.USERAGENT: "Tidings",
            pycurl.HTTP_VERSION: pycurl.CURL_HTTP_VERSION_2TLS,
            pycurl.FOLLOWLOCATION: 0,
            pycurl.NETRC: pycurl.NETRC_IGNORED,
            pycurl.PROTOCOLS: pycurl.PROTO_HTTPS | (pycurl.PROTO_HTTP if self._policy.allow_insecure else 0),
            pycurl.PROXY: "",
            pycurl.NOPROXY: "*",
            pycurl.SSLVERSION: pycurl.SSLVERSION_TLSv1_2,
            pycurl.CAINFO: self._ca_file,
            pycurl.CONNECTTIMEOUT_MS: int(connect * 1000),
            pycurl.TIMEOUT_MS: int(total * 1000),
            pycurl.OPENSOCKETFUNCTION: call.open_socket,
            pycurl.HEADERFUNCTION: call.transfer.lines.append,
            pycurl.WRITEFUNCTION: call.on_body,
        }
        if what.method == "POST":
            options |= {pycurl.POST: 1, pycurl.POSTFIELDS: what.body}
        return options


def _reply(easy: Any, call: _Call, what: Fetch) -> Reply:
    seconds = easy.getinfo(pycurl.TOTAL_TIME)
    return Reply(easy.getinfo(pycurl.RESPONSE_CODE), call.transfer.headers(), bytes(call.body[: what.most]), seconds)


class _Call:
    """One call under way."""

    def __init__(self, easy: Any, guard: AddressGuard, *, most: int) -> None:
        self.transfer = Transfer(easy)
        self.body = bytearray()
        self._guard = guard
        self._most = most
        self._opened: list[socket.socket] = []

    def open_socket(self, purpose: int, address: tuple[int, int, int, tuple[Any, ...]]) -> Any:
        """Judge an address that libcurl is about to connect to: after resolving, so no name can change in between."""
        family, kind, protocol, place = address
        if not self._guard.allows(str(place[0])):
            self.transfer.refused = True
            return pycurl.SOCKET_BAD
        self.transfer.tried = True
        try:
            opened = socket.socket(family, kind, protocol)
        except OSError:
            return pycurl.SOCKET_BAD
        self._opened.append(opened)  # libcurl gets a duplicate
        return opened

    def on_body(self, piece: bytes) -> int:
        """Take a piece of the body; give 0, which ends the call, when it is too much."""
        self.body += piece[: self._most + 1 - len(self.body)]
        return len(piece) if len(self.body) <= self._most else 0

    def failure(self, code: int, words: str) -> NetworkFailure:
        """Say why there is no answer."""
        if len(self.body) > self._most:
            return NetworkFailure(FailureKind.PROTOCOL, f"the answer is longer than {self._most} bytes")
        if code == pycurl.E_COULDNT_CONNECT and self.transfer.refused and not self.transfer.tried:
            return NetworkFailure(FailureKind.FORBIDDEN_ADDRESS, "its addresses may not be called")
        return NetworkFailure(KINDS.get(code, FailureKind.OTHER), cut(words))

    def close(self) -> None:
        """Let go of the sockets."""
        for opened in self._opened:
            opened.close()
