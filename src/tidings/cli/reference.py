"""`python -m tidings.cli.reference`: the reference page of the command line, written from the commands themselves."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Iterator
from typing import Any

import typer

from tidings.cli.main import EPILOG, build

INTRODUCTION = f"""# The command line

<!-- Written by `python -m tidings.cli.reference`; a test compares it with the commands. Do not edit it by hand. -->

Every command takes `--help` and, except `simulator`, these options:

| | |
|---|---|
| `--data` | Folder of the instance; `TIDINGS_DATA`, or `./tidings-data` if not given. |
| `--database-url` | PostgreSQL instead of SQLite; `TIDINGS_DATABASE_URL` if not given. |
| `--json` | One JSON document on stdout and nothing else; on failure `{{"error": {{"code", "message", "mend"}}}}`. |

When a server of the instance runs, a command talks to it over the REST API. When none does, the command opens the
instance itself, under the same lock that the server holds; `send` and `test` then also deliver until the notification
is final. Colour appears only on a terminal, and not when `NO_COLOR` is set. `TIDINGS_TRACEBACK=1` adds the trace of an
unexpected failure.

{EPILOG}
"""


SHARED = frozenset({"help", "data", "database_url", "as_json"})


def page() -> str:
    """Give the whole page in Markdown."""
    root: Any = typer.main.get_command(build())
    return INTRODUCTION + "".join(_sections(root, ("tidings",)))


def _sections(group: Any, path: tuple[str, ...]) -> Iterator[str]:
    for name, found in group.commands.items():
        if hasattr(found, "commands"):
            yield from _sections(found, (*path, name))
        else:
            yield _section(found, (*path, name))


def _section(found: Any, path: tuple[str, ...]) -> str:
    arguments = [one for one in found.params if one.param_type_name == "argument"]
    options = [one for one in found.params if one.param_type_name == "option" and one.name not in SHARED]
    usage = " ".join([*path, *(_argument(one) for one in arguments), "[OPTIONS]"])
    text = _plain(inspect.cleandoc(found.help or ""))
    rows = [
        *(f"| `{_argument(one)}` | {_help(one)} |" for one in arguments),
        *(f"| `{_names(one)}` | {_help(one)} |" for one in options),
    ]
    table = "\n| | |\n|---|---|\n" + "\n".join(rows) + "\n" if rows else ""
    return f"\n## {' '.join(path)}\n\n{text}\n\n```\n{usage}\n```\n{table}"


def _argument(one: Any) -> str:
    name = one.metavar or one.name.upper()
    return name if one.required else f"[{name}]"


def _names(one: Any) -> str:
    return ", ".join([*one.opts, *one.secondary_opts])


def _help(one: Any) -> str:
    text = (one.help or "").replace("|", "\\|").replace("<", "&lt;")
    if one.param_type_name == "option" and one.required:
        return f"{text} **Required.**"
    return text


def _plain(text: str) -> str:
    return text.replace("[dim]", "").replace("[/]", "")


if __name__ == "__main__":
    sys.stdout.write(page())
