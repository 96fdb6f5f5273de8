"""Google's push service as an unmodified Chromium meets it: check-in, registration, and the socket to each browser."""

from __future__ import annotations

import asyncio
import contextlib
import re
import ssl
from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import parse_qs

from tidings.lib.clock import Clock
from tidings.simulator import base64url, mcs, protobuf
from tidings.simulator.answers import Request, Response
from tidings.simulator.faults import Fault
from tidings.simulator.flavours import GOOGLE
from tidings.simulator.journal import Arrival, EventKind, Journal, Reading
from tidings.simulator.listener import HOST
from tidings.simulator.postbox import Postbox
from tidings.simulator.push_service import PushMessage, PushService

CHECK_IN, REGISTER = "/checkin", "/register3"  # codespell:ignore checkin
_KEY_LENGTH = 65
_AUTHORIZATION = re.compile(r"AidLogin (\d{1,20}):(\d{1,20})")


@dataclass(slots=True)
class _Device:
    """One Chromium profile: its subscriptions by subtype, and messages not yet acknowledged."""

    number: int
    secret: int
    link: mcs.Link | None = None
    registrations: dict[str, _Registration] = field(default_factory=dict)
    post: Postbox = field(default_factory=Postbox)


class _Registration:
    """One subscription of a device (a Recipient of the push service)."""

    def __init__(self, gcm: Gcm, device: _Device, *, subtype: str, category: str, sender: str, token: str) -> None:
        self.flavour = GOOGLE
        self.subtype = subtype
        self.category = category
        self.sender = sender
        self.token = token
        self.device = device
        self.vapid_key = _vapid_key(sender)
        self._gcm = gcm

    def met_by(self, topic: str | None) -> Fault | None:
        """A real browser has no scripted fault."""
        return None

    def refused(self) -> None:
        """The log tells it already."""

    def take(self, message: PushMessage) -> None:
        """Hand the message to the device, or keep it until the device comes back."""
        self._gcm.take(self, message)


