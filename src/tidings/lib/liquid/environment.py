"""python-liquid with everything taken away that is not needed, and what remains held to its limits."""

from __future__ import annotations

from collections.abc import Mapping
from io import StringIO
from typing import TextIO
from urllib.parse import quote

from liquid import BoundTemplate, Environment, Mode, RenderContext, Tag
from liquid.builtin import content, illegal, output
from liquid.builtin.tags import assign_tag, case_tag, comment_tag, for_tag, if_tag, unless_tag
from liquid.utils import ReadOnlyChainMap

from tidings.lib.liquid.filters import FILTERS, locked, text_of
from tidings.lib.liquid.reader import Reader

MOST_ROUNDS = 100
"""Rounds of a loop; of loops in loops, all rounds together."""


class Full(Exception):
    """The result has all the characters it may have."""


class Sheet(StringIO):
    """Takes so many characters and no more."""

    def __init__(self, most: int) -> None:
        super().__init__()
        self._left = most

    def write(self, text: str, /) -> int:
        """Take what there is room for. Raises Full."""
        taken = super().write(text[: self._left])
        self._left -= taken
        if taken < len(text):
            raise Full
        return taken


class Context(RenderContext):
    """What a template sees: what it was handed and what it set itself, and for whom it is. There is no clock."""

    __slots__ = ("reader",)

    def __init__(self, template: BoundTemplate, variables: Mapping[str, object], reader: Reader) -> None:
        super().__init__(template, globals=variables)
        self.scope = ReadOnlyChainMap(self.locals, self.globals)
        self.reader = reader


class _Printed(output.OutputNode):
    def render_to_output(self, context: RenderContext, buffer: TextIO) -> int:
        return buffer.write(text_of(self.expression.evaluate(context)))


class _Print(output.Output):
    node_class = _Printed


class _Quoted(output.OutputNode):
    """Inside of a URL: only a value that begins it may say where it leads; any other stays in its place."""

    def render_to_output(self, context: RenderContext, buffer: TextIO) -> int:
        text = text_of(self.expression.evaluate(context))
        return buffer.write(quote(text, safe="") if buffer.tell() else text.strip())


class _Quote(output.Output):
    node_class = _Quoted


class Locked(Environment):
    """Knows the tags and filters that are allowed, and no loader that could read anything."""

    block_nesting_limit = 8
    context_depth_limit = 12
    loop_iteration_limit = MOST_ROUNDS
    local_namespace_limit = 65_536
    suppress_blank_control_flow_blocks = False

    def __init__(self, *, url: bool) -> None:
        self._url = url
        super().__init__(tolerance=Mode.STRICT)

    def setup_tags_and_filters(self, *, extra: bool = False) -> None:
        """Register what is allowed, and nothing else."""
        assert not extra
        allowed: tuple[type[Tag], ...] = (
            content.Literal,
            illegal.Illegal,
            _Quote if self._url else _Print,
            if_tag.IfTag,
            unless_tag.UnlessTag,
            case_tag.CaseTag,
            for_tag.ForTag,
            assign_tag.AssignTag,
            comment_tag.CommentTag,
        )
        for tag in allowed:
            self.add_tag(tag)
        for name, kind in FILTERS.items():
            self.add_filter(name, locked(kind))


WORDS = Locked(url=False)
LINKS = Locked(url=True)
