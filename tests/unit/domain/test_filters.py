"""What conditions mean, how they are written, and what is refused."""

from __future__ import annotations

import time
import tracemalloc
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.conditions import NOW, attributes, filters, tags
from tidings.domain.errors import CatalogueError, ErrorCode
from tidings.domain.filters import (
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
    bind,
    check,
    checked,
    explain,
    fields_of,
    filter_from,
    filter_from_json,
    json_from_filter,
    matches,
    text_from_filter,
)
from tidings.domain.filters.values import length_of, length_text, moment_of, version_key

ANNA: dict[str, Any] = {
    "user": {
        "plan": "pro",
        "age": 30,
        "city": "Zürich",
        "roles": ["owner", "Admin"],
        "vip": True,
        "nothing": None,
        "address": {"city": "Wien", "zip": "1010"},
        "trial_ends": "2026-11-28T00:00:00+01:00",
        "first name": "Anna",
        "big": 2**70,
    },
    "subscription": {
        "app_version": "2.10.0",
        "last_seen_at": NOW - timedelta(days=3),
        "tags": {"color": "red"},
    },
    "event": {"owner": "u-1", "watchers": ["u-1", "u-2"], "count": 7, "at": "2026-11-25T00:00:00Z"},
}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('user.plan == "pro"', True),
        ('user.plan == "Pro"', False),
        ('ignoreCase(user.plan) == "PRO"', True),
        ('ignoreCase(user.city) == "ZÜRICH"', True),
        ('user.plan != "pro"', False),
        ('user.plan in ["free", "pro"]', True),
        ('!(user.plan in ["free", "pro"])', False),
        ("user.age >= 30 && user.age < 31", True),
        ('user.age == "30"', False),  # nothing is converted
        ("user.age == 30.0", True),
        ("user.vip == true", True),
        ("user.vip == 1", False),
        ("user.age == true", False),
        ('user.roles.contains("owner")', True),
        ('user.roles.contains("own")', False),
        ('ignoreCase(user.roles).contains("admin")', True),
        ('user.city.contains("ric")', True),
        ('user.city.startsWith("Zü")', True),
        ('user.city.endsWith("ich")', True),
        ('user.address.city == "Wien"', True),
        ('user["first name"] == "Anna"', True),
        ("has(user.plan)", True),
        ("has(user.nothing)", False),  # null is missing
        ("has(user.address.street)", False),
        ("user.nothing == null", True),
        ("user.plan != null", True),
        # Missing: the comparison is false, its opposite true.
        ('user.missing == "x"', False),
        ('user.missing != "x"', True),
        ("user.missing < 5", False),
        ("!(user.missing < 5)", True),
        ('!(user.missing in ["x"])', True),
        ("user.city < 5", False),
        ('subscription.app_version >= version("2.9")', True),
        ('subscription.app_version == version("v2.10")', True),
        ('subscription.app_version < version("2.10.0-rc.1")', False),
        ('subscription.last_seen_at.withinLast("7d")', True),
        ('subscription.last_seen_at.moreThanAgo("2d")', True),
        ('subscription.last_seen_at.moreThanAgo("7d")', False),
        ('user.trial_ends.withinNext("3d")', True),
        ('user.trial_ends.withinLast("3d")', False),
        ('user.trial_ends < timestamp("2026-11-27T23:00:00.000001Z")', True),
        ('subscription.tags.color == "red"', True),
        ("user.big > 5", True),
        ("user.id == event.owner", False),
        ("user.trial_ends > event.at", True),
        ("event.count > user.age", False),
        ("event.count < user.age", True),
        ("true", True),
        ("false || !false", True),
    ],
)
def test_a_comparison_means_one_thing(text: str, expected: bool) -> None:
    tree = filter_from(text)
    assert matches(tree, ANNA, NOW) is expected
    assert explain(tree, ANNA, NOW).holds is expected
    assert filter_from(text_from_filter(tree)) == tree
    assert filter_from(json_from_filter(tree)) == tree
    assert check(tree) == []


