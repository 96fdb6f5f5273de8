"""Tags of a device: short words under short names, set by its page or by the App's server."""

from __future__ import annotations

import re
from collections.abc import Mapping

from tidings.domain.errors import CatalogueError, ErrorCode, FieldFault

MAX_TAGS = 50
MAX_NAME = 64
MAX_VALUE = 256
_UNFIT = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")
"""Control characters and halves of characters: databases refuse some of them, and terminals obey others."""


def check_tags(changes: Mapping[str, str | None]) -> None:
    """Raise TAG_INVALID naming each tag whose name or value is too long, empty or not text."""
    faults = [
        FieldFault(f"tags.{_UNFIT.sub('', name)[:MAX_NAME]}", words)
        for name, value in changes.items()
        if (words := _fault_of(name, value))
    ]
    if faults:
        raise CatalogueError(ErrorCode.TAG_INVALID, f"{faults[0].field}: {faults[0].message}", faults=tuple(faults))


def merged_tags(tags: Mapping[str, str], changes: Mapping[str, str | None]) -> dict[str, str]:
    """Set the tags named in `changes` and take away those that are None there. Raises TAGS_TOO_MANY."""
    merged = {name: value for name, value in {**tags, **changes}.items() if value is not None}
    if len(merged) > MAX_TAGS:
        raise CatalogueError(
            ErrorCode.TAGS_TOO_MANY, f"A device carries up to {MAX_TAGS} tags; this would make {len(merged)}."
        )
    return merged


def _fault_of(name: str, value: str | None) -> str:
    if not name:
        return "A tag has a name."
    if len(name) > MAX_NAME:
        return f"A tag's name has at most {MAX_NAME} characters; this one has {len(name)}."
    if _UNFIT.search(name):
        return "A tag's name has no control characters."
    if value is not None and len(value) > MAX_VALUE:
        return f"A tag's value has at most {MAX_VALUE} characters; this one has {len(value)}."
    return "A tag's value has no control characters." if value and _UNFIT.search(value) else ""
