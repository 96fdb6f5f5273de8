"""Which triggers need something, so that nothing is deleted or changed under them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tidings.domain.trigger import Trigger
from tidings.storage import Transaction

_AT_ONCE = 100


def triggers_of(tx: Transaction, app_id: int) -> Iterator[Trigger]:
    """Give every trigger of an App, enabled or not, newest first, a page at a time."""
    after = 0
    while page := tx.triggers.page(app_id, after=after, limit=_AT_ONCE):
        after = page[-1].id
        yield from page


def saying(tx: Transaction, app_id: int, template: str) -> list[Trigger]:
    """Give the triggers that take their words from a template."""
    return [one for one in triggers_of(tx, app_id) if one.definition.words.template == template]


def named(triggers: Sequence[Trigger]) -> str:
    """Name the first, and how many there are besides."""
    more = f" and {len(triggers) - 1} more" if len(triggers) > 1 else ""
    return f"The trigger {triggers[0].definition.name!r} ({triggers[0].public_id}){more}"
