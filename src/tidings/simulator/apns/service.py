"""The push service itself: one connection after the other, each with its own environment and sender."""

from __future__ import annotations

import re
import uuid
from collections import deque
from collections.abc import Callable
from dataclasses import replace
from urllib.parse import urlsplit

from tidings.lib.clock import Clock
from tidings.simulator.answers import Answer, Drop, GoAway, Later, Request, Reset, Response
from tidings.simulator.apns import channels
from tidings.simulator.apns.devices import Device, Devices, Fault, message_id
from tidings.simulator.apns.judge import (
    KEY_ONLY,
    LARGEST,
    LARGEST_BROADCAST,
    LARGEST_CALL,
    Asked,
    judged,
    payload_fault,
    topic_fault,
)
from tidings.simulator.apns.reasons import No
from tidings.simulator.apns.senders import LEAST_BETWEEN, PRODUCTION, SANDBOX, Certificate, Senders, Token
from tidings.simulator.journal import Arrival, EventKind, Journal, Reading, Refused

STREAMS = 1000
"""Streams of a connection whose sender has proved who it is; before that there is one."""

HOSTS = {
    "api.push.apple.com": PRODUCTION,
    "api.sandbox.push.apple.com": SANDBOX,
    "api.development.push.apple.com": SANDBOX,
    "api-manage-broadcast.push.apple.com": PRODUCTION,
    "api-manage-broadcast.sandbox.push.apple.com": SANDBOX,
}
_DEVICE, _BROADCAST = "/3/device/", "/4/broadcasts/apps/"
MANAGED = re.compile(r"/1/apps/(?P<app>[A-Za-z0-9.-]+)/(?P<what>channels|all-channels)")
_HIDDEN = frozenset({"authorization", "host", "content-length"})


class ApnsService:
    """Knows all tokens, keys and certificates."""

    def __init__(
        self, *, clock: Clock, random_bytes: Callable[[int], bytes], journal: Journal, senders: Senders
    ) -> None:
        self.senders = senders
        self.devices = Devices()
        self.script: deque[Fault] = deque()
        self.clock = clock
        self.journal = journal
        self.random_bytes = random_bytes

    def connected(self, environment: str, certificate: bytes | None) -> Callable[[Request], Answer]:
        """Give what answers a new connection: to this environment unless a host says otherwise."""
        return Connection(self, environment, certificate).handle


