"""What a template will do, told without running it: its filters looked at, its names gathered, its work counted."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from typing import Any

from liquid import BoundTemplate, Node
from liquid.builtin.expressions import FilteredExpression, Path, StringLiteral
from liquid.builtin.expressions.arguments import KeywordArgument
from liquid.builtin.expressions.filtered import Filter as Use
from liquid.builtin.expressions.primitive import RangeLiteral
from liquid.builtin.tags.for_tag import ForNode
from liquid.expression import Expression

from tidings.lib.liquid.environment import MOST_ROUNDS
from tidings.lib.liquid.fault import LiquidFault
from tidings.lib.liquid.filters import FILTERS, FORMATS, Filter

MOST_WORK = 10_000
"""Steps of a template at its worst, every loop running as long as it may. A step takes about two microseconds."""

_COMPARISON = 10
"""Steps that a comparison counts for: it looks at whole texts."""

_DEEPEST = 60
"""Expressions in expressions: how far the parser and the template go down."""

_COMPARES = frozenset(
    {"EqExpression", "NeExpression", "LeExpression", "GeExpression", "LtExpression", "GtExpression"}
    | {"ContainsExpression", "_AnyExpression"}
)


def work_of(template: BoundTemplate) -> tuple[int, bool]:
    """Count a template's steps at its worst, and say whether it reads the time zone. Raises LiquidFault."""
    walk = _Walk()
    for node in template.nodes:
        walk.node(node, in_loop=False)
    if walk.steps > MOST_WORK:
        raise LiquidFault("The template does too much: use fewer tags and filters, above all inside of loops.")
    return walk.steps, walk.reads_zone


class _Walk:
    def __init__(self) -> None:
        self.steps = 0
        self.reads_zone = False

    def node(self, node: Node, *, in_loop: bool) -> None:
        self._count(1, in_loop=in_loop)
        for one in node.expressions():
            self._expression(one, in_loop=in_loop)
        expression = getattr(node, "expression", None)  # `elsif` and `when` do not name theirs
        if isinstance(expression, Expression) and expression not in list(node.expressions()):
            self._expression(expression, in_loop=in_loop)
        for child in _children(node):
            self.node(child, in_loop=in_loop or isinstance(node, ForNode))

    def _count(self, steps: int, *, in_loop: bool) -> None:
        self.steps += steps * (MOST_ROUNDS if in_loop else 1)

    def _expression(self, expression: Expression, *, in_loop: bool, depth: int = 0) -> None:
        if depth > _DEEPEST:
            raise LiquidFault(
                "An expression is too deep; assign a part of it to a name first.", line_of(expression.token)
            )
        if isinstance(expression, RangeLiteral):
            raise LiquidFault("There are no ranges; go over a list.", line_of(expression.token))
        if isinstance(expression, Path) and not isinstance(expression.path[0], str):
            raise LiquidFault("A variable begins with its name.", line_of(expression.token))
        self._count(_COMPARISON if type(expression).__name__ in _COMPARES else 1, in_loop=in_loop)
        if isinstance(expression, FilteredExpression):
            for use in expression.filters or ():
                kind = _check_use(use)
                self.reads_zone |= kind.reads_zone
                self._count(kind.work, in_loop=in_loop)
        for child in expression.children():
            self._expression(child, in_loop=in_loop, depth=depth + 1)


def _children(node: Node) -> Iterator[Node]:
    yield from node.children(None, include_partials=False)  # type: ignore[arg-type] # only partials would ask it


def _check_use(use: Use) -> Filter:
    line = line_of(use.token)
    kind = FILTERS.get(use.name)
    if kind is None:
        near = difflib.get_close_matches(use.name, FILTERS, n=1)
        instead = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(FILTERS)}."
        raise LiquidFault(f"There is no filter {use.name[:32]!r}; {instead}", line)
    named = [one.name for one in use.args if isinstance(one, KeywordArgument)]
    places = len(use.args) - len(named)
    if unknown := [one for one in named if one not in kind.names]:
        allowed = f"it takes {', '.join(kind.names)}" if kind.names else "it takes none by name"
        raise LiquidFault(f"The filter {use.name!r} has no argument {unknown[0][:32]!r}; {allowed}.", line)
    if not kind.least <= places <= kind.most:
        takes = str(kind.least) if kind.least == kind.most else f"{kind.least} to {kind.most}"
        raise LiquidFault(f"The filter {use.name!r} takes {takes} values, not {places}.", line)
    if kind.names and "other" not in named:
        raise LiquidFault(f'The filter {use.name!r} needs a form for all other numbers: other: "# things".', line)
    if use.name == "date" and use.args and (form := _literal(use.args[0].value)) not in (None, *FORMATS):
        raise LiquidFault(f"There is no format {form!r}; there are {', '.join(FORMATS)}.", line)
    return kind


def _literal(expression: Expression) -> str | None:
    return str(expression.value)[:24] if isinstance(expression, StringLiteral) else None


def line_of(token: Any) -> int:
    """Tell in which line something stands, from 1."""
    if token is None or token.start_index < 0:
        return 1
    return int(token.source.count("\n", 0, token.start_index)) + 1
