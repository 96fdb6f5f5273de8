"""`tidings worker`: delivery alone, on as many machines as you like, with PostgreSQL as the truth."""

from __future__ import annotations

import typer

from tidings.cli.failure import CommandFailed
from tidings.cli.instance import uses_files
from tidings.cli.options import Call, command
from tidings.cli.output import counted


def register(root: typer.Typer) -> None:
    """Add the command."""
    command(root, "worker", panel="Run")(work)


async def work(call: Call) -> None:
    """Run a delivery worker alone, beside `tidings up --no-worker` or other workers. Needs PostgreSQL."""
    settings = call.settings()
    if uses_files(settings):
        raise CommandFailed(
            "A SQLite instance has one process, and `tidings up` already delivers in it.",
            "Use PostgreSQL for several workers: --database-url postgresql://...",
        )
    from tidings.cli.serving import Stop, configure_logs
    from tidings.wiring import opened
    from tidings.worker.run import Worker

    configure_logs()
    stop = Stop(call.out)
    async with opened(settings) as container:
        worker = Worker(container)
        await worker.start()
        with stop.listening():
            call.out.result({"worker": "running", "senders": settings.senders})
            call.out.done(f"The worker runs with {counted(settings.senders, 'sender process', 'sender processes')}.")
            call.out.say("  Stop it with Ctrl-C; chunks in hand are finished first.")
            try:
                await stop.wait()
            finally:
                await worker.stop()
    call.out.done("Stopped.")
