"""A template: parsed once, rendered for many."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from liquid import BoundTemplate
from liquid.exceptions import LiquidError

from tidings.lib.liquid.cost import line_of, work_of
from tidings.lib.liquid.environment import LINKS, WORDS, Context, Full, Sheet
from tidings.lib.liquid.fault import LiquidFault
from tidings.lib.liquid.filters import LONGEST
from tidings.lib.liquid.reader import Reader
from tidings.lib.liquid.scan import checked

Path = tuple[str, ...]
"""A variable as its names from the outside in, such as ("user", "name"): as far as they are known beforehand."""

_NOBODY = Reader()


class Template:
    """Text with gaps. `variables` are the paths that it reads; `reads_zone` where it writes moments down.

    `work` are the steps of `cost.py` that it takes at its worst.
    """

    def __init__(
        self, source: str, parsed: BoundTemplate | None, variables: frozenset[Path], *, reads_zone: bool, work: int = 0
    ) -> None:
        self.source = source
        self.work = work
        self.variables = variables
        self.reads_zone = reads_zone
        self._parsed = parsed

    def render(
        self, variables: Mapping[str, Any], *, reader: Reader = _NOBODY, most: int = LONGEST, cut: bool = False
    ) -> str:
        """Fill the gaps with plain JSON values. Raises LiquidFault.

        The result has at most `most` characters: a longer one is cut there, or is a fault where it must be whole.
        """
        if self._parsed is None:
            return _within(self.source, most, cut=cut)
        sheet = Sheet(most)
        context = Context(self._parsed, variables, reader)
        try:
            for node in self._parsed.nodes:
                node.render(context, sheet)
        except Full:
            return _within(sheet.getvalue() + "…", most, cut=cut)
        except LiquidFault:
            raise
        except LiquidError as fault:
            raise LiquidFault(_words_of(fault), line_of(fault.token)) from None
        except Exception as fault:  # whatever values do inside of the library, it is said of the template
            raise LiquidFault(
                "The template cannot be filled with what it was handed; look at the values of its variables."
            ) from fault
        return sheet.getvalue()


def parse(source: str, *, url: bool = False, reserved: Collection[str] = ()) -> Template:
    """Read a template; every tag, filter and argument is looked at now. Raises LiquidFault and nothing else.

    In a `url` what is filled in is percent-encoded, except where it begins the URL. A name that is `reserved` cannot
    be set by the template.
    """
    if not checked(source):
        return Template(source, None, frozenset(), reads_zone=False)
    try:
        parsed = (LINKS if url else WORDS).from_string(source)
        work, reads_zone = work_of(parsed)
        variables = _variables(parsed, reserved)
    except LiquidFault:
        raise
    except LiquidError as fault:
        raise LiquidFault(_words_of(fault), line_of(fault.token)) from None
    except Exception as fault:  # whatever a text does inside of the library, it is said of the text
        raise LiquidFault("This cannot be read as a template; write gaps as {{ name }}.") from fault
    return Template(source, parsed, variables, reads_zone=reads_zone, work=work)


def _variables(parsed: BoundTemplate, reserved: Collection[str]) -> frozenset[Path]:
    found = parsed.analyze(include_partials=False)
    for name in found.locals:
        if name in reserved or name in found.globals:
            raise LiquidFault(f"{name[:32]!r} is a variable already; assign to another name.")
    return frozenset(_path(one.segments) for several in found.globals.values() for one in several)


def _path(segments: list[Any]) -> Path:
    """Give the names up to the first that is only known when it runs; `size`, `first` and `last` are of the value."""
    names: list[str] = []
    for segment in segments:
        if not isinstance(segment, str) or (names and segment in ("size", "first", "last")):
            break
        names.append(segment)
    return tuple(names)


def _within(text: str, most: int, *, cut: bool) -> str:
    if len(text) <= most:
        return text
    if not cut:
        raise LiquidFault(f"The result is longer than {most} characters.")
    return text[: max(0, most - 1)].rstrip() + "…"


def _words_of(fault: LiquidError) -> str:
    words = str(fault.message or "This cannot be read as a template; write gaps as {{ name }}.").strip()
    return words[:1].upper() + words[1:200] + ("" if words.endswith(".") else ".")
