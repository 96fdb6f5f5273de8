"""`tidings up`: the API, the dashboard, the worker and its sender processes, from one command."""

from __future__ import annotations

import asyncio
import os
import secrets
import webbrowser
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from tidings.cli.failure import CommandFailed
from tidings.cli.instance import (
    DEMO_FOLDER,
    FolderLock,
    RunningServer,
    make_private,
    remove_run_file,
    uses_files,
    write_run_file,
)
from tidings.cli.options import Call, command
from tidings.cli.serving import Stop, bound_socket, configure_logs, is_public, observed, reached_at, served

if TYPE_CHECKING:
    import socket
    from datetime import datetime

    from tidings.cli.demo import Simulator
    from tidings.domain.member import Member
    from tidings.settings import Settings
    from tidings.storage import Transaction
    from tidings.wiring import Container

DEMO_CONTACT = "mailto:demo@example.com"
DEMO_OWNER = "Demo owner"
DEMO_EMAIL = "owner@demo.example"


@dataclass(frozen=True, slots=True)
class Wish:
    """What was asked of `up`."""

    demo: bool
    worker: bool
    open_browser: bool


def register(root: typer.Typer) -> None:
    """Add the command."""
    command(root, "up", panel="Run")(up)


async def up(
    call: Call,
    host: Annotated[
        str | None,
        typer.Option("--host", help="Address to listen on (TIDINGS_HOST, else 127.0.0.1).", show_default=False),
    ] = None,
    port: Annotated[
        int | None,
        typer.Option("--port", help="Port, 0 for any free one (TIDINGS_PORT, else 8080).", show_default=False),
    ] = None,
    contact: Annotated[
        str | None,
        typer.Option(
            "--contact",
            help="Makes the VAPID key on the first start: mailto:you@example.com (else TIDINGS_CONTACT).",
            show_default=False,
        ),
    ] = None,
    demo: Annotated[
        bool,
        typer.Option(
            "--demo", help="Add a sample site, simulated push services and 1 000 subscribers, in <data>/demo."
        ),
    ] = False,
    worker: Annotated[bool, typer.Option("--worker/--no-worker", help="Deliver in this process.")] = True,
    open_browser: Annotated[bool, typer.Option("--open", help="Open the dashboard in your browser.")] = False,
) -> None:
    """Run everything: API, dashboard and delivery, on SQLite in the data folder. Ctrl-C stops it."""
    settings = call.settings(host=host, port=port, contact=contact)
    call.warn_of_misspelt()
    if demo:
        if settings.database_url is not None:
            call.out.say("The demo keeps to SQLite in its own folder; the database that you named is left alone.")
        settings = for_demo(settings)
    _refuse_public_insecurity(settings, demo=demo)
    await _run(call, settings, Wish(demo=demo, worker=worker, open_browser=open_browser))
    call.out.say("Stopped.")


async def _run(call: Call, settings: Settings, wish: Wish) -> None:
    configure_logs()
    stop = Stop(call.out)
    async with AsyncExitStack() as stack:
        # A folder that is there may be another server's, which is then the better reason; one that is not is made only
        # when there is something to put into it.
        if known := settings.data.exists():
            _claim(settings, stack)
        listener = stack.enter_context(bound_socket(settings.host, settings.port))
        if not known:
            _claim(settings, stack)
        settings = settings.model_copy(update={"port": listener.getsockname()[1]})
        stack.enter_context(stop.listening())
        try:
            async with _running(call, settings, wish, listener) as serving:
                await _until(stop, serving)
        except asyncio.CancelledError:
            # Only a second signal cancels this task: stop without waiting for what is in hand.
            raise CommandFailed("Stopped at once; what was in hand is taken up again at the next start.") from None


def for_demo(settings: Settings) -> Settings:
    """Give the demo's own settings: nothing of an instance that is in use is opened, or led to simulated services."""
    changed = {
        "data": settings.data / DEMO_FOLDER,
        "database_url": None,
        "allow_insecure_endpoints": True,
        "contact": settings.contact or DEMO_CONTACT,
    }
    return settings.model_copy(update=changed)


