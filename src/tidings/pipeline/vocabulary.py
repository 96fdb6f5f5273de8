"""Whether the variables of a message's templates are there: asked of the schema of the event that fills them."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from typing import Any

from tidings.domain.errors import FieldFault
from tidings.domain.message import Message
from tidings.lib.liquid import LiquidFault
from tidings.pipeline.personal import RESERVED, sources, template_of

_APP = ("name",)
"""What there is under `app`."""


def unknown_variables(message: Message, schema: Mapping[str, Any]) -> Iterator[FieldFault]:
    """Find variables that a JSON Schema of the data does not have, and name the nearest that it has.

    What is known of the recipient and of the actor is the App's own, so anything may stand under `user` and `actor`.
    """
    for field, source, kind in sources(message):
        try:
            template = template_of(source, kind)
        except LiquidFault:
            continue  # it is told of elsewhere
        for path in sorted(template.variables):
            if (words := _missing(path, schema)) is not None:
                yield FieldFault(field, words)


def _missing(path: tuple[str, ...], schema: Mapping[str, Any]) -> str | None:
    if not path or path[0] in RESERVED:
        known = not path or path[0] != "app" or path[1:] in ((), _APP)
        return None if known else f"There is no {'.'.join(path)!r}; there is 'app.name'."
    within: Any = schema
    for depth, name in enumerate(path):
        properties = within.get("properties") if isinstance(within, Mapping) else None
        if not isinstance(properties, Mapping):
            return None  # an object that may have any fields, or a value that a template asks for too much of
        if name in properties:
            within = properties[name]
            continue
        if _is_open(within, root=depth == 0):
            return None
        return _instead(path[: depth + 1], [*properties, *(RESERVED if depth == 0 else ())])
    return None


def _is_open(schema: Mapping[str, Any], *, root: bool) -> bool:
    """Say whether an object is declared to have fields that are not named; of the data itself all are named."""
    more = schema.get("additionalProperties")
    return bool(more) or "patternProperties" in schema or (more is None and not root and not schema["properties"])


def _instead(path: tuple[str, ...], known: list[str]) -> str:
    near = difflib.get_close_matches(path[-1], known, n=1, cutoff=0.5)
    before = ".".join(path[:-1])
    whole = {name: f"{before}.{name}" if before else name for name in known}
    said = f"did you mean {whole[near[0]]!r}?" if near else f"there are {', '.join(sorted(whole.values())[:12])}."
    return f"There is no variable {'.'.join(path)!r}; {said}"