class Gcm:
    """Check-in and registration over HTTP (`handle` is a Handler) and the MCS socket, on loopback."""

    def __init__(
        self, service: PushService, journal: Journal, *, clock: Clock, random_bytes: Callable[[int], bytes]
    ) -> None:
        self._service = service
        self._journal = journal
        self._clock = clock
        self._random_bytes = random_bytes
        self._devices: dict[int, _Device] = {}
        self._connections: set[asyncio.Task[None]] = set()
        self._refusing = 0
        self._server: asyncio.Server | None = None

    async def open(self, *, port: int, tls: ssl.SSLContext) -> int:
        """Listen for MCS connections on loopback; give the port. Raises OSError when it is taken."""
        self._server = await asyncio.start_server(self._accepted, HOST, port, ssl=tls)
        return int(self._server.sockets[0].getsockname()[1])

    async def close(self) -> None:
        """Stop listening and cut every connection."""
        if self._server is None:
            return
        self._server.close()
        for task in list(self._connections):
            task.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)
        await self._server.wait_closed()

    def close_sockets(self, *, forget: bool = False) -> int:
        """Close all connections; with `forget` also lose every device, as a service does that lost its database."""
        online = [device.link for device in self._devices.values() if device.link]
        for link in online:
            link.writer.close()
        if forget:
            for device in self._devices.values():
                for registration in device.registrations.values():
                    self._service.end(registration.token)
            self._devices.clear()
        return len(online)

    def refuse_registrations(self, times: int) -> None:
        """Answer the next requests for an endpoint as a service that is out of order."""
        self._refusing = times

    def state(self) -> dict[str, dict[str, object]]:
        """Say which devices are connected and how many messages wait for each."""
        devices = self._devices.values()
        return {_name(one): {"online": one.link is not None, "stored": len(one.post)} for one in devices}

    def handle(self, request: Request) -> Response:
        """Answer check-in and registration."""
        try:
            if request.method == "POST" and request.path == CHECK_IN:
                return self._check_in(request)
            if request.method == "POST" and request.path == REGISTER:
                return self._register(request)
        except (protobuf.Malformed, ValueError):
            return Response(400)
        return Response(404)

    def _check_in(self, request: Request) -> Response:
        """Give a device its number and secret; one that has them keeps them."""
        asked = protobuf.fields_of(request.body)
        number, secret = protobuf.number_in(asked, 2), protobuf.number_in(asked, 13)
        if not (number and secret):
            number, secret = (int.from_bytes(self._random_bytes(8), "big") >> 2 | 1 for _ in range(2))
        known = self._devices.get(number)
        if known and known.secret != secret:
            return Response(401)
        device = known or self._devices.setdefault(number, _Device(number, secret))
        self._journal.note(EventKind.CHECK_IN, {"device": _name(device)})
        answer = protobuf.message((1, 1), (3, int(self._clock.now().timestamp() * 1000)), (9, 0))
        return Response(200, (), answer + protobuf.fixed64(7, number) + protobuf.fixed64(8, secret))

    def _register(self, request: Request) -> Response:
        form = {name: values[-1] for name, values in parse_qs(request.body.decode()).items()}
        signed = _AUTHORIZATION.fullmatch(request.headers.get("authorization", ""))
        if signed is None or signed[1] != form.get("device"):
            return _said("Error=AUTHENTICATION_FAILED")
        device = self._device(int(signed[1]), int(signed[2]))
        if device is None:
            return _said("Error=AUTHENTICATION_FAILED")
        subtype = form.get("X-subtype", "")
        ending = form.get("delete") == "true"
        facts = {"device": _name(device), "subtype": subtype[:40], "delete": ending}
        self._journal.note(EventKind.REGISTER, facts)
        if ending:
            self._end(device, subtype)
            return _said(f"token={subtype}")
        if self._refusing:
            self._refusing -= 1
            return _said("Error=INVALID_PARAMETERS")
        return _said(f"token={self._registered(device, subtype, form)}")

    def _registered(self, device: _Device, subtype: str, form: dict[str, str]) -> str:
        sender = form.get("sender", "")
        known = device.registrations.get(subtype)
        if known and known.sender == sender:
            return known.token
        self._end(device, subtype)
        token = f"{base64url.encoded(self._random_bytes(8))}:APA91b{base64url.encoded(self._random_bytes(60))}"
        made = _Registration(self, device, subtype=subtype, category=form.get("app", ""), sender=sender, token=token)
        device.registrations[subtype] = made
        self._service.register(token, made)
        return token

    def _end(self, device: _Device, subtype: str) -> None:
        ended = device.registrations.pop(subtype, None)
        if ended:
            self._service.end(ended.token)

    def _device(self, number: int, secret: int) -> _Device | None:
        """Find a device, or take it for what it says: a profile outlives the simulator, which keeps nothing."""
        device = self._devices.setdefault(number, _Device(number, secret))
        return device if device.secret == secret else None

    def take(self, registration: _Registration, message: PushMessage) -> None:
        """Store a message and, if the device is here, deliver it."""
        device = registration.device
        device.post.keep(message, registration.subtype)
        if device.link:
            self._deliver(device.link, registration, message)
        self._journal.arrived(
            Arrival(
                at=message.received_at,
                to=registration.token[:8],
                recipient="chromium",
                delivery=message.topic or message.id,
                reading=Reading.NOT_TRIED if message.body else Reading.EMPTY,
                plaintext=None,
                size=len(message.body),
                ttl=message.ttl,
                urgency=message.urgency,
                topic=message.topic,
                flavour=GOOGLE.name,
                headers=message.headers,
            )
        )

    def _deliver(self, link: mcs.Link, registration: _Registration, message: PushMessage) -> None:
        data = mcs.Data(
            sender=registration.sender,
            category=registration.category,
            subtype=registration.subtype,
            id=message.id,
            ttl=message.ttl,
            sent=message.received_at,
            body=message.body,
        )
        link.deliver(data)
        self._journal.note(EventKind.SOCKET_OUT, {"device": _name(registration.device), "message": message.id})

    async def _accepted(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._connections.add(task)
        link = mcs.Link(reader, writer)
        try:
            if await reader.readexactly(1) == bytes((mcs.VERSION,)):
                await self._serve(link)
        except (asyncio.IncompleteReadError, protobuf.Malformed, OSError, asyncio.CancelledError):
            pass  # a browser that is killed says no goodbye, and whoever speaks otherwise is none
        finally:
            self._connections.discard(task)
            device = self._devices.get(link.device or 0)
            if device and device.link is link:
                device.link = None
            self._journal.note(EventKind.SOCKET_CLOSED, {"device": _name(device) if device else None})
            writer.close()
            with contextlib.suppress(OSError, asyncio.CancelledError):
                await writer.wait_closed()

    async def _serve(self, link: mcs.Link) -> None:
        login = mcs.login_from(await link.read())
        device = self._device(login.device, login.secret)
        if device is None:
            link.reject(login)
            await link.writer.drain()
            return
        self._log_in(link, device, login)
        while True:
            await link.writer.drain()
            frame = await link.read()
            device.post.drop(link.acknowledged(frame))
            self._journal.note(EventKind.SOCKET_IN, {"device": _name(device), "tag": frame.tag})
            if frame.tag == mcs.Tag.PING:
                link.answer_ping()
            elif frame.tag == mcs.Tag.CLOSE:
                return

    def _log_in(self, link: mcs.Link, device: _Device, login: mcs.Login) -> None:
        if device.link:
            device.link.writer.close()
        device.link, link.device = link, device.number
        device.post.drop(login.received)
        now = self._clock.now().timestamp()
        link.welcome(login, now=now)
        self._journal.note(EventKind.SOCKET_IN, {"device": _name(device), "tag": mcs.Tag.LOGIN})
        for message, subtype in device.post.waiting(now=now):
            registration = device.registrations.get(subtype)
            if registration:
                self._deliver(link, registration, message)


def _name(device: _Device) -> str:
    """Name a device in the log by what opens nothing."""
    return f"{device.number:016x}"[:8]


def _said(text: str) -> Response:
    return Response(200, (("content-type", "text/plain; charset=utf-8"),), text.encode())


def _vapid_key(sender: str) -> bytes | None:
    """Read the sender as a VAPID key; Chromium's own registrations name a number instead."""
    try:
        key = base64url.decoded(sender)
    except ValueError:
        return None
    return key if len(key) == _KEY_LENGTH else None
