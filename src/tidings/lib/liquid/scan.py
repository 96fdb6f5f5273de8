"""A first look at a template, in one pass: only what comes through is handed to the parser.

The parser's patterns take time that grows with the square or the cube of what is never closed, so nothing unclosed,
no overlong tag and no unknown tag reaches them.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator

from tidings.lib.liquid.fault import LiquidFault

LONGEST_SOURCE = 4_096
"""Characters of a template."""

LONGEST_TAG = 300
"""Characters between the braces."""

MOST_TAGS = 250
DEEPEST_INDEX = 4
"""Brackets in one tag: each is an index into what stands before it."""

TAGS = ("if", "unless", "case", "for", "assign", "comment")
"""What begins a block or sets a name; the words inside of blocks come with them."""

_INNER = {"elsif", "else", "when"}
_KNOWN = frozenset(TAGS) | _INNER | {f"end{tag}" for tag in TAGS if tag != "assign"}
_OPENS = re.compile(r"\{\{|\{%")
_NAME = re.compile(r"-?\s*(\w*)")
_SPACES = re.compile(r"\s{20}")
_QUOTED = re.compile(r""" "[^"]*" | '[^']*' """, re.VERBOSE)


def checked(source: str) -> bool:
    """Look a template over; False where it has no gaps at all, and is its own result. Raises LiquidFault."""
    if len(source) > LONGEST_SOURCE:
        raise LiquidFault(f"A template has at most {LONGEST_SOURCE} characters; this one has {len(source)}.")
    number = 0
    for inside, is_tag, at in _tags(source):
        number += 1
        line = source.count("\n", 0, at) + 1
        if number > MOST_TAGS:
            raise LiquidFault(f"A template has at most {MOST_TAGS} tags; leave some out.", line)
        _check(inside, is_tag, line)
    return number > 0


def _tags(source: str) -> Iterator[tuple[str, bool, int]]:
    """Give what stands in each pair of braces, whether it is a tag, and where it begins."""
    at = 0
    while (opens := _OPENS.search(source, at)) is not None:
        begin = opens.start()
        is_tag = opens.group() == "{%"
        end = source.find("%}" if is_tag else "}}", begin + 2, begin + 4 + LONGEST_TAG)
        if end < 0:
            closing = "%}" if is_tag else "}}"
            raise LiquidFault(
                f"{opens.group()} is not closed: {closing} is missing within {LONGEST_TAG} characters.",
                source.count("\n", 0, begin) + 1,
            )
        yield source[begin + 2 : end], is_tag, begin
        at = end + 2


def _check(inside: str, is_tag: bool, line: int) -> None:
    if _OPENS.search(inside):
        raise LiquidFault("A tag begins inside of another one; close that first, with }} or %}.", line)
    if not inside.strip(" \t\r\n-"):
        raise LiquidFault("There is nothing between the braces; write a variable's name.", line)
    if _SPACES.search(inside) or any(character < " " and character not in "\t\r\n" for character in inside):
        raise LiquidFault("Between the braces are too many spaces, or control characters; leave them out.", line)
    bare = _QUOTED.sub("", inside)
    if bare.count("[") > DEEPEST_INDEX or "(" in bare:
        raise LiquidFault(
            f"A tag has at most {DEEPEST_INDEX} brackets, and neither ranges such as (1..5) nor parentheses.", line
        )
    if is_tag and (name := _name_of(inside)) not in _KNOWN:
        near = difflib.get_close_matches(name, _KNOWN, n=1)
        instead = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(TAGS)}."
        raise LiquidFault(f"There is no tag {name[:32]!r}; {instead}", line)


def _name_of(inside: str) -> str:
    named = _NAME.match(inside)
    return named.group(1) if named else ""
