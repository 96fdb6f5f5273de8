"""What a new message comes to in each of its languages, and for which push services that is too long."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import nullcontext, suppress

from tidings.domain.content import findings
from tidings.domain.errors import CatalogueError, ErrorCode, FieldFault
from tidings.domain.message import Message, Rendered
from tidings.domain.outcome import Refused
from tidings.pipeline.personal import Unrenderable, Words
from tidings.pipeline.render import render
from tidings.providers import ChecksMessages, LimitsRelays, Provider

Version = tuple[str | None, Rendered]
"""A message in one of its languages; None is what is written for all others."""


def versions(message: Message) -> Iterator[Version]:
    """Give a message in each of its languages, as far as it can be known before it is sent. Raises INVALID_REQUEST.

    What depends on the person is written for nobody in particular, and left out where that gives no message.
    """
    if message.templated is None:
        _refuse(FieldFault(one.field, one.words) for one in findings(message))
        for language in (None, *message.locales):
            yield language, render(message, language)
        return
    try:
        words = Words(message)
        for language in (None, *message.locales):
            with suppress(Unrenderable) if words.asks_for_user else nullcontext():
                yield language, words.render(language)
    except Unrenderable as fault:
        _refuse([FieldFault(fault.field, fault.words)])


def too_large_for(
    written: Sequence[Version], through: Iterable[Provider], *, relayed: bool
) -> tuple[tuple[str, int], ...]:
    """Give the push services for which the message is too long in one of its languages, and by how many bytes.

    Raises INVALID_REQUEST for what a provider cannot send, MESSAGE_TOO_LARGE for what none of its services takes.
    """
    over: dict[str, int] = {}
    for via in through:
        for language, rendered in written:
            fault = via.fault(rendered) if isinstance(via, ChecksMessages) else None
            if fault is not None:
                raise CatalogueError(ErrorCode.INVALID_REQUEST, f"{fault.field}: {fault.message}", faults=(fault,))
            write = via.draft_for_relay if relayed and isinstance(via, LimitsRelays) else via.draft
            draft = write(rendered)
            if isinstance(draft, Refused):
                where = f" in {language}" if language else ""
                raise CatalogueError(ErrorCode.MESSAGE_TOO_LARGE, f"The message{where} {draft.reason}.")
            for service, count in via.too_large_for(draft):
                over[service] = max(count, over.get(service, 0))
    return tuple(sorted(over.items()))


def _refuse(faults: Iterable[FieldFault]) -> None:
    found = tuple(faults)
    if found:
        raise CatalogueError(ErrorCode.INVALID_REQUEST, f"{found[0].field}: {found[0].message}", faults=found)
