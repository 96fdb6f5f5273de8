"""Segments: rows of `segments`, and whom conditions hold for."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ColumnElement, and_, case, delete, exists, func, or_, select, update

from tidings.domain.app import User
from tidings.domain.audience import Everyone, Matching
from tidings.domain.filters import (
    FALSE,
    Filter,
    Root,
    filter_from_json,
    json_from_filter,
    naming,
    of_people,
    topic_named,
)
from tidings.domain.segment import Estimate, Segment
from tidings.domain.subscription import SubscriptionStatus
from tidings.storage import recipients as reading
from tidings.storage.audiences import Kind, kind_of, predicate, source
from tidings.storage.filters import Conditions, asks_for, named_by
from tidings.storage.follows import SqlFollows
from tidings.storage.scope import AnyRow, Scope
from tidings.storage.tables.apps import users
from tidings.storage.tables.segments import segments
from tidings.storage.tables.subscriptions import subscriptions
from tidings.storage.users import user_from

c = segments.c
COUNTED = 100_000
"""Devices looked at one by one for a count; of more, a part is."""

SAMPLES = 20
"""Parts that are looked at, spread over all devices: those of one time are not like those of another."""


class SqlSegments:
    """Implements `storage.Segments`."""

    def __init__(self, scope: Scope) -> None:
        self._scope = scope

    def add(self, app_id: int, *, public_id: str, name: str, conditions: Filter, now: datetime) -> Segment | None:
        """Store a segment; None when the App has one of that name."""
        values = {
            "app_id": app_id,
            "public_id": public_id,
            "name": name,
            "filter": json_from_filter(conditions),
            "created_at": now,
            "updated_at": now,
        }
        statement = self._scope.dialect.insert_missing(segments).returning(*segments.c)
        row = self._scope.connection.execute(statement, values).first()
        return None if row is None else _segment(row)

    def get(self, app_id: int, public_id: str) -> Segment | None:
        """Find by public id."""
        query = select(segments).where(c.app_id == app_id, c.public_id == public_id)
        row = self._scope.connection.execute(query).first()
        return None if row is None else _segment(row)

    def by_name(self, app_id: int, name: str) -> Segment | None:
        """Find by name."""
        row = self._scope.connection.execute(select(segments).where(c.app_id == app_id, c.name == name)).first()
        return None if row is None else _segment(row)

    def total(self, app_id: int) -> int:
        """Count an App's segments."""
        query = select(func.count()).select_from(segments).where(c.app_id == app_id)
        return self._scope.connection.execute(query).scalar_one()

    def page(self, app_id: int, *, after: int, limit: int) -> list[Segment]:
        """List newest first; `after` is the id of the last one seen, 0 to begin."""
        query = select(segments).where(c.app_id == app_id).order_by(c.id.desc()).limit(limit)
        if after:
            query = query.where(c.id < after)
        return [_segment(row) for row in self._scope.connection.execute(query)]

    def update(self, segment_id: int, *, name: str | None, conditions: Filter | None, now: datetime) -> Segment | None:
        """Change what is not None; None when another one of the App has that name."""
        values: dict[str, object] = {"updated_at": now}
        if name is not None:
            values["name"] = name
        if conditions is not None:
            values["filter"] = json_from_filter(conditions)
        mine = select(c.app_id).where(c.id == segment_id).scalar_subquery()
        taken = select(c.id).where(c.app_id == mine, c.id != segment_id, c.name == name)
        if name is not None and self._scope.connection.execute(taken).first() is not None:
            return None
        statement = update(segments).where(c.id == segment_id).values(values).returning(*segments.c)
        return _segment(self._scope.connection.execute(statement).one())

    def delete(self, app_id: int, public_id: str) -> bool:
        """Forget a segment; what was sent to it stays as it was."""
        gone = delete(segments).where(c.app_id == app_id, c.public_id == public_id)
        return self._scope.connection.execute(gone).rowcount == 1

    def estimate(self, app_id: int, conditions: Filter, *, at: datetime) -> Estimate:
        """Count the devices that conditions hold for: exactly, or by samples where there are very many."""
        named = naming(conditions) is not None
        total = 0 if named else reading.count(self._scope, app_id, Everyone())
        if total <= COUNTED:
            return Estimate(reading.count(self._scope, app_id, Matching(conditions, at, few=named)), exact=True)
        kind = kind_of(Matching(conditions, at))
        holds = func.sum(case((Conditions(self._scope.dialect, at).sql(conditions), 1), else_=0))
        low, high = self._ends(app_id)
        seen = held = 0
        for n in range(SAMPLES):
            after = low - 1 + (high - low) * n // SAMPLES
            window = self._window(app_id, after, COUNTED // SAMPLES)
            query = (
                select(func.count(), func.coalesce(holds, 0))
                .select_from(source(kind))
                .where(self._active, subscriptions.c.id > after, subscriptions.c.id <= window)
                .params(app_id=app_id)
            )
            looked, matched = self._scope.connection.execute(query).one()
            seen, held = seen + looked, held + matched
        return Estimate(round(held / seen * total) if seen else 0, exact=False)

    def people(self, app_id: int, conditions: Filter, *, at: datetime, after: int = 0, limit: int = 500) -> list[User]:
        """Read the next people the App knows for whom conditions hold, by id; a device only where one is asked for."""
        of_devices = Root.SUBSCRIPTION in asks_for(conditions)
        holds = Conditions(self._scope.dialect, at, people=not of_devices).sql(conditions)
        if of_devices:
            s = subscriptions.c
            theirs = (s.app_id == app_id, s.user_external_id == users.c.external_id)
            holds = exists().where(*theirs, s.status == SubscriptionStatus.ACTIVE, holds).correlate(users)
            if (alone := of_people(conditions)) != FALSE:
                holds = or_(holds, Conditions(self._scope.dialect, at, people=True).sql(alone))
        place: ColumnElement[int] = users.c.id
        if self._names_few(app_id, conditions):
            holds = and_(named_by(self._scope.dialect, conditions, users.c.external_id), holds)
            place = self._scope.dialect.unindexed(place)
        query = select(users).where(users.c.app_id == app_id, place > after, holds).order_by(place).limit(limit)
        return [user_from(row) for row in self._scope.connection.execute(query, {"app_id": app_id})]

    def _names_few(self, app_id: int, conditions: Filter) -> bool:
        """Say whether conditions name people, and few enough to look for them by name."""
        topic = topic_named(conditions)
        return naming(conditions) is not None and (topic is None or SqlFollows(self._scope).few(app_id, topic))

    @property
    def _active(self) -> ColumnElement[bool]:
        return predicate(self._scope.dialect, Kind(Everyone))

    def _ends(self, app_id: int) -> tuple[int, int]:
        ids = select(func.min(subscriptions.c.id), func.max(subscriptions.c.id)).where(self._active)
        low, high = self._scope.connection.execute(ids, {"app_id": app_id}).one()
        return low, high

    def _window(self, app_id: int, after: int, size: int) -> int:
        ids = select(subscriptions.c.id).where(self._active, subscriptions.c.id > after)
        nth = ids.order_by(subscriptions.c.id).offset(size - 1).limit(1)
        end: int | None = self._scope.connection.execute(nth, {"app_id": app_id}).scalar()
        return end if end is not None else 2**63 - 1


def _segment(row: AnyRow) -> Segment:
    return Segment(
        id=row.id,
        public_id=row.public_id,
        app_id=row.app_id,
        name=row.name,
        filter=filter_from_json(row.filter),
        created_at=row.created_at,
        updated_at=row.updated_at,
    )
