"""The socket Chromium keeps to Google: frames of protocol buffers over TLS, as google_apis/gcm/protocol/mcs.proto."""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass, field
from enum import IntEnum

from tidings.simulator import protobuf

VERSION = 41
"""The first byte in either direction; there has been no other since 2013."""
_NUMBER = re.compile(r"[0-9]{1,20}")
LARGEST = 1 << 20
_SELECTIVE_ACK = 12


class Tag(IntEnum):
    """What a frame is."""

    PING = 0
    PING_ACK = 1
    LOGIN = 2
    LOGGED_IN = 3
    CLOSE = 4
    IQ = 7
    DATA = 8


@dataclass(frozen=True, slots=True)
class Frame:
    """One frame that was read."""

    tag: int
    fields: dict[int, list[protobuf.Value]]


@dataclass(frozen=True, slots=True)
class Login:
    """Who a browser says it is, and which messages of an earlier connection it has."""

    device: int
    secret: int
    request_id: str
    received: list[str]


@dataclass(frozen=True, slots=True)
class Data:
    """One push message on its way: `category` is the browser's name for itself, `subtype` the subscription's."""

    sender: str
    category: str
    subtype: str
    id: str
    ttl: int
    sent: float
    body: bytes


@dataclass(slots=True)
class Link:
    """One open connection, with the numbers that both sides count frames by."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    device: int | None = None
    received: int = 0
    sent: int = 0
    unacknowledged: dict[int, str] = field(default_factory=dict)

    async def read(self) -> Frame:
        """Read one frame. Raises asyncio.IncompleteReadError at the end, Malformed for what is none."""
        [tag] = await self.reader.readexactly(1)
        size = 0
        for shift in range(0, 35, 7):
            [byte] = await self.reader.readexactly(1)
            size |= (byte & 0x7F) << shift
            if byte < 0x80:
                break
        if size > LARGEST:
            raise protobuf.Malformed(f"a frame of {size} bytes")
        fields = protobuf.fields_of(await self.reader.readexactly(size))
        self.received += 1
        return Frame(tag, fields)

    def write(self, tag: Tag, body: bytes, *, message_id: str | None = None) -> None:
        """Put one frame on its way; one with a message's id is acknowledged by its number some time."""
        self.sent += 1
        if message_id is not None:
            self.unacknowledged[self.sent] = message_id
        self.writer.write(bytes((tag,)) + protobuf.varint(len(body)) + body)

    def welcome(self, login: Login, *, now: float) -> None:
        """Answer a login: the version, then the response that starts the count."""
        self.writer.write(bytes((VERSION,)))
        self.sent = 0
        self.write(Tag.LOGGED_IN, protobuf.message((1, login.request_id), (8, int(now * 1000))))

    def reject(self, login: Login) -> None:
        """Answer a login whose secret is wrong; the browser checks in anew."""
        error = protobuf.message((1, 401), (2, "AUTHENTICATION_FAILED"))
        self.writer.write(bytes((VERSION,)))
        self.write(Tag.LOGGED_IN, protobuf.message((1, login.request_id), (3, error)))

    def answer_ping(self) -> None:
        """Say that the connection lives, and what came by it."""
        self.write(Tag.PING_ACK, protobuf.message((1, self.sent + 1), (2, self.received)))

    def deliver(self, data: Data) -> None:
        """Send a message and ask for its acknowledgement at once; else it came with the next heartbeat."""
        pairs = [("subtype", data.subtype)]
        if data.body:
            pairs.append(("content-encoding", "aes128gcm"))
        fields: list[tuple[int, int | str | bytes]] = [(3, data.sender), (5, data.category)]
        fields += [(7, protobuf.message((1, name), (2, value))) for name, value in pairs]
        fields += [(9, data.id), (11, self.received), (17, data.ttl), (18, int(data.sent * 1000))]
        if data.body:
            fields.append((21, data.body))
        self.write(Tag.DATA, protobuf.message(*fields, (24, 1)), message_id=data.id)

    def acknowledged(self, frame: Frame) -> list[str]:
        """Give the messages that a frame says have arrived: up to a number, or each by its id."""
        last = protobuf.number_in(frame.fields, _LAST_STREAM_ID.get(frame.tag, -1))
        numbers = [number for number in self.unacknowledged if number <= last]
        ids = [self.unacknowledged.pop(number) for number in numbers]
        for extension in frame.fields.get(7, []) if frame.tag == Tag.IQ else []:
            if isinstance(extension, bytes):
                ids += _selected(extension)
        return ids


_LAST_STREAM_ID: dict[int, int] = {Tag.PING: 2, Tag.PING_ACK: 2, Tag.IQ: 10, Tag.DATA: 11}
"""The field in which a frame says how many of ours have arrived."""


def login_from(frame: Frame) -> Login:
    """Read the first frame of a connection. Raises Malformed when it is something else."""
    device, secret = ("".join(protobuf.texts_in(frame.fields, field)[-1:]) for field in (3, 5))
    if frame.tag != Tag.LOGIN or not (_NUMBER.fullmatch(device) and _NUMBER.fullmatch(secret)):
        raise protobuf.Malformed("a connection begins with a login")
    return Login(
        device=int(device),
        secret=int(secret),
        request_id="".join(protobuf.texts_in(frame.fields, 1)[-1:]),
        received=protobuf.texts_in(frame.fields, 10),
    )


def _selected(extension: bytes) -> list[str]:
    fields = protobuf.fields_of(extension)
    if protobuf.number_in(fields, 1) != _SELECTIVE_ACK:
        return []
    return [
        text
        for data in fields.get(2, [])
        if isinstance(data, bytes)
        for text in protobuf.texts_in(protobuf.fields_of(data), 1)
    ]
