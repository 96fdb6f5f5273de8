"""Starting and stopping the simulator: inside a test with `serve`, or as a process with `main`."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import secrets
import signal
import ssl
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from tidings.lib.clock import Clock, SystemClock
from tidings.simulator import browsers
from tidings.simulator.answers import Answer, Handler, Request
from tidings.simulator.apns.control import ApnsControl
from tidings.simulator.apns.senders import PRODUCTION, SANDBOX, Senders
from tidings.simulator.apns.service import HOSTS as APPLE_HOSTS
from tidings.simulator.apns.service import ApnsService
from tidings.simulator.autopush import Autopush
from tidings.simulator.certificates import Certificates, certificates
from tidings.simulator.control import Control
from tidings.simulator.fcm import HOSTS, Fcm
from tidings.simulator.flavours import BY_HOST
from tidings.simulator.gcm import CHECK_IN, REGISTER, Gcm
from tidings.simulator.journal import Journal
from tidings.simulator.listener import HttpDate, Listener
from tidings.simulator.push_service import PushService
from tidings.simulator.site import Site
from tidings.simulator.subscribers import Subscribers

DEFAULT_TIDINGS = "http://localhost:8080"
REAL_ORIGINS = (*(f"https://{host}" for host in (*BY_HOST, *APPLE_HOSTS)), *HOSTS)
"""So that a client that is led here and checks certificates finds the name it asked for."""


@dataclass(frozen=True, slots=True)
class SimulatorConfig:
    """What can be set; port 0 takes a free one.

    `push_origin` is what endpoints begin with (`https://localhost:<port>` if not set); `accept_origins` are further
    audiences tokens may name. `reading` is the share of subscribers that decrypt what they get, from 0 to 1.
    """

    folder: Path
    push_port: int = 0
    autopush_port: int = 0
    control_port: int = 0
    site_port: int = 0
    gcm_port: int = 0
    mcs_port: int = 0
    apns_port: int = 0
    apns_sandbox_port: int = 0
    push_origin: str | None = None
    accept_origins: tuple[str, ...] = ()
    reading: float = 1.0
    max_streams: int = 100
    tidings: str = DEFAULT_TIDINGS
    app: str | None = None
    with_parent: bool = False


@dataclass(frozen=True, slots=True)
class Running:
    """A simulator that runs: its addresses, and its parts for tests in the same process."""

    push: str
    autopush: str
    control: str
    site: str
    gcm: str
    mcs: str
    apns: str
    apns_sandbox: str
    pin: str
    ca: Path
    service: PushService
    apple: ApnsService
    subscribers: Subscribers
    journal: Journal
    sockets: Autopush
    google: Gcm
    sample_site: Site
    fcm: Fcm
    listener: Listener

    def chromium_flags(self) -> list[str]:
        """Give the options that lead a Chromium to this push service instead of Google's."""
        return [
            f"--gcm-checkin-url={self.gcm}{CHECK_IN}",
            f"--gcm-registration-url={self.gcm}{REGISTER}",
            f"--gcm-mcs-endpoint={self.mcs}",
            f"--ignore-certificate-errors-spki-list={self.pin}",
        ]

    def ready_line(self) -> str:
        """Give the one line of JSON that `main` prints when everything listens."""
        return json.dumps(
            {
                "push": self.push,
                "autopush": self.autopush,
                "control": self.control,
                "site": self.site,
                "gcm": self.gcm,
                "mcs": self.mcs,
                "apns": self.apns,
                "apns_sandbox": self.apns_sandbox,
                "chromium": self.chromium_flags(),
                "ca": str(self.ca),
            }
        )


@asynccontextmanager
async def serve(
    config: SimulatorConfig,
    *,
    clock: Clock | None = None,
    random_bytes: Callable[[int], bytes] = secrets.token_bytes,
) -> AsyncIterator[Running]:
    """Run the simulator while the block runs. Raises OSError when a port is taken."""
    clock = clock or SystemClock()
    journal = Journal(clock)
    service = PushService(clock=clock, random_bytes=random_bytes, journal=journal)
    subscribers = Subscribers(service, journal, reading=config.reading)
    fcm = Fcm(clock=clock, random_bytes=random_bytes, journal=journal, tally=subscribers.tally)
    autopush = Autopush(service, journal, clock=clock, random_bytes=random_bytes)
    gcm = Gcm(service, journal, clock=clock, random_bytes=random_bytes)
    trust = _trust(config)
    site = Site(config.tidings, app=config.app)
    apple = _apple(clock, random_bytes, journal, tls=trust.apns)
    control = Control(
        service=service,
        subscribers=subscribers,
        autopush=autopush,
        gcm=gcm,
        fcm=fcm,
        journal=journal,
        site=site,
        new_seed=lambda: random_bytes(8).hex(),
        more=ApnsControl(apple).routes,
    )
    async with AsyncExitStack() as stack:
        listening = partial(_listening, stack, date=HttpDate(clock), max_streams=config.max_streams)
        for_apps = await _for_apps(stack, apple, config, date=HttpDate(clock), tls=trust.apns)
        push_listener = await listening(_either(fcm, service), config.push_port, trust.push)
        control_listener = await listening(control.handle, config.control_port)
        site_listener = await listening(site.handle, config.site_port)
        gcm_listener = await listening(gcm.handle, config.gcm_port)
        stack.push_async_callback(gcm.close)
        mcs_port = await gcm.open(port=config.mcs_port, tls=trust.mcs)
        stack.push_async_callback(autopush.close)
        autopush_port = await autopush.open(port=config.autopush_port)
        service.open_at(config.push_origin or f"https://localhost:{push_listener.port}", also=config.accept_origins)
        yield Running(
            push=service.origin,
            autopush=f"ws://127.0.0.1:{autopush_port}/",
            control=f"http://127.0.0.1:{control_listener.port}",
            site=f"http://localhost:{site_listener.port}",
            gcm=f"http://127.0.0.1:{gcm_listener.port}",
            mcs=f"https://localhost:{mcs_port}",
            **for_apps,
            pin=trust.pin,
            ca=trust.ca,
            service=service,
            apple=apple,
            subscribers=subscribers,
            journal=journal,
            sockets=autopush,
            google=gcm,
            sample_site=site,
            fcm=fcm,
            listener=push_listener,
        )


