"""`tidings user`: the people an App knows."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import quote

import typer

from tidings.cli.client import Api
from tidings.cli.confirm import confirmed
from tidings.cli.failure import CommandFailed
from tidings.cli.options import Call, Group, command, pairs
from tidings.cli.output import counted, number, plain
from tidings.cli.subscriptions import private_file

MOST_DEVICES = 2000
"""Devices that `user list` looks through for people whom nobody has described; an instance may have a million."""

Id = Annotated[str, typer.Argument(help="The App's own id of the person.", metavar="ID")]

Person = Annotated[str, typer.Argument(help="The App's own id of the person; with --device a sub_...", metavar="ID")]
OfDevice = Annotated[bool, typer.Option("--device", help="ID names a device: the person is known by it alone.")]


def register(root: typer.Typer) -> None:
    """Add the commands."""
    group = typer.Typer(cls=Group, no_args_is_help=True, help="The people an App knows.")
    root.add_typer(group, name="user", rich_help_panel="Set up")
    command(group, "set", app=True)(put)
    command(group, "show", app=True)(show)
    command(group, "list", app=True)(list_users)
    command(group, "export", app=True)(export)
    command(group, "erase", app=True)(erase)


async def put(
    call: Call,
    user: Id,
    attribute: Annotated[
        list[str] | None,
        typer.Option(
            "--attribute",
            "-a",
            help="KEY=VALUE; the value may be JSON, null takes it away. Repeat it.",
            show_default=False,
        ),
    ] = None,
    locale: Annotated[str | None, typer.Option("--locale", help="de, pt-BR, ...", show_default=False)] = None,
    time_zone: Annotated[str | None, typer.Option("--time-zone", help="Europe/Vienna, ...", show_default=False)] = None,
) -> None:
    """Create a person, or change attributes, language and time zone of one."""
    given = {key: _value(text) for key, text in pairs(attribute or [], option="--attribute").items()}
    body: dict[str, Any] = {}
    if locale:
        body["locale"] = locale
    if time_zone:
        body["time_zone"] = time_zone
    path = f"/users/{quote(user, safe='')}"
    async with call.api() as api:
        if given:
            merged = {**await _attributes(api, path), **given}
            body["attributes"] = {key: value for key, value in merged.items() if value is not None}
        stored = await api.put(path, body)
    call.out.result(stored)
    call.out.done(f"Stored {plain(user)}.")


async def show(call: Call, user: Id) -> None:
    """Show a person and the devices that are theirs."""
    async with call.api() as api:
        devices = await api.every("/subscriptions", user=user)
        try:
            found = await api.get(f"/users/{quote(user, safe='')}")
        except CommandFailed as failure:
            if failure.code != "not_found" or not devices:
                raise
            found = {"id": user, "attributes": {}, "locale": None, "time_zone": None}
            call.out.note(f"{plain(user)} is {_known_by(len(devices))}.")
    call.out.result({**found, "subscriptions": devices})
    call.out.facts(
        [
            ("Id", found["id"]),
            ("Language", found["locale"] or "-"),
            ("Time zone", found["time_zone"] or "-"),
            *((key, _text(value)) for key, value in found["attributes"].items()),
        ]
    )
    call.out.table(
        ["Device", "Id", "Status"],
        [(one["device"] or "-", one["id"], one["status"]) for one in devices],
        empty="  No device has push enabled.",
    )


async def list_users(call: Call) -> None:
    """List the people of an App."""
    async with call.api() as api:
        users = await api.every("/users")
        named, all_seen = await _named_by_devices(api, described={one["id"] for one in users})
    call.out.result(
        {"data": users, "known_by_devices": [{"id": user, "devices": count} for user, count in named.items()]}
    )
    call.out.table(
        ["Id", "Language", "Attributes"],
        [
            *((one["id"], one["locale"] or "-", _text(one["attributes"])) for one in users),
            *((user, "-", _known_by(count)) for user, count in named.items()),
        ],
        empty="Nobody is known yet. Your server tells us with PUT /api/v1/users/ID, or use: tidings user set ID",
    )
    if not all_seen:
        call.out.note(f"Of people without details, only those of the newest {number(MOST_DEVICES)} devices are shown.")


async def export(
    call: Call,
    person: Person,
    file: Annotated[Path, typer.Argument(help="Where it goes; - for stdout.", metavar="FILE")],
    device: OfDevice = False,
) -> None:
    """Export everything that is kept of a person or a device as JSON: a request for information under the GDPR."""
    size = 0
    with private_file(file) as target:
        async with call.api() as api:
            async for piece in api.download(f"/{_place(person, device=device)}/export"):
                size += len(piece)
                target.write(piece)
    if str(file) == "-":
        return
    call.out.result({"file": str(file), "bytes": size})
    call.out.done(f"Exported what is kept of {plain(person)} to {plain(str(file))}, readable by you alone.")


async def erase(
    call: Call,
    person: Person,
    device: OfDevice = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """Erase everything that is kept of a person or a device; nothing is sent to them any more. Not to be taken back."""
    confirmed(call.out, f"Erase everything that is kept of {person}?", yes=yes)
    async with call.api() as api:
        receipt = await api.post(f"/{_place(person, device=device)}/erase")
    call.out.result(receipt)
    call.out.facts(
        [
            ("Receipt", receipt["id"]),
            ("Status", receipt["status"]),
            *((f"Removed {kind}", number(count)) for kind, count in receipt["removed"].items()),
        ]
    )
    for sentence in receipt["kept"]:
        call.out.note(sentence)
    call.out.done(f"Erased {plain(person)}." if receipt["status"] == "done" else "It goes on in the background.")


def _place(person: str, *, device: bool) -> str:
    return f"{'subscriptions' if device else 'users'}/{quote(person, safe='')}"


async def _named_by_devices(api: Api, *, described: Collection[str]) -> tuple[Counter[str], bool]:
    named: Counter[str] = Counter()
    seen = 0
    async for device in api.rows("/subscriptions"):
        if seen == MOST_DEVICES:
            return named, False
        seen += 1
        if device["user"] is not None and device["user"] not in described:
            named[device["user"]] += 1
    return named, True


def _known_by(devices: int) -> str:
    return f"known by {counted(devices, 'device')}, without details of its own"


async def _attributes(api: Api, path: str) -> dict[str, Any]:
    try:
        found: dict[str, Any] = (await api.get(path))["attributes"]
    except CommandFailed as failure:
        if failure.code != "not_found":
            raise
        return {}
    return found


def _value(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
