"""Conditions that name a few among many: by ids of people, or by a topic that they follow."""

from __future__ import annotations

from collections.abc import Iterator

from tidings.domain.filters.tree import AllOf, Compare, Field, Filter, Op, Root

_IDS = frozenset({Field(Root.USER, ("id",)), Field(Root.SUBSCRIPTION, ("user_id",))})
_TOPICS = Field(Root.USER, ("topics",))


def naming(tree: Filter) -> Compare | None:
    """Give the comparison that all have to meet and that names people, by ids rather than by a topic; None for none."""
    return min(_namings(tree), key=_by_topic, default=None)


def topic_named(tree: Filter) -> str | None:
    """Give the topic by whose followers people are named; None where they are not, or are by id."""
    found = naming(tree)
    return str(found.value) if found is not None and _by_topic(found) else None


def _namings(tree: Filter) -> Iterator[Compare]:
    if isinstance(tree, AllOf):
        for part in tree.parts:
            yield from _namings(part)
    elif isinstance(tree, Compare) and (_by_id(tree) or _by_topic(tree)):
        yield tree


def _by_id(one: Compare) -> bool:
    if one.field not in _IDS or one.ignore_case:
        return False
    texts = one.value if isinstance(one.value, tuple) else (one.value,)
    return one.op in (Op.EQUALS, Op.IN) and all(isinstance(text, str) for text in texts)


def _by_topic(one: Compare) -> bool:
    return one.field == _TOPICS and one.op is Op.CONTAINS
