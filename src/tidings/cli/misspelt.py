"""Settings that are none: a misspelt name would leave the default in force, and say nothing."""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from tidings.cli.failure import CommandFailed

_PREFIX = "TIDINGS_"
_ALIKE = 0.75


def check_file(file: Path, known: Iterable[str]) -> None:
    """Raise CommandFailed for a name in the TOML file that is no setting."""
    names = list(known)
    for given in tomllib.loads(file.read_text("utf-8")):
        if given not in names:
            near = _near(given, names)
            mend = f"Did you mean `{near}`?" if near else "docs/reference/settings.md has them all."
            raise CommandFailed(f"{file} has `{given}`, which is no setting.", mend)


def misspelt(environ: Mapping[str, str], known: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Give variables that are nearly a setting, each with what it is like; others may be of another program."""
    names = list(known)
    for variable in sorted(environ):
        given = variable.removeprefix(_PREFIX).lower()
        if variable.startswith(_PREFIX) and given not in names and (near := _near(given, names)):
            yield variable, f"{_PREFIX}{near.upper()}"


def _near(given: str, names: list[str]) -> str | None:
    return next(iter(difflib.get_close_matches(given.lower().removeprefix(_PREFIX.lower()), names, 1, _ALIKE)), None)
