"""Where the commands of `tidings bench` put what they found."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from tidings.cli.output import Output

Out = Annotated[
    Path | None, typer.Option("--out", help="Write what was found into this file, as JSON.", show_default=False)
]


def keep(document: Mapping[str, Any], *, at: Path | None, out: Output) -> None:
    """Print a document where JSON was asked for, and write it into a file where one was named."""
    if at is not None:
        at.parent.mkdir(parents=True, exist_ok=True)
        at.write_text(json.dumps(document, indent=2) + "\n")
    out.result(document)
