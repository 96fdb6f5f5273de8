"""The reference page says what the commands say."""

from __future__ import annotations

from pathlib import Path

from tidings.cli.reference import page

PAGE = Path(__file__).parents[3] / "docs" / "reference" / "cli.md"


def test_the_page_is_what_the_commands_write() -> None:
    assert PAGE.read_text() == page(), "Run: python -m tidings.cli.reference > docs/reference/cli.md"
