"""`tidings migrate`: bring the database to the shape this version needs."""

from __future__ import annotations

from contextlib import nullcontext

import typer

from tidings.cli.failure import CommandFailed
from tidings.cli.instance import FolderLock, exists, uses_files
from tidings.cli.options import NO_INSTANCE, Call, command
from tidings.cli.output import counted


def register(root: typer.Typer) -> None:
    """Add the command."""
    command(root, "migrate", panel="Keep")(migrate)


def migrate(call: Call) -> None:
    """Bring the database to the shape this version needs. Stop the server first, and take a backup."""
    settings = call.settings()
    if not exists(settings):
        raise CommandFailed(f"There is no instance in {settings.data} yet.", NO_INSTANCE)
    lock = FolderLock.take(settings.data) if uses_files(settings) else nullcontext()
    if lock is None:
        raise CommandFailed(f"The server of {settings.data} is running.", "Stop it, migrate, then start it again.")
    from tidings.storage.open import migrate as applied

    with lock:
        steps = applied(database_url=settings.database_url, folder=settings.data)
    call.out.result({"applied": steps})
    for step in steps:
        call.out.say(f"  {step}")
    call.out.done(
        f"Applied {counted(len(steps), 'step')}." if steps else "The database is up to date; nothing was changed."
    )
