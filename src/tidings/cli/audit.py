"""`tidings audit`: who did what, and whether the log is as it was written."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from tidings.cli.failure import CommandFailed
from tidings.cli.options import Call, Group, command
from tidings.cli.output import number, plain


def register(root: typer.Typer) -> None:
    """Add the commands."""
    group = typer.Typer(cls=Group, no_args_is_help=True, help="Who did what: list, verify, export.")
    root.add_typer(group, name="audit", rich_help_panel="Set up")
    command(group, "list", app=True)(list_entries)
    command(group, "verify", app=True)(verify)
    command(group, "export", app=True)(export)


async def list_entries(
    call: Call,
    actor: Annotated[
        str | None, typer.Option("--actor", help="Id of the member or key that acted.", show_default=False)
    ] = None,
    action: Annotated[
        str | None, typer.Option("--action", help="key.created, or key for all of keys.", show_default=False)
    ] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, max=200, help="How many of the newest.")] = 50,
) -> None:
    """List the newest entries: of an App with --app, else of everything."""
    async with call.api() as api:
        page = await api.get("/audit", actor=actor, action=action, limit=limit)
    call.out.result(page)
    call.out.table(
        ["When", "Who", "From", "Did", "To"],
        [
            (one["at"][:19].replace("T", " "), _who(one), one["address"] or "-", one["action"], _to(one))
            for one in page["data"]
        ],
        empty="Nothing was written down yet.",
    )


async def verify(call: Call) -> None:
    """Compute every hash anew; exit code 1 when an entry was changed or is missing."""
    async with call.api() as api:
        found = await api.get("/audit/verify")
    call.out.result(found)
    if not found["ok"]:
        raise CommandFailed(
            f"Entry {found['broken_at']} is not as it was written, or one before it is gone.",
            "Compare with an export or a backup from before, and find out who could write to the database.",
        )
    call.out.done(f"{number(found['entries'])} entries are as they were written.")
    if found["removed"]:
        call.out.say(f"  {number(found['removed'])} before them had their time and were removed.")
    call.out.say(f"  {found['head']}")
    call.out.say("  Keep this line elsewhere: it shows later that nothing before it was changed.")


async def export(
    call: Call,
    out: Annotated[Path | None, typer.Option("--out", help="File to write; else stdout.", show_default=False)] = None,
    format: Annotated[str, typer.Option("--format", help="ndjson or csv.")] = "ndjson",
) -> None:
    """Write the log to a file, newest first."""
    if format not in ("ndjson", "csv"):
        raise typer.BadParameter("Use --format ndjson or --format csv.")
    chosen: Literal["ndjson", "csv"] = "csv" if format == "csv" else "ndjson"
    async with call.api() as api:
        pieces = [piece async for piece in api.download("/audit/export", format=chosen)]
    if out is None:
        sys.stdout.buffer.write(b"".join(pieces))
        sys.stdout.flush()
        return
    out.write_bytes(b"".join(pieces))
    call.out.result({"file": str(out)})
    call.out.done(f"Wrote {plain(str(out))}.")


def _who(one: Any) -> str:
    return str(one["actor"]["name"] or one["actor"]["kind"])


def _to(one: Any) -> str:
    return str(one["subject"]["name"] or one["subject"]["id"] or one["subject"]["kind"])
