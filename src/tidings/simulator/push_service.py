"""The push service itself: POST /wpush/v2/{token} from application servers, DELETE /m/{id} to take one back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Protocol

from tidings.lib.clock import Clock
from tidings.simulator import base64url
from tidings.simulator.answers import Answer, Drop, Later, Request, Reset, Response
from tidings.simulator.coding import Coded
from tidings.simulator.faults import Fault, Script
from tidings.simulator.flavours import Flavour
from tidings.simulator.journal import EventKind, Journal
from tidings.simulator.judge import Fit, Reason, Refusal, judged

MESSAGES = "/m/"


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


class Recipient(Protocol):
    """Whoever stands behind a token: a simulated subscriber or a real browser."""

    vapid_key: bytes | None

    def met_by(self, topic: str | None) -> Fault | None:
        """Give the fault that this try meets, None if it passes."""
        ...

    def take(self, message: PushMessage) -> None:
        """Take an accepted message."""
        ...

    def refused(self) -> None:
        """Learn that a message was refused."""
        ...


class PushService:
    """Knows every token and answers whoever pushes to it; without a clock or chance of its own."""

    def __init__(
        self, *, flavour: Flavour, clock: Clock, random_bytes: Callable[[int], bytes], journal: Journal
    ) -> None:
        self.flavour = flavour
        self.script = Script()
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

    def endpoint(self, token: str) -> str:
        """Give the URL that pushes to this token."""
        return f"{self.origin}{self.flavour.prefix}{token}"

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
        scripted = self.script.take()
        if scripted is None:
            return self._routed(request)
        answer = scripted.answer(self.flavour)
        if answer is None:
            return Later(scripted.seconds, partial(self._routed, request))
        self._note(request, answer, why=f"scripted {scripted.kind}")
        return answer

    def _routed(self, request: Request) -> Answer:
        prefix = self.flavour.prefix
        if request.path.startswith(prefix) and "/" not in request.path[len(prefix) :]:
            if request.method != "POST":
                return self._refuse(request, Refusal(Reason.METHOD, "Push with POST"))
            return self._push(request, request.path[len(prefix) :])
        if request.path.startswith(MESSAGES) and request.method == "DELETE":
            found = self.cancel(request.path[len(MESSAGES) :])
            self._journal.note(EventKind.CANCEL, {"path": request.path, "found": found})
            return Response(204) if found else self.flavour.refuse(Refusal(Reason.NO_SUCH_PATH, "No such message"))
        return self._refuse(request, Refusal(Reason.NO_SUCH_PATH, "There is nothing here"))

    def _push(self, request: Request, token: str) -> Answer:
        recipient = self._recipients.get(token)
        if recipient is None:
            return self._refuse(request, Refusal(Reason.UNKNOWN, "No such subscription"))
        verdict = judged(
            request,
            key=recipient.vapid_key,
            gone=token in self._ended,
            origins=self._origins,
            now=self._clock.now().timestamp(),
        )
        if isinstance(verdict, Refusal):
            recipient.refused()
            return self._refuse(request, verdict)
        fault = recipient.met_by(verdict.topic)
        if fault is None:
            return self._take(request, recipient, verdict)
        answer = fault.answer(self.flavour)
        if answer is None:
            return Later(fault.seconds, partial(self._take, request, recipient, verdict))
        recipient.refused()
        self._note(request, answer, why=fault.kind)
        return answer

    def _take(self, request: Request, recipient: Recipient, fit: Fit) -> Response:
        message = PushMessage(
            id=self._random_bytes(16).hex(),
            received_at=self._clock.now().timestamp(),
            ttl=fit.ttl,
            urgency=fit.urgency,
            topic=fit.topic,
            body=request.body,
            coded=fit.coded,
        )
        recipient.take(message)
        answer = Response(201, (("location", f"{self.origin}{MESSAGES}{message.id}"), ("ttl", str(fit.ttl))))
        self._note(request, answer)
        return answer

    def _refuse(self, request: Request, refusal: Refusal) -> Response:
        answer = self.flavour.refuse(refusal)
        self._note(request, answer, why=f"{refusal.reason}: {refusal.detail}")
        return answer

    def _note(self, request: Request, answer: Answer, *, why: str | None = None) -> None:
        status: int | str = "none"
        if isinstance(answer, Response):
            status = answer.status
        elif isinstance(answer, Drop | Reset):
            status = type(answer).__name__.lower()
        facts = {
            "method": request.method,
            # An endpoint is a capability: eight characters name it, and open nothing.
            "path": request.path[: len(self.flavour.prefix) + 8],
            "headers": request.headers,
            "size": len(request.body),
            "status": status,
            "why": why,
        }
        self._journal.note(EventKind.PUSH, facts)