@asynccontextmanager
async def _running(
    call: Call, settings: Settings, wish: Wish, listener: socket.socket
) -> AsyncIterator[asyncio.Task[None]]:
    from tidings.cli.client import delivering
    from tidings.cli.greeting import Greeting, greet
    from tidings.lib.collector import spare
    from tidings.web.app import create_app
    from tidings.wiring import opened

    token = secrets.token_hex(32)
    async with AsyncExitStack() as stack:
        simulator = await _simulator(settings, stack) if wish.demo else None
        if simulator is not None:
            mapped = (*simulator.host_map(), *settings.push_host_map)
            settings = settings.model_copy(update={"push_host_map": mapped})
        container = await stack.enter_async_context(opened(settings))
        await stack.enter_async_context(observed(container, call.out, refresh=container.vitals.refresh))
        app = create_app(container, operator_token=token)
        url = reached_at(listener)
        public_key, demo_app = await _prepare(call, container, simulator, server=settings.public_url or url)
        left, paused = await container.store.read(partial(_left, now=container.clock.now()))
        if wish.worker:
            await stack.enter_async_context(delivering(container))
        serving = await stack.enter_async_context(
            served(app, listener, stopping=app.state.stopping, proxies=settings.trusted_proxies)
        )
        owner = await _demo_owner(container) if wish.demo else None
        setup_url = await _setup_url(container, settings.public_url or url, owner=owner)
        write_run_file(settings.data, RunningServer(url=url, token=token, pid=os.getpid()))
        stack.callback(remove_run_file, settings.data)
        greet(
            call.out,
            Greeting(
                url=settings.public_url or url,
                setup_url=setup_url,
                settings=settings,
                public_key=public_key,
                worker=wish.worker,
                new_key_file=container.new_key_file,
                simulator=simulator,
                owner=owner,
                app=demo_app,
                listens_at=url if settings.public_url and settings.public_url != url else None,
                waiting=left,
                paused_by=paused,
            ),
        )
        spare()
        if wish.open_browser:
            await asyncio.to_thread(webbrowser.open, setup_url or settings.public_url or url)
        yield serving


def _left(tx: Transaction, *, now: datetime) -> tuple[int, str | None]:
    """Give how many parts of notifications an earlier run has left, and who paused all sending, if somebody did."""
    vitals, paused = tx.instance.vitals(now=now, alive_since=now), tx.instance.paused()
    return vitals.ready + vitals.leased, paused.by if paused else None


async def _until(stop: Stop, serving: asyncio.Task[None]) -> None:
    wanted = asyncio.create_task(stop.wait())
    try:
        await asyncio.wait((wanted, serving), return_when=asyncio.FIRST_COMPLETED)
    finally:
        wanted.cancel()
    if serving.done() and not wanted.done():
        raise CommandFailed("The server ended by itself.", "What it printed above says why.")


async def _simulator(settings: Settings, stack: AsyncExitStack) -> Simulator:
    from tidings.cli.demo import started_simulator

    return await stack.enter_async_context(started_simulator(settings.data / "simulator"))


async def _prepare(
    call: Call, container: Container, simulator: Simulator | None, *, server: str
) -> tuple[str | None, str | None]:
    """Make what a first start needs: the App, the VAPID key if a contact is known, the demo.

    Gives the public key, and the id of the demo's App where commands have to name it, being one of several.
    """
    from tidings.cli.client import in_process
    from tidings.cli.demo import furnish
    from tidings.cli.vapid import KEYS, current_key

    async with in_process(container) as api:
        apps = await api.every("/apps")
        public_key: str | None = None
        for app in apps:
            one = await api.of_app(app["id"])
            key = await current_key(one)
            if key is None and container.settings.contact:
                key = await one.post(KEYS, {"action": "generate", "subject": container.settings.contact})
            public_key = public_key or (key["public_key"] if key else None)
        if simulator is not None and public_key is not None:
            await furnish(
                await api.of_app(apps[0]["id"]), container, simulator, vapid_key=public_key, server=server, out=call.out
            )
    return public_key, apps[0]["id"] if simulator is not None and len(apps) > 1 else None


async def _demo_owner(container: Container) -> Member:
    return await container.accounts.sign_in.ensure_demo_owner(name=DEMO_OWNER, email=DEMO_EMAIL)


async def _setup_url(container: Container, base: str, *, owner: Member | None) -> str | None:
    """Make the link that lets the first one in: the demo's owner at once, else whoever makes the first member."""
    if owner is not None:
        return f"{base}/setup#{await container.access.new_setup_token(member=owner)}"
    if await container.accounts.sign_in.is_set_up():
        return None
    return f"{base}/setup#{await container.access.new_setup_token()}"


def _claim(settings: Settings, stack: AsyncExitStack) -> None:
    if not uses_files(settings):
        make_private(settings.data)
        return
    lock = FolderLock.take(settings.data)
    if lock is None:
        raise CommandFailed(
            f"Another tidings process has the data folder {settings.data}.",
            "Stop it first, or give this one a folder of its own with --data.",
        )
    stack.enter_context(lock)
    remove_run_file(settings.data)


def _refuse_public_insecurity(settings: Settings, *, demo: bool) -> None:
    if settings.allow_insecure_endpoints and is_public(settings.host):
        what = "--demo" if demo else "TIDINGS_ALLOW_INSECURE_ENDPOINTS"
        raise CommandFailed(
            f"{what} is for this machine alone, and {settings.host} lets other machines in.",
            "Listen on 127.0.0.1, or leave it off.",
        )
