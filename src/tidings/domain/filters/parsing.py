"""Reading the text form of conditions, a part of what CEL has.

condition = and { "||" and }          and = one { "&&" one }
one       = "!" one | "(" condition ")" | "true" | "false" | "has(" field ")" | comparison
comparison = subject ("==" | "!=" | "<" | "<=" | ">" | ">=" | "in") value | subject "." method "(" value ")"
subject   = field | "ignoreCase(" field ")"
field     = root { "." name | "[" text "]" }
value     = text | number | "true" | "false" | "null" | field | "[" values "]" | timestamp("...") | version("...")
"""

from __future__ import annotations

from typing import NoReturn

from tidings.domain.filters.limits import LONGEST_LIST, LONGEST_PATH, MOST_NODES
from tidings.domain.filters.printing import METHODS, SIGNS
from tidings.domain.filters.scanning import Token, scan, wrong
from tidings.domain.filters.tree import (
    FALSE,
    RELATIVE,
    TRUE,
    AllOf,
    AnyOf,
    Compare,
    Field,
    Filter,
    Not,
    Op,
    Root,
    Scalar,
    Value,
    Version,
)
from tidings.domain.filters.values import length_of, moment_from

DEEPEST = 32
"""Parentheses within each other that are read; how deep a tree may be is checked later."""

_BY_SIGN = {sign: op for op, sign in SIGNS.items()}
_BY_METHOD = {name: op for op, name in METHODS.items()}
_INSTEAD = {"and": "&&", "AND": "&&", "or": "||", "OR": "||"}
_ROOTS = {root.value: root for root in Root}


def filter_from_text(source: str) -> Filter:
    """Read the text form. Raises FILTER_INVALID with the place and what was expected there."""
    return _Parser(source).whole()


