"""`tidings backup`: a consistent copy of the database, also while the server runs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tidings.cli.options import Call, command
from tidings.cli.output import plain


def register(root: typer.Typer) -> None:
    """Add the command."""
    command(root, "backup", panel="Keep")(backup)


def backup(call: Call, file: Annotated[Path, typer.Argument(help="Where the copy goes.", metavar="FILE")]) -> None:
    """Copy the database, whole and consistent, also while the server runs. The key file stays where it is."""
    settings = call.settings()
    from tidings.storage.open import backup as copy

    copy(database_url=settings.database_url, folder=settings.data, target=file)
    key = settings.key_file or settings.data / "tidings.key"
    call.out.result({"file": str(file), "bytes": file.stat().st_size, "key_file": str(key)})
    call.out.done(f"Copied the database to {plain(str(file))}.")
    call.out.say(
        f"  It opens only with the key in {plain(str(key))}. Keep a copy of that, in another place than this file."
    )
