"""`tidings webhook`: servers of yours that are told what happens."""

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

SHOWN = 20
"""Messages of the log that are shown."""

Named = Annotated[str, typer.Argument(help="Its id, its URL or its description.", metavar="WEBHOOK")]
Status = Annotated[str | None, typer.Option("--status", help="Only messages that are waiting, delivered or failed.")]


def register(root: typer.Typer) -> None:
    """Add the commands."""
    group = typer.Typer(cls=Group, no_args_is_help=True, help="Webhooks: servers of yours that are told what happens.")
    root.add_typer(group, name="webhook", rich_help_panel="Set up")
    command(group, "list", app=True)(list_webhooks)
    command(group, "add", app=True)(add)
    command(group, "show", app=True)(show)
    command(group, "test", app=True)(test)
    command(group, "replay", app=True)(replay)
    command(group, "remove", app=True)(remove)


async def list_webhooks(call: Call) -> None:
    """List the webhooks of an App."""
    async with call.api() as api:
        found = await api.every("/webhooks")
    call.out.result({"data": found})
    now = datetime.now(UTC)
    call.out.table(
        ["Id", "URL", "Events", "State", "Last told"],
        [
            (one["id"], one["url"], ", ".join(one["events"]), _state(one), ago(one["succeeded_at"], now=now))
            for one in found
        ],
        empty="No webhook exists yet. Make one: tidings webhook add URL EVENT...",
    )


async def add(
    call: Call,
    url: Annotated[str, typer.Argument(help="Where it is called: https, of a public host.", metavar="URL")],
    events: Annotated[
        list[str], typer.Argument(help="What it is told, such as delivery.failed receipt.clicked.", metavar="EVENT...")
    ],
    description: Annotated[str, typer.Option("--description", help="What people call it.")] = "",
) -> None:
    """Have a server told what happens from now on. Its secret is shown this once."""
    async with call.api() as api:
        made = await api.post("/webhooks", {"url": url, "events": events, "description": description})
    call.out.result(made)
    call.out.done(f"Made the webhook {made['id']} to {plain(made['url'])}.")
    call.out.facts([("Secret", made["secret"])])
    call.out.say("  It signs every call, and is shown this once. Try it: tidings webhook test " + made["id"])


async def show(call: Call, webhook: Named, status: Status = None) -> None:
    """Show a webhook and the newest of what it was told."""
    async with call.api() as api:
        found = await found_by(api, webhook)
        log = (await api.get(f"/webhooks/{found['id']}/messages", limit=SHOWN, status=status))["data"]
    call.out.result({**found, "messages": log})
    now = datetime.now(UTC)
    call.out.facts(
        [
            ("Id", found["id"]),
            ("URL", found["url"]),
            ("Description", found["description"] or "-"),
            ("Events", ", ".join(found["events"])),
            ("State", _state(found)),
            ("Last told", ago(found["succeeded_at"], now=now)),
        ]
    )
    call.out.table(
        ["Message", "Made", "Events", "Tries", "State"],
        [
            (one["id"], ago(one["created_at"], now=now), str(one["events"]), str(one["tries"]), _came(one))
            for one in log
        ],
        empty="It was told nothing yet.",
    )


async def test(call: Call, webhook: Named) -> None:
    """Send a `webhook.test` event now, also to one that is off, and say how it went."""
    async with call.api() as api:
        found = await found_by(api, webhook)
        came = await api.post(f"/webhooks/{found['id']}/test")
    call.out.result(came)
    if not came["delivered"]:
        if came["status"]:
            why, mend = f"It answered {came['status']}.", "Look at the receiver's own log, and try again."
            answer = f" It said: {came['answer']}" if came["answer"] else ""
        else:
            # What is told in place of an answer is our own client's word for what went wrong.
            why, mend = f"No answer came ({came['failure']}).", "See that the URL is right and that its server is up."
            answer = f" {came['answer'].rstrip('.')}." if came["answer"] else ""
        raise CommandFailed(why + answer, mend, code="webhook_test_failed")
    call.out.done(f"{plain(found['url'])} answered {came['status']} in {came['seconds']:.2f} s.")


async def replay(
    call: Call,
    webhook: Named,
    message: Annotated[str | None, typer.Option("--message", help="One message, by its id (msg_...).")] = None,
    since: Annotated[
        str | None, typer.Option("--since", help="What failed since then: ISO 8601 with a zone (2026-11-21T00:00Z).")
    ] = None,
    delivered: Annotated[bool, typer.Option("--delivered", help="With --since: what was delivered too.")] = False,
) -> None:
    """Have one message, or what failed since a moment, sent again, each under its own id."""
    if (message is None) == (since is None):
        raise CommandFailed("Say either --message or --since.", "Name one message, or a moment.", code="usage")
    async with call.api() as api:
        found = await found_by(api, webhook)
        if message is not None:
            again = await api.post(f"/webhooks/{found['id']}/messages/{quote(message, safe='')}/replay")
            count = 1
        else:
            status = None if delivered else "failed"
            again = await api.post(f"/webhooks/{found['id']}/replay", {"since": since, "status": status})
            count = again["messages"]
    call.out.result(again)
    call.out.done(f"{counted(count, 'message')} will be sent again to {plain(found['url'])}.")


async def remove(
    call: Call, webhook: Named, yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False
) -> None:
    """Forget a webhook with its log; what it was not told yet, it is not told."""
    async with call.api() as api:
        found = await found_by(api, webhook)
        confirmed(call.out, f"Remove the webhook to {found['url']}?", yes=yes)
        await api.delete(f"/webhooks/{found['id']}")
    call.out.result({"id": found["id"], "removed": True})
    call.out.done(f"Removed the webhook to {plain(found['url'])}.")


async def found_by(api: Api, name: str) -> Any:
    """Find a webhook by its id, URL or description. Raise CommandFailed where there is none, or more than one."""
    named = [one for one in await api.every("/webhooks") if name in (one["id"], one["url"], one["description"])]
    if len(named) != 1:
        why = f"There is no webhook {name[:200]!r}." if not named else f"{len(named)} webhooks are {name[:200]!r}."
        by = "its id" if named else "its id, URL or description"
        raise CommandFailed(why, f"Name it by {by}; `tidings webhook list` shows them.", code="not_found")
    return named[0]


def _state(one: Any) -> str:
    if one["disabled_because"]:
        return f"turned off: {one['disabled_because']}"
    if not one["enabled"]:
        return "off"
    return f"failed {counted(one['failures'], 'time')} in a row" if one["failures"] else "on"


def _came(one: Any) -> str:
    why = one["last_failure"] or one["last_status"]
    return str(one["status"]) if one["status"] == "delivered" or not why else f"{one['status']} ({why})"
