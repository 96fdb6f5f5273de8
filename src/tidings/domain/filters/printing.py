"""The text form of conditions: `user.plan == "pro" && !(subscription.tags.beta == "yes")`."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

from tidings.domain.filters.tree import AllOf, AnyOf, Compare, Field, Filter, Not, Op, Value, Version
from tidings.domain.filters.values import length_text

SIGNS = {
    Op.EQUALS: "==",
    Op.LESS: "<",
    Op.AT_MOST: "<=",
    Op.GREATER: ">",
    Op.AT_LEAST: ">=",
    Op.IN: "in",
}
METHODS = {
    Op.CONTAINS: "contains",
    Op.STARTS_WITH: "startsWith",
    Op.ENDS_WITH: "endsWith",
    Op.WITHIN_LAST: "withinLast",
    Op.MORE_THAN_AGO: "moreThanAgo",
    Op.WITHIN_NEXT: "withinNext",
}
NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_ESCAPED = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t"}
_SPECIAL = re.compile(r'["\\\x00-\x1f\x7f\u2028\u2029]')


def text_from_filter(tree: Filter) -> str:
    """Write conditions so that reading them gives the same tree again, but for joints of a single part."""
    match tree:
        case AllOf(()):
            return "true"
        case AnyOf(()):
            return "false"
        case AllOf((part,)) | AnyOf((part,)):
            return text_from_filter(part)
        case AllOf(parts):
            return " && ".join(map(_part, parts))
        case AnyOf(parts):
            return " || ".join(map(_part, parts))
        case Not(Compare(op=Op.EQUALS) as part):
            return _compare(part, "!=")
        case Not(Compare(op=Op.IN)):
            return f"!({text_from_filter(tree.part)})"
        case Not(part):
            inner = text_from_filter(part)
            return f"!{inner}" if _is_closed(part) else f"!({inner})"
        case Compare():
            return _compare(tree, SIGNS.get(tree.op, ""))


def _part(tree: Filter) -> str:
    inner = tree
    while isinstance(inner, AllOf | AnyOf) and len(inner.parts) == 1:
        inner = inner.parts[0]
    text = text_from_filter(inner)
    return f"({text})" if isinstance(inner, AllOf | AnyOf) and inner.parts else text


def _is_closed(tree: Filter) -> bool:
    """Say whether a text needs no parentheses after a `!`."""
    return isinstance(tree, Compare) and tree.op not in SIGNS


def _compare(compare: Compare, sign: str) -> str:
    field = field_text(compare.field)
    if compare.op is Op.EXISTS:
        return f"has({field})"
    if compare.ignore_case:
        field = f"ignoreCase({field})"
    if sign:
        return f"{field} {sign} {value_text(compare.value)}"
    return f"{field}.{METHODS[compare.op]}({value_text(compare.value)})"


def field_text(field: Field) -> str:
    """Write a field: `user.plan`, or `user["first name"]` where a name has signs of its own."""
    return field.root + "".join(f".{name}" if NAME.fullmatch(name) else f"[{_quoted(name)}]" for name in field.path)


def value_text(value: Value) -> str:
    """Write a value as a condition has it."""
    match value:
        case str():
            return _quoted(value)
        case bool():
            return "true" if value else "false"
        case datetime():
            return f'timestamp("{value.isoformat().replace("+00:00", "Z")}")'
        case timedelta():
            return f'"{length_text(value)}"'
        case Version(text):
            return f"version({_quoted(text)})"
        case Field():
            return field_text(value)
        case tuple():
            return f"[{', '.join(map(value_text, value))}]"
        case _:
            return repr(value)


def _quoted(text: str) -> str:
    return '"' + _SPECIAL.sub(_escape, text) + '"'


def _escape(found: re.Match[str]) -> str:
    return _ESCAPED.get(found[0]) or f"\\u{ord(found[0]):04x}"
