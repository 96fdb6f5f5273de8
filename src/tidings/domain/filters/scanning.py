"""Words and signs of the text form, with where they stand."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from tidings.domain.errors import CatalogueError, FieldFault
from tidings.domain.filters.limits import LARGEST, refusal

LONGEST_NUMBER = 32

_TOKEN = re.compile(
    r"""(?P<space>[ \t\r\n]+)
    |(?P<text>"[^"\\\n]*(?:\\.[^"\\\n]*)*")
    |(?P<number>-?[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?)
    |(?P<word>[A-Za-z_][A-Za-z0-9_]*)
    |(?P<sign>&&|\|\||==|!=|<=|>=|[<>!()\[\].,])""",
    re.VERBOSE,
)
_ESCAPE = re.compile(r"\\(u[0-9a-fA-F]{4}|.)", re.DOTALL)
_PLAIN = {'"': '"', "\\": "\\", "/": "/", "n": "\n", "r": "\r", "t": "\t"}
_INSTEAD = {
    "=": "Write `==` to compare.",
    "&": "Write `&&` for and.",
    "|": "Write `||` for or.",
    "'": 'Texts are in double quotes: "...".',
}


@dataclass(frozen=True, slots=True)
class Token:
    """A word, sign, number or text; `value` is what it stands for, "" at the end."""

    kind: str
    value: str
    at: int


def scan(source: str) -> Iterator[Token]:
    """Walk the tokens, the last of kind `end`. Raises FILTER_INVALID."""
    if len(source) > LARGEST:
        raise refusal([FieldFault("", f"Conditions have up to {LARGEST} characters.")])
    at = 0
    while at < len(source):
        found = _TOKEN.match(source, at)
        if found is None:
            raise wrong(source, at, _unknown(source[at]))
        kind = found.lastgroup or ""
        if kind == "text":
            yield Token(kind, _unquoted(source, found[0], at), at)
        elif kind == "number" and len(found[0]) > LONGEST_NUMBER:
            raise wrong(source, at, "This number is too long; write longer ids as text.")
        elif kind != "space":
            yield Token(kind, found[0], at)
        at = found.end()
    yield Token("end", "", len(source))


def wrong(source: str, at: int, message: str) -> CatalogueError:
    """Make the error of a place in the source."""
    line = source.count("\n", 0, at) + 1
    column = at - (source.rfind("\n", 0, at) + 1) + 1
    place = f"Character {column}" if "\n" not in source else f"Line {line}, character {column}"
    return refusal([FieldFault("", f"{place}: {message}")])


def _unknown(sign: str) -> str:
    if sign == '"':
        return "This text does not end on its line."
    return _INSTEAD.get(sign, "This sign means nothing here.")


def _unquoted(source: str, quoted: str, at: int) -> str:
    def plain(found: re.Match[str]) -> str:
        escape = found[1]
        if escape[0] == "u" and len(escape) == 5:
            return chr(int(escape[1:], 16))
        if escape not in _PLAIN:
            raise wrong(
                source, at + 1 + found.start(), 'After a backslash comes one of " \\ n r t or u and four digits.'
            )
        return _PLAIN[escape]

    return _ESCAPE.sub(plain, quoted[1:-1])
