"""A sender process: chunks come in over a pipe, outcomes go back; it holds no state and no database.

Started as `python -m tidings.worker.sender FD`. The first message on the pipe is its SenderOptions, every further one a
Chunk. It ends when the pipe does, so that it never outlives its worker.
"""

from __future__ import annotations

import os
import pickle
import select
import signal
import struct
import sys
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from multiprocessing.connection import Connection

from tidings.lib.collector import spare
from tidings.lib.egress import AddressGuard
from tidings.lib.http import Client
from tidings.pipeline.deliver import Chunk, Delivery, EndOfChunks, Recall, Settled
from tidings.pipeline.origins import Origins
from tidings.providers import provider
from tidings.worker.wire import bytes_from_settled, chunk_from

LENGTH = struct.Struct("!I")
"""What stands before each message to the worker, whose loop reads what has come and never waits for the rest."""

LISTEN_EVERY = 0.05
"""Seconds for which a recall may go unheard while messages leave."""

TELL_AT_ONCE = 64
TELL_WITHIN = 0.02
"""Outcomes, and seconds, after which the worker is told: what it was not told is in doubt when this process dies."""

GROUP_STOPS = frozenset({signal.SIGINT, signal.SIGTERM})
"""Ctrl-C and a service manager's stop reach the whole group: the worker finishes what is in hand and then ends us."""


@dataclass(frozen=True, slots=True)
class SenderOptions:
    """What a sender needs to know of the settings. `connect_to` sends a host elsewhere: `host` -> `address:port`.

    `share` is its part of what a push service takes in a minute, until a chunk names another; the other senders of the
    worker have the rest.
    `total_timeout` are the seconds after which an answer is no longer waited for.
    """

    allow_loopback: bool = False
    insecure: bool = False
    ca_file: str | None = None
    connect_to: dict[str, str] = field(default_factory=dict)
    in_flight: int = 100
    share: float = 1.0
    total_timeout: float = 20.0


class Inbox:
    """What the worker sends: chunks, kept in order, and recalls, heard while chunks are being sent."""

    def __init__(self, pipe: Connection) -> None:
        self._pipe = pipe
        self._chunks: deque[Chunk] = deque()
        self._open: set[int] = set()
        self._recalled: set[int] = set()
        self._ended = False
        self._heard_at = 0.0
        self._poller = select.poll()  # kept: `Connection.poll` makes one each time
        self._poller.register(pipe.fileno(), select.POLLIN)

    def take(self, wait: bool) -> Chunk | None:
        """Give the next chunk, or None if there is none now and one is not waited for; raises EndOfChunks."""
        while not self._chunks:
            if self._ended:
                raise EndOfChunks
            if not wait and not self._poller.poll(0):
                return None
            self._receive()
        return self._chunks.popleft()

    def recalled(self, chunk: int) -> bool:
        """Say whether the rest of that chunk is not to leave any more; nothing is, once nobody can be told of it.

        A sender that stood still while its worker died wakes with messages that another has by now.
        """
        now = time.monotonic()
        if now - self._heard_at >= LISTEN_EVERY:
            self._heard_at = now
            while not self._ended and self._poller.poll(0):
                self._receive()
        return self._ended or chunk in self._recalled

    def done(self, chunk: int) -> None:
        """Forget a chunk of which every parcel has its outcome."""
        self._open.discard(chunk)
        self._recalled.discard(chunk)

    def _receive(self) -> None:
        try:
            message = pickle.loads(self._pipe.recv_bytes())  # noqa: S301 - from our own parent
        except (EOFError, OSError):
            self._ended = True
            return
        if isinstance(message, Recall):
            self._recalled |= message.chunks & self._open
        else:
            chunk = chunk_from(message)
            self._open.add(chunk.number)
            self._heard_at = 0.0  # what came right behind it is heard before anything of it leaves
            self._chunks.append(chunk)


class Outbox:
    """What the worker is told: outcomes, a few at once, and without delay when a chunk is done."""

    def __init__(
        self, descriptor: int, *, done: Callable[[int], None], now: Callable[[], float] = time.monotonic
    ) -> None:
        self._descriptor = descriptor
        self._done = done
        self._now = now
        self._held: list[Settled] = []
        self._since = 0.0
        self._left: dict[int, int] = {}

    def expected(self, chunk: Chunk | None) -> Chunk | None:
        """Note how many outcomes a chunk will have; give it back."""
        if chunk is not None:
            self._left[chunk.number] = len(chunk.parcels)
        return chunk

    def put(self, settled: list[Settled]) -> None:
        """Take in outcomes, and tell those that have waited; with none, only tell."""
        if settled and not self._held:
            self._since = self._now()
        self._held += settled
        done = False
        for one in settled:
            self._left[one.chunk] -= 1
            if not self._left[one.chunk]:
                del self._left[one.chunk]
                self._done(one.chunk)
                done = True
        if self._held and (done or len(self._held) >= TELL_AT_ONCE or self._now() - self._since >= TELL_WITHIN):
            held, self._held = self._held, []
            _report(self._descriptor, bytes_from_settled(held))


def _report(descriptor: int, message: bytes) -> None:
    rest = memoryview(LENGTH.pack(len(message)) + message)
    while rest:
        rest = rest[os.write(descriptor, rest) :]


def serve(pipe: Connection) -> None:
    """Send chunks until the pipe ends."""
    options: SenderOptions = pickle.loads(pipe.recv_bytes())  # noqa: S301 - our own parent is at the other end
    client = Client(
        guard=AddressGuard(allow_loopback=options.allow_loopback),
        connect_to=options.connect_to,
        insecure=options.insecure,
        ca_file=options.ca_file,
        in_flight=options.in_flight,
        total_timeout=options.total_timeout,
    )

    try:
        origins = Origins(most=options.in_flight, share=options.share)
        inbox = Inbox(pipe)
        outbox = Outbox(pipe.fileno(), done=inbox.done)
        delivery = Delivery(client, provider=provider, origins=origins, recalled=inbox.recalled)
        spare()
        for settled in delivery.run(lambda wait: outbox.expected(inbox.take(wait))):
            outbox.put(settled)
    except (BrokenPipeError, ConnectionResetError):
        return
    finally:
        client.close()


def main() -> None:
    """Run as a child of a worker; the argument is the pipe's file descriptor."""
    for stop in GROUP_STOPS:
        signal.signal(stop, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, GROUP_STOPS)  # the pool started us with them blocked
    descriptor = int(sys.argv[1])
    os.set_inheritable(descriptor, False)
    with Connection(descriptor) as pipe:
        serve(pipe)


if __name__ == "__main__":
    main()
