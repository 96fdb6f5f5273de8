"""What a command prints: sentences, facts and tables for a person, or one JSON document and nothing else."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

    from tidings.cli.failure import CommandFailed

WIDE = 1000
THIN_SPACE = "\u2009"
ACCENT = "cyan"
_STEERING = {
    code: f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"
    for code in (*range(0x20), *range(0x7F, 0xA0), *range(0x202A, 0x202F), *range(0x2066, 0x206A))
    if chr(code) not in "\n\t"
}
"""Characters that a terminal obeys instead of showing, and those that turn the order of what is shown."""

MARKS = {"ok": "[green]✓[/]", "warn": "[yellow]![/]", "fail": "[red]✗[/]"}


def number(value: float) -> str:
    """Write a count the way people read it: `12 408`, with thin spaces."""
    return f"{value:,.0f}".replace(",", THIN_SPACE)


def counted(value: int, one: str, many: str | None = None) -> str:
    """Write a count with its noun: `1 device`, `12 408 devices`."""
    return f"{number(value)} {one if value == 1 else many or one + 's'}"


def share(part: int, whole: int) -> str:
    """Write a percentage with its base: `4.1 % of 12 408`; few are never none, and nearly all never all."""
    if not whole:
        return ""
    rounded = f"{100 * part / whole:.1f}"
    if part and rounded == "0.0":
        rounded = "<0.1"
    if part < whole and rounded == "100.0":
        rounded = ">99.9"
    return f"{rounded} % of {number(whole)}"


def ago(moment: str | None, *, now: datetime) -> str:
    """Write an ISO 8601 moment as the time since: `3 minutes ago`; a dash when there is none."""
    if not moment:
        return "-"
    seconds = (now - datetime.fromisoformat(moment).astimezone(UTC)).total_seconds()
    for size, unit in ((86_400, "day"), (3_600, "hour"), (60, "minute")):
        if seconds >= size:
            return counted(int(seconds // size), unit) + " ago"
    return "just now"


def visible(text: str) -> str:
    """Spell out what would steer the terminal: names of devices and Apps are written by others."""
    return text.translate(_STEERING)


def plain(text: str) -> str:
    """Write what others wrote so that rich takes none of it for markup."""
    from rich.markup import escape

    return escape(text)


class Output:
    """Where a command writes: the result to stdout, everything else to stderr; colour only on a terminal."""

    def __init__(self, *, as_json: bool, stdout: TextIO | None = None, stderr: TextIO | None = None) -> None:
        self.as_json = as_json
        self._stdout = stdout
        self._stderr = stderr
        self._told = False

    @cached_property
    def person(self) -> Console:
        """Give the console of stdout; silent when the result is JSON."""
        return _console(self._stdout or sys.stdout, quiet=self.as_json)

    @cached_property
    def aside(self) -> Console:
        """Give the console of stderr, for notes, progress and failures."""
        return _console(self._stderr or sys.stderr, quiet=self.as_json)

    def say(self, text: str = "") -> None:
        """Print one line for a person, in rich's markup; `plain` makes what others wrote safe."""
        self.person.print(visible(text))

    def note(self, text: str) -> None:
        """Print one line beside the result, on stderr."""
        self.aside.print(visible(text), style="dim")

    def warn(self, text: str) -> None:
        """Print one line that asks for attention, on stderr."""
        self.aside.print(f"{MARKS['warn']} {visible(text)}")

    def warn_of_key(self, file: Path) -> None:
        """Say that a key file was made, and what depends on it."""
        self.warn(
            f"Every secret is sealed with the key in [bold]{plain(str(file))}[/]. Keep a copy of it "
            "away from the database: without it the VAPID keys and all subscribers are lost."
        )

    def done(self, text: str) -> None:
        """Print the line that says it worked."""
        self.person.print(f"{MARKS['ok']} {visible(text)}")

    def facts(self, rows: Sequence[tuple[str, str]]) -> None:
        """Print one line per fact, the values in one column; a value is never folded, so that it can be copied."""
        from rich.text import Text

        width = max((len(label) for label, _ in rows), default=0)
        for label, value in rows:
            self.person.print(Text.assemble((f"  {visible(label):<{width}}", "dim"), "   ", visible(value)))

    def table(self, columns: Sequence[str], rows: Sequence[Sequence[RenderableType]], *, empty: str = "") -> None:
        """Print a table with a hairline under its head, or what `empty` says; `>N` heads a column set to the right."""
        from rich import box
        from rich.table import Table
        from rich.text import Text

        if not rows:
            self.say(empty)
            return
        table = Table(box=box.SIMPLE_HEAD, header_style="dim", border_style="dim", pad_edge=False, padding=(0, 2))
        for column in columns:
            name = column.lstrip(">")
            # Whoever copies an id wants it in one piece: the other columns are folded first.
            table.add_column(name, justify="left" if name == column else "right", overflow="fold", no_wrap=name == "Id")
        for row in rows:
            table.add_row(*(Text(visible(cell)) if isinstance(cell, str) else cell for cell in row))
        self.person.print(table)

    def result(self, document: object) -> None:
        """Print the JSON document, if JSON was asked for."""
        if self.as_json:
            self._told = True
            print(json.dumps(document, ensure_ascii=False), file=self._stdout or sys.stdout, flush=True)

    def failed(self, failure: CommandFailed) -> None:
        """Print why and how to mend it: on stderr for a person, as `{"error": ...}` on stdout for a program.

        Where the result was told already, such as the counts of a notification that reached nobody, stdout stays the
        one document that it is.
        """
        aside = self.aside
        if self.as_json and self._told:
            aside = _console(self._stderr or sys.stderr, quiet=False)
        else:
            self.result({"error": {"code": failure.code or None, "message": failure.why, "mend": failure.mend or None}})
        aside.print(f"{MARKS['fail']} {plain(visible(failure.why))}")
        if failure.mend:
            aside.print(f"  {plain(visible(failure.mend))}", style="dim")


def _console(file: TextIO, *, quiet: bool) -> Console:
    from rich.console import Console

    # What is read by a program is not folded at the width of a screen that is not there.
    width = None if file.isatty() else WIDE
    return Console(file=file, width=width, highlight=False, soft_wrap=True, quiet=quiet)