def _plain(tree: Filter) -> Filter:
    """Take off joints of a single part, which the text form has no word for."""
    match tree:
        case AllOf((part,)) | AnyOf((part,)):
            return _plain(part)
        case AllOf(parts):
            return AllOf(tuple(map(_plain, parts)))
        case AnyOf(parts):
            return AnyOf(tuple(map(_plain, parts)))
        case Not(part):
            return Not(_plain(part))
        case Compare():
            return tree


@given(filters(topics=True))
def test_both_forms_give_the_same_tree_again(tree: Filter) -> None:
    assert check(tree) == []
    assert filter_from(json_from_filter(tree)) == tree
    assert filter_from(text_from_filter(tree)) == _plain(tree)


@given(filters(), attributes, tags)
def test_a_condition_or_its_opposite_holds_for_everybody(tree: Filter, user: Any, carried: Any) -> None:
    record = {"user": user, "subscription": {"tags": carried, "created_at": NOW}}
    assert matches(Not(tree), record, NOW) is not matches(tree, record, NOW)
    said = explain(tree, record, NOW)
    assert said.holds is matches(tree, record, NOW)
    assert said.reasons


@given(filters(), attributes, tags)
def test_what_is_bound_first_comes_out_the_same(tree: Filter, user: Any, carried: Any) -> None:
    person, device = {"user": user}, {"subscription": {"tags": carried, "last_seen_at": NOW}}
    left = bind(tree, person, NOW)
    assert Root.USER not in {field.root for field in fields_of(left)}
    assert matches(left, device, NOW) is matches(tree, {**person, **device}, NOW)
    assert bind(left, device, NOW) in (TRUE, FALSE)


PAIRS = (
    "user.{0} == event.{1}",
    "event.{1} == user.{0}",
    "user.{0} <= event.{1}",
    "event.{1} > user.{0}",
    "user.{0} in event.{1}",
    "user.{0}.contains(event.{1})",
    "ignoreCase(event.{1}) == user.{0}",
)


@given(st.sampled_from(PAIRS), attributes, attributes, st.sampled_from(["plan", "n", "list", "flag"]))
def test_two_fields_compare_the_same_before_and_after_binding(pair: str, user: Any, event: Any, name: str) -> None:
    tree = checked(filter_from(pair.format(name, "plan")), bound=frozenset({Root.EVENT}))
    left = bind(tree, {"event": event}, NOW)
    assert Root.EVENT not in {field.root for field in fields_of(left)}
    assert matches(left, {"user": user}, NOW) is matches(tree, {"user": user, "event": event}, NOW)


def test_an_explanation_names_the_comparison_that_decided_and_what_was_there() -> None:
    tree = filter_from('user.plan == "free" && user.age > 18')
    said = explain(tree, ANNA, NOW)
    assert said.reasons == ('user.plan == "free" does not hold: user.plan is "pro"',)
    assert explain(filter_from("user.missing > 1"), ANNA, NOW).reasons == (
        "user.missing > 1 does not hold: user.missing is missing",
    )
    (pair,) = explain(filter_from("user.plan == event.owner"), ANNA, NOW).reasons
    assert pair == 'user.plan == event.owner does not hold: user.plan is "pro" and event.owner is "u-1"'


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ('user.plan = "x"', "Character 11: Write `==`"),
        ("user.plan == ", "Character 14: Expected a value"),
        ("(user.a == 1", "Character 13: Expected `)`"),
        ("user.a == 1 and user.b == 2", "Character 13: Write `&&`"),
        ("plan == 1", "Character 1: Expected a field"),
        ("user.a.matches(1)", "Character 8: There is no `matches()`"),
        ("user.a == 1 &&\n  user.b ~ 3", "Line 2, character 10: This sign means nothing"),
        ('user.a == "x', "Character 11: This text does not end"),
        ('user.a.withinLast("soon")', "Character 19: A length of time"),
        ('user.a > timestamp("2026-02-30")', "Character 20: A time is written"),
        ('user.a == "\\x"', "After a backslash"),
    ],
)
def test_a_wrong_text_says_where_and_what_was_expected(text: str, place: str) -> None:
    with pytest.raises(CatalogueError) as caught:
        filter_from(text)
    assert caught.value.code is ErrorCode.FILTER_INVALID
    assert place in caught.value.detail


