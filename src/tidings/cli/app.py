"""`tidings app`: the sites and mobile apps of this instance."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from tidings.cli.confirm import confirmed
from tidings.cli.failure import CommandFailed
from tidings.cli.options import Call, Group, command
from tidings.cli.output import counted, plain
from tidings.services.snippets import Way

Origin = Annotated[
    list[str] | None,
    typer.Option(
        "--origin", help="A site that may subscribe: https://www.example.com. Repeat it for more.", show_default=False
    ),
]

Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]
Site = Annotated[str, typer.Argument(help="The site: https://www.example.com.", metavar="URL")]


def register(root: typer.Typer) -> None:
    """Add the commands."""
    group = typer.Typer(cls=Group, no_args_is_help=True, help="The sites and mobile apps of this instance.")
    root.add_typer(group, name="app", rich_help_panel="Set up")
    command(group, "list")(list_apps)
    command(group, "create")(create)
    command(group, "set", app=True)(change)
    command(group, "allow", app=True)(allow)
    command(group, "disallow", app=True)(disallow)
    command(group, "snippet", app=True)(snippet)
    command(group, "secret", app=True)(identity_secret)
    command(group, "erase", app=True)(erase)


async def list_apps(call: Call) -> None:
    """List the Apps with their ids and the sites that may subscribe."""
    async with call.api() as api:
        apps = await api.every("/apps")
    call.out.result({"data": apps})
    call.out.table(["Name", "Id", "Origins"], [_row(app) for app in apps])


async def create(
    call: Call,
    name: Annotated[str, typer.Option("--name", help="What people call it.")],
    origin: Origin = None,
) -> None:
    """Create an App."""
    async with call.api() as api:
        made = await api.post("/apps", {"name": name, "origins": origin or []})
    call.out.result(made)
    call.out.done(f"Created the App [bold]{plain(made['name'])}[/]: {made['id']}")
    call.out.say(f"  Next: tidings vapid generate --app {made['id']} --subject mailto:you@example.com")


async def change(
    call: Call,
    name: Annotated[str | None, typer.Option("--name", help="A new name.", show_default=False)] = None,
    origin: Origin = None,
) -> None:
    """Change an App. The origins given replace those it had; `--origin ""` alone leaves only localhost.

    To add or remove a single site use `tidings app allow` and `tidings app disallow`.
    """
    body: dict[str, Any] = {}
    if name is not None:
        body["name"] = name
    if origin is not None:
        body["origins"] = [text for text in origin if text]
    if not body:
        raise typer.BadParameter("Say what to change: --name or --origin.")
    async with call.api() as api:
        chosen = api.app or await only_app(api)
        before = (await api.get(f"/apps/{chosen}"))["origins"]
        changed = await api.patch(f"/apps/{chosen}", body)
    removed = [one for one in before if one not in changed["origins"]]
    call.out.result(changed)
    call.out.done(_accepts(changed) + (f" Removed: {', '.join(removed)}." if removed else ""))


async def allow(call: Call, site: Site) -> None:
    """Let one more site in; the others stay."""
    changed, before = await _patched(call, {"allow_origins": [site]})
    if changed["origins"] == before:
        call.out.note("The site was let in already.")
    call.out.done(_accepts(changed))


async def disallow(call: Call, site: Site) -> None:
    """Let one site in no more; the others stay, and so do the subscriptions made there."""
    changed, before = await _patched(call, {"disallow_origins": [site]})
    if changed["origins"] == before:
        call.out.note("The site was not let in.")
    call.out.done(_accepts(changed))


async def _patched(call: Call, body: dict[str, list[str]]) -> tuple[Any, list[str]]:
    async with call.api() as api:
        chosen = api.app or await only_app(api)
        before = (await api.get(f"/apps/{chosen}"))["origins"]
        changed = await api.patch(f"/apps/{chosen}", body)
    call.out.result(changed)
    return changed, before


async def snippet(
    call: Call,
    way: Annotated[
        Way, typer.Option("--way", help="A file on the site, a service worker that is there, or npm.")
    ] = Way.FILE,
) -> None:
    """Show what to paste into a site to let its visitors subscribe."""
    async with call.api() as api:
        chosen = api.app or await only_app(api)
        app = await api.get(f"/apps/{chosen}")
        found = await api.get(f"/apps/{chosen}/snippets")
    call.out.result(found)
    shown = next(one for one in found["snippets"] if one["way"] == way)
    for number, step in enumerate(shown["steps"], start=1):
        call.out.say(f"[bold]{number}. {plain(step['title'])}[/]\n")
        call.out.say(plain(step["code"]) + "\n")
    call.out.say(f"Pages of these sites may use it: {_origins(app)}. Add one: tidings app allow URL")
    call.out.say(f"If it does not work, run this in the browser's console: {found['check']}")
    call.out.say(f"A Content-Security-Policy of the site needs: {plain(found['policy'])}")
    others = [one.value for one in Way if one is not way]
    call.out.note(f"Other ways: --way {', --way '.join(others)}")


async def identity_secret(
    call: Call,
    grace: Annotated[
        int, typer.Option("--grace", min=0, max=720, help="Hours for which the secret before holds besides.")
    ] = 24,
    yes: Yes = False,
) -> None:
    """Make a new secret that your server signs user ids with, and show it this once."""
    async with call.api() as api:
        chosen = api.app or await only_app(api)
        confirmed(call.out, f"Make a new identity secret? The one before holds for {counted(grace, 'hour')}.", yes=yes)
        made = await api.post(f"/apps/{chosen}/identity-secret", {"grace_hours": grace})
    call.out.result(made)
    call.out.facts([("Identity secret", made["identity_secret"]), ("Earlier one until", made["earlier_until"] or "-")])
    call.out.done("Keep it on your server; it is not shown again.")


async def erase(call: Call, yes: Yes = False) -> None:
    """Erase an App with its people, devices, messages, keys and counts. Not to be taken back."""
    async with call.api() as api:
        chosen = api.app or await only_app(api)
        name = (await api.get(f"/apps/{chosen}"))["name"]
        confirmed(call.out, f"Erase the App {name} ({chosen}) with everything in it?", yes=yes)
        receipt = await api.erase(f"/apps/{chosen}", confirm=name)
    call.out.result(receipt)
    done = receipt["status"] == "done"
    call.out.done(f"Erased {plain(name)}." if done else f"{plain(name)} is closed; a worker removes the rest.")


async def only_app(api: Any) -> str:
    """Give the id of the only App, or say that one has to be named."""
    apps = await api.every("/apps")
    if len(apps) != 1:
        raise CommandFailed(
            f"This instance has {len(apps)} Apps.",
            "Name one with --app; `tidings app list` shows them.",
            code="app_required",
        )
    return str(apps[0]["id"])


def _row(app: Any) -> tuple[str, str, str]:
    return app["name"], app["id"], _origins(app)


def _accepts(app: Any) -> str:
    return f"The App [bold]{plain(app['name'])}[/] accepts subscribers from {_origins(app)}."


def _origins(app: Any) -> str:
    return ", ".join(app["origins"]) or "localhost only"
