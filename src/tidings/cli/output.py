"""What a command prints: sentences, facts and tables for a person, or one JSON document and nothing else."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

    from tidings.cli.failure import CommandFailed

THIN_SPACE = "\u2009"
ACCENT = "cyan"
MARKS = {"ok": "[green]✓[/]", "warn": "[yellow]![/]", "fail": "[red]✗[/]"}


def number(value: float) -> str:
    """Write a count the way people read it: `12 408`, with thin spaces."""
    return f"{value:,.0f}".replace(",", THIN_SPACE)


def counted(value: int, one: str, many: str | None = None) -> str:
    """Write a count with its noun: `1 device`, `12 408 devices`."""
    return f"{number(value)} {one if value == 1 else many or one + 's'}"


def share(part: int, whole: int) -> str:
    """Write a percentage with its base: `4.1 % of 12 408`."""
    return f"{100 * part / whole:.1f} % of {number(whole)}" if whole else ""


def ago(moment: str | None, *, now: datetime) -> str:
    """Write an ISO 8601 moment as the time since: `3 minutes ago`; a dash when there is none."""
    if not moment:
        return "-"
    seconds = (now - datetime.fromisoformat(moment).astimezone(UTC)).total_seconds()
    for size, unit in ((86_400, "day"), (3_600, "hour"), (60, "minute")):
        if seconds >= size:
            return counted(int(seconds // size), unit) + " ago"
    return "just now"


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

    @cached_property
    def person(self) -> Console:
        """Give the console of stdout; silent when the result is JSON."""
        from rich.console import Console

        return Console(file=self._stdout or sys.stdout, highlight=False, soft_wrap=True, quiet=self.as_json)

    @cached_property
    def aside(self) -> Console:
        """Give the console of stderr, for notes, progress and failures."""
        from rich.console import Console

        return Console(file=self._stderr or sys.stderr, highlight=False, soft_wrap=True, quiet=self.as_json)

    def say(self, text: str = "") -> None:
        """Print one line for a person, in rich's markup; `plain` makes what others wrote safe."""
        self.person.print(text)

    def note(self, text: str) -> None:
        """Print one line beside the result, on stderr."""
        self.aside.print(text, style="dim")

    def warn(self, text: str) -> None:
        """Print one line that asks for attention, on stderr."""
        self.aside.print(f"{MARKS['warn']} {text}")

    def done(self, text: str) -> None:
        """Print the line that says it worked."""
        self.person.print(f"{MARKS['ok']} {text}")

    def facts(self, rows: Iterable[tuple[str, RenderableType]]) -> None:
        """Print one line per fact, the values in one column."""
        from rich.table import Table
        from rich.text import Text

        grid = Table.grid(padding=(0, 3, 0, 0))
        grid.add_column(style="dim", no_wrap=True)
        grid.add_column(overflow="fold")
        for label, value in rows:
            grid.add_row(f"  {label}", Text(value) if isinstance(value, str) else value)
        self.person.print(grid)

    def table(self, columns: Sequence[str], rows: Iterable[Sequence[RenderableType]]) -> None:
        """Print a table with a hairline under its head; a column named `>N` is set to the right."""
        from rich import box
        from rich.table import Table
        from rich.text import Text

        table = Table(box=box.SIMPLE_HEAD, header_style="dim", border_style="dim", pad_edge=False, padding=(0, 2))
        for column in columns:
            table.add_column(column.lstrip(">"), justify="right" if column.startswith(">") else "left", overflow="fold")
        for row in rows:
            table.add_row(*(Text(cell) if isinstance(cell, str) else cell for cell in row))
        self.person.print(table)

    def result(self, document: object) -> None:
        """Print the JSON document, if JSON was asked for."""
        if self.as_json:
            print(json.dumps(document, ensure_ascii=False), file=self._stdout or sys.stdout, flush=True)

    def failed(self, failure: CommandFailed) -> None:
        """Print why and how to mend it: on stderr for a person, as `{"error": ...}` on stdout for a program."""
        self.result({"error": {"code": failure.code or None, "message": failure.why, "mend": failure.mend or None}})
        self.aside.print(f"{MARKS['fail']} {plain(failure.why)}")
        if failure.mend:
            self.aside.print(f"  {plain(failure.mend)}", style="dim")
