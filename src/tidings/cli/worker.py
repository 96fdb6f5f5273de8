"""`tidings worker`: delivery alone, on as many machines as you like, with PostgreSQL as the truth."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import typer

from tidings.cli.failure import CommandFailed
from tidings.cli.instance import uses_files
from tidings.cli.options import Call, command
from tidings.cli.output import counted

if TYPE_CHECKING:
    from tidings.wiring import Container


def register(root: typer.Typer) -> None:
    """Add the command."""
    command(root, "worker", panel="Run")(work)


async def work(call: Call) -> None:
    """Run a delivery worker alone, beside `tidings up --no-worker` or other workers. Needs PostgreSQL."""
    settings = call.settings()
    call.warn_of_misspelt()
    if uses_files(settings):
        raise CommandFailed(
            "A SQLite instance has one process, and `tidings up` already delivers in it.",
            "Use PostgreSQL for several workers: --database-url postgresql://...",
        )
    from tidings.cli.serving import Stop, configure_logs, observed
    from tidings.lib.collector import spare
    from tidings.wiring import opened
    from tidings.worker.run import Worker

    configure_logs()
    stop = Stop(call.out)
    async with opened(settings) as container, observed(container, call.out), _probed(container) as probes:
        worker = Worker(container)
        await worker.start()
        spare()
        with stop.listening():
            call.out.result({"worker": "running", "senders": settings.senders, "probes": probes})
            call.out.done(f"The worker runs with {counted(settings.senders, 'sender process', 'sender processes')}.")
            if probes:
                call.out.say(f"  Its metrics are at {probes}/metrics.")
            call.out.say("  Stop it with Ctrl-C; chunks in hand are finished first.")
            try:
                await stop.wait()
            finally:
                await worker.stop()
    call.out.done("Stopped.")


@asynccontextmanager
async def _probed(container: Container) -> AsyncIterator[str | None]:
    """Tell the worker's metrics at a port of its own while the block runs, if one is set; give the address."""
    import asyncio

    from tidings.cli.serving import bound_socket, reached_at, served
    from tidings.web.health import worker_probes

    settings = container.settings
    async with container.process.watching():
        if settings.metrics_port is None:
            yield None
            return
        with bound_socket(settings.host, settings.metrics_port) as listener:
            probes = worker_probes(container.metrics)
            async with served(probes, listener, stopping=asyncio.Event()):
                yield reached_at(listener)
