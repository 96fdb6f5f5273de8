"""How a trigger's definition looks in the database."""

from __future__ import annotations

from typing import Any

import msgspec

from tidings.domain.filters import filter_from, json_from_filter
from tidings.domain.message import Urgency
from tidings.domain.rules import json_from_rule, rule_from_json
from tidings.domain.trigger import Definition, Digest, Throttle, Unless, Words
from tidings.storage.codec import json_from_message, message_from_json


def json_from_definition(one: Definition) -> dict[str, Any]:
    """Give a definition as plain JSON values; name, type and `enabled` have columns of their own."""
    return {
        "audience": json_from_rule(one.audience),
        "words": {
            "template": one.words.template,
            "message": None if one.words.message is None else json_from_message(one.words.message),
            "language": one.words.language,
        },
        "conditions": None if one.conditions is None else json_from_filter(one.conditions),
        "channels": None if one.channels is None else list(one.channels),
        "throttle": msgspec.to_builtins(one.throttle),
        "delay": one.delay,
        "unless": msgspec.to_builtins(one.unless),
        "digest": msgspec.to_builtins(one.digest),
        "urgency": one.urgency,
        "ttl": one.ttl,
    }


def definition_from_json(stored: dict[str, Any], *, name: str, event_type: str, enabled: bool) -> Definition:
    """Read a stored definition."""
    words = stored["words"]
    return Definition(
        name=name,
        event_type=event_type,
        audience=rule_from_json(stored["audience"]),
        words=Words(
            template=words["template"],
            message=None if words["message"] is None else message_from_json(words["message"]),
            language=words["language"],
        ),
        conditions=None if stored["conditions"] is None else filter_from(stored["conditions"]),
        channels=None if stored["channels"] is None else tuple(stored["channels"]),
        throttle=msgspec.convert(stored["throttle"], Throttle | None),
        delay=stored["delay"],
        unless=msgspec.convert(stored["unless"], Unless | None),
        digest=msgspec.convert(stored["digest"], Digest | None),
        urgency=None if stored["urgency"] is None else Urgency(stored["urgency"]),
        ttl=stored["ttl"],
        enabled=enabled,
    )
