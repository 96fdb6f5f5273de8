"""Write what the server refuses with as a source of the dashboard, to be translated there; with --check, compare."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from written import written

from tidings.domain.errors import CATALOGUE

SOURCE = Path(__file__).parents[1] / "dashboard" / "src" / "lib" / "errors.ts"


def source() -> str:
    """Give the module: the title and the way out of every code, in the order of the codes."""
    rows = [
        f"  {code.value}: [{_quoted(entry.title)}, {_quoted(entry.mend)}],\n"
        for code, entry in sorted(CATALOGUE.items(), key=lambda item: item[0].value)
    ]
    return (
        "/** Title and way out of every refusal, by its code, for pages in another language than the server.\n"
        " * Written by `python scripts/error_texts.py` from the error catalogue; a test compares them. */\n\n"
        "export const ERRORS: Readonly<Record<string, readonly [title: string, mend: string]>> = {\n"
        f"{''.join(rows)}}}\n"
    )


def _quoted(text: str) -> str:
    return "'" + json.dumps(text, ensure_ascii=False)[1:-1].replace('\\"', '"').replace("'", "\\'") + "'"


if __name__ == "__main__":
    sys.exit(written(SOURCE, source()))
