"""Conditions: one tree of comparisons for triggers (in memory) and segments (in SQL).

What a comparison means is in `matching.py`; the two ways of writing conditions are in `codec.py` (JSON) and
`parsing.py` (text).
"""

from __future__ import annotations

from collections.abc import Mapping

from tidings.domain.errors import FieldFault
from tidings.domain.filters.binding import bind, forgotten, of_people
from tidings.domain.filters.checking import Known, check, checked, fields_of
from tidings.domain.filters.codec import filter_from_json, json_from_filter
from tidings.domain.filters.explaining import Explanation, explain
from tidings.domain.filters.limits import refusal
from tidings.domain.filters.matching import Record, matches
from tidings.domain.filters.naming import naming, topic_named
from tidings.domain.filters.parsing import filter_from_text
from tidings.domain.filters.printing import text_from_filter
from tidings.domain.filters.records import subscription_record, user_record
from tidings.domain.filters.tree import (
    ALL_ROOTS,
    FALSE,
    TRUE,
    AllOf,
    AnyOf,
    Compare,
    Field,
    Filter,
    Not,
    Op,
    Root,
    Value,
    Version,
)


def filter_from(form: object) -> Filter:
    """Read conditions in their text form (a str) or JSON form (plain values). Raises FILTER_INVALID."""
    if isinstance(form, str):
        return filter_from_text(form)
    if isinstance(form, Mapping):
        return filter_from_json(form)
    raise refusal([FieldFault("", 'Conditions are a text, like `user.plan == "pro"`, or an object.')])


__all__ = [
    "ALL_ROOTS",
    "FALSE",
    "TRUE",
    "AllOf",
    "AnyOf",
    "Compare",
    "Explanation",
    "Field",
    "Filter",
    "Known",
    "Not",
    "Op",
    "Record",
    "Root",
    "Value",
    "Version",
    "bind",
    "check",
    "checked",
    "explain",
    "fields_of",
    "filter_from",
    "filter_from_json",
    "filter_from_text",
    "forgotten",
    "json_from_filter",
    "matches",
    "naming",
    "of_people",
    "refusal",
    "subscription_record",
    "text_from_filter",
    "topic_named",
    "user_record",
]
