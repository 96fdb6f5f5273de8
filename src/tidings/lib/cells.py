"""Cells of tables that people open in a spreadsheet: text that none of those programs takes for a formula."""

from __future__ import annotations

import re

_FORMULA = re.compile(r"^(?=[\t\r\n])|(?:^|(?<=[;\t\r\n]))(?=[ \"]*[=+\-@\uff1d\uff0b\uff0d\uff20])")
"""Where a formula would begin: at the start of a cell, and after what another program takes for the end of one.

Where the comma is the decimal sign, as in German, spreadsheets split a table at semicolons, within quotes as well.
Those of Japanese and Chinese take the wide forms of the four signs too (OWASP, CSV Injection).
"""


def safe_cell(text: str) -> str:
    """Write text so that it stays text: an apostrophe goes before each place where a formula would begin."""
    return _FORMULA.sub("'", text)
