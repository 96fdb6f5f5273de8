"""The simulator's own interface: plain JSON over HTTP on loopback, for tests, the demo and measurements."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Annotated, Literal
from urllib.parse import parse_qs, urlsplit

import msgspec
from cryptography.hazmat.primitives.asymmetric import ec

from tidings.simulator import base64url, pages
from tidings.simulator.answers import Request, Response
from tidings.simulator.autopush import Autopush
from tidings.simulator.coding import CURVE
from tidings.simulator.faults import Fault, FaultKind
from tidings.simulator.fcm import Fcm
from tidings.simulator.fcm_control import FcmControl
from tidings.simulator.flavours import FLAVOURS, JSON, FlavourName
from tidings.simulator.gcm import Gcm
from tidings.simulator.journal import Journal
from tidings.simulator.push_service import PushService
from tidings.simulator.site import Site
from tidings.simulator.subscribers import Subscribers

POLICY = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'"
MOST_AT_ONCE = 50_000

_Share = Annotated[float, msgspec.Meta(ge=0, le=1)]
_Tries = Annotated[int, msgspec.Meta(ge=1, le=1_000)]
_Seconds = Annotated[float, msgspec.Meta(ge=0, le=600)]
_RetryAfter = Annotated[int, msgspec.Meta(ge=0, le=86_400)] | Literal["real"] | None


class _FaultShare(msgspec.Struct, forbid_unknown_fields=True):
    share: _Share
    tries: _Tries = 1
    retry_after: _RetryAfter = 1
    seconds: _Seconds = 2.0


class _NewSubscribers(msgspec.Struct, forbid_unknown_fields=True):
    count: Annotated[int, msgspec.Meta(ge=1, le=MOST_AT_ONCE)]
    vapid_key: str
    faults: dict[FaultKind, _Share | _FaultShare] = {}
    seed: str | int | None = None
    flavours: dict[FlavourName, _Share] = {}
    real_hosts: bool = False


class _NextAnswers(msgspec.Struct, forbid_unknown_fields=True):
    kind: FaultKind
    times: Annotated[int, msgspec.Meta(ge=1, le=100_000)] = 1
    retry_after: _RetryAfter = 1
    seconds: _Seconds = 2.0


class _Closing(msgspec.Struct, forbid_unknown_fields=True):
    code: Annotated[int, msgspec.Meta(ge=1000, le=4999)] = 1001
    forget: bool = False


class _Limit(msgspec.Struct, forbid_unknown_fields=True):
    flavour: FlavourName
    per_minute: Annotated[int, msgspec.Meta(ge=0, le=1_000_000)] | None = 1_000


class _Registrations(msgspec.Struct, forbid_unknown_fields=True):
    refuse: Annotated[int, msgspec.Meta(ge=0, le=1_000)]


class _Delivery(msgspec.Struct, forbid_unknown_fields=True):
    endpoint: str
    body: str = ""
    ttl: Annotated[int, msgspec.Meta(ge=0, le=2_592_000)] = 60
    topic: str | None = None


class _SiteSettings(msgspec.Struct, forbid_unknown_fields=True):
    tidings: str
    app: str | None = None


class Control:
    """Answers the control port; `handle` is a Handler. `more` are the addresses of the services for apps."""

    def __init__(
        self,
        *,
        service: PushService,
        subscribers: Subscribers,
        autopush: Autopush,
        gcm: Gcm,
        fcm: Fcm,
        journal: Journal,
        site: Site,
        new_seed: Callable[[], str],
        more: Mapping[str, dict[str, Callable[[Request], Response]]] | None = None,
    ) -> None:
        self._service = service
        self._subscribers = subscribers
        self._autopush = autopush
        self._gcm = gcm
        self._journal = journal
        self._site = site
        self._new_seed = new_seed
        self._files = pages.read("page")
        self._routes: dict[str, dict[str, Callable[[Request], Response]]] = {
            "/subscribers": {"POST": self._make},
            "/subscribers/summary": {"GET": self._summary},
            "/messages": {"GET": self._messages},
            "/refusals": {"GET": self._refusals},
            "/limits": {"POST": self._limit},
            "/registrations": {"POST": self._registrations},
            "/faults": {"POST": self._script, "DELETE": self._clear},
            "/deliver": {"POST": self._deliver},
            "/log": {"GET": self._log},
            "/close": {"POST": self._close},
            "/site": {"POST": self._set_site},
            **FcmControl(fcm).routes(),
            **(more or {}),
        }

    def handle(self, request: Request) -> Response:
        """Answer one request; a caller's mistake is 400 with `error` saying what is wrong."""
        if not _from_here(request):
            return _failed(403, "The control port serves this machine only, and no page of another site.")
        methods = self._routes.get(request.path)
        if methods is None:
            return self._file(request)
        answer = methods.get(request.method)
        if answer is None:
            return _failed(405, f"{request.path} takes {' or '.join(methods)}.")
        try:
            return answer(request)
        except (msgspec.MsgspecError, ValueError) as error:
            return _failed(400, str(error))

    def _file(self, request: Request) -> Response:
        found = self._files.get("/index.html" if request.path == "/" else request.path)
        if found is None or request.method not in {"GET", "HEAD"}:
            return _failed(
                404, f"There is no {request.path}; `/` is a page, its addresses are in docs/how-to/simulate.md."
            )
        return pages.answer(*found, policy=POLICY)

    def _make(self, request: Request) -> Response:
        asked = msgspec.json.decode(request.body, type=_NewSubscribers)
        key = _vapid_key(asked.vapid_key)
        seed = self._new_seed() if asked.seed is None else str(asked.seed)
        shares = [_fault_share(kind, share) for kind, share in asked.faults.items()]
        made = self._subscribers.make(
            asked.count,
            vapid_key=key,
            shares=shares,
            seed=seed,
            flavours=[(FLAVOURS[name], share) for name, share in asked.flavours.items()],
            real_hosts=asked.real_hosts,
        )
        return _json(201, {"subscriptions": made, "seed": seed})

    def _summary(self, request: Request) -> Response:
        return _json(200, self._subscribers.summary())

    def _messages(self, request: Request) -> Response:
        limit, after = _number(request, "limit", 50), _number(request, "after", 0)
        return _json(200, {"messages": self._journal.messages(limit=limit, after=after)})

    def _refusals(self, request: Request) -> Response:
        limit, after = _number(request, "limit", 50), _number(request, "after", 0)
        return _json(200, {"refusals": self._journal.refusals(limit=limit, after=after)})

    def _limit(self, request: Request) -> Response:
        asked = msgspec.json.decode(request.body, type=_Limit)
        self._service.limits.put(asked.flavour, asked.per_minute)
        return Response(204)

    def _registrations(self, request: Request) -> Response:
        asked = msgspec.json.decode(request.body, type=_Registrations)
        self._autopush.refuse_registrations(asked.refuse)
        self._gcm.refuse_registrations(asked.refuse)
        return Response(204)

    def _script(self, request: Request) -> Response:
        asked = msgspec.json.decode(request.body, type=_NextAnswers)
        fault = Fault(asked.kind, retry_after=asked.retry_after, seconds=asked.seconds)
        self._service.script.add(fault, times=asked.times)
        return Response(204)

    def _clear(self, request: Request) -> Response:
        return _json(200, {"cleared": self._service.script.clear()})

    def _log(self, request: Request) -> Response:
        events = self._journal.events(limit=_number(request, "limit", 1_000))
        return _json(200, {"log": events, **self._autopush.state(), "chromium": self._gcm.state()})

    def _deliver(self, request: Request) -> Response:
        asked = msgspec.json.decode(request.body, type=_Delivery)
        body = base64url.decoded(asked.body)
        message = self._service.deliver(asked.endpoint, body, ttl=asked.ttl, topic=asked.topic)
        return _json(201, {"id": message.id})

    def _close(self, request: Request) -> Response:
        asked = msgspec.json.decode(request.body or b"{}", type=_Closing)
        closed = self._autopush.close_sockets(code=asked.code, forget=asked.forget)
        return _json(200, {"closed": closed + self._gcm.close_sockets(forget=asked.forget)})

    def _set_site(self, request: Request) -> Response:
        asked = msgspec.json.decode(request.body, type=_SiteSettings)
        self._site.connect(asked.tidings, app=asked.app)
        return Response(204)


