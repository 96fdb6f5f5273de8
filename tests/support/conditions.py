"""Random conditions and random people, of few values, so that they meet often."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import strategies as st

from tidings.domain.filters import AllOf, AnyOf, Compare, Field, Filter, Not, Op, Root, Version
from tidings.domain.filters.tree import ORDERING, RELATIVE, TEXTUAL

NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)

TEXTS = [
    *(
        "",
        "a",
        "A",
        "ab",
        "aB",
        "ä",
        "Ä",
        "ß",
        "SS",
        "Σ",
        "σ",  # noqa: RUF001 - it is meant
        "ς",
        "И",
        "и",
        "İ",
        "i",
        "K",
        "ŉ",
        "😀",
        "a😀",
        "e\u0301",
        "é",
    ),
    *("5", "1", "true", "null", "%", "_", "a%", "'", '"', "\\", "\\u0041", "a\nb", " a", "a ", "[1]", "{}", "$.a"),
    *(
        "1.10.0",
        "v1.9",
        "1.9.0.0",
        "2.0.0-beta.2",
        "2.0.0-beta.11",
        "2.0.0-beta",
        "2.0.0",
        "2.0.0+x",
        "1.",
        "1.0000000000",
    ),
    *(
        "2026-11-20",
        "2026-11-26T12:00:00Z",
        "2026-11-26t14:00:00.000000+02:00",
        "2026-11-26T11:59:59.9999999",
        "2026-02-30",
    ),
    *(
        "2024-02-29T23:59:60Z",
        "0000-01-01",
        "0001-01-01T00:00:00+23:59",
        "9999-12-31T23:59:59-23:59",
        "2026-11-26 12:00:00Z",
    ),
    *("٣", "1.٣", "2026-11-2٣", "2026-11-26\n", "1.10.0\n"),
]
NUMBERS: list[int | float] = [
    *(0, 1, -1, 5, 5.0, -0.0, 0.1, 0.30000000000000004, 0.3, 1.5, -2.5, 5e-324, 1e15, 123456789.123),
    *(2**53 - 1, 1 - 2**53, 20261126, 1764158400),
]
HUGE: list[int | float] = [
    2**53,
    2**53 + 1,
    2**63 - 1,
    2**63,
    -(2**63) - 1,
    2**64,
    10**30,
    -(10**400),
    1e16,
    1e300,
    -1e300,
]

_no_nul = st.characters(exclude_characters="\x00", exclude_categories=["Cs"])
texts = st.sampled_from(TEXTS) | st.text(_no_nul, max_size=6)
numbers = st.sampled_from(NUMBERS) | st.integers(-5, 5) | st.floats(-1e15, 1e15, allow_nan=False)
scalars = texts | numbers | st.booleans()
lengths = st.sampled_from([0, 60, 86_400, 7 * 86_400, 365 * 86_400]).map(lambda seconds: timedelta(seconds=seconds))
moments = st.sampled_from(
    [
        NOW,
        NOW - timedelta(days=7),
        NOW + timedelta(days=3),
        NOW - timedelta(microseconds=1),
        datetime(1, 1, 1, tzinfo=UTC),
    ]
) | st.datetimes(timezones=st.just(UTC))
versions = st.sampled_from(
    [text for text in TEXTS if text.startswith(("1.1", "v1", "2.0.0", "1.9")) and "\n" not in text]
)

USER_FIELDS = [
    ("plan",),
    ("n",),
    ("flag",),
    ("list",),
    ("odd name.ü",),
    ("address", "city"),
    ("address",),
    ("0",),
    ("list", "0"),
]
SUBSCRIPTION_TEXTS = ("user_id", "provider", "status", "locale", "time_zone", "device", "app_version")
SUBSCRIPTION_TIMES = ("created_at", "last_seen_at", "last_active_at")

attributes = st.dictionaries(
    st.sampled_from(["plan", "n", "flag", "list", "odd name.ü", "0"]),
    scalars
    | st.sampled_from(HUGE)
    | st.none()
    | st.lists(scalars | st.none() | st.lists(texts, max_size=1), max_size=4),
    max_size=6,
).flatmap(
    lambda flat: st.fixed_dictionaries(
        {}, optional={"address": st.none() | texts | st.dictionaries(st.just("city"), scalars | st.none(), max_size=1)}
    ).map(lambda deep: {**flat, **deep})
)
tags = st.dictionaries(st.sampled_from(["color", "odd tag.ü", "n"]), texts, max_size=3)

_free = [
    *(Field(Root.USER, path) for path in USER_FIELDS),
    Field(Root.SUBSCRIPTION, ("tags", "color")),
    Field(Root.SUBSCRIPTION, ("tags", "odd tag.ü")),
]
_texts = [
    *(Field(Root.SUBSCRIPTION, (name,)) for name in SUBSCRIPTION_TEXTS),
    *(Field(Root.USER, (name,)) for name in ("id", "locale", "time_zone")),
]
_times = [*(Field(Root.SUBSCRIPTION, (name,)) for name in SUBSCRIPTION_TIMES), Field(Root.USER, ("created_at",))]


def _value(op: Op) -> st.SearchStrategy[Any]:
    if op is Op.EXISTS:
        return st.none()
    if op in RELATIVE:
        return lengths
    if op in ORDERING:
        return numbers | moments | versions.map(Version)
    if op is Op.IN:
        return st.lists(scalars, max_size=5).map(tuple)
    if op in (Op.STARTS_WITH, Op.ENDS_WITH):
        return texts
    return scalars if op is Op.CONTAINS else scalars | versions.map(Version)


@st.composite
def comparisons(draw: st.DrawFn, topics: bool = False, unfit: bool = False) -> Compare:
    lists = [Op.IN] if unfit else []
    field = draw(st.sampled_from(_free) | st.sampled_from(_texts) | st.sampled_from(_times))
    if topics and draw(st.integers(0, 9)) == 0:
        asked = draw(st.sampled_from([Op.EXISTS, Op.CONTAINS, *lists]))
        value = draw(texts if asked is Op.CONTAINS else _value(asked))
        return Compare(Field(Root.USER, ("topics",)), asked, value)
    if field in _times:
        op = draw(st.sampled_from([Op.EXISTS, *lists, *sorted(ORDERING | RELATIVE)]))
        return Compare(field, op, draw(moments if op in ORDERING else _value(op)))
    op = draw(st.sampled_from(Op))
    value = draw(_value(op))
    ignorable = op in TEXTUAL and (isinstance(value, str | tuple))
    return Compare(field, op, value, ignore_case=ignorable and draw(st.booleans()))


def filters(*, topics: bool = False, unfit: bool = False) -> st.SearchStrategy[Filter]:
    """Trees of up to four levels; `unfit` with lists of times and topics, which are refused but may have been kept."""
    return st.recursive(
        comparisons(topics=topics, unfit=unfit),
        lambda inner: st.one_of(
            st.lists(inner, max_size=3).map(lambda parts: AllOf(tuple(parts))),
            st.lists(inner, max_size=3).map(lambda parts: AnyOf(tuple(parts))),
            inner.map(Not),
        ),
        max_leaves=6,
    )
