"""The `tidings` command: what it offers, and nothing that is slow to import."""

from __future__ import annotations

from typing import Annotated

import typer

from tidings import __version__
from tidings.cli import (
    app,
    audit,
    backup,
    bench,
    doctor,
    key,
    member,
    migrate,
    notifications,
    pause,
    preset,
    segment,
    send,
    shards,
    simulator,
    subscriptions,
    test,
    up,
    user,
    vapid,
    webhook,
    worker,
)
from tidings.cli.options import Group

EPILOG = "Exit codes: 0 done, 1 it failed, 2 wrong usage. Begin with: tidings up --demo"


ORDER = (
    up,
    worker,
    doctor,
    simulator,
    bench,
    test,
    send,
    notifications,
    segment,
    pause,
    shards,
    vapid,
    app,
    preset,
    subscriptions,
    user,
    member,
    key,
    webhook,
    audit,
    migrate,
    backup,
)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"tidings {__version__}")
        raise typer.Exit


def build() -> typer.Typer:
    """Build the command with all its subcommands."""
    root = typer.Typer(
        name="tidings",
        cls=Group,
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        rich_markup_mode="rich",
        epilog=EPILOG,
        context_settings={"help_option_names": ["-h", "--help"]},
    )

    @root.callback()
    def about(
        version: Annotated[
            bool, typer.Option("--version", help="Print the version and end.", callback=_version, is_eager=True)
        ] = False,
    ) -> None:
        """The push-notification platform you run yourself."""

    for module in ORDER:
        module.register(root)
    return root


def run() -> None:
    """Run the command line: the entry point of the package."""
    build()()
