"""Who sent, paused, resumed and cancelled notifications: entries of the audit log, in the transaction of the change."""

from __future__ import annotations

from datetime import datetime

from tidings.domain.audience import Audience, Devices, Through, Users
from tidings.domain.audit import Action, Actor, ActorKind, Subject, is_person
from tidings.domain.campaign import Notification
from tidings.storage import Transaction


def note_created(tx: Transaction, stored: Notification, by: Actor, *, now: datetime) -> None:
    """Write down who sent it. What a program sends to people by name is its daily work, and kept with the message."""
    if is_person(by) or (by.kind is ActorKind.KEY and not _by_name(stored.audience)):
        detail = {"audience": stored.counts.audience, "held_because": stored.held_because}
        about = _subject(stored)
        tx.audit.add(by, Action.NOTIFICATION_CREATED, app_id=stored.app_id, subject=about, detail=detail, now=now)


def note_changed(tx: Transaction, stored: Notification, by: Actor, action: Action, *, now: datetime) -> None:
    """Write down who paused, resumed or cancelled it."""
    if by.kind is not ActorKind.SYSTEM:
        tx.audit.add(by, action, app_id=stored.app_id, subject=_subject(stored), now=now)


def _subject(stored: Notification) -> Subject:
    # Words to single people may hold what is theirs, and the log outlives an erasure.
    words = None if _by_name(stored.audience) else stored.message.title
    return Subject("notification", stored.public_id, words)


def _by_name(audience: Audience) -> bool:
    """Tell whether it is for people or devices that are named one by one, over whatever channels."""
    return isinstance(audience.of if isinstance(audience, Through) else audience, Users | Devices)
