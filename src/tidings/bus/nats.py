"""Doorbells between processes and machines, over NATS.

Core NATS, which keeps nothing: a doorbell that nobody hears is not needed any more, as whoever comes later looks into
the database first. Within a process doorbells ring without NATS, so that it may be away for as long as it likes.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import suppress
from enum import StrEnum
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from tidings.bus import WAITING, Bell, BusRefused, Doorbell, Listeners
from tidings.lib.log import Logger, cut

if TYPE_CHECKING:
    from nats.aio.client import Client
    from nats.aio.msg import Msg

SUBJECT = "tidings"
"""Where doorbells ring if the address names no place of its own."""

CONNECT_SECONDS = 5
PING_SECONDS = 10
"""Between two looks whether a silent server is still there; at the third without an answer it is left."""

AGAIN_SECONDS = 1
"""Between two tries to connect: about as long as a look into the database takes to come round."""

_PLACE = re.compile(r"/?([A-Za-z0-9_-]{1,64}(?:\.[A-Za-z0-9_-]{1,64}){0,7})?", re.ASCII)
_BELLS = {str(bell): bell for bell in Bell}
_NUMBER = re.compile(rb"[0-9]{1,19}")
_MEND = "Write it as nats://user:password@nats.example.com:4222, with /a-name behind it if instances share the server."

log = Logger(__name__)


class Event(StrEnum):
    """What is logged of the bus."""

    CONNECTED = "bus_connected"
    LOST = "bus_lost"
    UNREADABLE = "bus_unreadable"


class NatsBus:
    """Rings here at once, and everywhere else through NATS while it is there.

    `url` is `nats://` or `tls://` with a host, and a user and password or a token if the server wants them; its path is
    the subject below which this instance rings, so that several can share a server.
    """

    def __init__(self, url: str) -> None:
        self._server, self._subject = _parted(url)
        self._listeners = Listeners()
        self._outgoing: asyncio.Queue[Doorbell | None] = asyncio.Queue(WAITING)
        self._carrying: asyncio.Task[None] | None = None
        self._connected = asyncio.Event()
        self._said: str | None = None

    async def ring(self, doorbell: Doorbell) -> None:
        """Tell all listeners; a bell too many for NATS to take is dropped, which costs others a second."""
        self._carry()
        self._listeners.ring(doorbell)
        with suppress(asyncio.QueueFull):
            self._outgoing.put_nowait(doorbell)

    def listen(self) -> AsyncIterator[Doorbell]:
        """Give doorbells rung from this call on, here or elsewhere, until the bus is closed."""
        self._carry()
        return self._listeners.listen()

    async def connected(self) -> None:
        """Wait until NATS takes doorbells."""
        self._carry()
        await self._connected.wait()

    async def close(self) -> None:
        """End all listeners, and the connection."""
        self._listeners.close()
        if self._carrying is not None:
            while not self._carrying.done():
                # Again, as a connection that is refused at this moment swallows it (asyncio.wait_for of Python 3.11).
                self._carrying.cancel()
                await asyncio.wait([self._carrying], timeout=0.1)

    def _carry(self) -> None:
        if self._carrying is None:
            self._carrying = asyncio.create_task(self._for_ever())

    async def _for_ever(self) -> None:
        from nats.aio.client import Client
        from nats.errors import NoServersError

        while True:
            client = Client()
            try:
                await self._carried(client)
            except NoServersError:
                pass  # why was said by the try itself
            except Exception as fault:  # noqa: BLE001 - whatever the client stumbles over, we try again
                await self._lost(fault)
            finally:
                self._connected.clear()
                with suppress(Exception):
                    await asyncio.wait_for(client.close(), CONNECT_SECONDS)
            await asyncio.sleep(AGAIN_SECONDS)

    async def _carried(self, client: Client) -> None:
        """Connect, and carry doorbells out and in until the connection is lost."""
        await client.connect(
            self._server,
            name="tidings",
            no_echo=True,
            connect_timeout=CONNECT_SECONDS,
            allow_reconnect=False,  # we do, after each loss: one try is one line of the log
            max_reconnect_attempts=1,
            reconnect_time_wait=0,
            ping_interval=PING_SECONDS,
            error_cb=self._lost,
            closed_cb=self._away,
        )
        await client.subscribe(f"{self._subject}.*", cb=self._heard)
        # The client writes the ping of a flush at once, ahead of what it has yet to write: the answer to the first says
        # that the subscription is written, the answer to the second that the server has read it.
        await client.flush(CONNECT_SECONDS)
        await client.flush(CONNECT_SECONDS)
        await self._back()
        while not client.is_closed:
            doorbell = await self._outgoing.get()
            if doorbell is not None and client.is_connected:
                await client.publish(f"{self._subject}.{doorbell.bell}", b"%d" % doorbell.notification_id)
        if client.last_error is not None:  # of a server gone silent the client tells nobody
            await self._lost(client.last_error)

    async def _heard(self, message: Msg) -> None:
        bell = _BELLS.get(message.subject.rpartition(".")[2])
        if bell is None or not _NUMBER.fullmatch(message.data):
            log.warning(Event.UNREADABLE, subject=cut(message.subject), data=cut(message.data))
            return
        self._listeners.ring(Doorbell(bell, int(message.data)))

    async def _away(self) -> None:
        self._connected.clear()
        with suppress(asyncio.QueueFull):  # else it is looked at soon anyway
            self._outgoing.put_nowait(None)

    async def _back(self) -> None:
        self._said = None
        self._connected.set()
        log.info(Event.CONNECTED)
        for bell in Bell:  # whatever rang meanwhile: look
            self._listeners.ring(Doorbell(bell, 0))

    async def _lost(self, fault: BaseException) -> None:
        said = f"{type(fault).__name__}: {fault}"
        if said != self._said:  # once, not at every try
            self._said = said
            log.warning(Event.LOST, said=cut(said))


def _parted(url: str) -> tuple[str, str]:
    """Part an address into the server and the subject."""
    try:
        parts = urlsplit(url)
        usable = bool(parts.hostname) and not parts.query and not parts.fragment and parts.port != 0
    except ValueError:  # a port that is no number, brackets that do not close
        raise BusRefused("TIDINGS_BUS_URL is no address.", mend=_MEND) from None
    place = _PLACE.fullmatch(parts.path)
    if not usable or place is None:
        raise BusRefused("TIDINGS_BUS_URL is not an address of a NATS server.", mend=_MEND)
    try:
        import nats.aio.client  # noqa: F401 - said now, not at the first doorbell
    except ImportError as missing:
        raise BusRefused(
            "The client for NATS is not installed.", mend="Install it: pip install 'tidings[nats]'."
        ) from missing
    return parts._replace(path="").geturl(), place[1] or SUBJECT
