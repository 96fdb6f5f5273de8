"""HTTP by libcurl's multi interface: HTTP/1.1, proxies and http, which `lib/http2` does not speak."""

from __future__ import annotations

import socket
import time
from collections.abc import Hashable
from functools import partial
from typing import Any

import certifi
import pycurl

from tidings.lib.cork import Corks
from tidings.lib.curl_errors import KINDS
from tidings.lib.detours import Detours
from tidings.lib.egress import AddressGuard
from tidings.lib.exchange import Answer, ClientIdentity, FailureKind, NetworkFailure, Reply, Request
from tidings.lib.log import cut
from tidings.lib.transfer import Target, Transfer, digest, target_of

STREAMS = 90
"""Streams per connection: there are servers that allow a hundred and close the connection at one too many."""

# Keeps libcurl from adding its own; the same header with a value, given by the caller, is sent all the same.
_NONE_OF_ITS_OWN = ("Accept:", "Content-Type:")
_EXPECTS = 1024 * 1024
"""Bytes of a body from which on libcurl would ask first whether it is wanted."""


class CurlClient:
    """Sends many requests at once; what its arguments mean is told by `Client` of `lib/http.py`."""

    def __init__(
        self,
        *,
        guard: AddressGuard,
        detours: Detours,
        insecure: bool = False,
        ca_file: str | None = None,
        in_flight: int = 100,
        connect_timeout: float = 5,
        total_timeout: float = 20,
        max_host_connections: int = 6,
        proxy: str | None = None,
    ) -> None:
        self._guard = guard
        self._detours = detours
        self._insecure = insecure
        self._ca_file = ca_file or certifi.where()
        self._most = in_flight
        self._timeouts = (connect_timeout, total_timeout)
        self._proxy = proxy
        self._calls: dict[Any, Transfer] = {}
        self._idle: list[Transfer] = []
        self._ready: list[tuple[Any, Answer]] = []
        self._opened: list[socket.socket] = []
        self._corks = Corks()
        self._multi = pycurl.CurlMulti()
        self._multi.setopt(pycurl.M_PIPELINING, pycurl.PIPE_MULTIPLEX)
        self._multi.setopt(pycurl.M_MAX_HOST_CONNECTIONS, max_host_connections)
        self._multi.setopt(pycurl.M_MAX_CONCURRENT_STREAMS, STREAMS)

    def __enter__(self) -> CurlClient:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def in_flight(self) -> int:
        """Count the requests that have no answer yet."""
        return len(self._calls) + len(self._ready)

    @property
    def room(self) -> int:
        """Tell how many more requests `submit` takes now."""
        return self._most - self.in_flight

    def submit(self, key: Hashable, request: Request) -> None:
        """Send a request; its answer comes out of `poll` with that key. RuntimeError when there is no room."""
        if self.room <= 0:
            raise RuntimeError(f"{self._most} requests are in flight already; poll for answers first")
        self._send(key, request, target_of(request))

    def poll(self, timeout: float) -> list[tuple[Any, Answer]]:
        """Move bytes and give what was answered; if that is nothing, wait for more, at most `timeout` seconds."""
        answers = self._turn()
        if answers or not self._calls or timeout <= 0:
            return answers
        due = self._multi.timeout()  # milliseconds until libcurl wants a turn; -1 when it has no wish
        wait = timeout if due < 0 else min(timeout, due / 1000)
        if self._multi.select(wait) < 0:
            time.sleep(min(wait, 0.005))  # there is no socket yet to wait for
        return self._turn()

    def waiting_for(self) -> tuple[list[int], list[int], float]:
        """Give the descriptors to be read and to be written that it waits for, and the seconds after which to poll."""
        reads, writes, _ = self._multi.fdset()
        due = self._multi.timeout()
        return reads, writes, 1.0 if due < 0 else due / 1000

    def close(self) -> None:
        """Drop what is in flight and close every connection; closing twice is fine."""
        self.drop()
        while self._idle:
            self._idle.pop().easy.close()
        self._corks.clear()
        self._multi.close()

    def _send(self, key: Hashable, request: Request, target: Target | None) -> None:
        if target is None:
            words = f"#{digest(request.url)}: a URL or header line that cannot be written as HTTP"
            self._ready.append((key, NetworkFailure(FailureKind.PROTOCOL, words)))
            return
        call = self._idle.pop() if self._idle else self._new_call()
        call.begin(key, url=request.url, target=target)
        easy = call.easy
        origin = target.origin
        elsewhere = self._detours.of(origin.host, target.path)
        if call.origin != origin.text or call.elsewhere != elsewhere:
            trusted = self._insecure and (origin.loopback or elsewhere is not None)
            if call.verified is trusted:
                call.verified = not trusted
                easy.setopt(pycurl.SSL_VERIFYPEER, int(call.verified))
                easy.setopt(pycurl.SSL_VERIFYHOST, 2 * int(call.verified))
            easy.setopt(pycurl.URL, origin.text)
            easy.setopt(pycurl.CONNECT_TO, [f"{origin.host}::{elsewhere or ':'}"])  # `host:::` is where it is
            call.origin, call.elsewhere = origin.text, elsewhere
        # As part of the URL libcurl would write `%2f` as `%2F`; a target goes out byte for byte, and not into messages.
        if call.identity is not request.identity:
            _identify(easy, request.identity)
            call.identity = request.identity
        easy.setopt(pycurl.REQUEST_TARGET, target.path)
        own = _NONE_OF_ITS_OWN if len(request.body) < _EXPECTS else (*_NONE_OF_ITS_OWN, "Expect:")
        easy.setopt(pycurl.HTTPHEADER, own + request.headers)
        easy.setopt(pycurl.POSTFIELDS, request.body)
        easy.setopt(pycurl.CUSTOMREQUEST, request.method)
        self._calls[easy] = call
        self._multi.add_handle(easy)

    def _turn(self) -> list[tuple[Any, Answer]]:
        answers, self._ready = self._ready, []
        if not self._calls:
            return answers
        with self._corks:
            _, running = self._multi.perform()
        while self._opened:
            self._opened.pop().close()
        if running < len(self._calls):
            _, succeeded, failed = self._multi.info_read(len(self._calls))
            answers += [self._finish(easy, pycurl.E_OK, "") for easy in succeeded]
            answers += [self._finish(easy, code, words) for easy, code, words in failed]
        return answers

    def _finish(self, easy: Any, code: int, words: str) -> tuple[Any, Answer]:
        call = self._calls.pop(easy)
        self._multi.remove_handle(easy)
        status = easy.getinfo(pycurl.RESPONSE_CODE)
        answer: Answer
        if code == pycurl.E_OK or (status and call.enough):
            answer = Reply(status, call.headers(), bytes(call.body), easy.getinfo(pycurl.TOTAL_TIME))
        else:
            forbidden = code == pycurl.E_COULDNT_CONNECT and call.refused and not call.tried
            kind = FailureKind.FORBIDDEN_ADDRESS if forbidden else KINDS.get(code, FailureKind.OTHER)
            said = "its addresses may not be called" if forbidden else words
            answer = NetworkFailure(kind, cut(f"{call.target.origin.host}#{digest(call.url)}: {said}"))
        key = call.key
        call.end()
        self._idle.append(call)
        return key, answer

    def drop(self) -> None:
        """Forget what is in flight."""
        for easy, call in self._calls.items():
            self._multi.remove_handle(easy)
            call.end()
            self._idle.append(call)
        self._calls.clear()
        self._ready.clear()
        while self._opened:
            self._opened.pop().close()

    def _new_call(self) -> Transfer:
        call = Transfer(easy := pycurl.Curl())
        connect, total = self._timeouts
        options = {
            pycurl.POST: 1,
            pycurl.NOSIGNAL: 1,
            pycurl.USERAGENT: "",
            pycurl.HTTP_VERSION: pycurl.CURL_HTTP_VERSION_2TLS,
            pycurl.PIPEWAIT: 1,
            pycurl.FOLLOWLOCATION: 0,
            pycurl.NETRC: pycurl.NETRC_IGNORED,
            pycurl.PROTOCOLS: pycurl.PROTO_HTTPS | (pycurl.PROTO_HTTP if self._insecure else 0),
            pycurl.PROXY: self._proxy or "",
            pycurl.NOPROXY: "" if self._proxy else "*",
            pycurl.HTTPPROXYTUNNEL: 1,
            pycurl.SSLVERSION: pycurl.SSLVERSION_TLSv1_2,
            pycurl.CAINFO: self._ca_file,
            pycurl.TCP_KEEPALIVE: 1,
            pycurl.CONNECTTIMEOUT_MS: int(connect * 1000),
            pycurl.TIMEOUT_MS: int(total * 1000),
            pycurl.OPENSOCKETFUNCTION: partial(self._open_socket, call),
            pycurl.SOCKOPTFUNCTION: self._opened_by_curl,
            pycurl.HEADERFUNCTION: call.lines.append,
            pycurl.WRITEFUNCTION: call.on_body,
        }
        for option, value in options.items():
            easy.setopt(option, value)
        return call

    def _open_socket(self, call: Transfer, purpose: int, address: tuple[int, int, int, tuple[Any, ...]]) -> Any:
        """Judge an address that libcurl is about to connect to: after resolving, so no name can change in between."""
        family, kind, protocol, place = address
        exempt = self._proxy is not None or (self._insecure and call.elsewhere is not None)
        if not exempt and not self._guard.allows(str(place[0])):
            call.refused = True
            return pycurl.SOCKET_BAD
        call.tried = True
        try:
            opened = socket.socket(family, kind, protocol)
        except OSError:  # no such family here, or no descriptor left: libcurl goes on to the next address
            return pycurl.SOCKET_BAD
        self._opened.append(opened)  # libcurl gets a duplicate; ours is closed after this turn
        return opened

    def _opened_by_curl(self, descriptor: int, _purpose: int) -> int:
        self._corks.add(descriptor)
        return int(pycurl.SOCKOPT_OK)


def _identify(easy: Any, identity: ClientIdentity | None) -> None:
    """Let a handle show a certificate, or none."""
    shows = identity is not None and identity.certificate
    for option, value in (
        (pycurl.SSLCERT_BLOB, shows and identity and identity.certificate),
        (pycurl.SSLKEY_BLOB, shows and identity and identity.private_key),
    ):
        if value:
            easy.setopt(option, value)
        else:
            easy.unsetopt(option)
