"""`tidings simulator`: the push services of the world on this machine; options pass through to it."""

from __future__ import annotations

import sys

import typer


def register(root: typer.Typer) -> None:
    """Add the command."""
    root.command(
        "simulator",
        rich_help_panel="Run",
        context_settings={"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []},
        help="Run the simulated push services alone. [dim]Its own --help says more.[/]",
    )(simulate)


def simulate(context: typer.Context) -> None:
    """Hand the options over and run until a signal ends it."""
    from tidings.simulator.run import main

    sys.argv = ["tidings simulator", *context.args]
    raise typer.Exit(main() or 0)
