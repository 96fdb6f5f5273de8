"""Why conditions hold for a record or do not, in words."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from tidings.domain.filters.matching import Record, holds, matches, value_of
from tidings.domain.filters.printing import field_text, text_from_filter
from tidings.domain.filters.tree import AllOf, AnyOf, Compare, Field, Filter, Not
from tidings.domain.filters.values import LARGEST

MOST_REASONS = 20
LONGEST_SHOWN = 80


@dataclass(frozen=True, slots=True)
class Explanation:
    """Whether conditions hold, and the comparisons that decided it, one sentence each."""

    holds: bool
    reasons: tuple[str, ...]


def explain(tree: Filter, record: Record, now: datetime) -> Explanation:
    """Say which comparisons made the conditions hold or fail; at most 20 of them."""
    held = matches(tree, record, now)
    reasons: list[str] = []
    _collect(tree, record, now, held, reasons)
    return Explanation(held, tuple(dict.fromkeys(reasons))[:MOST_REASONS])


def _collect(tree: Filter, record: Record, now: datetime, held: bool, reasons: list[str]) -> None:
    """Gather the parts that made the tree come out as it did."""
    match tree:
        case AllOf(parts) | AnyOf(parts):
            for part in parts:
                if matches(part, record, now) is held:
                    _collect(part, record, now, held, reasons)
            if not parts:
                reasons.append("no condition is set" if held else "nothing can fulfil it")
        case Not(Compare() as part):
            reasons.append(_sentence(tree, part, record, held))
        case Not(part):
            _collect(part, record, now, not held, reasons)
        case Compare():
            assert holds(tree, record, now) is held
            reasons.append(_sentence(tree, tree, record, held))


def _sentence(tree: Filter, compare: Compare, record: Record, held: bool) -> str:
    found = f"{field_text(compare.field)} is {_shown(value_of(compare.field, record))}"
    if isinstance(compare.value, Field):
        found += f" and {field_text(compare.value)} is {_shown(value_of(compare.value, record))}"
    return f"{_cut(text_from_filter(tree))} {'holds' if held else 'does not hold'}: {found}"


def _shown(value: Any) -> str:
    if value is None:
        return "missing"
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) > LARGEST:
        return "a number too large to compare with"
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, str):
        return _cut(f'"{value[:LONGEST_SHOWN]}"')
    if isinstance(value, list | tuple):
        return _cut(f"[{', '.join(_shown(one) for one in value[:LONGEST_SHOWN])}]")
    return "an object" if isinstance(value, dict) else str(value).lower() if isinstance(value, bool) else str(value)


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST_SHOWN else text[: LONGEST_SHOWN - 1] + "…"
