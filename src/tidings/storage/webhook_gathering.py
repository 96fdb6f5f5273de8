"""From the outbox to messages: what happened, cut to what each webhook wants, in as few requests as it fits into."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, delete, insert, literal_column, select, update

from tidings.domain.webhook import MOST_EVENTS, Happening, MessageStatus
from tidings.storage.outbox import bytes_from_happenings, happening_from, happenings_from_bytes
from tidings.storage.scope import Scope
from tidings.storage.tables.webhooks import webhook_messages, webhook_outbox, webhooks

w = webhooks.c
m = webhook_messages.c
o = webhook_outbox.c

WAITING: ColumnElement[bool] = literal_column("webhook_messages.status = 'waiting'")
"""Written out, not bound: only so does it match the condition of the partial index."""


def gather(scope: Scope, *, new_id: Callable[[], str], limit: int, now: datetime) -> int:
    """Make messages of up to `limit` rows of the outbox; give how many rows there were.

    Whoever else gathers at the same moment waits, and finds these rows gone.
    """
    first = select(o.id).order_by(o.id).limit(limit)
    found = scope.connection.execute(delete(webhook_outbox).where(o.id.in_(first)).returning(webhook_outbox)).all()
    by_app: dict[int, list[Happening]] = {}
    for row in sorted(found, key=lambda row: row.id):
        by_app.setdefault(row.app_id, []).append(happening_from(row.notification_id, row.at, row.events))
    for app_id, happened in by_app.items():
        query = select(w.id, w.kinds).where(w.app_id == app_id, w.enabled == 1).order_by(w.id)
        for webhook_id, kinds in scope.connection.execute(query).all():
            wanted = [cut for one in happened if (cut := _wanted(one, kinds)).events]
            if wanted:
                _add(scope, webhook_id, app_id, wanted, new_id=new_id, now=now)
    return len(found)


def new_row(webhook_id: int, app_id: int, *, public_id: str, now: datetime) -> dict[str, Any]:
    """Give what every new message has."""
    return {
        "public_id": public_id,
        "webhook_id": webhook_id,
        "app_id": app_id,
        "status": MessageStatus.WAITING,
        "test": 0,
        "created_at": now,
        "begun_at": now,
        "due_at": now,
        "last_failure": "",
    }


def _add(
    scope: Scope, webhook_id: int, app_id: int, happened: list[Happening], *, new_id: Callable[[], str], now: datetime
) -> None:
    # What was never sent has room for more: while a receiver is slow its messages grow, not their number.
    unsent = (WAITING, m.tries == 0, m.test == 0, m.begun_at == m.created_at, m.n_events < MOST_EVENTS)
    query = select(m.id, m.happenings).where(m.webhook_id == webhook_id, *unsent).order_by(m.id.desc()).limit(1)
    row = scope.connection.execute(query.with_for_update()).first()
    before = happenings_from_bytes(row.happenings) if row else []
    for place, (size, part) in enumerate(_parts(before, happened)):
        values: dict[str, Any] = {"happenings": bytes_from_happenings(part), "n_events": size}
        if row and place == 0:
            scope.connection.execute(update(webhook_messages).where(m.id == row.id).values(values))
        else:
            values |= new_row(webhook_id, app_id, public_id=new_id(), now=now)
            scope.connection.execute(insert(webhook_messages).values(values))


def _wanted(one: Happening, kinds: int) -> Happening:
    return one._replace(events=[told for told in one.events if kinds >> told.kind & 1])


def _parts(before: list[Happening], happened: Iterable[Happening]) -> list[tuple[int, list[Happening]]]:
    """Cut what happened into messages of up to 1 000 events, the first of which goes on with what it holds already."""
    parts = [(sum(len(one.events) for one in before), before)]
    for one in happened:
        left = one.events
        while left:
            size, part = parts[-1]
            room = MOST_EVENTS - size
            if room <= 0:
                parts.append((0, []))
                continue
            part.append(one._replace(events=left[:room], first=size))
            parts[-1] = (size + len(left[:room]), part)
            left = left[room:]
    return parts
