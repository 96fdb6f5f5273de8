"""`tidings send`: one notification to an audience, with its exact count before and its result after."""

from __future__ import annotations

import json
import secrets
from datetime import UTC, datetime
from typing import Annotated, Any
from urllib.parse import quote

import typer

from tidings.cli.client import Api, else_says
from tidings.cli.confirm import confirmed
from tidings.cli.failure import CommandFailed
from tidings.cli.notifications import still_held
from tidings.cli.options import Call, command
from tidings.cli.output import counted, plain
from tidings.cli.pause import waits
from tidings.cli.progress import check_result, followed, summed_up
from tidings.cli.segment import found_by

MOST_QUESTIONS = 5
"""Counts of one audience; somebody who has confirmed four numbers wants to know what is going on."""

To = Annotated[
    list[str],
    typer.Option(
        "--to",
        help="all, segment:NAME, user:ID, tag:KEY=VALUE or sub:ID. Repeat the last three for more of a kind.",
    ),
]

ConfirmVolume = Annotated[
    bool,
    typer.Option(
        "--confirm-volume",
        help="Do not hold it, even where far more than usual was sent lately, or the same words again.",
    ),
]


def register(root: typer.Typer) -> None:
    """Add the command."""
    command(root, "send", app=True, panel="Send")(send)


