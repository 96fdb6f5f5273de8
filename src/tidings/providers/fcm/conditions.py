"""Conditions: which topics a device has to follow, written as FCM reads them."""

from __future__ import annotations

import re

MOST_TOPICS = 5
"""Topics of one condition (Send to topics, firebase.google.com)."""
LONGEST = 1_000
"""Characters; five topics with long names have fewer."""

TOPIC = re.compile(r"[A-Za-z0-9-_.~%]{1,900}", re.ASCII)
_TOPIC_IN = re.compile(r"'[A-Za-z0-9-_.~%]{1,900}' in topics\b", re.ASCII)
_ONE = "\0"
"""In place of a part that is well formed: no condition that is typed has it."""
_AROUND = re.compile(r" *(\0|&&|\|\||[!()]) *")
_STEPS = (re.compile(r"!\0"), re.compile(r"\(\0\)"), re.compile(r"\0(?:&&|\|\|)\0"))
"""Each makes one part of parts; what is a single one in the end is well formed."""


def fault_of(condition: str) -> str | None:
    """Say what is wrong with a condition, None if nothing is."""
    if len(condition) > LONGEST:
        return f"It has more than {LONGEST} characters."
    bare, topics = _TOPIC_IN.subn(_ONE, condition.replace(_ONE, "?"))
    if topics > MOST_TOPICS:
        return f"It names {topics} topics; FCM takes {MOST_TOPICS} at most."
    left, before = _AROUND.sub(r"\1", bare), None
    while left != before:
        before = left
        for step in _STEPS:
            left = step.sub(_ONE, left)
    if left != _ONE:
        return "Write it as `'a' in topics && ('b' in topics || !('c' in topics))`, with up to 5 topics."
    return None
