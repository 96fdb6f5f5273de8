"""`tidings notifications`: what was sent lately, and steering it; also what the tripwire holds."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from tidings.cli.client import Api
from tidings.cli.confirm import confirmed
from tidings.cli.failure import CommandFailed
from tidings.cli.options import Call, Group, command
from tidings.cli.output import Output, ago, counted, number, plain

WHY = {
    "volume_tripwire": "far more was asked for in a short time than the App has subscribers",
    "repeat_tripwire": "the same words went to most subscribers a short time ago",
}
"""Why the tripwire holds a notification."""

Id = Annotated[str, typer.Argument(help="The notification's id.", metavar="ID")]


def register(root: typer.Typer) -> None:
    """Add the commands."""
    group = typer.Typer(cls=Group, no_args_is_help=True, help="What was sent: list, pause, resume, cancel.")
    root.add_typer(group, name="notifications", rich_help_panel="Send")
    command(group, "list", app=True)(list_notifications)
    command(group, "pause", app=True)(pause)
    command(group, "resume", app=True)(resume)
    command(group, "cancel", app=True)(cancel)
    command(group, "held", app=True)(held)


async def list_notifications(
    call: Call, limit: Annotated[int, typer.Option("--limit", min=1, max=200, help="How many at most.")] = 20
) -> None:
    """List the last notifications, newest first."""
    async with call.api() as api:
        page = await api.get("/notifications", limit=limit)
    call.out.result({"data": page["data"]})
    now = datetime.now(UTC)
    call.out.table(
        ["Id", "Title", "Status", ">Devices", ">Sent", "When"],
        [
            (
                one["id"],
                one["title"],
                "held" if one["held_because"] else one["status"],
                number(one["counts"]["audience"]),
                number(one["counts"]["sent"]),
                _when(one, now=now),
            )
            for one in page["data"]
        ],
        empty="Nothing was sent yet. Begin with: tidings send --title Hello --to all",
    )


def _when(one: Any, *, now: datetime) -> str:
    """Give when it was made, or when it is to go out."""
    due = datetime.fromisoformat(one["send_at"])
    if one["status"] == "queued" and due > now:
        return f"for {due.astimezone():%Y-%m-%d %H:%M}"
    return ago(one["created_at"], now=now)


async def pause(call: Call, notification: Id) -> None:
    """Stop a notification for now; nothing is lost, and its time to live goes on."""
    await _steer(call, notification, "pause", "Paused")


async def resume(call: Call, notification: Id) -> None:
    """Go on with a notification that was paused, or that the tripwire holds."""
    await _steer(call, notification, "resume", "Resumed")


async def cancel(call: Call, notification: Id) -> None:
    """End a notification for good; who has not got it yet is skipped."""
    await _steer(call, notification, "cancel", "Cancelled")


async def _steer(call: Call, notification: str, verb: str, done: str) -> None:
    async with call.api() as api:
        before = await api.get(f"/notifications/{notification}") if verb == "cancel" else None
        changed = await api.post(f"/notifications/{notification}/{verb}")
        in_process = api.in_process
    call.out.result(changed)
    if before is not None and before["status"] == "cancelled":
        call.out.note(f"It was cancelled before: “{plain(changed['title'])}”.")
        return
    left = changed["counts"]["audience"] - changed["counts"]["sent"]
    call.out.done(f"{done} “{plain(changed['title'])}” ({counted(left, 'device')} without it).")
    if verb == "resume" and in_process:
        call.out.say("  It goes out with the next `tidings up`: no server runs now.")


async def held(
    call: Call,
    send: Annotated[bool, typer.Option("--send", help="Send all of it; the tripwire then counts anew.")] = False,
    drop: Annotated[bool, typer.Option("--cancel", help="Cancel all of it.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """List what the tripwire holds and why, and send or cancel all of it."""
    if send and drop:
        raise typer.BadParameter("Use --send or --cancel, not both.", param_hint="--send")
    async with call.api() as api:
        waiting = (await api.get("/stats/overview"))["held"]
        if not (send or drop) or not waiting:
            return _listed(call, waiting, await _held_rows(api, waiting))
        verb = "Send" if send else "Cancel"
        confirmed(call.out, f"{verb} {counted(waiting, 'notification')}?", yes=yes)
        settled = await api.post("/notifications/held", {"action": "send" if send else "cancel"})
    call.out.result(settled)
    call.out.done(f"{'Released' if send else 'Cancelled'} {counted(settled['count'], 'notification')}.")


async def _held_rows(api: Api, waiting: int) -> list[Any]:
    found: list[Any] = []
    rows = api.rows("/notifications")
    while len(found) < waiting and (row := await anext(rows, None)) is not None:
        if row["held_because"]:
            found.append(row)
    return found


def _listed(call: Call, waiting: int, rows: list[Any]) -> None:
    call.out.result({"held": waiting, "data": rows})
    call.out.table(
        ["Id", "Title", ">Devices", "Why"],
        [(row["id"], row["title"], number(row["counts"]["audience"]), WHY[row["held_because"]]) for row in rows],
        empty="Nothing is held.",
    )
    if rows:
        call.out.say("  One of them: tidings notifications resume ID, or: tidings notifications cancel ID")
        call.out.say("  All of them: tidings notifications held --send, or: tidings notifications held --cancel")


async def still_held(out: Output, api: Api, accepted: Any, *, yes: bool) -> None:
    """Ask whether a notification that the tripwire holds is meant, and resume it; fail where nobody says so."""
    why = f"{accepted['id']} is held: {WHY[accepted['held_because']]}."
    refusal = CommandFailed(
        why,
        f"If it is meant: tidings notifications resume {accepted['id']}; else cancel it in the same way.",
        code=accepted["held_because"],
    )
    if yes:
        # "Do not ask" was said before anybody knew of this question.
        raise refusal
    out.warn(plain(why))
    try:
        confirmed(out, "Send it all the same?", yes=False)
    except CommandFailed:
        raise refusal from None
    await api.post(f"/notifications/{accepted['id']}/resume")
