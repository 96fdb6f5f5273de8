"""`tidings test`: "Web Push is working" to one person's devices, and which of them took it."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any

import typer

from tidings.cli.client import Api
from tidings.cli.failure import CommandFailed
from tidings.cli.options import Call, command
from tidings.cli.output import counted, plain
from tidings.cli.pause import waits
from tidings.cli.progress import check_result, followed

PATIENCE = 30
"""Seconds; a push service that can be reached answers within one."""


def register(root: typer.Typer) -> None:
    """Add the command."""
    command(root, "test", app=True, panel="Send")(prove)


async def prove(
    call: Call,
    user: Annotated[
        str | None,
        typer.Option(
            "--user",
            "--email",
            help="The person: id or email address. The first subscribed one if not given.",
            show_default=False,
        ),
    ] = None,
    body: Annotated[str | None, typer.Option("--body", help="A text of your own.", show_default=False)] = None,
) -> None:
    """Send “Web Push is working” to a person's devices and say which of them took it."""
    async with call.api(worker=True) as api:
        wish = {name: value for name, value in (("user", user), ("body", body)) if value is not None}
        accepted = await api.post("/test", wish)
        if (paused := (await api.get("/system"))["paused"]) is not None:
            call.out.result(accepted)
            return waits(call.out, paused)
        try:
            async with asyncio.timeout(PATIENCE):
                final = await followed(api, call.out, accepted["id"])
        except TimeoutError:
            raise CommandFailed(
                f"No push service has taken it within {PATIENCE} s; it is tried again until it runs out in 10 minutes.",
                "Run `tidings doctor`: it says which push services can be reached from here.",
            ) from None
        rows = await api.every(f"/notifications/{accepted['id']}/deliveries")
        devices = [await _device(api, row) for row in rows]
    whose = next((row["user"] for row in rows if row["user"]), None)
    call.out.result({**final, "user": whose, "devices": devices})
    for device in devices:
        place = f"{plain(device['device'])} [dim]({plain(device['service'])})[/]"
        if device["status"] == "sent":
            call.out.done(f"{place} took it.")
        else:
            call.out.say(f"[red]✗[/] {place}: {device['status']}, {plain(device['reason'].replace('_', ' '))}")
    check_result(final)
    person = f"[bold]{plain(whose)}[/]" if whose else "nobody known"
    call.out.say(f"Web Push is working on {counted(final['counts']['sent'], 'device')} of {person}.")


async def _device(api: Api, delivery: Any) -> dict[str, str]:
    known = delivery["subscription"]
    service = (await api.get(f"/subscriptions/{known}"))["origin"] if known else "deleted since"
    return {
        "subscription": known,
        "device": delivery["device"] or "A device",
        "service": service,
        "status": delivery["status"],
        "reason": delivery["reason"],
    }
