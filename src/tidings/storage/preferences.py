"""What people want to hear of, and when not: rows of `preferences` and `quiet_hours`."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import ColumnElement, and_, bindparam, delete, func, select

from tidings.domain.preference import PreferenceChannel, QuietHours, QuietWish, Standing
from tidings.storage.dialects import Dialect, Prepared
from tidings.storage.ports.preferences import Switch
from tidings.storage.scope import Scope
from tidings.storage.tables.apps import users
from tidings.storage.tables.preferences import preferences, quiet_hours
from tidings.storage.tables.subscriptions import subscriptions

p = preferences.c
q = quiet_hours.c
s = subscriptions.c


@cache
def _standings(dialect: Dialect) -> Prepared:
    said = and_(
        p.app_id == s.app_id,
        p.user_external_id == s.user_external_id,
        p.event_type == bindparam("event_type"),
        p.channel == PreferenceChannel.PUSH.value,
    )
    hours = and_(q.app_id == s.app_id, q.user_external_id == s.user_external_id)
    person = and_(users.c.app_id == s.app_id, users.c.external_id == s.user_external_id)
    zone = func.coalesce(s.time_zone, users.c.time_zone)
    return dialect.prepare(
        select(s.id, s.user_external_id, p.enabled, q.updated_at, q.begins, q.ends, q.time_zone, zone)
        .select_from(subscriptions.outerjoin(preferences, said).outerjoin(quiet_hours, hours).outerjoin(users, person))
        .where(dialect.any_of(s.id, "ids"))
    )


class SqlPreferences:
    """Implements `storage.Preferences`."""

    def __init__(self, scope: Scope) -> None:
        self._scope = scope

    def of_user(self, app_id: int, user: str) -> dict[Switch, bool]:
        """Give every switch that a person has turned."""
        rows = self._scope.connection.execute(
            select(p.event_type, p.channel, p.enabled)
            .where(p.app_id == app_id, p.user_external_id == user)
            .order_by(p.event_type, p.channel)
        )
        return {(row.event_type, PreferenceChannel(row.channel)): bool(row.enabled) for row in rows}

    def put(self, app_id: int, user: str, changes: Mapping[Switch, bool | None], *, now: datetime) -> None:
        """Turn switches; None goes back to the default."""
        of = {"app_id": app_id, "user_external_id": user}
        new = [
            {**of, "event_type": key, "channel": channel.value, "enabled": int(enabled), "updated_at": now}
            for (key, channel), enabled in changes.items()
            if enabled is not None
        ]
        if new:
            key = ("app_id", "user_external_id", "event_type", "channel")
            stored = self._scope.dialect.upsert(preferences, key=key, update=("enabled", "updated_at"))
            self._scope.connection.execute(stored, new)
        for (event_type, channel), enabled in changes.items():
            if enabled is None:
                one = (p.event_type == event_type, p.channel == channel.value)
                self._scope.connection.execute(
                    delete(preferences).where(p.app_id == app_id, p.user_external_id == user, *one)
                )

    def of_users(self, app_id: int, users: Sequence[str], switch: Switch) -> dict[str, bool]:
        """Give what some people said of one switch."""
        key, channel = switch
        query = select(p.user_external_id, p.enabled).where(
            p.app_id == app_id,
            self._scope.dialect.any_of(p.user_external_id, "users"),
            p.event_type == key,
            p.channel == channel.value,
        )
        rows = self._scope.connection.execute(query, {"users": self._scope.dialect.many(users)})
        return {row.user_external_id: bool(row.enabled) for row in rows}

    def quiet(self, app_id: int, user: str) -> QuietWish | None:
        """Give what a person said of quiet hours; None where they said nothing."""
        query = select(q.begins, q.ends, q.time_zone).where(*_whose(app_id, user))
        row = self._scope.connection.execute(query).first()
        return None if row is None else QuietWish(hours_from(row.begins, row.ends), row.time_zone)

    def set_quiet(self, app_id: int, user: str, wish: QuietWish | None, *, now: datetime) -> None:
        """Keep what a person says of quiet hours; None forgets that they said anything."""
        if wish is None:
            self._scope.connection.execute(delete(quiet_hours).where(*_whose(app_id, user)))
            return
        values: dict[str, Any] = {
            "app_id": app_id,
            "user_external_id": user,
            "begins": wish.hours.begins if wish.hours else None,
            "ends": wish.hours.ends if wish.hours else None,
            "time_zone": wish.time_zone,
            "updated_at": now,
        }
        update = ("begins", "ends", "time_zone", "updated_at")
        stored = self._scope.dialect.upsert(quiet_hours, key=("app_id", "user_external_id"), update=update)
        self._scope.connection.execute(stored, values)

    def standings(self, event_type: str, subscription_ids: Collection[int]) -> dict[int, Standing]:
        """Give what the people of some devices said of an event type's pushes, in one statement."""
        values = {"event_type": event_type, "ids": self._scope.dialect.many(list(subscription_ids))}
        rows = _standings(self._scope.dialect).rows(self._scope.connection, values)
        return {
            device: Standing(
                user=user,
                push=None if enabled is None else bool(enabled),
                quiet=None if said is None else QuietWish(hours_from(begins, ends), own_zone),
                time_zone=zone,
            )
            for device, user, enabled, said, begins, ends, own_zone, zone in rows
        }


def _whose(app_id: int, user: str) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return q.app_id == app_id, q.user_external_id == user


def hours_from(begins: int | None, ends: int | None) -> QuietHours | None:
    """Make hours of the columns of a row; None of one that says there are none."""
    return None if begins is None or ends is None else QuietHours(begins, ends)