class Connection:
    """What Apple remembers of one connection: who sends on it, and with which token."""

    def __init__(self, service: ApnsService, environment: str, certificate: bytes | None) -> None:
        self._service = service
        self._environment = environment
        self._certificate = certificate
        self._token: Token | None = None
        self._proved = False

    def handle(self, request: Request) -> Answer:
        """Answer one request; the first one of a good sender opens the connection for many at once."""
        now = self._service.clock.now().timestamp()
        environment = HOSTS.get(_host_of(request), self._environment)
        managed = MANAGED.fullmatch(request.path)
        if managed is not None:
            return self._manage(request, environment, managed, now=now)
        if request.method != "POST":
            return self._refuse(request, environment, No("MethodNotAllowed", "push with POST"))
        if not request.path.startswith((_DEVICE, _BROADCAST)):
            return self._refuse(request, environment, No("BadPath", "there is nothing here"))
        sender = self._sender(request, environment, now=now)
        if isinstance(sender, No):
            return self._refuse(request, environment, sender)
        self._proved = True
        if self._service.script:
            scripted = self._service.script.popleft()
            return self._befall(request, environment, scripted, lambda: self._push(request, environment, sender))
        return self._push(request, environment, sender)

    def _manage(self, request: Request, environment: str, asked: re.Match[str], *, now: float) -> Answer:
        sender = self._sender(request, environment, now=now)
        if isinstance(sender, No):
            return self._refuse(request, environment, sender)
        self._proved = True
        if self._service.script:
            fault = self._service.script.popleft()
            return self._befall(request, environment, fault, lambda: self._manage(request, environment, asked, now=now))
        answer = channels.answered(
            request,
            self._service.devices.channels,
            app=asked["app"],
            every=asked["what"] == "all-channels",
            environment=environment,
            allowed=sender.key.topics if isinstance(sender, Token) else frozenset(),
            random_bytes=self._service.random_bytes,
        )
        if isinstance(answer, No):
            return self._refuse(request, environment, answer)
        answer = self._opening(answer)
        self._note(request, environment, answer)
        return answer

    def _sender(self, request: Request, environment: str, *, now: float) -> Certificate | Token | No:
        if self._certificate is not None and "authorization" not in request.headers:
            found = self._service.senders.certificate(self._certificate)
            if isinstance(found, Certificate) and environment not in found.environments:
                return No("BadCertificateEnvironment", f"the certificate is not for {environment}")
            return found
        token = self._service.senders.token(request.headers.get("authorization"), now=now)
        if isinstance(token, No):
            return token
        if environment not in token.key.environments:
            return No("BadEnvironmentKeyInToken", f"the key is not for {environment}")
        before, self._token = self._token, self._token or token
        if before is None or before.text == token.text:
            return token
        if before.key.team_id != token.key.team_id:
            return No("Forbidden", "the connection belongs to another team")
        if before.key.key_id != token.key.key_id:
            return No("UnrelatedKeyIdInToken", "the connection belongs to another key")
        if token.issued - before.issued < LEAST_BETWEEN:
            return No("TooManyProviderTokenUpdates", "two new tokens within 20 minutes")
        self._token = token
        return token

    def _push(self, request: Request, environment: str, sender: Certificate | Token) -> Answer:
        asked = judged(request)
        if isinstance(asked, No):
            return self._refuse(request, environment, asked)
        if request.path.startswith(_BROADCAST):
            fault = self._broadcast_fault(request, environment, asked)
            return self._refuse(request, environment, fault) if fault else self._take(request, environment, None)
        fault = self._fault(request, asked, sender)
        if fault:
            return self._refuse(request, environment, fault)
        device = self._service.devices.find(environment, request.path.removeprefix(_DEVICE).lower())
        found = _state(device, request.headers.get("apns-topic") or _only(sender))
        if device is None or isinstance(found, No):
            return self._refuse(request, environment, found or No("BadDeviceToken"))
        fate = device.met_by(message_id(request.body, request.headers))
        if fate is None:
            return self._take(request, environment, device)
        answer = self._befall(request, environment, fate, lambda: self._take(request, environment, device))
        device.tally.refused += isinstance(answer, Response)
        return answer

    def _fault(self, request: Request, asked: Asked, sender: Certificate | Token) -> No | None:
        if isinstance(sender, Certificate):
            if asked.push_type in KEY_ONLY:
                return No("TopicDisallowed", f"{asked.push_type} wants a provider token")
            topic, allowed = request.headers.get("apns-topic") or _only(sender), frozenset(sender.topics)
        else:
            topic, allowed = request.headers.get("apns-topic"), sender.key.topics or frozenset()
        fault = topic_fault(topic, asked, allowed=allowed or None)
        if fault or request.path == _DEVICE:
            return fault or No("MissingDeviceToken", "the path names no token")
        return payload_fault(request.body, largest=LARGEST_CALL if asked.push_type == "voip" else LARGEST)

    def _broadcast_fault(self, request: Request, environment: str, asked: Asked) -> No | None:
        channel = request.headers.get("apns-channel-id")
        if not channel:
            return No("MissingChannelId", "there is no apns-channel-id")
        if "apns-push-type" not in request.headers:
            return No("MissingPushType", "there is no apns-push-type")
        if asked.push_type != "liveactivity":
            return No("InvalidPushType", "a broadcast is a Live Activity")
        found = self._service.devices.channels.get((environment, channel))
        if found is None:
            return No("ChannelNotRegistered", "there is no such channel")
        app = request.path.removeprefix(_BROADCAST)
        if found.app not in ("", app):
            return No("TopicMismatch", f"the channel belongs to another app than {app[:80]}")
        if asked.expiration and not found.keeps:
            return No("BadExpirationDate", "the channel keeps nothing: apns-expiration has to be 0")
        return payload_fault(request.body, largest=LARGEST_BROADCAST)

    def _befall(self, request: Request, environment: str, fault: Fault, otherwise: Callable[[], Answer]) -> Answer:
        answer = fault.answer(now=self._service.clock.now().timestamp())
        if answer is None:
            return Later(fault.seconds, otherwise)
        if isinstance(answer, No):
            return self._refuse(request, environment, answer)
        self._note(request, environment, answer, why=fault.kind)
        return answer

    def _take(self, request: Request, environment: str, device: Device | None) -> Response:
        name = message_id(request.body, request.headers)
        if device is not None:
            device.take(name)
        now = self._service.clock.now().timestamp()
        answer = self._opening(Response(200, self._headers(request, environment)))
        expiration = int(request.headers.get("apns-expiration", "0"))
        self._service.journal.arrived(
            Arrival(
                at=now,
                to=(device.token if device else request.headers["apns-channel-id"])[:8],
                recipient="device" if device else "channel",
                delivery=name,
                reading=Reading.PLAIN,
                plaintext=request.body,
                size=len(request.body),
                ttl=max(0, expiration - int(now)),
                urgency=request.headers.get("apns-priority", "10"),
                topic=request.headers.get("apns-collapse-id"),
                flavour=f"apns_{environment}",
                headers={name: value for name, value in request.headers.items() if name not in _HIDDEN},
            )
        )
        self._note(request, environment, answer)
        return answer

    def _opening(self, answer: Response) -> Response:
        return replace(answer, streams=STREAMS) if self._proved else answer

    def _headers(self, request: Request, environment: str) -> tuple[tuple[str, str], ...]:
        def fresh() -> str:
            return str(uuid.UUID(bytes=self._service.random_bytes(16))).upper()

        headers: tuple[tuple[str, str], ...] = (("apns-id", request.headers.get("apns-id") or fresh()),)
        return (*headers, ("apns-unique-id", fresh().lower())) if environment == SANDBOX else headers

    def _refuse(self, request: Request, environment: str, no: No) -> Response:
        answer = self._opening(no.response((("apns-id", request.headers.get("apns-id", "")),)))
        self._note(request, environment, answer, why=f"{no.reason}: {no.detail}")
        return answer

    def _note(self, request: Request, environment: str, answer: Answer, *, why: str | None = None) -> None:
        status: int | str = "none"
        if isinstance(answer, Response):
            status = answer.status
        elif isinstance(answer, Drop | Reset | GoAway):
            status = type(answer).__name__.lower()
        # A token is a capability to be told things: eight characters name it, and reach nobody.
        path = request.path[: len(_DEVICE) + 8] if request.path.startswith(_DEVICE) else request.path[:80]
        facts = {
            "method": request.method,
            "path": path,
            "flavour": f"apns_{environment}",
            "headers": request.headers,
            "size": len(request.body),
            "status": status,
            "why": why,
        }
        self._service.journal.note(EventKind.PUSH, facts)
        if why is not None:
            to = request.path.removeprefix(_DEVICE)[:8]
            now = self._service.clock.now().timestamp()
            self._service.journal.refused(Refused(now, to, f"apns_{environment}", status, why))


def _state(device: Device | None, topic: str | None) -> No | None:
    if device is None:
        return No("BadDeviceToken", "no such token in this environment")
    if device.topic != topic:
        return No("DeviceTokenNotForTopic", "the token is of another app, or of another kind of push")
    if device.ended is not None:
        return No("ExpiredToken" if device.expired else "Unregistered", "the app is gone", since=device.ended)
    return None


def _only(sender: Certificate | Token) -> str | None:
    if isinstance(sender, Certificate):
        return sender.topics[0] if len(sender.topics) == 1 else None
    return None


def _host_of(request: Request) -> str:
    try:
        return urlsplit(f"//{request.headers.get('host', '')}").hostname or ""
    except ValueError:
        return ""
