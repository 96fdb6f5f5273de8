"""Asking before something that cannot be taken back."""

from __future__ import annotations

import sys

import typer

from tidings.cli.failure import CommandFailed
from tidings.cli.output import Output


def confirmed(out: Output, question: str, *, yes: bool) -> None:
    """Go on when the answer is yes; fail when it is no, or when nobody can be asked."""
    if yes:
        return
    if out.as_json or not sys.stdin.isatty():
        raise CommandFailed(f"Nobody is here to answer: {question}", "Add --yes if that is what you want.")
    if not typer.confirm(question, err=True):
        raise CommandFailed("Nothing was done.")
