"""Ready catalogues: event types with their variables, words in two languages, triggers and segments, by presets.

A file holds what the REST API takes, under names of its own: `[event_types."lead.captured"]` is the body of
`PUT /event-types/lead.captured`, `[templates.lead]` that of `POST /templates`, `[segments.regulars]` that of
`POST /segments`, `[triggers.lead]` that of `POST /triggers`, whose `template` and `segment` are such names.
"""

from __future__ import annotations

import tomllib
from functools import cache
from importlib import resources
from typing import Any

NAMES = ("site", "live_chat", "bots", "community")


@cache
def document(name: str) -> dict[str, Any]:
    """Read a preset; `name` is one of NAMES."""
    return tomllib.loads((resources.files(__name__) / f"{name}.toml").read_text(encoding="utf-8"))
