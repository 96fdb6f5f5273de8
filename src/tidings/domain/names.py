"""By which words a person is found: those of the App's own id and of the attributes `name` and `email`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from tidings.domain.filters.values import fold

MOST = 24
"""Words kept of a person, and looked for at once."""

LONGEST = 40
"""Characters of a word; what is longer is told apart by these."""

ATTRIBUTES = ("name", "email")
"""Those that a person is found by."""

# From U+2E80 on are scripts that put no spaces between words: each of their signs is one.
_WORD = re.compile("[^\\W_\u2e80-\U0010ffff]+|(?=\\w)[\u2e80-\U0010ffff]")


def words_of(*texts: str) -> tuple[str, ...]:
    """Give the words of texts, without case, each once: runs of letters and digits."""
    found = (word[:LONGEST] for text in texts for word in _WORD.findall(fold(text)))
    return tuple(dict.fromkeys(found))[:MOST]


def names_of(external_id: str, attributes: Mapping[str, Any]) -> tuple[str, ...]:
    """Give the words that a person is found by."""
    texts = (attributes.get(name) for name in ATTRIBUTES)
    return words_of(external_id, *(text for text in texts if isinstance(text, str)))
