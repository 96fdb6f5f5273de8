"""The push services themselves: POST to an endpoint from application servers, DELETE /m/{id} to take one back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Protocol
from urllib.parse import urlsplit

from tidings.lib.clock import Clock
from tidings.simulator import base64url
from tidings.simulator.answers import Answer, Drop, GoAway, Later, Request, Reset, Response
from tidings.simulator.coding import BadCoding, Coded, coded_from
from tidings.simulator.faults import Fault, Script
from tidings.simulator.flavours import BY_HOST, FLAVOURS, MESSAGES, STRICT, Flavour, Taken, origins_of
from tidings.simulator.journal import EventKind, Journal, Refused
from tidings.simulator.judge import Fit, judged
from tidings.simulator.limits import Limits
from tidings.simulator.refusals import Reason, Refusal

_HIDDEN = frozenset({"authorization", "host", "connection", "content-length", "expect", "te"})


@dataclass(frozen=True, slots=True)
class PushMessage:
    """One accepted message; `received_at` in Unix seconds, `ttl` in seconds, `coded` None without a body."""

    id: str
    received_at: float
    ttl: int
    urgency: str
    topic: str | None
    body: bytes
    coded: Coded | None
    headers: Mapping[str, str]
    """What it came with, without what only concerns the connection or would let others push."""


class Recipient(Protocol):
    """Whoever stands behind a token: a simulated subscriber or a real browser."""

    vapid_key: bytes | None
    flavour: Flavour

    def met_by(self, topic: str | None) -> Fault | None:
        """Give the fault that this try meets, None if it passes."""
        ...

    def take(self, message: PushMessage) -> None:
        """Take an accepted message."""
        ...

    def refused(self) -> None:
        """Learn that a message was refused."""
        ...


@dataclass(frozen=True, slots=True)
class _Asked:
    """One request, and for whom it is: the service played, the origin it was called by, the token if it names one."""

    request: Request
    flavour: Flavour
    origin: str
    token: str | None
    recipient: Recipient | None


class PushService:
    """Knows every token and answers whoever pushes to it; without a clock or chance of its own."""

    def __init__(self, *, clock: Clock, random_bytes: Callable[[int], bytes], journal: Journal) -> None:
        self.script = Script()
        self.limits = Limits()
        self.cancel: Callable[[str], bool] = lambda message_id: False
        self.origin = ""
        self._origins: frozenset[str] = frozenset()
        self._clock = clock
        self._random_bytes = random_bytes
        self._journal = journal
        self._recipients: dict[str, Recipient] = {}
        self._ended: set[str] = set()

    def open_at(self, origin: str, *, also: tuple[str, ...] = ()) -> None:
        """Learn the origin that endpoints carry, and further ones that tokens may name as their audience."""
        self.origin = origin
        self._origins = frozenset({origin, *also})

    def new_token(self) -> str:
        """Make a token nobody can guess."""
        return base64url.encoded(self._random_bytes(32))

    def endpoint(self, token: str, flavour: Flavour = STRICT, *, origin: str | None = None) -> str:
        """Give the URL that pushes to this token, here unless another origin is given."""
        return f"{origin or self.origin}{flavour.prefix}{token}"

    def recipient(self, token: str) -> Recipient | None:
        """Give who stands behind a token."""
        return self._recipients.get(token)

    def register(self, token: str, recipient: Recipient) -> None:
        """Let a recipient stand behind a token."""
        self._recipients[token] = recipient
        self._ended.discard(token)

    def end(self, token: str) -> bool:
        """End a subscription: from now on its endpoint answers 410. False when there is none."""
        if token not in self._recipients:
            return False
        self._ended.add(token)
        return True

    def handle(self, request: Request) -> Answer:
        """Answer one request (a Handler for the TLS listener)."""
        asked = self._asked(request)
        scripted = self.script.take()
        if scripted is None:
            return self._routed(asked)
        answer = scripted.answer(asked.flavour)
        if answer is None:
            return Later(scripted.seconds, partial(self._routed, asked))
        self._note(asked, answer, why=f"scripted {scripted.kind}")
        return answer

    def deliver(self, endpoint: str, body: bytes, *, ttl: int, topic: str | None) -> PushMessage:
        """Hand bytes to whoever is behind an endpoint, past every check; raise ValueError when nobody is."""
        token = next((token for token in self._recipients if endpoint.endswith(f"/{token}")), None)
        if token is None or token in self._ended:
            raise ValueError("nobody is subscribed with this endpoint")
        try:
            coded = coded_from(body) if body else None
        except BadCoding:
            coded = None
        message = PushMessage(
            id=self._random_bytes(16).hex(),
            received_at=self._clock.now().timestamp(),
            ttl=ttl,
            urgency="normal",
            topic=topic,
            body=body,
            coded=coded,
            headers={},
        )
        self._recipients[token].take(message)
        return message

    def _asked(self, request: Request) -> _Asked:
        """Find out which push service a request is for: by the name it called, else by the path."""
        host = _host_of(request)
        named = BY_HOST.get(host)
        origin = f"https://{host}" if named else self.origin
        target = f"{request.path}?{request.query}" if request.query else request.path
        for flavour in (named,) if named else FLAVOURS.values():
            token = target.removeprefix(flavour.prefix)
            known = self._recipients.get(token)
            # Apple's tokens come right after the origin: elsewhere only those that are known are taken for one.
            bare = flavour.prefix == "/" and not (named or known)
            if target.startswith(flavour.prefix) and token and "/" not in token and not bare:
                return _Asked(request, known.flavour if known else flavour, origin, token, known)
        return _Asked(request, named or STRICT, origin, None, None)

    def _routed(self, asked: _Asked) -> Answer:
        path = asked.request.path
        if asked.token is not None:
            if asked.request.method != "POST":
                return self._refuse(asked, Refusal(Reason.METHOD, "Push with POST"))
            return self._push(asked, asked.token)
        if path.startswith(MESSAGES) and asked.request.method == "DELETE":
            found = self.cancel(path[len(MESSAGES) :])
            self._journal.note(EventKind.CANCEL, {"path": path, "found": found})
            return Response(204) if found else asked.flavour.refuse(Refusal(Reason.NO_SUCH_PATH, "No such message"))
        return self._refuse(asked, Refusal(Reason.NO_SUCH_PATH, "There is nothing here"))

    def _push(self, asked: _Asked, token: str) -> Answer:
        recipient = asked.recipient
        if recipient is None:
            return self._refuse(asked, Refusal(Reason.UNKNOWN, "No such subscription"))
        now = self._clock.now().timestamp()
        verdict = judged(
            asked.request,
            asked.flavour.rules,
            key=recipient.vapid_key,
            gone=token in self._ended,
            origins=self._origins | origins_of(asked.flavour),
            now=now,
        )
        if isinstance(verdict, Refusal):
            recipient.refused()
            return self._refuse(asked, verdict)
        wait = self.limits.wait(asked.flavour.name, recipient.vapid_key, now=now)
        if wait is not None:
            recipient.refused()
            return self._refuse(asked, Refusal(Reason.THROTTLED, "Too many messages in this minute", wait))
        fault = recipient.met_by(verdict.topic)
        if fault is None:
            return self._take(asked, recipient, verdict)
        answer = fault.answer(asked.flavour)
        if answer is None:
            return Later(fault.seconds, partial(self._take, asked, recipient, verdict))
        recipient.refused()
        self._note(asked, answer, why=fault.kind)
        return answer

    def _take(self, asked: _Asked, recipient: Recipient, fit: Fit) -> Response:
        message = PushMessage(
            id=self._random_bytes(16).hex(),
            received_at=self._clock.now().timestamp(),
            ttl=fit.ttl,
            urgency=fit.urgency,
            topic=fit.topic,
            body=asked.request.body,
            coded=fit.coded,
            headers=_shown_headers(asked.request),
        )
        recipient.take(message)
        answer = asked.flavour.accept(Taken(message.id, asked.origin, fit.ttl, message.received_at))
        self._note(asked, answer)
        return answer

    def _refuse(self, asked: _Asked, refusal: Refusal) -> Response:
        answer = asked.flavour.refuse(refusal)
        self._note(asked, answer, why=f"{refusal.reason}: {refusal.detail}")
        return answer

    def _note(self, asked: _Asked, answer: Answer, *, why: str | None = None) -> None:
        status: int | str = "none"
        if isinstance(answer, Response):
            status = answer.status
        elif isinstance(answer, Drop | Reset | GoAway):
            status = type(answer).__name__.lower()
        # An endpoint is a capability: eight characters name it, and open nothing.
        to = (asked.token or "")[:8]
        facts = {
            "method": asked.request.method,
            "path": f"{asked.flavour.prefix}{to}" if to else asked.request.path[: len(asked.flavour.prefix) + 8],
            "flavour": asked.flavour.name,
            "headers": asked.request.headers,
            "size": len(asked.request.body),
            "status": status,
            "why": why,
        }
        self._journal.note(EventKind.PUSH, facts)
        if why is not None:
            self._journal.refused(Refused(self._clock.now().timestamp(), to, asked.flavour.name, status, why))


def _host_of(request: Request) -> str:
    try:
        return urlsplit(f"//{request.headers.get('host', '')}").hostname or ""
    except ValueError:
        return ""


def _shown_headers(request: Request) -> dict[str, str]:
    return {name: value for name, value in request.headers.items() if name not in _HIDDEN}
