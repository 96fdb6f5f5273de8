"""What conditions must be to be stored: within the limits, of fields that can be there, of values that fit."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from enum import StrEnum

from tidings.domain.errors import FieldFault
from tidings.domain.filters.codec import NEGATED
from tidings.domain.filters.limits import (
    DEEPEST,
    LARGEST,
    LONGEST_LIST,
    LONGEST_NAME,
    LONGEST_PATH,
    LONGEST_TEXT,
    MOST_NODES,
    refusal,
)
from tidings.domain.filters.tree import (
    ALL_ROOTS,
    ORDERING,
    RELATIVE,
    TEXTUAL,
    AllOf,
    AnyOf,
    Compare,
    Field,
    Filter,
    Not,
    Op,
    Root,
    Version,
)
from tidings.domain.filters.values import LARGEST as LARGEST_NUMBER
from tidings.domain.filters.values import version_key

Known = Callable[[Field], str | None]
"""Says what is wrong with a field; None for one that can be there."""

_UNFIT = re.compile(r'["\\\x00-\x1f\x7f\ud800-\udfff]')
_UNFIT_TEXT = re.compile(r"[\x00\ud800-\udfff]")


class Kind(StrEnum):
    """What a field of ours holds."""

    TEXT = "text"
    TIME = "time"
    TOPICS = "topics"


SUBSCRIPTION = {
    "id": Kind.TEXT,
    "user_id": Kind.TEXT,
    "provider": Kind.TEXT,
    "status": Kind.TEXT,
    "locale": Kind.TEXT,
    "time_zone": Kind.TEXT,
    "device": Kind.TEXT,
    "app_version": Kind.TEXT,
    "created_at": Kind.TIME,
    "last_seen_at": Kind.TIME,
    "last_active_at": Kind.TIME,
}
"""Fields of `subscription`, beside `subscription.tags.<name>`."""

USER = {
    "id": Kind.TEXT,
    "locale": Kind.TEXT,
    "time_zone": Kind.TEXT,
    "created_at": Kind.TIME,
    "topics": Kind.TOPICS,
}
"""Fields of `user` and `actor` that are no attributes; an attribute of such a name is hidden by them. `topics` is the
list of what a person follows."""


def check(
    tree: Filter,
    *,
    roots: frozenset[Root] = ALL_ROOTS,
    bound: frozenset[Root] | None = None,
    known: Known | None = None,
) -> list[FieldFault]:
    """Give what is wrong with conditions, with the place of each in their JSON form; nothing for good ones.

    `roots` may be used here. None of `bound` is for conditions that are looked at in memory alone, where any field can
    be compared with any. Where the others are looked for in the database, fields of the roots in `bound` become
    constants first (`bind`), and two that are both looked for cannot be compared.
    """
    return _Check(roots, bound, known).faults(tree)


def checked(
    tree: Filter,
    *,
    roots: frozenset[Root] = ALL_ROOTS,
    bound: frozenset[Root] | None = None,
    known: Known | None = None,
) -> Filter:
    """Give the conditions back. Raises FILTER_INVALID with all that `check` finds."""
    if faults := check(tree, roots=roots, bound=bound, known=known):
        raise refusal(faults)
    return tree


def kind_of(field: Field) -> Kind | None:
    """Say what one of our own fields holds; None for one whose values the App decides."""
    ours = SUBSCRIPTION if field.root is Root.SUBSCRIPTION else USER if field.root is not Root.EVENT else {}
    return ours.get(field.path[0]) if len(field.path) == 1 else None


def fields_of(tree: Filter) -> set[Field]:
    """Give every field that conditions name."""
    match tree:
        case AllOf(parts) | AnyOf(parts):
            return set().union(*map(fields_of, parts))
        case Not(part):
            return fields_of(part)
        case Compare(field, value=value):
            return {field, value} if isinstance(value, Field) else {field}


class _Check:
    def __init__(self, roots: frozenset[Root], bound: frozenset[Root] | None, known: Known | None) -> None:
        self._roots = roots
        self._bound = bound
        self._known = known
        self._nodes = 0
        self._size = 0

    def faults(self, tree: Filter) -> list[FieldFault]:
        found: list[FieldFault] = []
        for fault in self._of(tree, "", 1):
            found.append(fault)
            if len(found) == 20:
                break
        if self._nodes > MOST_NODES:
            found.insert(0, FieldFault("", f"Conditions have up to {MOST_NODES} parts."))
        if self._size > LARGEST:
            found.insert(0, FieldFault("", f"All texts together have up to {LARGEST:,} bytes.".replace(",", " ")))
        return found

    def _of(self, tree: Filter, place: str, depth: int) -> Iterator[FieldFault]:
        self._nodes += 1
        if depth > DEEPEST:
            yield FieldFault(place, f"Conditions are nested up to {DEEPEST} levels.")
            return
        before = f"{place}." if place else ""
        match tree:
            case AllOf(parts) | AnyOf(parts):
                word = "all" if isinstance(tree, AllOf) else "any"
                for n, part in enumerate(parts[: MOST_NODES + 1]):
                    yield from self._of(part, f"{before}{word}[{n}]", depth + 1)
            case Not(Compare(op=op) as part):
                yield from self._compare(part, before if op in NEGATED.values() else f"{before}not.")
            case Not(part):
                yield from self._of(part, f"{before}not", depth + 1)
            case Compare():
                yield from self._compare(tree, before)

    def _compare(self, compare: Compare, before: str) -> Iterator[FieldFault]:
        if words := self._field(compare.field):
            yield FieldFault(f"{before}field", words)
            return
        if isinstance(compare.value, Field):
            words = self._field(compare.value) or self._pair(compare, compare.value)
            if words:
                yield FieldFault(f"{before}value.field", words)
            return
        if compare.ignore_case and not (
            compare.op in TEXTUAL and (isinstance(compare.value, str) or compare.op is Op.IN)
        ):
            yield FieldFault(f"{before}ignore_case", "Only texts are compared without case.")
        for inner, words in self._value(compare):
            yield FieldFault(f"{before}value{inner}", words)

    def _field(self, field: Field) -> str | None:
        if field.root not in self._roots:
            return f"`{field.root}` is not known here; there is {', '.join(sorted(self._roots))}."
        if not field.path or len(field.path) > LONGEST_PATH:
            return f"Name a field of `{field.root}`, up to {LONGEST_PATH} levels deep."
        for name in field.path:
            self._size += len(name.encode(errors="replace"))
            if not 0 < len(name) <= LONGEST_NAME or _UNFIT.search(name):
                return f"A name has 1 to {LONGEST_NAME} characters, without quotes, backslashes and control characters."
        tag = field.path[0] == "tags" and len(field.path) == 2
        if field.root is Root.SUBSCRIPTION and kind_of(field) is None and not tag:
            return f"A subscription has {', '.join(SUBSCRIPTION)} and tags.<name>."
        return self._known(field) if self._known else None

    def _pair(self, compare: Compare, other: Field) -> str | None:
        """Say why two fields cannot be compared so."""
        if compare.op in RELATIVE or compare.op is Op.EXISTS:
            return f"`{compare.op}` is not for two fields."
        if compare.ignore_case and compare.op not in TEXTUAL:
            return "Only texts are compared without case."
        if self._bound is None or other.root in self._bound:
            return None
        if kind_of(compare.field) is Kind.TOPICS or kind_of(other) is Kind.TOPICS:
            return "Topics are asked for by name: `contains` with a text."
        if compare.field.root not in self._bound:
            return "Here a field is compared with a value" + (
                f", or with one of {', '.join(sorted(self._bound))}." if self._bound else "."
            )
        if compare.op not in (Op.EQUALS, *ORDERING):
            return f"Write the field of `{other.root}` first, like `{'.'.join((other.root, *other.path))} in ...`."
        return None

    def _value(self, compare: Compare) -> Iterator[tuple[str, str]]:
        op, value = compare.op, compare.value
        if isinstance(value, tuple):
            if op is not Op.IN:
                yield "", "A list belongs to `in`."
            elif len(value) > LONGEST_LIST:
                yield "", f"This is a list of up to {LONGEST_LIST} values."
            elif words := _out_of_kind(compare):
                yield "", words
            else:
                for n, one in enumerate(value):
                    if words := self._scalar(one):
                        yield f"[{n}]", words
            return
        if words := _misfit(compare) or self._scalar(value):
            yield "", words

    def _scalar(self, value: object) -> str | None:
        if isinstance(value, str):
            size = len(value.encode(errors="replace"))
            self._size += size
            if size > LONGEST_TEXT:
                return f"A text has up to {LONGEST_TEXT} bytes; this one has {size}."
            if _UNFIT_TEXT.search(value):
                return "A text has no NUL and no half of a surrogate pair."
        elif isinstance(value, int | float) and not -LARGEST_NUMBER <= value <= LARGEST_NUMBER:
            return f"A number lies between -{LARGEST_NUMBER} and {LARGEST_NUMBER}; write longer ids as text."
        elif isinstance(value, Version) and version_key(value.text) is None:
            return "A version is written like 2.10.0 or 2.0.0-beta.1."
        return None


def _misfit(compare: Compare) -> str | None:
    """Say why a value does not belong to its operator, or to what the field holds."""
    op, value = compare.op, compare.value
    if op in RELATIVE:
        fits, wanted = isinstance(value, timedelta), "a length of time like 7d"
    elif op in ORDERING:
        fits, wanted = isinstance(value, int | float | datetime | Version), "a number, a time or a version"
        fits = fits and not isinstance(value, bool)
    elif op in (Op.STARTS_WITH, Op.ENDS_WITH):
        fits, wanted = isinstance(value, str), "a text"
    elif op is Op.EQUALS:
        fits, wanted = isinstance(value, str | int | float | Version), "a text, a number, a version, true or false"
    elif op is Op.CONTAINS:
        fits, wanted = isinstance(value, str | int | float), "a text, a number, true or false"
    else:
        fits, wanted = (value is None, "nothing") if op is Op.EXISTS else (False, "a list")
    if not fits:
        return f"`{op}` takes {wanted}."
    return _out_of_kind(compare)


def _out_of_kind(compare: Compare) -> str | None:
    """Say why a field of ours is not compared so, for what it holds."""
    op, value, kind = compare.op, compare.value, kind_of(compare.field)
    if kind is Kind.TIME and op is not Op.EXISTS and not isinstance(value, datetime | timedelta):
        return "The field holds a time; compare it with one: before, after, or within the last days."
    named = op is Op.EXISTS or (op is Op.CONTAINS and isinstance(value, str) and not compare.ignore_case)
    if kind is Kind.TOPICS and not named:
        return "Topics are asked for by name: `contains` with a text."
    return None
