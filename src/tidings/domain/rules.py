"""Whom a trigger is for: rules that name people by what happened, what they are and what they follow."""

from __future__ import annotations

import re
from collections.abc import Mapping
from collections.abc import Set as Names
from dataclasses import dataclass, replace
from typing import Any

from tidings.domain.errors import CatalogueError, ErrorCode, FieldFault
from tidings.domain.filters import Filter, filter_from, forgotten, json_from_filter, text_from_filter

MOST_PARTS = 10
RULES = "users, users_where, followers, segment and everyone"
LONGEST_TOPIC = 200

_GAP = re.compile(r"\{\{\s*([A-Za-z_]\w*(?:\.\w+)*)\s*\}\}")


@dataclass(frozen=True, slots=True)
class EventUsers:
    """The users that the event names."""


@dataclass(frozen=True, slots=True)
class UsersWhere:
    """People for whom conditions hold; values of the event and its actor are put in when it happens."""

    filter: Filter


@dataclass(frozen=True, slots=True)
class Followers:
    """Who follows a topic; `topic:{{topic.id}}` takes what is between the braces from the event's data."""

    topic: str


@dataclass(frozen=True, slots=True)
class InSegment:
    """Who is in a segment (`seg_...`)."""

    segment: str


@dataclass(frozen=True, slots=True)
class Everybody:
    """Every device of the App."""


Part = EventUsers | UsersWhere | Followers | InSegment | Everybody


@dataclass(frozen=True, slots=True)
class Rule:
    """Whoever any of the parts names, except, unless that is wanted, whoever did it."""

    parts: tuple[Part, ...]
    except_actor: bool = True

    def without(self, names: Names[str]) -> Rule:
        """Give the rule without these people's ids in its conditions; it means everybody else as before."""
        return replace(
            self,
            parts=tuple(
                UsersWhere(forgotten(part.filter, names)) if isinstance(part, UsersWhere) else part
                for part in self.parts
            ),
        )


def rule_from_json(plain: Mapping[str, Any]) -> Rule:
    """Read a rule: one part, or {"union": [parts]}, with `except_actor` beside it. Raises AUDIENCE_INVALID."""
    rest = {name: value for name, value in plain.items() if name != "except_actor"}
    except_actor = plain.get("except_actor", True)
    if not isinstance(except_actor, bool):
        raise _invalid("`except_actor` is true or false.")
    listed = rest.get("union", [rest]) if set(rest) == {"union"} else [rest]
    if not isinstance(listed, list) or not 1 <= len(listed) <= MOST_PARTS:
        raise _invalid(f"`union` is a list of 1 to {MOST_PARTS} rules.")
    return Rule(tuple(_part(one) for one in listed), except_actor)


def json_from_rule(rule: Rule, *, texts: bool = False) -> dict[str, Any]:
    """Give a rule as plain JSON values, as `rule_from_json` reads it; with `texts` its conditions are texts."""
    parts = [_plain(one, texts=texts) for one in rule.parts]
    return {**(parts[0] if len(parts) == 1 else {"union": parts}), "except_actor": rule.except_actor}


def gaps_of(topic: str) -> list[tuple[str, ...]]:
    """Give the paths between the braces of a topic."""
    return [tuple(path.split(".")) for path in _GAP.findall(topic)]


def topic_of(topic: str, values: Mapping[str, Any]) -> str | None:
    """Put values between the braces of a topic; None when one of them is not there."""
    missing = False

    def value(found: re.Match[str]) -> str:
        nonlocal missing
        here: Any = values
        for name in found[1].split("."):
            here = here.get(name) if isinstance(here, Mapping) else None
        missing = missing or here is None or isinstance(here, Mapping | list)
        return str(here)

    filled = _GAP.sub(value, topic)
    return None if missing or len(filled) > LONGEST_TOPIC else filled


def _part(plain: object) -> Part:
    if not isinstance(plain, Mapping) or len(plain) != 1:
        raise _invalid(f"A rule has exactly one of {RULES}.")
    ((name, value),) = plain.items()
    match name, value:
        case "users", "event":
            return EventUsers()
        case "users_where", str() | dict():
            return UsersWhere(_conditions(value))
        case "followers", str() if 1 <= len(value) <= LONGEST_TOPIC and "{{" not in _GAP.sub("", value):
            return Followers(value)
        case "segment", str() if 1 <= len(value) <= LONGEST_TOPIC:
            return InSegment(value)
        case "everyone", True:
            return Everybody()
        case _:
            raise _invalid(_refusal(str(name)))


def _conditions(value: str | dict[str, Any]) -> Filter:
    try:
        return filter_from(value)
    except CatalogueError as error:
        raise error.within("audience.users_where") from None


def _refusal(name: str) -> str:
    words = {
        "users": 'The only value is "event": the users that the event names.',
        "users_where": 'These are conditions over users, such as user.role == "owner".',
        "followers": "This is a topic, such as topic:{{topic.id}}.",
        "segment": "This is the id of a segment, such as seg_01jd8k.",
        "everyone": "The only value is true.",
    }
    return f"{name[:32]}: {words.get(name, f'There is no such rule; there are {RULES}.')}"


def _plain(part: Part, *, texts: bool) -> dict[str, Any]:
    match part:
        case EventUsers():
            return {"users": "event"}
        case UsersWhere(conditions):
            return {"users_where": text_from_filter(conditions) if texts else json_from_filter(conditions)}
        case Followers(topic):
            return {"followers": topic}
        case InSegment(segment):
            return {"segment": segment}
        case Everybody():
            return {"everyone": True}


def _invalid(words: str) -> CatalogueError:
    return CatalogueError(ErrorCode.AUDIENCE_INVALID, words, faults=(FieldFault("audience", words),))
