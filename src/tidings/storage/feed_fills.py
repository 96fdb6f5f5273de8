"""Putting a notification into the feeds of many who are not named: rows of `feed_fills`, each a place gone on from."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import delete, func, literal, or_, select, update

from tidings.domain.audience import Audience
from tidings.domain.campaign import Notification
from tidings.domain.feed import Fill, FillStage
from tidings.storage.audiences import kind_of, parameters, place, predicate, source
from tidings.storage.columns import Moment
from tidings.storage.scope import Scope
from tidings.storage.tables.apps import users
from tidings.storage.tables.notifications import notifications
from tidings.storage.tables.preferences import feed_fills
from tidings.storage.tables.subscriptions import subscriptions

f = feed_fills.c
n = notifications.c
s = subscriptions.c


class SqlFeedFills:
    """Implements `storage.FeedFills`."""

    def __init__(self, scope: Scope) -> None:
        self._scope = scope

    def begin(self, notification: Notification) -> None:
        """Note that it is to be put into feeds, from when it is to be sent."""
        values = {
            "notification_id": notification.id,
            "app_id": notification.app_id,
            "at": notification.send_at,
            "stage": FillStage.DEVICES,
            "cursor": 0,
        }
        self._scope.connection.execute(self._scope.dialect.insert_missing(feed_fills), values)

    def due(self, *, now: datetime, limit: int) -> list[Fill]:
        """Give those whose time has come, of each App the oldest; what the tripwire holds waits."""
        wanted = or_(n.id.is_(None), n.held_because.is_(None))
        oldest = (
            select(func.min(f.notification_id))
            .select_from(feed_fills.outerjoin(notifications, n.id == f.notification_id))
            .where(f.at <= literal(now, Moment), wanted)
            .group_by(f.app_id)
        )
        query = select(feed_fills).where(f.notification_id.in_(oldest)).order_by(f.at, f.notification_id)
        rows = self._scope.connection.execute(query.limit(limit))
        return [Fill(row.notification_id, FillStage(row.stage), row.cursor) for row in rows]

    def owners(self, app_id: int, audience: Audience, *, after: int, limit: int) -> list[tuple[int, str]]:
        """Give the next devices of an audience, by id, whose people the App knows by their devices alone."""
        dialect, kind = self._scope.dialect, kind_of(audience)
        at, known = place(dialect, kind), users.alias()
        theirs = (known.c.app_id == s.app_id, known.c.external_id == s.user_external_id)
        query = (
            select(s.id, s.user_external_id)
            .select_from(source(kind))
            .where(predicate(dialect, kind), s.user_external_id.is_not(None), at > after)
            .where(~select(known.c.id).where(*theirs).exists())
            .order_by(at)
            .limit(limit)
        )
        rows = self._scope.connection.execute(query, parameters(dialect, app_id, audience))
        return [(row.id, row.user_external_id) for row in rows]

    def still(self, stage: FillStage, rows: Mapping[int, str]) -> list[str]:
        """Give whose these rows are, by id, where they still are; nobody is erased until the end."""
        column, who = (users.c.id, users.c.external_id) if stage is FillStage.PEOPLE else (s.id, s.user_external_id)
        query = select(column, who).where(self._scope.dialect.any_of(column, "ids")).order_by(column)
        locked = query.with_for_update(read=True, key_share=True)
        found = self._scope.connection.execute(locked, {"ids": self._scope.dialect.many(list(rows))})
        return [name for row, name in found if name == rows[row]]

    def advance(self, fill: Fill, to: Fill | None) -> bool:
        """Go on from another place, or end with None; False when somebody else has gone on from there."""
        mine = (f.notification_id == fill.notification_id, f.stage == fill.stage, f.cursor == fill.cursor)
        moved = (
            delete(feed_fills).where(*mine)
            if to is None
            else update(feed_fills).where(*mine).values(stage=to.stage, cursor=to.cursor)
        )
        return self._scope.connection.execute(moved).rowcount == 1

    def drop(self, notification_id: int) -> None:
        """Put it into nobody's feed any more."""
        self._scope.connection.execute(delete(feed_fills).where(f.notification_id == notification_id))

    def clock_went_back(self, *, now: datetime, was: datetime) -> None:
        """Let what was due before the clock went back from `was` be due now."""
        late = update(feed_fills).where(f.at > literal(now, Moment), f.at <= literal(was, Moment))
        self._scope.connection.execute(late.values(at=now))
