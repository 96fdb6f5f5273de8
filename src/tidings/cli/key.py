"""`tidings key`: the API keys of this instance."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer

from tidings.cli.options import Call, Group, command
from tidings.cli.output import ago, plain
from tidings.domain.permission import Scope

SCOPES = f"What it may do; repeat it for more. Everything if not given. One of: {', '.join(Scope)}."


def register(root: typer.Typer) -> None:
    """Add the commands."""
    group = typer.Typer(cls=Group, no_args_is_help=True, help="API keys: make, list, revoke.")
    root.add_typer(group, name="key", rich_help_panel="Set up")
    command(group, "create", app="The one App it is for, by id or name; every App if not named.")(create)
    command(group, "list")(list_keys)
    command(group, "revoke")(revoke)


async def create(
    call: Call,
    name: Annotated[str, typer.Option("--name", help="What will use it, so that you can tell keys apart.")],
    scope: Annotated[
        list[Scope] | None,
        typer.Option("--scope", metavar="SCOPE", help=SCOPES, show_default=False),
    ] = None,
    days: Annotated[
        int | None,
        typer.Option("--days", min=1, max=3_650, help="Let it end after so many days.", show_default=False),
    ] = None,
) -> None:
    """Make an API key and show it, this once. It is for every App, or with --app for that one alone."""
    scopes = [str(one) for one in scope or list(Scope)]
    ends = {"expires_at": (datetime.now(UTC) + timedelta(days=days)).isoformat()} if days else {}
    async with call.api(create=True) as api:
        made = await api.post(
            "/keys", {"name": name, "scopes": scopes, **ends, **({"app": api.app} if api.app else {})}
        )
    call.out.result(made)
    may = ", ".join(scopes) if scope else "do everything"
    call.out.done(f"Made the API key [bold]{plain(made['name'])}[/], which may {may}. It is shown once:")
    call.out.say()
    call.out.say(f"  {made['key']}")
    call.out.say()
    call.out.say("  Send it as `Authorization: Bearer <key>`. Only its hash is stored.")


async def list_keys(call: Call) -> None:
    """List the API keys in force; the keys themselves cannot be shown again."""
    async with call.api() as api:
        keys = await api.every("/keys")
    call.out.result({"data": keys})
    now = datetime.now(UTC)
    call.out.table(
        ["Name", "Id", "Begins", "May", "Made", "Ends", "Used"],
        [
            (
                key["name"],
                key["id"],
                key["prefix"],
                "everything" if set(key["scopes"]) == set(Scope) else ", ".join(key["scopes"]),
                ago(key["created_at"], now=now),
                (key["expires_at"] or "-")[:10],
                ago(key["last_used_at"], now=now),
            )
            for key in keys
        ],
        empty="No API key exists yet. Make one: tidings key create --name NAME",
    )


async def revoke(
    call: Call, key: Annotated[str, typer.Argument(help="Its id, from `tidings key list`.", metavar="ID")]
) -> None:
    """Revoke an API key; whatever uses it is refused from now on."""
    async with call.api() as api:
        await api.delete(f"/keys/{key}")
    call.out.result({"id": key, "revoked": True})
    call.out.done(f"Revoked {plain(key)}.")