async def _listening(
    stack: AsyncExitStack,
    handler: Handler,
    port: int,
    tls: ssl.SSLContext | None = None,
    *,
    date: HttpDate,
    max_streams: int,
) -> Listener:
    listener = await Listener(handler, date=date, max_streams=max_streams).open(port=port, tls=tls)
    stack.push_async_callback(listener.close)
    return listener


def _trust(config: SimulatorConfig) -> Certificates:
    origins = (*((config.push_origin,) if config.push_origin else ()), *config.accept_origins)
    return certificates(config.folder, origins=(*origins, *REAL_ORIGINS))


def _either(fcm: Fcm, service: PushService) -> Handler:
    """Give a request to the API that its path is of; what browsers' endpoints are goes to the push services."""

    def handle(request: Request) -> Answer:
        return fcm.handle(request) if fcm.takes(request) else service.handle(request)

    return handle


def _apple(clock: Clock, random_bytes: Callable[[int], bytes], journal: Journal, *, tls: ssl.SSLContext) -> ApnsService:
    senders = Senders(lambda pem: tls.load_verify_locations(cadata=pem))
    return ApnsService(clock=clock, random_bytes=random_bytes, journal=journal, senders=senders)


async def _for_apps(
    stack: AsyncExitStack, apple: ApnsService, config: SimulatorConfig, *, date: HttpDate, tls: ssl.SSLContext
) -> dict[str, str]:
    """Listen for pushes to the apps of each environment; give where, by the names of Running."""
    urls = {}
    ports = {"apns": (PRODUCTION, config.apns_port), "apns_sandbox": (SANDBOX, config.apns_sandbox_port)}
    for name, (environment, port) in ports.items():
        listener = Listener(date=date, max_streams=1, connected=partial(apple.connected, environment))
        await listener.open(port=port, tls=tls)
        stack.push_async_callback(listener.close)
        urls[name] = f"https://localhost:{listener.port}"
    return urls


def _config_from(arguments: Sequence[str] | None) -> SimulatorConfig:
    parser = argparse.ArgumentParser(
        prog="tidings simulator",
        description="The push services of the world on this machine, for development and tests.",
        epilog="`tidings simulator firefox` and `tidings simulator chromium` open a browser that subscribes here.",
    )
    parser.add_argument(
        "--folder", type=Path, default=Path("tidings-simulator"), help="where the CA's certificate goes"
    )
    for name in ("push", "autopush", "control", "site", "gcm", "mcs", "apns", "apns-sandbox"):
        parser.add_argument(
            f"--{name}-port", type=int, default=0, metavar="N", help=f"port of {name}; 0 takes a free one"
        )
    parser.add_argument("--push-origin", metavar="URL", help="what endpoints begin with, if not https://localhost:PORT")
    parser.add_argument(
        "--accept-origin", action="append", default=[], metavar="URL", help="a further audience tokens may name"
    )
    parser.add_argument("--decrypt", type=float, default=1.0, metavar="SHARE", help="share of subscribers that decrypt")
    parser.add_argument("--tidings", default=DEFAULT_TIDINGS, metavar="URL", help="server the sample site uses")
    parser.add_argument("--app", metavar="ID", help="App the sample site uses")
    parser.add_argument("--with-parent", action="store_true", help="end when standard input does")
    given = parser.parse_args(arguments)
    if not 0 <= given.decrypt <= 1:
        parser.error("--decrypt takes a share from 0 to 1")
    return SimulatorConfig(
        folder=given.folder,
        push_port=given.push_port,
        autopush_port=given.autopush_port,
        control_port=given.control_port,
        site_port=given.site_port,
        gcm_port=given.gcm_port,
        mcs_port=given.mcs_port,
        apns_port=given.apns_port,
        apns_sandbox_port=given.apns_sandbox_port,
        push_origin=given.push_origin.rstrip("/") if given.push_origin else None,
        accept_origins=tuple(given.accept_origin),
        reading=given.decrypt,
        tidings=given.tidings,
        app=given.app,
        with_parent=given.with_parent,
    )


async def _run(config: SimulatorConfig) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    if config.with_parent:
        # Whoever started us holds the other end; it closes with them, however they end.
        loop.add_reader(sys.stdin.fileno(), lambda: None if os.read(sys.stdin.fileno(), 1024) else stop.set())
    async with serve(config) as running:
        (config.folder / browsers.STATE).write_text(running.ready_line())
        sys.stdout.write(running.ready_line() + "\n")
        sys.stdout.flush()
        await stop.wait()


def main(arguments: Sequence[str] | None = None) -> int:
    """Run until SIGINT or SIGTERM; print one JSON line with every address once they listen; give the exit code."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    if given and given[0] in browsers.PROGRAMS:
        return browsers.main(given)
    config = _config_from(given)
    try:
        asyncio.run(_run(config))
    except (OSError, ValueError) as error:
        sys.stderr.write(f"The simulator cannot start: {error}\nChoose another port or folder, or leave ports at 0.\n")
        return 1
    return 0