def _fault_share(kind: FaultKind, share: float | _FaultShare) -> tuple[Fault, float]:
    if isinstance(share, float):
        return Fault(kind), share
    return Fault(kind, tries=share.tries, retry_after=share.retry_after, seconds=share.seconds), share.share


def _vapid_key(text: str) -> bytes:
    try:
        key = base64url.decoded(text)
        ec.EllipticCurvePublicKey.from_encoded_point(CURVE, key)
    except ValueError as error:
        raise ValueError("`vapid_key` must be a VAPID public key: 87 characters of base64url") from error
    return key


def _number(request: Request, name: str, default: int) -> int:
    text = parse_qs(request.query).get(name, [str(default)])[-1]
    if not (text.isascii() and text.isdigit() and len(text) < 12):
        raise ValueError(f"`{name}` must be a whole number, not {text[:40]!r}")
    return int(text)


def _from_here(request: Request) -> bool:
    """Refuse other sites' pages and names that were rebound to this machine: this port has no password."""
    host = urlsplit(f"//{request.headers.get('host', '')}").hostname
    origin = request.headers.get("origin")
    own = origin is None or origin == f"http://{request.headers.get('host')}"
    return host in {"127.0.0.1", "localhost"} and own


def _json(status: int, content: dict[str, object]) -> Response:
    return Response(status, (JSON, ("cache-control", "no-store")), json.dumps(content).encode())


def _failed(status: int, why: str) -> Response:
    return _json(status, {"error": why, "status": status, "title": HTTPStatus(status).phrase})
