"""Ready catalogues: event types with their variables, words in two languages and triggers, a file for each preset.

A file holds what the REST API takes, under names of its own: `[event_types."lead.captured"]` is the body of
`PUT /event-types/lead.captured`, `[templates.lead]` that of `POST /templates`, `[triggers.lead]` that of
`POST /triggers`, whose `template` is such a name.
"""

from __future__ import annotations

import tomllib
from functools import cache
from importlib import resources
from typing import Any

NAMES = ("live_chat",)


@cache
def document(name: str) -> dict[str, Any]:
    """Read a preset; `name` is one of NAMES."""
    return tomllib.loads((resources.files(__name__) / f"{name}.toml").read_text(encoding="utf-8"))
