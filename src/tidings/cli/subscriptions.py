"""`tidings subscriptions`: bring subscribers in from elsewhere, and take them out again."""

from __future__ import annotations

import os
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import Annotated, BinaryIO

import typer

from tidings.cli.failure import CommandFailed
from tidings.cli.options import Call, Group, command
from tidings.cli.output import Output, counted, number, plain

PIECE = 256 * 1024
SHOWN_FAULTS = 20


class Format(StrEnum):
    """What a file holds."""

    AUTO = "auto"
    JSON = "json"
    CSV = "csv"


def register(root: typer.Typer) -> None:
    """Add the commands."""
    group = typer.Typer(
        cls=Group, no_args_is_help=True, help="Bring subscribers in from elsewhere, and take them out again."
    )
    root.add_typer(group, name="subscriptions", rich_help_panel="Set up")
    command(group, "import", app=True)(take)
    command(group, "export", app=True)(give)


async def take(
    call: Call,
    file: Annotated[
        Path, typer.Argument(help="JSON, NDJSON or CSV.", metavar="FILE", exists=True, dir_okay=False, readable=True)
    ],
    vapid_key: Annotated[
        str | None,
        typer.Option(
            "--vapid-key", help="Public key they were made with; the current one if not given.", show_default=False
        ),
    ] = None,
    kind: Annotated[Format, typer.Option("--format", help="What the file holds.")] = Format.AUTO,
) -> None:
    """Import subscriptions exported from Pushpad, OneSignal, django-push-notifications or a web-push table.

    Good rows are stored, each bad one is named with its row number, and the exit code is 1 if there was one.
    Import the VAPID key they were made with first: `tidings vapid import`.
    """
    with _read(file, call.out) as pieces:
        async with call.api() as api:
            result = await api.upload(
                "/subscriptions/import", _streamed(pieces), format=kind.value, vapid_key=vapid_key
            )
    call.out.result(result)
    call.out.facts(
        [
            ("New", number(result["added"])),
            ("Known already", number(result["known"])),
            ("Refused", number(result["refused"])),
        ]
    )
    faults = result["errors"]
    if faults:
        call.out.table([">Row", "Why"], [(number(one["row"]), one["message"]) for one in faults[:SHOWN_FAULTS]])
    if len(faults) > SHOWN_FAULTS:
        call.out.say(f"  ... and {number(len(faults) - SHOWN_FAULTS)} more; --json gives all of them.")
    if result["refused"]:
        raise Refused(result["refused"])
    known = f"; {number(result['known'])} known already stayed as they are" if result["known"] else ""
    call.out.done(f"Imported {counted(result['added'], 'subscription')}{known}.")


class Refused(CommandFailed):
    """Some rows of the file were refused; the others are stored."""

    def __init__(self, rows: int) -> None:
        super().__init__(
            f"{counted(rows, 'row was', 'rows were')} refused; the others are stored.",
            "Mend them and import the file again.",
        )


async def give(
    call: Call, file: Annotated[Path, typer.Argument(help="Where they go; - for stdout.", metavar="FILE")]
) -> None:
    """Export every subscription with its address and keys, one JSON object a line.

    Whoever has this file and the VAPID key can send to these people: it is written for your eyes only.
    """
    rows = 0
    with private_file(file) as target:
        async with call.api() as api:
            async for piece in api.download("/subscriptions/export"):
                rows += piece.count(b"\n")
                target.write(piece)
    if target is sys.stdout.buffer:
        return
    call.out.result({"file": str(file), "subscriptions": rows})
    call.out.done(f"Exported {counted(rows, 'subscription')} to {plain(str(file))}, readable by you alone.")


@contextmanager
def private_file(file: Path) -> Iterator[BinaryIO]:
    """Open a new file that only its owner reads, or stdout for `-`; one that is not written to the end is removed."""
    if str(file) == "-":
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    try:
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError as error:
        raise CommandFailed(
            f"{file} is there already.", "Name a new file; an export never overwrites another one."
        ) from error
    with os.fdopen(descriptor, "wb") as target:
        try:
            yield target
        except BaseException:
            # Half an export looks like a whole one.
            file.unlink(missing_ok=True)
            raise


@contextmanager
def _read(file: Path, out: Output) -> Iterator[Iterator[bytes]]:
    """Open a file to be read piece by piece, with a bar on a terminal."""
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("  reading"), BarColumn(bar_width=32), DownloadColumn(), TimeRemainingColumn())
    bar = Progress(*columns, console=out.aside, transient=True, disable=not out.aside.is_terminal)
    with file.open("rb") as source, bar:
        task = bar.add_task("", total=file.stat().st_size)

        def pieces() -> Iterator[bytes]:
            while piece := source.read(PIECE):
                yield piece
                bar.advance(task, len(piece))

        yield pieces()


async def _streamed(pieces: Iterator[bytes]) -> AsyncIterator[bytes]:
    for piece in pieces:
        yield piece
