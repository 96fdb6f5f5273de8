"""Asking before something that cannot be taken back."""

from __future__ import annotations

import os
import select
import signal
import sys

import typer

from tidings.cli.failure import CommandFailed
from tidings.cli.output import Output


def confirmed(out: Output, question: str, *, yes: bool) -> None:
    """Go on when the answer is yes; fail when it is no, or when nobody can be asked."""
    if yes:
        return
    if out.as_json or not sys.stdin.isatty():
        why = "With --json nobody is asked" if out.as_json else "This is no terminal, so nobody can be asked"
        raise CommandFailed(f"{why}: {question}", "Add --yes if that is what you want, or run it in a terminal.")
    if not asked(question):
        raise CommandFailed("Nothing was done.")


def asked(question: str) -> bool:
    """Ask; Ctrl-C and Ctrl-D are a no."""
    # The event loop's own handler only notes Ctrl-C for later, and the loop stands still while we wait for the answer.
    earlier = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        typer.echo(f"{question} [y/N]: ", nl=False, err=True)
        return _answer() in ("y", "yes")
    except KeyboardInterrupt:
        typer.echo(err=True)
        return False
    finally:
        signal.signal(signal.SIGINT, earlier)


def _answer() -> str:
    """Return the line typed on the terminal, lower case; empty at Ctrl-D.

    `input()` would sleep through a Ctrl-C that comes just before it reads: Python notes the signal and looks at it only
    after the read. So the terminal is read when it has a line, and until then the signal itself wakes us.
    """
    woken, wake = os.pipe()
    os.set_blocking(wake, False)
    earlier = signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
    try:
        select.select([sys.stdin, woken], [], [])
        line = sys.stdin.readline()
    finally:
        signal.set_wakeup_fd(earlier)
        os.close(woken)
        os.close(wake)
    if not line.endswith("\n"):
        typer.echo(err=True)
    return line.strip().lower()
