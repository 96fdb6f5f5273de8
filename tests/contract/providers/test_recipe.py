"""Adding a provider is one folder and one line: `webhook` was added so, and no other source knows that it is there."""

from __future__ import annotations

import re
from pathlib import Path

from tidings.providers import CHANNELS

SOURCES = Path(__file__).parents[3] / "src" / "tidings"
NAME = "webhook"
ANOTHER_NOUN = {"cli/webhook.py", "services/webhooks.py", "services/webhook_delivery.py"}
"""What tells an App's own servers of events has the same name, and nothing to do with the provider."""


def test_no_other_source_file_names_the_provider() -> None:
    own = SOURCES / "providers" / NAME
    named = re.compile(rf"providers\.{NAME}\b|[\"'`]{NAME}[\"'`]")
    found = {
        str(path.relative_to(SOURCES)): [line for line in path.read_text().splitlines() if named.search(line)]
        for path in SOURCES.rglob("*.py")
        if own not in path.parents
    }
    assert {path: lines for path, lines in found.items() if lines and path not in ANOTHER_NOUN} == {
        "providers/__init__.py": [f'    "{NAME}": "tidings.providers.{NAME}.provider:Webhook",']
    }


def test_it_is_a_channel_like_the_others_with_the_files_of_the_recipe_and_a_page() -> None:
    assert NAME in CHANNELS
    root, folder = SOURCES.parents[1], SOURCES / "providers" / NAME
    there = {path.name for path in folder.glob("*.py")}
    assert there == {"__init__.py", "provider.py", "message.py", "outcomes.py", "settings.py"}
    assert (root / "docs" / "reference" / "providers" / f"{NAME}.md").exists()
    assert (root / "tests" / "vectors" / NAME).is_dir()
