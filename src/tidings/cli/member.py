"""`tidings member`: the people of the dashboard, for whoever has the machine."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from tidings.cli.app import only_app
from tidings.cli.client import Api
from tidings.cli.confirm import confirmed
from tidings.cli.failure import CommandFailed
from tidings.cli.options import Call, Group, command
from tidings.cli.output import ago, plain
from tidings.domain.permission import Role

Who = Annotated[str, typer.Argument(help="Their e-mail address, or id.", metavar="EMAIL")]
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask.")]


def register(root: typer.Typer) -> None:
    """Add the commands."""
    group = typer.Typer(
        cls=Group, no_args_is_help=True, help="The people of the dashboard: list, invite, roles, lost passwords."
    )
    root.add_typer(group, name="member", rich_help_panel="Set up")
    command(group, "list", app=True)(list_members)
    command(group, "invite", app=True)(invite)
    command(group, "role", app=True)(role)
    command(group, "remove", app=True)(remove)
    command(group, "reset")(reset)
    command(group, "reset-factor")(reset_factor)
    command(group, "disable")(disable)
    command(group, "promote")(promote)


async def list_members(call: Call) -> None:
    """List the members of an App with --app, else all of the instance."""
    async with call.api() as api:
        members = await api.every("/members")
    call.out.result({"data": members})
    now = datetime.now(UTC)
    call.out.table(
        ["Name", "E-mail", "Id", "Role", "Second factor", "Seen"],
        [
            (
                one["name"],
                one["email"],
                one["id"],
                _standing(one),
                "yes" if one["two_factor"] else "no",
                ago(one["last_seen_at"], now=now),
            )
            for one in members
        ],
        empty="Nobody is a member yet. `tidings up` prints the link that makes the first one.",
    )


async def invite(
    call: Call,
    email: Annotated[str, typer.Argument(help="Whom to invite.", metavar="EMAIL")],
    role: Annotated[Role, typer.Option("--role", help="What they will be in the App.")] = Role.EDITOR,
) -> None:
    """Make a link that lets one person into an App, once, within 7 days. Pass it on yourself; no mail is sent."""
    async with call.api() as api:
        made = await (await _of_app(api)).post("/invitations", {"email": email, "role": role.value})
    call.out.result(made)
    call.out.done(f"Invited {plain(made['email'])} as {made['role']}. The link is shown once:")
    call.out.say()
    call.out.say(f"  {made['link']}")


async def role(
    call: Call, member: Who, role: Annotated[Role, typer.Argument(help="What they become in the App.")]
) -> None:
    """Change what a member is in an App."""
    async with call.api() as api:
        one = await _of_app(api)
        changed = await one.patch(f"/members/{await _id(one, member)}", {"role": role.value})
    call.out.result(changed)
    call.out.done(f"{plain(changed['name'])} is {changed['role']} now.")


async def remove(call: Call, member: Who, yes: Yes = False) -> None:
    """Take a member out of an App; the account and its other Apps stay."""
    confirmed(call.out, f"Take {member} out of the App?", yes=yes)
    async with call.api() as api:
        one = await _of_app(api)
        member_id = await _id(one, member)
        await one.delete(f"/members/{member_id}")
    call.out.result({"id": member_id, "removed": True})
    call.out.done(f"{plain(member)} is out of the App.")


async def reset(call: Call, member: Who) -> None:
    """Make a link that sets a new password, once, within 24 hours. A second factor stays in force."""
    async with call.api() as api:
        made = await api.post(f"/members/{await _id(api, member)}/reset-link")
    call.out.result(made)
    call.out.done(f"With this link {plain(member)} sets a new password. It is shown once:")
    call.out.say()
    call.out.say(f"  {made['link']}")


async def reset_factor(call: Call, member: Who, yes: Yes = False) -> None:
    """Take away a lost second factor: app, recovery codes and passkeys. They are signed out everywhere."""
    confirmed(call.out, f"Take away the second factor of {member}? Be sure that it is they who ask.", yes=yes)
    async with call.api() as api:
        changed = await api.erase(f"/members/{await _id(api, member)}/second-factor")
    call.out.result(changed)
    call.out.done(f"{plain(changed['name'])} signs in without a second factor now, and should set up a new one.")


async def disable(
    call: Call, member: Who, enable: Annotated[bool, typer.Option("--undo", help="Let them in again.")] = False
) -> None:
    """Shut a member out of the whole instance at once; --undo lets them in again."""
    async with call.api() as api:
        changed = await api.patch(f"/members/{await _id(api, member)}", {"disabled": not enable})
    call.out.result(changed)
    call.out.done(f"{plain(changed['name'])} is {'in again' if enable else 'shut out'}.")


async def promote(
    call: Call, member: Who, take: Annotated[bool, typer.Option("--undo", help="Take it away.")] = False
) -> None:
    """Make a member a super admin, who may do everything; --undo takes it away."""
    async with call.api() as api:
        changed = await api.patch(f"/members/{await _id(api, member)}", {"super_admin": not take})
    call.out.result(changed)
    call.out.done(f"{plain(changed['name'])} {'is no super admin any more' if take else 'is a super admin'}.")


async def _of_app(api: Api) -> Api:
    return api if api.app else await api.of_app(await only_app(api))


async def _id(api: Api, member: str) -> str:
    found = [
        one["id"] for one in await api.every("/members") if member.casefold() in (one["id"], one["email"].casefold())
    ]
    if len(found) != 1:
        raise CommandFailed(f"There is no member {member!r}.", "`tidings member list` shows them.", code="not_found")
    return str(found[0])


def _standing(one: Any) -> str:
    words = [one["role"] or "", "super admin" if one["super_admin"] else "", "shut out" if one["disabled_at"] else ""]
    return ", ".join(word for word in words if word) or "-"
