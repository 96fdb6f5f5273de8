"""`tidings doctor`: everything delivery needs, looked at, each fault with its mend."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tidings.cli.bus_check import of_bus
from tidings.cli.checks import Finding, State, of_builds, of_clock, of_disk, of_encryption, of_held, of_system
from tidings.cli.egress import SERVICES, Reached, of_egress, reached
from tidings.cli.failure import CommandFailed
from tidings.cli.instance import demo_in_place_of, exists, uses_files
from tidings.cli.options import NO_INSTANCE, Call, command
from tidings.cli.output import MARKS, counted, visible

if TYPE_CHECKING:
    from tidings.cli.client import Api


def register(root: typer.Typer) -> None:
    """Add the command."""
    command(root, "doctor", panel="Run")(doctor)


async def doctor(
    call: Call,
    offline: Annotated[bool, typer.Option("--offline", help="Leave the push services alone.")] = False,
) -> None:
    """Check keys, contact, workers, queue, bus, clock, database, disk, encryption and the way to the push services."""
    findings = await looked_at(call, hosts=[] if offline else list(SERVICES))
    count = Counter(finding.state for finding in findings)
    call.out.result({"ok": count[State.FAIL] == 0, "findings": [asdict(finding) for finding in findings]})
    _show(call, findings)
    if count[State.FAIL]:
        if call.out.as_json:
            raise typer.Exit(1)
        raise CommandFailed(f"{counted(count[State.FAIL], 'check')} failed.", "Each says above how to mend it.")
    call.out.done("Nothing failed." + (f" {counted(count[State.WARN], 'warning')}." if count[State.WARN] else ""))


async def looked_at(call: Call, *, hosts: list[str]) -> list[Finding]:
    """Run every check; what the instance itself cannot tell becomes a finding too."""
    calling = asyncio.create_task(reached(hosts))
    settings = call.settings()
    instance, insecure = await _instance(call)
    local = [
        *await of_bus(settings.bus_url),
        of_disk(demo_in_place_of(settings.data) or settings.data),
        of_encryption(),
        *of_builds(),
    ]
    answers = await calling
    way = of_egress(answers, lenient=insecure or settings.allow_insecure_endpoints)
    return [*instance, *local, *way, *([_clock(answers)] if hosts else [])]


async def _instance(call: Call) -> tuple[list[Finding], bool]:
    settings = call.settings()
    if not exists(settings) and demo_in_place_of(settings.data) is None:
        return [Finding("Instance", State.FAIL, f"there is none in {settings.data} yet", NO_INSTANCE)], False
    try:
        async with call.api() as api:
            system: Any = await api.get("/system")
            held = {app["name"]: await _held(api, app["id"]) for app in system["apps"]}
            if api.in_process and uses_files(settings):
                # Nobody else has the folder: one that was killed still seems to live for a while.
                system["workers"] = []
    except CommandFailed as failure:
        return [Finding("Instance", State.FAIL, failure.why, failure.mend)], False
    where = (
        "not running, opened here" if api.in_process else f"running at {str(api.http.base_url).partition('/api')[0]}"
    )
    return [Finding("Instance", State.OK, where), *of_system(system), *of_held(held)], bool(
        system["insecure_endpoints"]
    )


async def _held(api: Api, app: str) -> int:
    count: int = (await api.get("/stats/overview", app=app))["held"]
    return count


def _clock(answers: list[Reached]) -> Finding:
    dated = next((one for one in answers if one.date is not None), None)
    return of_clock(dated.date if dated else None, ours=datetime.now(UTC), host=dated.host if dated else "")


def _show(call: Call, findings: list[Finding]) -> None:
    from rich.console import Group
    from rich.text import Text

    call.out.table(
        ["", "Check", "Found"],
        [
            (
                Text.from_markup(MARKS[finding.state]),
                finding.name,
                Group(Text(visible(finding.found)), Text(visible(finding.mend), style="dim"))
                if finding.mend
                else finding.found,
            )
            for finding in findings
        ],
    )
