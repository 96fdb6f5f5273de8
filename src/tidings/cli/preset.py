"""`tidings preset`: event types, templates, triggers and segments that are made together."""

from __future__ import annotations

from typing import Annotated

import typer

from tidings.cli.options import Call, Group, command
from tidings.cli.output import counted, plain
from tidings.presets import NAMES

KINDS = {"event_type": "Event type", "template": "Template", "trigger": "Trigger", "segment": "Segment"}
OUTCOMES = {"made": "made", "there": "was there", "changed": "was there and differs: left alone"}


def register(root: typer.Typer) -> None:
    """Add the commands."""
    group = typer.Typer(
        cls=Group, no_args_is_help=True, help="Event types, templates, triggers and segments, ready made."
    )
    root.add_typer(group, name="preset", rich_help_panel="Set up")
    command(group, "list")(list_presets)
    command(group, "apply", app=True)(apply)


async def list_presets(call: Call) -> None:
    """List the presets and what they make."""
    async with call.api() as api:
        found = await api.get("/presets")
    call.out.result(found)
    for preset in found["data"]:
        call.out.say(f"[bold]{plain(preset['name'])}[/]  {plain(preset['description'])}")
        call.out.facts([("tells of", ", ".join(preset["event_types"]))])
        call.out.say()
    call.out.say("Make what one has: tidings preset apply NAME")


async def apply(
    call: Call, name: Annotated[str, typer.Argument(help=f"One of {', '.join(NAMES)}.", metavar="NAME")]
) -> None:
    """Make what a preset has and the App has not; what is there, and what you changed, is left alone."""
    if name not in NAMES:
        raise typer.BadParameter(f"There is no preset {name!r}; there are {', '.join(NAMES)}.")
    async with call.api(create=True) as api:
        applied = await api.post(f"/presets/{name}")
    call.out.result(applied)
    call.out.table(
        ["What", "Name", "Id", ""],
        [(KINDS[one["kind"]], one["name"], one["id"], OUTCOMES[one["outcome"]]) for one in applied["parts"]],
    )
    if applied["made"]:
        call.out.done(f"Made {counted(applied['made'], 'thing')} of {plain(name)}.")
    else:
        call.out.say(f"Nothing was made: all of {plain(name)} is there.")