@pytest.mark.parametrize(
    ("plain", "field", "words"),
    [
        ({"all": [{"field": "user.a", "op": "equals"}]}, "all[0].value", "nothing to compare"),
        ({"any": [TRUE_ := {"all": []}, {"field": "user.a", "op": "like", "value": 1}]}, "any[1].op", "One of"),
        ({"field": "person.a", "op": "exists"}, "field", "begins with one of"),
        ({"field": "user.a", "op": "exists", "value": 1}, "value", "take no value"),
        ({"field": "user.a", "op": "equals", "value": None}, "value", "missing"),
        ({"field": "user.a", "op": "in", "value": "x"}, "value", "list"),
        ({"field": "user.a", "op": "equals", "value": [1]}, "value", "text, a number"),
        ({"field": "user.a", "op": "equals", "value": {"regex": "x"}}, "value", "An object here"),
        ({"field": "user.a", "op": "equals", "value": 1, "case": 1}, "case", "A condition has"),
        ({"not": {"any": [{"all": [], "any": []}]}}, "not.any[0].all", "nothing else"),
        ({"v": 2, "all": []}, "v", "version 1"),
        ({"field": "user.a", "op": "within_last", "value": "1 week"}, "value", "length of time"),
        (TRUE_ | {"x": 1}, "all", "nothing else"),
    ],
)
def test_a_wrong_object_says_where_and_what_belongs_there(plain: Any, field: str, words: str) -> None:
    with pytest.raises(CatalogueError) as caught:
        filter_from(plain)
    (fault,) = caught.value.faults
    assert (fault.field, words in fault.message) == (field, True)


@pytest.mark.parametrize(
    ("text", "field", "words"),
    [
        ('user.a < "x"', "value", "a number, a time or a version"),
        ("user.a.startsWith(5)", "value", "a text"),
        ('subscription.colour == "x"', "field", "A subscription has"),
        ('subscription.created_at == "2026"', "value", "holds a time"),
        ("user.a == 9007199254740992", "value", "longer ids as text"),
        ("user.a == 1e400", "value", "longer ids as text"),
        ('user.a < version("one")', "value", "A version is written"),
        ("ignoreCase(user.a) == 5", "ignore_case", "Only texts"),
        ("user == 5", "field", "Name a field"),
        ('event.a == "x"', "field", "not known here"),
        ("user.a == subscription.locale", "value.field", "compared with a value"),
        ('user.topics == "x"', "value", "by name"),
        ('user.topics in ["x"]', "value", "by name"),
        ('!(user.topics in ["x"])', "value", "by name"),
        ("user.topics in []", "value", "by name"),
        ('subscription.created_at in ["2026"]', "value", "holds a time"),
        ('!(user.created_at in ["2026", 5])', "value", "holds a time"),
        ('user["a\\nb"] == 1', "field", "without quotes"),
        (f'user.a == "{"x" * 1025}"', "value", "1025"),
    ],
)
def test_what_fits_nowhere_is_refused_with_its_place(text: str, field: str, words: str) -> None:
    roots = frozenset({Root.USER, Root.SUBSCRIPTION})
    (fault,) = check(filter_from(text), roots=roots, bound=frozenset())
    assert (fault.field, words in fault.message) == (field, True), fault