async def send(
    call: Call,
    to: To,
    title: Annotated[str | None, typer.Option("--title", help="The first line.", show_default=False)] = None,
    body: Annotated[str | None, typer.Option("--body", help="The text.", show_default=False)] = None,
    url: Annotated[str | None, typer.Option("--url", help="What a click opens.", show_default=False)] = None,
    icon: Annotated[str | None, typer.Option("--icon", help="URL of a small picture.", show_default=False)] = None,
    template: Annotated[
        str | None,
        typer.Option("--template", help="Id of a template that has the words instead.", show_default=False),
    ] = None,
    variables: Annotated[
        str | None,
        typer.Option("--variables", help='What fills its gaps: {"order": {"id": 7}}.', show_default=False),
    ] = None,
    at: Annotated[
        str | None,
        typer.Option(
            "--at",
            help="When: 2027-01-01T09:00, in this machine's zone unless it says Z or +01:00.",
            show_default=False,
        ),
    ] = None,
    ttl: Annotated[
        int | None,
        typer.Option("--ttl", help="Seconds a push service may keep it for a device that is off.", show_default=False),
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    confirm_volume: ConfirmVolume = False,
) -> None:
    """Send a notification, after naming exactly how many devices it goes to."""
    _check_words(title, template)
    audience = audience_from(to)
    moment = moment_from(at) if at else None
    filled = variables_from(variables) if variables else None
    words = {"title": title, "body": body, "url": url, "icon": icon, "template": template, "variables": filled}
    at_moment = moment.astimezone(UTC).isoformat().replace("+00:00", "Z") if moment else None
    given = {"to": audience, **words, "ttl": ttl, "send_at": at_moment}
    message = {name: value for name, value in given.items() if value is not None}
    async with call.api(worker=moment is None) as api:
        if "segment" in audience:
            audience["segment"] = (await found_by(api, audience["segment"]))["id"]
        # A template's own title has gaps; people know it by its name.
        named = title or str((await api.get(f"/templates/{quote(template or '', safe='')}"))["name"])
        accepted = await _sent(call, api, message | {"confirm_volume": confirm_volume}, title=named, yes=yes)
        for warning in accepted.get("warnings", ()):
            call.out.note(warning["message"])
        if "held_because" in accepted:
            await still_held(call.out, api, accepted, yes=yes)
        if (paused := (await api.get("/system"))["paused"]) is not None:
            return _waiting(call, accepted, paused)
        if moment is not None:
            return _scheduled(call, api, accepted, moment)
        final = await followed(api, call.out, accepted["id"])
    call.out.result(final)
    summed_up(call.out, final)
    check_result(final)
    call.out.done(f"Sent “{plain(named)}” as {final['id']}.")


def _check_words(title: str | None, template: str | None) -> None:
    if (title is None) == (template is None):
        wrong = "Write a --title, or name a --template" + (
            "." if title is None else ", not both: it has its own title."
        )
        raise typer.BadParameter(wrong, param_hint="--title")


async def _sent(call: Call, api: Api, message: dict[str, Any], *, title: str, yes: bool) -> Any:
    """Ask with the exact number, and again with the new one where the audience has changed before the answer."""
    headers = {"Idempotency-Key": secrets.token_hex(16)}
    for _ in range(MOST_QUESTIONS):
        count = await _confirmed_count(call, api, message["to"], title=title, yes=yes)
        try:
            with else_says(
                "The server stopped answering before it said that it has stored the notification",
                "See with `tidings notifications list` whether it has, before you send it again.",
            ):
                return await api.post("/notifications", message | {"expect_audience": count}, headers=headers)
        except CommandFailed as refusal:
            if refusal.code != "audience_changed":
                raise
            call.out.note("The audience has changed since it was counted.")
    raise CommandFailed("The audience changes faster than it can be counted.", "Try again when it is quiet.")


async def _confirmed_count(call: Call, api: Api, audience: dict[str, Any], *, title: str, yes: bool) -> int:
    count: int = (await api.post("/notifications/count", {"to": audience}))["count"]
    if count == 0:
        raise CommandFailed(
            "Nobody to send to: no active subscription is in this audience.",
            "Open the site and enable push; `tidings user list` shows whom the App knows.",
            code="no_subscription",
        )
    call.out.note(f"To {counted(count, 'device')}.")
    confirmed(call.out, f"Send “{title}” to {counted(count, 'device')}?", yes=yes)
    return count


def _waiting(call: Call, accepted: Any, paused: Any) -> None:
    call.out.result(accepted)
    call.out.done(f"Stored as {accepted['id']}.")
    waits(call.out, paused)


def _scheduled(call: Call, api: Api, accepted: Any, moment: datetime) -> None:
    call.out.result(accepted)
    call.out.done(f"Stored as {accepted['id']}; it goes out on {moment:%Y-%m-%d at %H:%M %Z}.")
    if api.in_process:
        call.out.say("  Keep `tidings up` running then: without it nothing is sent.")


def audience_from(words: list[str]) -> dict[str, Any]:
    """Read what --to says into the `to` of the API; raise BadParameter when it says nothing we know."""
    kinds = {word.partition(":")[0] for word in words}
    values = [word.partition(":")[2] for word in words]
    if len(kinds) != 1:
        raise typer.BadParameter("Use one kind at a time; repeat it for more of the same kind.", param_hint="--to")
    kind = kinds.pop()
    if kind == "all" and words == ["all"]:
        return {"all": True}
    if kind == "segment" and len(values) == 1 and values[0]:
        return {"segment": values[0]}
    if kind == "user" and all(values):
        return {"users": values}
    if kind == "sub" and all(values):
        return {"subscriptions": values}
    if kind == "tag" and all(key and value for key, _, value in (text.partition("=") for text in values)):
        return {"tags": dict(text.split("=", 1) for text in values)}
    raise typer.BadParameter("It takes all, segment:NAME, user:ID, tag:KEY=VALUE or sub:ID.", param_hint="--to")


def variables_from(text: str) -> dict[str, Any]:
    """Read a JSON object. Raise BadParameter for anything else."""
    try:
        found = json.loads(text)
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise typer.BadParameter("Write a JSON object.", param_hint="--variables")
    return found


def moment_from(text: str) -> datetime:
    """Read an ISO 8601 moment; one without a zone is in this machine's. Raise BadParameter for anything else."""
    try:
        return datetime.fromisoformat(text).astimezone()
    except ValueError as error:
        raise typer.BadParameter(f"{text!r} is not a moment; write 2027-01-01T09:00.", param_hint="--at") from error
