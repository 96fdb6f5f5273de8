"""The server of `tidings up`: its socket, its signals, its life from the first request to the last."""

from __future__ import annotations

import asyncio
import errno
import ipaddress
import os
import signal
import socket
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from typing import TYPE_CHECKING, Any

from tidings import __version__
from tidings.cli.failure import CommandFailed
from tidings.cli.output import Output, plain
from tidings.lib import tracing

if TYPE_CHECKING:
    from uvicorn import Server

    from tidings.lib.telemetry import Telemetry
    from tidings.wiring import Container

GRACE_SECONDS = 5
KEEP_ALIVE_SECONDS = 75
SAME_WISH_SECONDS = 0.5
BACKLOG = 2048


def configure_logs(*, level: str = "WARNING") -> None:
    """Write what goes wrong to standard error: lines for a person at a terminal, JSON for everything else."""
    from tidings.lib.log import configure

    configure(json=not sys.stderr.isatty(), level=level)


class Stop:
    """The wish to end, from SIGINT or SIGTERM; the second one does not wait for what is in hand."""

    def __init__(self, out: Output, *, now: Callable[[], float] = time.monotonic) -> None:
        self._out = out
        self._now = now
        self._wanted = asyncio.Event()
        self._since = 0.0
        self._task: asyncio.Task[object] | None = None

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Catch both signals while the block runs, in the task that runs it."""
        loop = asyncio.get_running_loop()
        self._task = asyncio.current_task()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self.want)
        try:
            yield
        finally:
            for number in (signal.SIGINT, signal.SIGTERM):
                loop.remove_signal_handler(number)

    def want(self) -> None:
        """Ask for the end; asking again stops waiting."""
        now = self._now()
        if self._wanted.is_set():
            # `make` and service managers pass on a signal that has reached us by itself already: that is one wish.
            if self._task is not None and now - self._since > SAME_WISH_SECONDS:
                self._task.cancel()
            return
        self._since = now
        self._wanted.set()
        self._out.note("Stopping: what is in hand is finished first. Press Ctrl-C again to stop at once.")

    async def wait(self) -> None:
        """Wait until the end is wanted."""
        await self._wanted.wait()


def is_public(host: str) -> bool:
    """Say whether listening on `host` lets other machines in: everything but a loopback address does."""
    if host == "localhost":
        return False
    try:
        return not ipaddress.ip_address(host).is_loopback
    except ValueError:
        return True


def bound_socket(host: str, port: int) -> socket.socket:
    """Take the address before anything else is started; port 0 takes a free one."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        found = socket.socket(family, kind, protocol)
    except OSError as error:
        raise CommandFailed(
            f"The host {host} cannot be listened on: {error.strerror}.", "Name another with --host."
        ) from error
    try:
        found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        found.bind(address)
        found.listen(BACKLOG)
    except OSError as error:
        found.close()
        raise _not_bound(host, port, error) from error
    found.setblocking(False)
    return found


def _not_bound(host: str, port: int, error: OSError) -> CommandFailed:
    if error.errno == errno.EADDRINUSE:
        return CommandFailed(
            f"Port {port} on {host} is taken by another program.",
            "Choose another with --port or TIDINGS_PORT=8081, or 0 for any free one.",
        )
    if error.errno == errno.EACCES:
        return CommandFailed(f"You may not listen on port {port}.", "Choose one above 1023 with --port.")
    return CommandFailed(
        f"{host}:{port} cannot be listened on: {error.strerror}.", "Name another with --host and --port."
    )


def reached_at(listener: socket.socket) -> str:
    """Give the URL under which this machine reaches the socket."""
    host, port = listener.getsockname()[:2]
    address = ipaddress.ip_address(host)
    if address.is_unspecified or str(address) == "127.0.0.1":
        return f"http://localhost:{port}" if address.version == 4 else f"http://[::1]:{port}"
    return f"http://[{host}]:{port}" if address.version == 6 else f"http://{host}:{port}"


@asynccontextmanager
async def served(
    app: Callable[..., Any], listener: socket.socket, *, stopping: asyncio.Event, proxies: Sequence[str] = ()
) -> AsyncIterator[asyncio.Task[None]]:
    """Serve the app on the socket while the block runs; gives the server's task, which ends early only on a fault.

    `stopping` tells the app's streams to end. `proxies` are addresses and networks that are believed when they say on
    whose behalf they call.
    """
    ready = asyncio.Event()
    server = _server(app, ready, proxies)
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    started = asyncio.create_task(ready.wait())
    try:
        await asyncio.wait((serving, started), return_when=asyncio.FIRST_COMPLETED)
        if not ready.is_set():
            raise CommandFailed("The server did not start.", "What it printed above says why.")
        yield serving
    finally:
        started.cancel()
        # Streams end only when they are told to, and uvicorn waits for every answer that has begun.
        stopping.set()
        server.should_exit = True
        await serving


def _server(app: Callable[..., Any], ready: asyncio.Event, proxies: Sequence[str]) -> Server:
    from uvicorn import Config, Server

    from tidings.cli.patience import Patient

    class Quiet(Server):
        """A uvicorn that leaves signals to Stop: it raises those it caught again, which ends a shutdown half-way."""

        @contextmanager
        def capture_signals(self) -> Iterator[None]:
            yield

        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets)
            ready.set()

    return Quiet(
        Config(
            app,
            http=Patient,
            log_config=None,
            log_level="warning",
            access_log=False,
            server_header=False,
            proxy_headers=bool(proxies),
            # Never None: uvicorn would take FORWARDED_ALLOW_IPS of the environment, and `*` with it.
            forwarded_allow_ips=list(proxies),
            timeout_keep_alive=KEEP_ALIVE_SECONDS,
            timeout_graceful_shutdown=GRACE_SECONDS,
        )
    )


@asynccontextmanager
async def observed(
    container: Container, out: Output, *, refresh: Callable[[], Awaitable[None]] | None = None
) -> AsyncIterator[None]:
    """Tell an OpenTelemetry collector while the block runs, if the environment names one; it is never worth a stop.

    `refresh` brings up to date what the database knows, where this process is to tell of that.
    """
    signals = tracing.wanted(os.environ)
    telemetry = _telemetry(container, out, signals) if signals else None
    if telemetry is None:
        yield
        return
    async with telemetry.running(container.metrics, refresh=refresh):
        yield


def _telemetry(container: Container, out: Output, signals: frozenset[tracing.Signal]) -> Telemetry | None:
    nothing = "so nothing is sent to the collector that OTEL_... variables name."
    if (protocol := tracing.unspoken(os.environ, signals)) is not None:
        out.warn(
            f"OTEL_EXPORTER_OTLP_PROTOCOL asks for {plain(protocol)}, which Tidings does not speak, {nothing} "
            "Set it to http/protobuf; collectors take that at port 4318."
        )
        return None
    try:
        from tidings.lib.telemetry import Telemetry
    except ImportError:
        install = plain("pip install 'tidings[otel]'")
        out.warn(f"OpenTelemetry is not installed, {nothing} Install it: {install}")
        return None
    try:
        return Telemetry(signals, version=__version__, instance=container.ids.new("prc"))
    except ValueError as fault:
        out.warn(f"A variable of OpenTelemetry cannot be read, {nothing} It says: {plain(str(fault))}")
        return None
