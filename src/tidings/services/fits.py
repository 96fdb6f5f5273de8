"""How a message fits the ways to devices: its bytes for each push service, and what is not simply shown there."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from tidings.domain.message import Message, Rendered
from tidings.domain.showing import Showing, Shown, Shows, Size, used_by
from tidings.pipeline.render import render
from tidings.providers import CHANNELS, ChecksMessages, provider

NOT_JSON = "The message has data that cannot be written as JSON."


@dataclass(frozen=True, slots=True)
class Fit:
    """One way to devices. `fault` is why nothing can be sent there; `unshown` are members with what becomes of them."""

    channel: str
    sizes: tuple[Size, ...]
    fault: str
    unshown: tuple[tuple[str, Showing], ...]


def fits(message: Message, *, channels: Iterable[str] = CHANNELS) -> tuple[Fit, ...]:
    """Measure a message in its longest language for each channel, in the order of all channels."""
    rendered = [render(message, language) for language in (None, *message.locales)]
    wanted = frozenset(channels)
    return tuple(_fit(name, rendered) for name in CHANNELS if name in wanted)


def _fit(channel: str, rendered: list[Rendered]) -> Fit:
    via: object = provider(channel)
    platforms = rendered[0].platforms
    if channel not in (platforms.channels((channel,)) or ()):
        return Fit(channel, (), platforms.fault((channel,)) or "", ())
    if not isinstance(via, Shows):
        return Fit(channel, (), "", ())
    unshown = tuple((name, via.shows[name]) for name in used_by(rendered[0]) if via.shows[name].shown is not Shown.YES)
    fault = via.fault(rendered[0]) if isinstance(via, ChecksMessages) else None
    try:
        measured = [via.sizes(one) for one in rendered]
    except (TypeError, ValueError, RecursionError):
        return Fit(channel, (), NOT_JSON, unshown)
    longest = tuple(max(sizes, key=lambda one: one.size) for sizes in zip(*measured, strict=True))
    return Fit(channel, longest, f"{fault.field}: {fault.message}" if fault else "", unshown)