def test_a_field_of_the_event_cannot_stand_before_a_search_in_it() -> None:
    bound = frozenset({Root.EVENT, Root.ACTOR})
    (fault,) = check(filter_from("event.text.contains(user.name)"), bound=bound)
    assert "Write the field of `user` first" in fault.message
    assert check(filter_from("user.id in event.watchers && event.n > actor.n"), bound=bound) == []


def _nested(depth: int) -> Any:
    plain: Any = {"field": "user.a", "op": "exists"}
    for _ in range(depth):
        plain = {"not": plain}
    return plain


HOSTILE: dict[str, Any] = {
    "deep object": _nested(900),
    "nine levels": {"all": [{"any": [_nested(7)]}]},
    "deep parentheses": "(" * 60_000,
    "deep negation": "!" * 60_000 + "true",
    "wide object": {"all": [{"field": "user.a", "op": "exists"}] * 100_000},
    "wide text": " || ".join(["user.a == 1"] * 4_000),
    "wide tree of trees": {"all": [{"any": [{"all": [{"field": "user.a", "op": "exists"}] * 20}] * 20}] * 20},
    "long text": 'user.a == "' + "x" * 60_000 + '"',
    "longer than any": "user.a == 1" + " " * 10_000_000,
    "long list": {"field": "user.a", "op": "in", "value": ["x"] * 1_001},
    "endless list": "user.a in [" + "1," * 30_000,
    "much text": {
        "any": [{"field": "user.a", "op": "in", "value": [f"{n:01000}" for n in range(100)]}],
    },
    "huge number": "user.a == " + "9" * 60_000,
    "huge exponent": "user.a == 1e999999999",
    "infinity": {"field": "user.a", "op": "equals", "value": float("inf")},
    "not a number": {"field": "user.a", "op": "less", "value": float("nan")},
    "huge integer": {"field": "user.a", "op": "equals", "value": 10**4000},
    "NUL in a text": {"field": "user.a", "op": "equals", "value": "a\x00b"},
    "NUL in a name": {"field": "user.a\x00b", "op": "exists"},
    "half a character": {"field": "user.a", "op": "equals", "value": "\ud800"},
    "half a character in a name": {"field": ["user", "\udfff"], "op": "exists"},
    "quote in a name": {"field": ["user", "a\"') OR 1=1 --"], "op": "exists"},
    "path of many names": {"field": "user" + ".a" * 100_000, "op": "exists"},
    "long name": {"field": ["user", "a" * 101], "op": "exists"},
    "empty name": {"field": "user..a", "op": "exists"},
    "root of Python": {"field": "__class__.__init__", "op": "exists"},
    "list for a field": {"field": [["user"]], "op": "exists"},
    "list for an operator": {"field": "user.a", "op": ["equals"], "value": 1},
    "object for a list": {"all": {"0": {"field": "user.a", "op": "exists"}}},
    "object in a list": {"field": "user.a", "op": "in", "value": [{"$ne": 1}]},
    "number for a condition": {"all": [1]},
    "a list": [{"all": []}],
    "a number": 5,
    "nothing": None,
    "text for a flag": {"field": "user.a", "op": "equals", "value": "x", "ignore_case": "yes"},
    "a regular expression": 'user.a.matches("(a+)+$")',
    "a length without end": {"field": "user.a", "op": "within_last", "value": "9" * 9 + "w"},
    "a version without end": {"field": "user.a", "op": "less", "value": {"version": "1." * 1_000}},
    "a call in a call": "has(has(has(user.a)))",
    "a list of times": {"field": "subscription.created_at", "op": "in", "value": ["a"]},
    "no list of times": {"field": "user.created_at", "op": "not_in", "value": ["2026-01-01"]},
    "a list of topics": {"field": "user.topics", "op": "in", "value": ["red"]},
    "no list of topics": {"field": "user.topics", "op": "not_in", "value": []},
    "unended escapes": 'user.a == "' + "\\" * 59_999,
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_conditions_are_refused_at_once(name: str) -> None:
    def look() -> CatalogueError:
        with pytest.raises(CatalogueError) as caught:
            checked(filter_from(HOSTILE[name]), roots=frozenset({Root.USER, Root.SUBSCRIPTION}), bound=frozenset())
        return caught.value

    begun = time.thread_time()
    refused = look()
    assert time.thread_time() - begun < 0.05
    assert refused.code is ErrorCode.FILTER_INVALID
    assert len(refused.detail) < 400
    tracemalloc.start()
    look()
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 10_000_000


@pytest.mark.parametrize(
    "name", ["__class__", "'; DROP TABLE users; --", "constructor", "$where", "a%' OR '1'='1", "ﷺ"]
)
def test_odd_names_are_names_like_any_other(name: str) -> None:
    tree = checked(Compare(Field(Root.USER, (name,)), Op.EQUALS, "x"))
    assert filter_from(text_from_filter(tree)) == tree
    assert matches(tree, {"user": {name: "x"}}, NOW)
    assert not matches(tree, {"user": {"a": "x"}}, NOW)


def test_the_largest_conditions_are_answered_within_a_blink() -> None:
    texts = [f"value-{n}" for n in range(1_000)]
    tree = checked(filter_from_json({"all": [{"field": "user.a", "op": "not_in", "value": texts}] * 6}))
    many = checked(filter_from_json({"any": [{"field": "user.b", "op": "contains", "value": "x"}] * 199}))
    record = {"user": {"a": "none of them", "b": ["y"] * 100}}
    begun = time.thread_time()
    assert matches(tree, record, NOW)
    assert not matches(many, record, NOW)
    assert time.thread_time() - begun < 0.05


def _read(form: Any) -> Filter | None:
    """Read conditions; None where they are refused. Any other exception is a failure."""
    try:
        return filter_from(form)
    except CatalogueError:
        return None


@given(st.text(st.sampled_from('user.a ()[]"!&|=<>in,1-e\\has\n'), max_size=200) | st.text(max_size=50))
def test_any_text_is_read_or_refused(text: str) -> None:
    tree = _read(text)
    assert tree is None or matches(tree, {}, NOW) in (True, False)


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["all", "any", "not", "field", "op", "value", "v", "x"]), inner, max_size=4)
    ),
    max_leaves=10,
)


