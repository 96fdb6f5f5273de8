"""What `tidings up` says when it is ready: where everything is, what needs attention, what to do next."""

from __future__ import annotations

import shutil
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tidings import __version__
from tidings.cli.output import ACCENT, Output, counted, number, plain

if TYPE_CHECKING:
    from tidings.cli.demo import Simulator
    from tidings.domain.member import Member
    from tidings.settings import Settings


@dataclass(frozen=True, slots=True)
class Greeting:
    """Everything the first screen says."""

    url: str
    setup_url: str | None
    settings: Settings
    public_key: str | None
    worker: bool
    new_key_file: Path | None
    simulator: Simulator | None
    owner: Member | None = None
    """The demo's owner, whom the set-up link signs in."""
    app: str | None = None
    """Id of the demo's App, where there are others."""
    listens_at: str | None = None
    """Where a proxy finds it, if people are told another address."""
    waiting: int = 0
    """Parts of notifications that an earlier run left."""
    paused_by: str | None = None
    """Who paused all sending, while it is."""


def greet(out: Output, told: Greeting) -> None:
    """Print the first screen; as JSON one document with the same facts."""
    out.result(_document(told))
    out.say()
    out.say(f"[bold {ACCENT}]Tidings[/] [dim]{__version__}[/]")
    out.say()
    out.facts(_facts(told))
    out.say()
    _attention(out, told)
    if told.owner is not None:
        _owner(out, told, told.owner)
    if told.simulator is not None:
        _browsers(out, told)
    _next(out, told)


def _facts(told: Greeting) -> list[tuple[str, str]]:
    from tidings.storage.open import sqlite_facts

    settings = told.settings
    kept = "PostgreSQL" if settings.database_url else f"SQLite {sqlite_facts().version}, {settings.data}"
    senders = counted(settings.senders, "sender process", "sender processes")
    rows = [
        ("Dashboard", told.url),
        ("API", f"{told.url}/docs"),
        ("Data", kept),
        ("Delivery", senders if told.worker else "off; run `tidings worker` beside this"),
        ("VAPID key", told.public_key or "none yet"),
    ]
    if told.waiting:
        rows.append(("Waiting", f"{counted(told.waiting, 'part')} of notifications, from before"))
    if told.listens_at is not None:
        rows[1:1] = [("Listens at", told.listens_at)]
    if told.setup_url is not None:
        what = f"signs one browser in as {told.owner.name}" if told.owner else "makes the first member"
        rows[1:1] = [("Set-up link", told.setup_url), ("", f"{what}, once, within 24 hours")]
    if told.simulator is not None:
        rows[4:4] = [("Sample site", told.simulator.site), ("What arrived", told.simulator.control)]
    return rows


def _attention(out: Output, told: Greeting) -> None:
    settings = told.settings
    if settings.allow_insecure_endpoints:
        reason = "the demo needs it" if told.simulator else "TIDINGS_ALLOW_INSECURE_ENDPOINTS is set"
        out.aside.print(
            f"[bold red]! Insecure endpoints are allowed[/] ({reason}): http and self-signed push endpoints on this "
            "machine are called. Never in production."
        )
    if told.new_key_file is not None and told.simulator is None:
        out.warn_of_key(told.new_key_file)
    if told.paused_by is not None:
        out.warn(
            f"All sending is paused by {plain(told.paused_by)}. Let it go on with: {_typed()} resume{_where(told)}"
        )
    if settings.allow_insecure_endpoints or told.new_key_file is not None or told.paused_by is not None:
        out.aside.print()


def _owner(out: Output, told: Greeting, owner: Member) -> None:
    """Say whom the link makes of its reader, and how they come in again: it is good once."""
    where, who = plain(str(told.settings.data)), f"[bold]{plain(owner.name)}[/] ({plain(owner.email)})"
    if owner.password is None:
        out.say(f"Next: open the set-up link. It signs you in as {who}, who has no password:")
        out.say(
            "set one under Profile before you sign out. Later, and in another browser, this makes a link that sets one:"
        )
    else:
        out.say(f"Next: open the dashboard and sign in as {who} with the password that was set,")
        out.say("or open the set-up link, which does it without. If it is forgotten, this makes a link that sets one:")
    out.say(f"  [bold]{_typed()} member reset --data {where} {plain(owner.email)}[/]")
    out.say()


def _browsers(out: Output, told: Greeting) -> None:
    """Say how a browser of this machine joins the demo; its own push service is not here."""
    folder = plain(str(told.settings.data / "simulator"))
    out.say("A browser of this machine subscribes at the sample site without a network, in a profile of its own:")
    out.say(f"  [bold]{_typed()} simulator chromium --folder {folder}[/]  [dim]or firefox[/]")
    out.say()


def _next(out: Output, told: Greeting) -> None:
    tidings = _typed()
    where = _where(told) + (f" --app {told.app}" if told.app else "")
    if told.simulator is not None:
        out.say(f"Or send to the {number(told.simulator.subscribers)} simulated subscribers from another terminal:")
        out.say(f'  [bold]{tidings} send{where} --title "Fresh fish" --body "At the quay from nine" --to all[/]')
        out.say("Ctrl-C stops everything.")
    elif told.public_key is None:
        if told.setup_url is not None:
            out.say("Next: open the set-up link. It leads to the VAPID key that browsers subscribe with, too.")
            out.say("Or make that in another terminal:")
        else:
            out.say("Next, in another terminal: make the VAPID key that browsers subscribe with.")
        out.say(f"  [bold]{tidings} vapid generate{where} --subject mailto:you@example.com[/]")
        out.say("Ctrl-C stops everything.")
    else:
        where = "the set-up link" if told.setup_url else "the dashboard"
        out.say(f"Next: open {where}. Ctrl-C stops everything.")


def _where(told: Greeting) -> str:
    return f" --data {plain(str(told.settings.data))}"


def _typed() -> str:
    """Give what to type for this very command: its name where the shell finds it, else its path."""
    here = Path(sys.argv[0])
    found = shutil.which("tidings")
    return plain(str(here)) if here.name == "tidings" and found is None else "tidings"


def _document(told: Greeting) -> dict[str, object]:
    found: dict[str, object] = {
        "url": told.url,
        "setup_url": told.setup_url,
        "docs": f"{told.url}/docs",
        "data": str(told.settings.data),
        "public_key": told.public_key,
        "worker": told.worker,
        "waiting": told.waiting,
        "paused": told.paused_by is not None,
    }
    if told.owner is not None:
        found["owner_email"] = told.owner.email
    if told.simulator is not None:
        found |= {"site": told.simulator.site, "control": told.simulator.control, "push": told.simulator.push}
    return found
