"""The socket Firefox keeps to Mozilla's push service: its messages, and the post that waits for each device."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Callable
from dataclasses import dataclass, field

import msgspec
from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

from tidings.lib.clock import Clock
from tidings.simulator import base64url
from tidings.simulator.faults import Fault
from tidings.simulator.flavours import STRICT
from tidings.simulator.frames import READER, Ack, Hello, Ping, Register, Said, Unregister
from tidings.simulator.journal import Arrival, EventKind, Journal, Reading
from tidings.simulator.listener import HOST
from tidings.simulator.postbox import Postbox
from tidings.simulator.push_service import PushMessage, PushService

SUBPROTOCOL = Subprotocol("push-notification")
PROTOCOL_ERROR = 1002


@dataclass(frozen=True, slots=True)
class _Close:
    code: int


@dataclass(slots=True)
class _Link:
    """One open socket; what is put into `outbox` leaves in that order."""

    outbox: asyncio.Queue[dict[str, object] | _Close] = field(default_factory=asyncio.Queue)
    device: _Device | None = None


@dataclass(slots=True)
class _Device:
    """One Firefox profile: its channels by id, and messages not yet acknowledged, oldest first."""

    uaid: str
    link: _Link | None = None
    channels: dict[str, _Channel] = field(default_factory=dict)
    post: Postbox = field(default_factory=Postbox)


class _Channel:
    """One subscription of a device (a Recipient of the push service)."""

    def __init__(self, autopush: Autopush, device: _Device, *, channel_id: str, token: str, key: bytes | None) -> None:
        self.vapid_key = key
        self.flavour = STRICT
        self.channel_id = channel_id
        self.token = token
        self.device = device
        self._autopush = autopush

    def met_by(self, topic: str | None) -> Fault | None:
        """A real browser has no scripted fault."""
        return None

    def refused(self) -> None:
        """The log tells it already."""

    def take(self, message: PushMessage) -> None:
        """Hand the message to the device, or keep it until the device comes back."""
        self._autopush.take(self, message)


class Autopush:
    """Mozilla's push socket (autopush protocol) on loopback, delivering what the push service accepts."""

    def __init__(
        self, service: PushService, journal: Journal, *, clock: Clock, random_bytes: Callable[[int], bytes]
    ) -> None:
        self._service = service
        self._journal = journal
        self._clock = clock
        self._random_bytes = random_bytes
        self._devices: dict[str, _Device] = {}
        self._refusing = 0
        self._server: Server | None = None
        service.cancel = self.cancel

    async def open(self, *, port: int) -> int:
        """Listen on loopback; give the port. Raises OSError when it is taken."""
        self._server = await serve(self._serve, HOST, port, subprotocols=[SUBPROTOCOL], compression=None)
        return int(next(iter(self._server.sockets)).getsockname()[1])

    async def close(self) -> None:
        """Stop listening and close every socket."""
        if self._server:
            self._server.close(code=1001)
            await self._server.wait_closed()

    def close_sockets(self, *, code: int = 1001, forget: bool = False) -> int:
        """Close all sockets; with `forget` also lose every device, as a service does that lost its database."""
        devices = [device for device in self._devices.values() if device.link]
        for device in devices:
            if device.link:
                device.link.outbox.put_nowait(_Close(code))
        if forget:
            for device in self._devices.values():
                for channel in device.channels.values():
                    self._service.end(channel.token)
            self._devices.clear()
        return len(devices)

    def refuse_registrations(self, times: int) -> None:
        """Answer the next requests for an endpoint as a service that is out of order."""
        self._refusing = times

    def state(self) -> dict[str, object]:
        """Say which devices are connected and how many messages wait for each."""
        return {
            "online": [device.uaid for device in self._devices.values() if device.link],
            "stored": {device.uaid: len(device.post) for device in self._devices.values()},
        }

    def take(self, channel: _Channel, message: PushMessage) -> None:
        """Store a message and, if the device is here, deliver it."""
        device = channel.device
        device.post.keep(message, channel.channel_id)
        if device.link:
            self._send(device.link, _notification(message, channel.channel_id))
        arrival = Arrival(
            at=message.received_at,
            to=channel.token[:8],
            recipient="firefox",
            delivery=message.topic or message.id,
            reading=Reading.NOT_TRIED if message.body else Reading.EMPTY,
            plaintext=None,
            size=len(message.body),
            ttl=message.ttl,
            urgency=message.urgency,
            topic=message.topic,
            flavour=channel.flavour.name,
            headers=message.headers,
        )
        self._journal.arrived(arrival)

    def cancel(self, message_id: str) -> bool:
        """Take back a stored message; False when there is none of that id."""
        found = next((device for device in self._devices.values() if message_id in device.post), None)
        if found is None:
            return False
        found.post.drop([message_id])
        return True

    async def _serve(self, socket: ServerConnection) -> None:
        link = _Link()
        writer = asyncio.create_task(_written(socket, link.outbox))
        try:
            async for frame in socket:
                self._on(link, frame)
        except ConnectionClosed:
            pass  # a browser that is killed says no goodbye
        finally:
            if link.device and link.device.link is link:
                link.device.link = None
            writer.cancel()
            with contextlib.suppress(asyncio.CancelledError, ConnectionClosed):
                await writer
            uaid = link.device.uaid if link.device else None
            self._journal.note(EventKind.SOCKET_CLOSED, {"uaid": uaid, "code": socket.close_code})

    def _on(self, link: _Link, frame: str | bytes) -> None:
        text = frame if isinstance(frame, str) else ""
        self._journal.note(EventKind.SOCKET_IN, {"text": text[:2_000]})
        if text.strip() == "{}":
            self._send(link, {})
            return
        try:
            said = READER.decode(text)
        except msgspec.MsgspecError:
            link.outbox.put_nowait(_Close(PROTOCOL_ERROR))
            return
        if isinstance(said, Hello):
            self._hello(link, said)
        elif isinstance(said, Ping):
            self._send(link, {})
        elif link.device is None:
            link.outbox.put_nowait(_Close(PROTOCOL_ERROR))
        else:
            self._on_known(link, link.device, said)

    def _on_known(self, link: _Link, device: _Device, said: Said) -> None:
        if isinstance(said, Register):
            self._register(link, device, said)
        elif isinstance(said, Unregister):
            channel = device.channels.pop(str(said.channelID), None)
            if channel:
                self._service.end(channel.token)
            answer = {"messageType": "unregister", "channelID": str(said.channelID), "status": 200}
            self._send(link, answer)
        elif isinstance(said, Ack):
            device.post.drop(update.version for update in said.updates)

    def _hello(self, link: _Link, hello: Hello) -> None:
        device = self._devices.get(hello.uaid or "")
        if device is None:
            # A uaid we do not know gets a new one; the browser then drops its subscriptions and tells its pages.
            device = _Device(uaid=self._random_bytes(16).hex())
            self._devices[device.uaid] = device
        elif device.link and device.link is not link:
            device.link.outbox.put_nowait(_Close(1001))
        device.link, link.device = link, device
        self._send(
            link,
            {"messageType": "hello", "uaid": device.uaid, "status": 200, "use_webpush": True, "broadcasts": {}},
        )
        for message, channel_id in device.post.waiting(now=self._clock.now().timestamp()):
            self._send(link, _notification(message, channel_id))

    def _register(self, link: _Link, device: _Device, asked: Register) -> None:
        channel_id = str(asked.channelID)
        answer: dict[str, object] = {"messageType": "register", "channelID": channel_id}
        if self._refusing:
            self._refusing -= 1
            self._send(link, {**answer, "status": 500})
            return
        try:
            key = base64url.decoded(asked.key) if asked.key else None
        except ValueError:
            self._send(link, {**answer, "status": 400})
            return
        channel = device.channels.get(channel_id)
        if channel is None or channel.vapid_key != key:
            if channel:
                self._service.end(channel.token)
            channel = _Channel(self, device, channel_id=channel_id, token=self._service.new_token(), key=key)
            device.channels[channel_id] = channel
            self._service.register(channel.token, channel)
        self._send(link, {**answer, "status": 200, "pushEndpoint": self._service.endpoint(channel.token)})

    def _send(self, link: _Link, message: dict[str, object]) -> None:
        told = {name: value for name, value in message.items() if name not in {"data", "pushEndpoint"}}
        self._journal.note(EventKind.SOCKET_OUT, told)
        link.outbox.put_nowait(message)


async def _written(socket: ServerConnection, outbox: asyncio.Queue[dict[str, object] | _Close]) -> None:
    while True:
        message = await outbox.get()
        if isinstance(message, _Close):
            await socket.close(message.code)
            return
        await socket.send(json.dumps(message))


def _notification(message: PushMessage, channel_id: str) -> dict[str, object]:
    wire: dict[str, object] = {
        "messageType": "notification",
        "channelID": channel_id,
        "version": message.id,
        "ttl": message.ttl,
    }
    if message.topic is not None:
        wire["topic"] = message.topic
    if message.body:
        wire["data"] = base64url.encoded(message.body)
        wire["headers"] = {"encoding": "aes128gcm"}
    return wire
