"""`tidings shards`: parts of notifications that were given up, and what is to become of them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from tidings.cli.client import Api
from tidings.cli.failure import CommandFailed
from tidings.cli.options import Call, Group, command
from tidings.cli.output import ago, counted, number
from tidings.domain.errors import ErrorCode

Shard = Annotated[int, typer.Argument(help="Its number, from `tidings shards list`.", metavar="ID")]


def register(root: typer.Typer) -> None:
    """Add the commands."""
    group = typer.Typer(
        cls=Group, no_args_is_help=True, help="Parts of notifications that were given up: list, requeue, drop."
    )
    root.add_typer(group, name="shards", rich_help_panel="Run")
    command(group, "list")(list_shards)
    command(group, "requeue")(requeue)
    command(group, "drop")(drop)


async def list_shards(call: Call) -> None:
    """List what was given up and waits for a decision: how many devices nobody knows the fate of, and why."""
    async with call.api() as api:
        shards = await api.every("/system/dead-shards")
    call.out.result({"data": shards})
    now = datetime.now(UTC)
    call.out.table(
        [">Id", "Notification", "Title", ">In doubt", "Why", "Given up"],
        [
            (
                str(shard["id"]),
                shard["notification"],
                shard["title"],
                number(shard["in_doubt"]),
                shard["because"].replace("_", " "),
                ago(shard["buried_at"], now=now),
            )
            for shard in shards
        ],
        empty="Nothing was given up.",
    )


async def _decided(api: Api, shard: int, verb: str) -> Any:
    try:
        return await api.post(f"/system/dead-shards/{shard}/{verb}")
    except CommandFailed as refusal:
        if refusal.code != ErrorCode.NOT_FOUND:
            raise
        raise CommandFailed(refusal.why, "`tidings shards list` shows what was given up.", code=refusal.code) from None


async def requeue(call: Call, shard: Shard) -> None:
    """Send to its devices after all; those that had it take the second copy for the first."""
    async with call.api() as api:
        done = await _decided(api, shard, "requeue")
    call.out.result(done)
    call.out.done(f"{counted(done['in_doubt'], 'device')} of {done['notification']} will be tried again.")
    if api.in_process:
        call.out.say("  Start `tidings up`: without it nothing is sent.")


async def drop(call: Call, shard: Shard) -> None:
    """Leave its devices counted as in doubt for good, and list it no more."""
    async with call.api() as api:
        done = await _decided(api, shard, "drop")
    call.out.result(done)
    call.out.done(f"{counted(done['in_doubt'], 'device')} of {done['notification']} stay in doubt.")
