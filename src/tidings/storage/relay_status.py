"""The statuses of relays, by which their rows in `subscriptions` are told from those of devices."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from sqlalchemy import ColumnElement, case

from tidings.storage.tables.subscriptions import subscriptions

RELAY: Final = "relay"
"""A topic or a condition: its row goes when nothing was sent to it for long."""
CHANNEL: Final = "channel"
"""A broadcast channel, which stays until it is deleted."""
ENDED: Final = "relay_ended"

STATUSES: Sequence[str] = (RELAY, CHANNEL, ENDED)
SENDABLE: Sequence[str] = (RELAY, CHANNEL)

c = subscriptions.c


def is_device() -> ColumnElement[bool]:
    """Say that a row of `subscriptions` is a browser or device."""
    return c.status.not_in(STATUSES)


def after_its_key() -> ColumnElement[str]:
    """Give the status of a row whose key was taken away: relays end, a device's says already what became of it."""
    return case((c.status.in_(SENDABLE), ENDED), else_=c.status)
