"""`tidings user`: the people an App knows."""

from __future__ import annotations

import json
from typing import Annotated, Any
from urllib.parse import quote

import typer

from tidings.cli.options import Call, command, pairs
from tidings.cli.output import plain

Id = Annotated[str, typer.Argument(help="The App's own id of the person.", metavar="ID")]


def register(root: typer.Typer) -> None:
    """Add the commands."""
    group = typer.Typer(no_args_is_help=True, help="The people an App knows.")
    root.add_typer(group, name="user", rich_help_panel="Set up")
    command(group, "set", app=True)(put)
    command(group, "show", app=True)(show)
    command(group, "list", app=True)(list_users)


async def put(
    call: Call,
    user: Id,
    attribute: Annotated[
        list[str] | None,
        typer.Option(
            "--attribute", "-a", help="KEY=VALUE; the value may be JSON. Repeat it for more.", show_default=False
        ),
    ] = None,
    locale: Annotated[str | None, typer.Option("--locale", help="de, pt-BR, ...", show_default=False)] = None,
    time_zone: Annotated[str | None, typer.Option("--time-zone", help="Europe/Vienna, ...", show_default=False)] = None,
) -> None:
    """Create a person, or change attributes, language and time zone of one."""
    body: dict[str, Any] = {}
    if attribute:
        body["attributes"] = {key: _value(text) for key, text in pairs(attribute, option="--attribute").items()}
    if locale:
        body["locale"] = locale
    if time_zone:
        body["time_zone"] = time_zone
    async with call.api() as api:
        stored = await api.put(f"/users/{quote(user, safe='')}", body)
    call.out.result(stored)
    call.out.done(f"Stored {plain(user)}.")


async def show(call: Call, user: Id) -> None:
    """Show a person and the devices that are theirs."""
    async with call.api() as api:
        found = await api.get(f"/users/{quote(user, safe='')}")
        devices = await api.every("/subscriptions", user=user)
    call.out.result({**found, "subscriptions": devices})
    call.out.facts(
        [
            ("Id", found["external_id"]),
            ("Language", found["locale"] or "-"),
            ("Time zone", found["time_zone"] or "-"),
            *((key, _text(value)) for key, value in found["attributes"].items()),
        ]
    )
    call.out.table(["Device", "Id", "Status"], [(one["device"] or "-", one["id"], one["status"]) for one in devices])


async def list_users(call: Call) -> None:
    """List the people of an App."""
    async with call.api() as api:
        users = await api.every("/users")
    call.out.result({"data": users})
    call.out.table(
        ["Id", "Language", "Attributes"],
        [(one["external_id"], one["locale"] or "-", _text(one["attributes"])) for one in users],
    )


def _value(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
