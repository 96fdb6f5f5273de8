"""What a field of a request that is none was most likely meant to be."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Sequence
from typing import Any, get_args

from pydantic import BaseModel

_ALIKE = 0.7
_LONGEST = 64


def meant(shape: Any, path: Sequence[str | int]) -> str | None:
    """Give the name that is nearly the last one of `path`, at that place of a body of this shape; None if none is."""
    *way, given = path
    if len(str(given)) > _LONGEST:
        return None
    models = list(_models(shape))
    for part in way:
        inner = [
            one for model in models if (field := model.model_fields.get(str(part))) for one in _models(field.annotation)
        ]
        # Places in lists, keys of objects and names of alternatives are no fields: they stay within the same models.
        models = inner or models
    names = {field.alias or name for model in models for name, field in model.model_fields.items()}
    return next(iter(difflib.get_close_matches(str(given), sorted(names), 1, _ALIKE)), None)


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    """Give the models within an annotation: of a union, a list, an object."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for one in get_args(annotation):
        yield from _models(one)