@given(_json)
def test_any_object_is_read_or_refused(plain: Any) -> None:
    tree = _read(plain)
    assert tree is None or filter_from(json_from_filter(tree)) == tree or check(tree)


@given(st.datetimes(timezones=st.timezones() | st.just(UTC)))
def test_every_time_that_python_writes_is_read_exactly(moment: datetime) -> None:
    text = moment.isoformat()
    if text.count(":") == 3 and moment.utcoffset() is not None and len(text.rpartition("+")[2]) not in (0, 5):
        return  # zones before 1900 have offsets with seconds, which RFC 3339 has no words for
    expected = (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)
    read = moment_of(text)
    if read is not None:
        assert read == expected


def test_versions_sort_as_semver_says() -> None:
    # SemVer 2.0.0 §11
    order = [
        "1.0.0-alpha",
        "1.0.0-alpha.1",
        "1.0.0-alpha.beta",
        "1.0.0-beta",
        "1.0.0-beta.2",
        "1.0.0-beta.11",
        "1.0.0-rc.1",
        "1.0.0",
    ]
    order += ["1.0.1", "1.9", "1.10.0", "2.0.0", "2.1.0", "2.1.1", "10.0.0.1"]
    keys = [version_key(one) for one in order]
    assert keys == sorted(keys, key=str)
    assert version_key("v1") == version_key("1.0.0+build")


@pytest.mark.parametrize("text", ["0s", "59s", "90s", "30m", "12h", "7d", "2w"])
def test_a_length_of_time_is_written_as_it_was_read(text: str) -> None:
    length = length_of(text)
    assert length is not None
    assert length_of(length_text(length)) == length
