"""`tidings segment`: conditions under names, to send to whoever they hold for."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any
from urllib.parse import quote

import typer

from tidings.cli.client import Api
from tidings.cli.confirm import confirmed
from tidings.cli.failure import CommandFailed
from tidings.cli.options import Call, Group, command
from tidings.cli.output import ago, counted, plain

ID = "seg_"
OR_CONDITIONS = "`tidings segment list` shows them all. To count what conditions hold for, add --conditions."

Named = Annotated[str, typer.Argument(help="Its id or its name.", metavar="SEGMENT")]
Conditions = Annotated[
    str, typer.Argument(help="Such as: user.plan == \"pro\" && user.topics.contains('news').", metavar="CONDITIONS")
]


def register(root: typer.Typer) -> None:
    """Add the commands."""
    group = typer.Typer(cls=Group, no_args_is_help=True, help="Segments: conditions under names, to send to.")
    root.add_typer(group, name="segment", rich_help_panel="Send")
    command(group, "list", app=True)(list_segments)
    command(group, "create", app=True)(create)
    command(group, "show", app=True)(show)
    command(group, "count", app=True)(count)
    command(group, "delete", app=True)(delete)


async def list_segments(call: Call) -> None:
    """List the segments of an App."""
    async with call.api() as api:
        found = await api.every("/segments")
    call.out.result({"data": found})
    now = datetime.now(UTC)
    call.out.table(
        ["Name", "Id", "Conditions", "Changed"],
        [(one["name"], one["id"], one["conditions_text"], ago(one["updated_at"], now=now)) for one in found],
        empty="No segment exists yet. Make one: tidings segment create NAME CONDITIONS",
    )


async def create(
    call: Call,
    name: Annotated[str, typer.Argument(help="What people call it; no other segment has that name.", metavar="NAME")],
    conditions: Conditions,
) -> None:
    """Keep conditions under a name, and say how many devices they hold for."""
    async with call.api() as api:
        made = await api.post("/segments", {"name": name, "conditions": conditions})
        holds = await api.get(f"/segments/{made['id']}/count")
    call.out.result({**made, **holds})
    call.out.done(f"Made the segment [bold]{plain(made['name'])}[/] ({made['id']}) with {_of(holds)}.")
    call.out.say(f"  Send to it: tidings send --to segment:{made['id']} --title TITLE")


async def show(call: Call, segment: Named) -> None:
    """Show a segment and how many devices are in it."""
    async with call.api() as api:
        found = await found_by(api, segment)
        holds = await api.get(f"/segments/{found['id']}/count")
    call.out.result({**found, **holds})
    call.out.facts(
        [
            ("Name", found["name"]),
            ("Id", found["id"]),
            ("Conditions", found["conditions_text"]),
            ("Devices", _of(holds)),
        ]
    )


async def count(
    call: Call,
    what: Annotated[str, typer.Argument(help="The id or name of a segment, or conditions.", metavar="SEGMENT")],
    conditions: Annotated[bool, typer.Option("--conditions", help="It is conditions, and no segment.")] = False,
) -> None:
    """Count the devices that are in a segment, or with --conditions those that conditions hold for."""
    async with call.api() as api:
        if conditions:
            holds = await api.post("/segments/count", {"conditions": what})
        else:
            holds = await api.get(f"/segments/{(await found_by(api, what, mend=OR_CONDITIONS))['id']}/count")
    call.out.result(holds)
    call.out.say(f"{_of(holds)[:1].upper()}{_of(holds)[1:]}.")


async def delete(
    call: Call, segment: Named, yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False
) -> None:
    """Delete a segment; refused while a trigger or an unfinished notification needs it."""
    async with call.api() as api:
        found = await found_by(api, segment)
        confirmed(call.out, f"Delete the segment {found['name']}?", yes=yes)
        await api.delete(f"/segments/{found['id']}")
    call.out.result({"id": found["id"], "deleted": True})
    call.out.done(f"Deleted {plain(found['name'])}.")


async def found_by(api: Api, segment: str, *, mend: str = "`tidings segment list` shows them all.") -> Any:
    """Find a segment by its id or its name. Raise CommandFailed where there is none."""
    if segment.startswith(ID):
        try:
            return await api.get(f"/segments/{quote(segment, safe='')}")
        except CommandFailed as refusal:
            if refusal.code != "not_found":
                raise
    named: list[Any] = (await api.get("/segments", name=segment))["data"] if 1 <= len(segment) <= 100 else []
    if not named:
        raise CommandFailed(f"There is no segment {segment[:100]!r}.", mend, code="not_found")
    return named[0]


def _of(holds: Any) -> str:
    return ("" if holds["exact"] else "about ") + counted(holds["count"], "device")
