"""Write docs/reference/settings.md from Settings; with --check, say whether it is up to date."""

from __future__ import annotations

import sys
from pathlib import Path

from written import written

from tidings.settings import Settings

PAGE = Path(__file__).parents[1] / "docs" / "reference" / "settings.md"
HEAD = """# Settings

Set them in the environment, or without the prefix and in lower case in a TOML file named by `TIDINGS_CONFIG`. The
environment wins. Options of a command win over both.

| variable | default | what it is |
|---|---|---|
"""
DEFAULTS = {"senders": "number of cores", "trusted_proxies": "127.0.0.1, ::1"}


def page() -> str:
    """Give the page as it should be."""
    rows = []
    for name, field in Settings.model_fields.items():
        default = DEFAULTS.get(name) or ("" if field.default in (None, ()) else str(field.default))
        shown = {"True": "on", "False": "off"}.get(default, default)
        rows.append(f"| `TIDINGS_{name.upper()}` | {shown} | {field.description} |")
    return HEAD + "\n".join(rows) + "\n"


if __name__ == "__main__":
    sys.exit(written(PAGE, page()))
