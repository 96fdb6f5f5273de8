"""What the OpenAPI document says of a person's own routes: preferences, topics, feed and the one-click link."""

from __future__ import annotations

from typing import Any

from tidings.web.public.feed import SHAPES as FEED
from tidings.web.public.person import TOKEN, USER
from tidings.web.public.preferences import SHAPES as PREFERENCES
from tidings.web.public.topics import SHAPES as TOPICS

PERSONAL = (*FEED, *PREFERENCES, *TOPICS)
_REF = "#/components/schemas/"
_FAULT = {"application/problem+json": {"schema": {"$ref": f"{_REF}Problem"}}}
_WHO = [
    {
        "name": USER,
        "in": "header",
        "required": True,
        "schema": {"type": "string"},
        "description": "The person's id, percent-encoded.",
    },
    {
        "name": TOKEN,
        "in": "header",
        "required": True,
        "schema": {"type": "string"},
        "description": "That id, signed by the site's server.",
    },
]


def _asked(name: str, description: str, kind: str = "string") -> dict[str, Any]:
    return {"name": name, "in": "query", "schema": {"type": kind}, "description": description}


def _operation(
    name: str,
    summary: str,
    description: str,
    *,
    answer: str,
    body: str | None = None,
    query: tuple[dict[str, Any], ...] = (),
    media: str = "application/json",
) -> dict[str, Any]:
    shape = {"schema": {"$ref": f"{_REF}{answer}"}} if answer else {}
    operation: dict[str, Any] = {
        "operationId": name,
        "summary": summary,
        "description": description,
        "parameters": [*_WHO, *query],
        "responses": {
            "200": {"description": "Done.", "content": {media: shape}},
            "default": {"description": "An error; `code` says which.", "content": _FAULT},
        },
    }
    if body:
        content = {"application/json": {"schema": {"$ref": f"{_REF}{body}"}}}
        operation["requestBody"] = {"required": True, "content": content}
    return operation


_LOCALE = _asked("locale", "The language to use where nothing is known of the person's.")
_NAMED = _asked("locale", "The language of names; else that of `Accept-Language`, else the person's, else the App's.")
_MARKS = "Name some in `ids`, or say `all` for all that there are now."

OPERATIONS: dict[str, dict[str, Any]] = {
    "/preferences": {
        "get": _operation(
            "get_own_preferences",
            "Get one's preferences",
            "Which events this person hears of, where, and their quiet hours; names in their language.",
            answer="PreferencesAnswer",
            query=(_NAMED,),
        ),
        "put": _operation(
            "put_own_preferences",
            "Change one's preferences",
            "Turns the switches that are named; null goes back to the default, and the others stay.",
            answer="PreferencesAnswer",
            body="PreferencesBody",
            query=(_NAMED,),
        ),
    },
    "/topics": {
        "get": _operation(
            "get_own_topics", "Get what one follows", "All topics that this person follows.", answer="TopicsAnswer"
        ),
        "put": _operation(
            "put_own_topics",
            "Follow topics, or leave them",
            "Follows those in `follow` and leaves those in `unfollow`; the others stay. Topics that begin with "
            "`private:` are followed through the App's server alone.",
            answer="TopicsAnswer",
            body="TopicsBody",
        ),
    },
    "/feed": {
        "get": _operation(
            "get_feed",
            "Read one's feed",
            "What the person was told, newest first, in their language.",
            answer="FeedAnswer",
            query=(
                _asked("limit", "How many at most, up to 100.", "integer"),
                _asked("cursor", "`next_cursor` of the page before."),
                _asked("archived", "`true` for what was put away."),
                _LOCALE,
            ),
        )
    },
    "/feed/stream": {
        "get": _operation(
            "follow_feed",
            "Follow one's feed",
            "Server-sent events: `item` with an item that came, `counts` with what is to be read. `Last-Event-ID` "
            "(an event's id, or `newest` of a page) goes on from there.",
            answer="",
            query=(_LOCALE,),
            media="text/event-stream",
        )
    },
    "/feed/read": {
        "post": _operation("read_feed", "Mark as read", _MARKS, answer="FeedCountsAnswer", body="FeedMarks")
    },
    "/feed/archive": {
        "post": _operation("archive_feed", "Put away", _MARKS, answer="FeedCountsAnswer", body="FeedMarks")
    },
    "/feed/seen": {
        "post": _operation(
            "see_feed", "Note that the bell was opened", "What is there now is nothing new.", answer="FeedCountsAnswer"
        )
    },
}
