"""Triggers: an event and the triggers of its type go in; which of them hold, and what each would say, comes out.

Pure: who they reach is asked in `reach.py`, how often they may fire in `firing.py`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from tidings.domain.app import App
from tidings.domain.audience import Audience, Through
from tidings.domain.event import Event
from tidings.domain.filters import Explanation, Field, Root, explain, fields_of, matches
from tidings.domain.message import Message, Templated
from tidings.domain.rules import UsersWhere
from tidings.domain.template import Template
from tidings.domain.trigger import Definition, key_of

Record = Mapping[str, Any]
DIGEST = "digest"
"""Under this name a digest's words find how many events there were, and their data."""

TOPICS = "topics"
"""Under this name conditions find what a person follows; no message says that."""

MOST_IN_DIGEST = 20
"""Events whose data a digest's words see, the newest; its count says how many there were."""


def holds(one: Definition, record: Record, now: datetime) -> bool:
    """Say whether a trigger's conditions hold."""
    return one.conditions is None or matches(one.conditions, record, now)


def why(one: Definition, record: Record, now: datetime) -> Explanation:
    """Say which comparisons decided."""
    return Explanation(True, ()) if one.conditions is None else explain(one.conditions, record, now)


def asks_for(definitions: Sequence[Definition]) -> set[Field]:
    """Give what conditions look at of an event, of whoever did it and of whom it concerns: no more of them is read."""
    asked: set[Field] = set()
    for one in definitions:
        if one.conditions is not None:
            asked |= fields_of(one.conditions)
        rules = [part.filter for part in one.audience.parts if isinstance(part, UsersWhere)]
        # A rule's `user` is whoever is looked for; that is asked of the database.
        asked |= {field for rule in rules for field in fields_of(rule) if field.root is not Root.USER}
    return asked


def variables_of(events: Sequence[Event], record: Record, app: App, *, count: int | None = None) -> dict[str, Any]:
    """Give what fills the gaps of a message: the data of the newest event, the actor, the App, and of a digest all."""
    actor = {name: value for name, value in (record.get("actor") or {}).items() if name != TOPICS}
    given = {**events[-1].data, "actor": actor, "app": {"name": app.name}}
    if count is not None:
        given[DIGEST] = {"count": count, "events": [one.data for one in events[-MOST_IN_DIGEST:]]}
    return given


def message_from(
    one: Definition, template: Template | None, variables: Mapping[str, Any], *, otherwise: str | None
) -> Message | None:
    """Give what a trigger says, with what fills its gaps; None where its template is gone."""
    words = one.words
    if words.message is not None:
        message = replace(words.message, templated=Templated(dict(variables), words.language, otherwise))
    elif template is not None:
        message = template.filled(variables, otherwise=otherwise)
    else:
        return None
    return replace(message, urgency=one.urgency or message.urgency, ttl=one.ttl or message.ttl)


def through(one: Definition, message: Message, audience: Audience) -> Audience:
    """Cut an audience down to the channels that a trigger goes through with what it says."""
    channels = message.platforms.channels(one.channels or None)
    return audience if channels is None or isinstance(audience, Through) else Through(audience, channels)


def throttle_key(one: Definition, record: Record) -> str:
    """Give the key that a trigger counts by."""
    return key_of(one.throttle.key, record) if one.throttle else ""


def pending_key(one: Definition, record: Record) -> str:
    """Give the key under which something waits: of a digest, or by which another event takes it back."""
    if one.digest is not None:
        return key_of(one.digest.key, record)
    return key_of(one.unless.key, record) if one.unless else ""
