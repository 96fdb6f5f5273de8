"""Following a notification until it is final: a bar with rate and time left, then a table that adds up."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from tidings.cli.client import FINAL, POLL_SECONDS, SETTLED, Api, else_says, settled_of
from tidings.cli.confirm import asked
from tidings.cli.failure import CommandFailed
from tidings.cli.output import Output, counted, number, share

ASK_EVERY = 2.0
"""Seconds between two questions whether all sending is paused, which the progress of one notification does not say."""
SETTLING = 15.0
"""Seconds that a cancelled notification has for what was under way to be counted."""
WORDS = {"sent": "green", "failed": "red", "expired": "dim", "skipped": "dim"}


async def followed(api: Api, out: Output, notification: str) -> Any:
    """Show the progress until the notification is final; give it as it then stands.

    Ctrl-C asks whether to cancel the rest; without an answer the notification goes on and the command ends. Raises
    CommandFailed where the server is gone: what was stored is sent by the next one.
    """
    with else_says(
        f"The server stopped answering while {notification} was on its way",
        "It is stored, so do not send it again: the next `tidings up` goes on with it.",
    ):
        await _followed(api, out, notification)
        return await _in_the_end(api, notification)


async def _followed(api: Api, out: Output, notification: str) -> None:
    watching = asyncio.create_task(_watched(api, out, notification))
    try:
        async with _interruptible() as interrupted:
            while not watching.done():
                pressed = asyncio.create_task(interrupted.wait())
                try:
                    await asyncio.wait((watching, pressed), return_when=asyncio.FIRST_COMPLETED)
                finally:
                    pressed.cancel()
                if watching.done():
                    break
                watching.cancel()
                await asyncio.gather(watching, return_exceptions=True)
                interrupted.clear()
                await _left_or_cancelled(api, out, notification)
                watching = asyncio.create_task(_watched(api, out, notification))
        await watching
    finally:
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)


async def _in_the_end(api: Api, notification: str) -> Any:
    """Give it as it stands; a cancelled one once what was under way is counted, or after a while as it is then."""
    clock = asyncio.get_running_loop().time
    until = clock() + SETTLING
    while True:
        found = await api.get(f"/notifications/{notification}")
        adds_up = settled_of(found["counts"]) == found["counts"]["audience"]
        if found["status"] != "cancelled" or adds_up or clock() > until:
            return found
        await asyncio.sleep(POLL_SECONDS)


async def _watched(api: Api, out: Output, notification: str) -> None:
    from rich.progress import BarColumn, Progress, TextColumn

    columns = (
        TextColumn("  {task.fields[state]}"),
        BarColumn(bar_width=32, complete_style="green"),
        TextColumn("{task.fields[words]}"),
    )
    with Progress(*columns, console=out.aside, transient=True, disable=not out.aside.is_terminal) as progress:
        task = progress.add_task("", total=None, state="queued", words="")
        paused, asked_at = False, -ASK_EVERY
        clock = asyncio.get_running_loop().time
        async for state in api.progress(notification):
            if state.get("rate"):
                paused = False
            elif clock() - asked_at > ASK_EVERY:  # where nothing moves, that may be why
                paused, asked_at = (await api.get("/system"))["paused"] is not None, clock()
            counts = state["counts"]
            settled = settled_of(counts)
            progress.update(
                task,
                total=counts["audience"] or None,
                completed=settled,
                state=state["status"],
                words=_words(settled, counts["audience"], state, paused=paused),
            )
            if state["status"] in FINAL:
                return
    raise CommandFailed(
        "The progress ended before the notification did.",
        "It is stored, so do not send it again: it goes on while `tidings up` runs. The dashboard shows how far it is.",
    )


def _words(settled: int, audience: int, state: Any, *, paused: bool = False) -> str:
    words = f"{number(settled)} of {number(audience)}"
    if paused:
        return f"{words} · all sending is paused"
    if state["status"] == "paused":
        return words
    if state.get("rate"):
        words += f" · {number(state['rate'])}/s"
    if state.get("eta_seconds") is not None and settled < audience:
        words += f" · {time_left(state['eta_seconds'])} left"
    return words


def time_left(seconds: float) -> str:
    """Write seconds as people say them: `8 s`, `3 min 20 s`, `2 h 5 min`."""
    whole = max(1, round(seconds))
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


async def _left_or_cancelled(api: Api, out: Output, notification: str) -> None:
    if not out.aside.is_terminal or out.as_json:
        raise CommandFailed(f"No longer watching. {notification} goes on.", _how_to_stop(api, notification))
    # The question is asked on the event loop: nothing is delivered in this process while it stands.
    if not asked("Cancel what has not been sent yet?"):
        raise CommandFailed(f"No longer watching. {notification} goes on.", _how_to_stop(api, notification))
    with else_says(
        "The server stopped answering before it said that it cancelled anything",
        f"The next `tidings up` would go on with it; make sure then with: tidings notifications cancel {notification}",
    ):
        await api.post(f"/notifications/{notification}/cancel")


def _how_to_stop(api: Api, notification: str) -> str:
    if api.in_process:
        return "It is stored, and goes on with the next `tidings up`; the dashboard can cancel it."
    return f"Cancel it in the dashboard, or with POST /api/v1/notifications/{notification}/cancel."


@asynccontextmanager
async def _interruptible() -> AsyncIterator[asyncio.Event]:
    loop = asyncio.get_running_loop()
    pressed = asyncio.Event()
    loop.add_signal_handler(signal.SIGINT, pressed.set)
    try:
        yield pressed
    finally:
        loop.remove_signal_handler(signal.SIGINT)


def summed_up(out: Output, notification: Any) -> None:
    """Print what became of everybody, and why of those who got nothing."""
    from rich.text import Text

    counts = notification["counts"]
    rows = [
        (Text(name, style=WORDS[name]), number(counts[name]), share(counts[name], counts["audience"]))
        for name in SETTLED
        if counts[name]
    ]
    out.table(["", ">Devices", ""], [*rows, (Text("audience", style="bold"), number(counts["audience"]), "")])
    if (left := counts["audience"] - settled_of(counts)) > 0:
        out.note(f"So far: {counted(left, 'device')} not counted yet, as they were on their way.")
    reasons = sorted(notification.get("reasons", {}).items(), key=lambda item: -item[1])
    if reasons:
        out.table(["Reason", ">Devices"], [(name.replace("_", " "), number(count)) for name, count in reasons])


def check_result(notification: Any) -> None:
    """Raise when the notification reached nobody, or was cancelled."""
    counts = notification["counts"]
    if notification["status"] == "cancelled":
        raise CommandFailed(f"Cancelled after {counted(counts['sent'], 'device')} of {number(counts['audience'])}.")
    if counts["sent"] == 0:
        raise CommandFailed("It reached nobody.", "The reasons are above; `tidings doctor` looks at the rest.")