class _Parser:
    def __init__(self, source: str) -> None:
        self._source = source
        self._tokens = scan(source)
        self._next = next(self._tokens)
        self._compared = 0
        self._depth = 0

    def whole(self) -> Filter:
        tree = self._any()
        if self._next.value in _INSTEAD and self._next.kind == "word":
            raise wrong(self._source, self._next.at, f"Write `{_INSTEAD[self._next.value]}`.")
        if self._next.kind != "end":
            self._fail("`&&`, `||` or the end")
        return tree

    def _any(self) -> Filter:
        self._depth += 1
        if self._depth > DEEPEST:
            raise wrong(self._source, self._next.at, f"Parentheses are nested up to {DEEPEST} levels.")
        parts = [self._all()]
        while self._taken("||"):
            parts.append(self._all())
        self._depth -= 1
        return parts[0] if len(parts) == 1 else AnyOf(tuple(parts))

    def _all(self) -> Filter:
        parts = [self._one()]
        while self._taken("&&"):
            parts.append(self._one())
        return parts[0] if len(parts) == 1 else AllOf(tuple(parts))

    def _one(self) -> Filter:
        self._compared += 1
        if self._compared > 2 * MOST_NODES:
            raise wrong(self._source, self._next.at, f"Conditions have up to {MOST_NODES} parts.")
        if self._taken("!"):
            self._depth += 1
            if self._depth > DEEPEST:
                raise wrong(self._source, self._next.at, f"Negations are nested up to {DEEPEST} levels.")
            part = self._one()
            self._depth -= 1
            return Not(part)
        if self._taken("("):
            tree = self._any()
            self._expect(")")
            return tree
        word = self._next.value if self._next.kind == "word" else ""
        if word in ("true", "false"):
            self._advance()
            return TRUE if word == "true" else FALSE
        if word == "has":
            return Compare(self._called("has"), Op.EXISTS)
        return self._comparison(word == "ignoreCase")

    def _comparison(self, ignore_case: bool) -> Filter:
        field, method = (self._called("ignoreCase"), None) if ignore_case else self._field()
        if ignore_case and self._taken("."):
            method = self._advance()
        if method is not None:
            return self._method(field, method, ignore_case)
        sign = self._advance() if self._next.value in ("!=", *_BY_SIGN) and self._next.kind != "text" else None
        if sign is None:
            self._fail("a comparison such as `==`, `<`, `in` or `.contains(...)`")
        if self._next.kind == "word" and self._next.value == "null" and sign.value in ("==", "!="):
            self._advance()
            there = Compare(field, Op.EXISTS)
            return there if sign.value == "!=" else Not(there)
        op = _BY_SIGN.get(sign.value, Op.EQUALS)
        value = self._listed() if op is Op.IN else self._value()
        compare = Compare(field, op, value, ignore_case)
        return Not(compare) if sign.value == "!=" else compare

    def _method(self, field: Field, method: Token, ignore_case: bool) -> Filter:
        op = _BY_METHOD.get(method.value)
        if op is None:
            raise wrong(
                self._source, method.at, f"There is no `{method.value[:40]}()`; there is {', '.join(_BY_METHOD)}."
            )
        self._expect("(")
        at = self._next.at
        value = self._value()
        if op in RELATIVE:
            value = length_of(value) if isinstance(value, str) else None
            if value is None:
                raise wrong(self._source, at, 'A length of time is written like "30m", "12h", "7d" or "2w".')
        self._expect(")")
        return Compare(field, op, value, ignore_case)

    def _called(self, name: str) -> Field:
        """Read `name(field)`."""
        self._advance()
        self._expect("(")
        field, method = self._field()
        if method is not None:
            raise wrong(self._source, method.at, f"`{name}` takes a field.")
        self._expect(")")
        return field

    def _field(self) -> tuple[Field, Token | None]:
        """Read a field, and the last name apart where it is called."""
        root = _ROOTS.get(self._next.value) if self._next.kind == "word" else None
        if root is None:
            self._fail("a field such as `user.plan` or `event.severity`")
        self._advance()
        path: list[str] = []
        while len(path) <= LONGEST_PATH:
            if self._taken("["):
                path.append(self._kind("text", "a name in double quotes").value)
                self._expect("]")
            elif self._taken("."):
                name = self._kind("word", 'a name; one with other signs is written ["..."]')
                if self._next.value == "(" and self._next.kind == "sign":
                    return Field(root, tuple(path)), name
                path.append(name.value)
            else:
                break
        return Field(root, tuple(path)), None

    def _value(self) -> Value:
        token = self._next
        if token.kind == "word" and token.value in _ROOTS:
            field, method = self._field()
            if method is not None:
                raise wrong(self._source, method.at, "A value has no methods; begin with the field that is asked for.")
            return field
        if token.kind == "word" and token.value in ("timestamp", "version"):
            self._advance()
            self._expect("(")
            text = self._kind("text", "a text")
            self._expect(")")
            return self._moment(text) if token.value == "timestamp" else Version(text.value)
        return self._scalar()

    def _moment(self, text: Token) -> Value:
        moment = moment_from(text.value)
        if moment is None:
            raise wrong(self._source, text.at, "A time is written like 2026-11-26T12:00:00Z.")
        return moment

    def _scalar(self) -> Scalar:
        token = self._next
        if token.kind == "text":
            return self._advance().value
        if token.kind == "number":
            text = self._advance().value
            return int(text) if text.lstrip("-").isdigit() else float(text)
        if token.kind == "word" and token.value in ("true", "false"):
            return self._advance().value == "true"
        self._fail('a value such as "text", 5, true or timestamp("...")')

    def _listed(self) -> Value:
        if self._next.kind == "word":
            return self._value()
        self._expect("[")
        values: list[Scalar] = []
        while not self._taken("]"):
            if values:
                self._expect(",")
            if len(values) == LONGEST_LIST:
                raise wrong(self._source, self._next.at, f"A list has up to {LONGEST_LIST} values.")
            values.append(self._scalar())
        return tuple(values)

    def _advance(self) -> Token:
        token = self._next
        if token.kind != "end":
            self._next = next(self._tokens)
        return token

    def _taken(self, sign: str) -> bool:
        if self._next.kind == "sign" and self._next.value == sign:
            self._advance()
            return True
        return False

    def _expect(self, sign: str) -> None:
        if not self._taken(sign):
            self._fail(f"`{sign}`")

    def _kind(self, kind: str, wanted: str) -> Token:
        if self._next.kind != kind:
            self._fail(wanted)
        return self._advance()

    def _fail(self, wanted: str) -> NoReturn:
        token = self._next
        found = "the end" if token.kind == "end" else f"`{token.value[:40]}`"
        raise wrong(self._source, token.at, f"Expected {wanted}, found {found}.")
