"""`tidings pause` and `tidings resume`: stop all sending of the instance, and let it go on."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from tidings.cli.options import Call, command
from tidings.cli.output import Output, plain


def register(root: typer.Typer) -> None:
    """Add the commands."""
    command(root, "pause", panel="Send")(pause)
    command(root, "resume", panel="Send")(resume)


async def pause(
    call: Call,
    reason: Annotated[
        str, typer.Option("--reason", help="Why, for whoever sees it in the dashboard.", show_default=False)
    ] = "",
) -> None:
    """Stop all sending of this instance within a second. What is accepted waits; times to live go on."""
    async with call.api() as api:
        paused = await api.post("/system/pause", {"reason": reason})
    call.out.result(paused)
    call.out.done(f"All sending is paused, by {plain(paused['by'])}. What is on its way still arrives.")
    call.out.say("  Nothing is lost, but times to live go on. Let it go on with: tidings resume")


async def resume(call: Call) -> None:
    """Let sending go on after `tidings pause`; what has run out of time meanwhile expires."""
    async with call.api() as api:
        was = (await api.get("/system"))["paused"]
        await api.post("/system/resume")
    call.out.result({"resumed": was is not None})
    call.out.done("Sending goes on." if was else "Sending was not paused.")


def waits(out: Output, paused: Any) -> None:
    """Say of what was just stored that it waits for the end of the pause of everything."""
    out.warn(f"All sending is paused by {plain(paused['by'])}: it waits, and its time to live goes on.")
    out.say("  Let it go on with: tidings resume")
