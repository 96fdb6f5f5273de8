"""`tidings vapid`: the key pair that push services know an App by."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from tidings.cli.client import Api
from tidings.cli.confirm import confirmed
from tidings.cli.failure import CommandFailed
from tidings.cli.options import Call, Group, command
from tidings.cli.output import ago, counted

INTEGRATION = "/integrations/webpush"
KEYS = f"{INTEGRATION}/keys"

Subject = Annotated[
    str | None,
    typer.Option(
        "--subject",
        help="Contact address that push services may write to: mailto:you@example.com (else TIDINGS_CONTACT).",
        show_default=False,
    ),
]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]


def register(root: typer.Typer) -> None:
    """Add the commands."""
    group = typer.Typer(cls=Group, no_args_is_help=True, help="The key pair that push services know an App by.")
    root.add_typer(group, name="vapid", rich_help_panel="Set up")
    command(group, "generate", app=True)(generate)
    command(group, "show", app=True)(show)
    command(group, "rotate", app=True)(rotate)
    command(group, "import", app=True)(take)


async def generate(
    call: Call,
    subject: Subject = None,
    force: Annotated[
        bool, typer.Option("--force", help="Replace a key that was leaked: every device has to enable push again.")
    ] = False,
    yes: Yes = False,
) -> None:
    """Make the VAPID key pair, once. A second call shows the key that is there; the private key is never shown."""
    contact = subject or call.settings().contact
    async with call.api(create=True) as api:
        before = await current_key(api)
        if before is not None and force:
            lost = counted(before["subscriptions"], "active subscription")
            call.out.warn(
                f"A new key invalidates {lost}. `tidings vapid rotate` loses nobody; force only after a leak."
            )
            confirmed(call.out, f"Replace the key and invalidate {lost}?", yes=yes)
        elif before is None and contact is None:
            raise CommandFailed(
                "Push services want an address they can write to when something goes wrong.",
                "Run: tidings vapid generate --subject mailto:you@example.com",
                code="contact_invalid",
            )
        made = await api.post(KEYS, _body("generate", contact, force=force))
    call.out.result(made)
    if before is not None and not force:
        call.out.done("There is a VAPID key already; nothing was changed.")
        if subject is not None and made["subject"] not in (subject, f"mailto:{subject}"):
            call.out.warn(
                f"The contact stays {made['subject']}. Change it in the dashboard: Settings, Push Notifications."
            )
    else:
        call.out.done("Made the VAPID key pair. The private key is stored encrypted and is never shown.")
    if made.get("invalidated"):
        call.out.warn(
            f"{counted(made['invalidated'], 'subscription')} expired; those people have to enable push again."
        )
    _show(call, made)


async def show(call: Call) -> None:
    """Show the public keys of an App, and how many active subscriptions were made with each."""
    async with call.api() as api:
        found = await webpush(api)
    keys = found["keys"] if found else []
    if not keys:
        raise CommandFailed(
            "No VAPID key exists yet.",
            "Run: tidings vapid generate --subject mailto:you@example.com",
            code="vapid_key_missing",
        )
    now = datetime.now(UTC)
    call.out.result(found)
    for key in keys:
        call.out.facts(
            [
                ("Public key", key["public_key"]),
                ("State", key["status"]),
                ("Made", ago(key["created_at"], now=now)),
                ("In use by", counted(key["subscriptions"], "active subscription")),
            ]
        )
        call.out.say()
    call.out.facts([("Contact", found["settings"].get("subject", "-"))])


async def rotate(call: Call, subject: Subject = None) -> None:
    """Bring in a new key pair without losing anybody: devices move to it on their next visit."""
    async with call.api() as api:
        made = await api.post(KEYS, _body("rotate", subject))
    call.out.result(made)
    call.out.done("New subscriptions use the new key; old ones keep theirs until their device visits the site again.")
    _show(call, made)
    call.out.say("  Follow how far it got: tidings vapid show")


async def take(
    call: Call,
    file: Annotated[
        Path | None,
        typer.Argument(help="File with the private key, PEM or 32 bytes in base64url; - for stdin.", metavar="FILE"),
    ] = None,
    public_key: Annotated[
        str | None, typer.Option("--public-key", help="Checked against the private key.", show_default=False)
    ] = None,
    subject: Subject = None,
) -> None:
    """Import a key pair made elsewhere, so that the subscriptions made with it keep working.

    The private key is read from a file or stdin, never from the command line, where other users could see it.
    """
    if file is None:
        raise typer.BadParameter("Name the file with the private key, or - for stdin.")
    private_key = _text_of(file)
    async with call.api(create=True) as api:
        before = await current_key(api)
        body = _body(
            "import", subject or call.settings().contact, private_key=private_key.strip(), public_key=public_key
        )
        made = await api.post(KEYS, body)
    call.out.result(made)
    call.out.done("Imported the VAPID key pair. The private key is stored encrypted and is never shown.")
    if before is not None and before["public_key"] != made["public_key"]:
        theirs = counted(before["subscriptions"], "subscription")
        call.out.warn(f"It takes the place of the key before it; {theirs} of that one keep it until their next visit.")
    _show(call, made)


def _text_of(file: Path) -> str:
    try:
        return sys.stdin.read() if str(file) == "-" else file.read_text()
    except UnicodeDecodeError as error:
        raise CommandFailed(
            f"{file} is not text, so it holds neither PEM nor base64url.",
            "If it is DER, turn it into PEM: openssl ec -inform DER -in FILE",
            code="vapid_key_invalid",
        ) from error


async def webpush(api: Api) -> Any:
    """Give the Web Push integration of the App; None when it has none."""
    found = await api.every("/integrations")
    return next((one for one in found if one["provider"] == "webpush"), None)


async def current_key(api: Api) -> Any:
    """Give the key that new subscriptions are made with; None when there is none."""
    found = await webpush(api)
    return next((key for key in found["keys"] if key["status"] == "current"), None) if found else None


def _body(action: str, subject: str | None, **fields: object) -> dict[str, object]:
    given = {"subject": subject, **fields}
    return {"action": action, **{name: value for name, value in given.items() if value}}


def _show(call: Call, key: Any) -> None:
    call.out.facts([("Public key", key["public_key"]), ("Contact", key.get("subject") or "-")])
