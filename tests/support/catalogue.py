"""A catalogue of the dashboard (gettext): the texts of the sources, and how another language says them."""

from __future__ import annotations

import re
from pathlib import Path

FOLDER = Path(__file__).parents[2] / "dashboard/src/locales"
_FIELD = re.compile(r'^(msgid|msgid_plural|msgstr(?:\[\d\])?) ((?:".*"\n?)+)', re.MULTILINE)


def read(language: str) -> list[tuple[str, str]]:
    """Give each text with its translation, the first form of plurals; the head is left out."""
    found = []
    for entry in (FOLDER / f"{language}.po").read_text().split("\n\n")[1:]:
        fields = {name: _joined(quoted) for name, quoted in _FIELD.findall(entry + "\n")}
        found.append((fields["msgid"], fields.get("msgstr", fields.get("msgstr[0]", ""))))
    return found


def foreign(language: str) -> set[str]:
    """Give the texts that a page in this language must not show: English ones without gaps that it says otherwise."""
    entries = read(language)
    own = {translated for _, translated in entries}
    return {
        text for text, translated in entries if text != translated and text not in own and not re.search(r"[{<#]", text)
    }


def _joined(quoted: str) -> str:
    text = "".join(line.strip()[1:-1] for line in quoted.strip().splitlines())
    return re.sub(r'\\(["\\n])', lambda one: "\n" if one[1] == "n" else one[1], text)
