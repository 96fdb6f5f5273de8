"""What is known of a whole audience: its devices counted by their keys, and by what their people said."""

from __future__ import annotations

from functools import lru_cache

from sqlalchemy import and_, bindparam, func, select

from tidings.domain.audience import Audience
from tidings.domain.outlook import Alike, Keyed
from tidings.domain.preference import PreferenceChannel, QuietWish, Standing
from tidings.storage.audiences import Kind, ended, kind_of, parameters, predicate, source
from tidings.storage.dialects import Dialect, Prepared
from tidings.storage.preferences import hours_from
from tidings.storage.scope import Scope
from tidings.storage.tables.apps import users
from tidings.storage.tables.preferences import preferences, quiet_hours
from tidings.storage.tables.subscriptions import subscriptions

p = preferences.c
q = quiet_hours.c
s = subscriptions.c

_kept = lru_cache(maxsize=128)
"""Keeps the statements of every plain kind, and those of the conditions looked at last."""


@_kept
def _keyed(dialect: Dialect, kind: Kind, by_origin: bool) -> Prepared:
    by = (s.credential_id, s.origin) if by_origin else (s.credential_id,)
    counted = select(*by, func.count()).select_from(source(kind)).where(predicate(dialect, kind))
    return dialect.prepare(counted.group_by(*by))


@_kept
def _ended(dialect: Dialect, kind: Kind) -> Prepared:
    lost = and_(ended(dialect, kind), s.status_reason == bindparam("reason"))
    return dialect.prepare(select(s.provider, func.count()).select_from(source(kind)).where(lost).group_by(s.provider))


@_kept
def _alike(dialect: Dialect, kind: Kind) -> Prepared:
    device, person = subscriptions.alias("device"), users.alias("person")
    d = device.c
    said = and_(
        p.app_id == d.app_id,
        p.user_external_id == d.user_external_id,
        p.event_type == bindparam("event_type"),
        p.channel == PreferenceChannel.PUSH.value,
    )
    hours = and_(q.app_id == d.app_id, q.user_external_id == d.user_external_id)
    whose = and_(person.c.app_id == d.app_id, person.c.external_id == d.user_external_id)
    zone = func.coalesce(d.time_zone, person.c.time_zone)
    by = (p.enabled, q.app_id, q.begins, q.ends, q.time_zone, zone)
    members = select(s.id).select_from(source(kind)).where(predicate(dialect, kind))
    return dialect.prepare(
        select(*by, func.count())
        .select_from(device.outerjoin(preferences, said).outerjoin(quiet_hours, hours).outerjoin(person, whose))
        .where(d.id.in_(members))
        .group_by(*by)
    )


class SqlOutlooks:
    """Implements `storage.Outlooks`."""

    def __init__(self, scope: Scope) -> None:
        self._scope = scope

    def keyed(self, app_id: int, audience: Audience, *, by_origin: bool) -> list[Keyed]:
        """Count the devices of an audience by their key, or by key and push service."""
        statement = _keyed(self._scope.dialect, kind_of(audience), by_origin)
        rows = statement.rows(self._scope.connection, parameters(self._scope.dialect, app_id, audience))
        return [Keyed(row[0], row[1] if by_origin else None, int(row[-1])) for row in rows]

    def ended(self, app_id: int, audience: Audience, *, reason: str) -> dict[str, int]:
        """Count, by provider, devices that would be in an audience if they had not expired for that reason."""
        values = parameters(self._scope.dialect, app_id, audience) | {"reason": reason}
        rows = _ended(self._scope.dialect, kind_of(audience)).rows(self._scope.connection, values)
        return {provider: int(devices) for provider, devices in rows}

    def has_quiet_hours(self, app_id: int) -> bool:
        """Say whether anybody in the App set quiet hours."""
        some = select(q.app_id).where(q.app_id == app_id, q.begins.is_not(None)).limit(1)
        return self._scope.connection.execute(some).first() is not None

    def alike(self, app_id: int, audience: Audience, event_type: str) -> list[Alike]:
        """Count the devices of an audience by what their people said of an event type and of quiet hours."""
        values = parameters(self._scope.dialect, app_id, audience) | {"event_type": event_type}
        rows = _alike(self._scope.dialect, kind_of(audience)).rows(self._scope.connection, values)
        found = []
        for enabled, said, begins, ends, own_zone, zone, devices in rows:
            quiet = None if said is None else QuietWish(hours_from(begins, ends), own_zone)
            push = None if enabled is None else bool(enabled)
            found.append(Alike(Standing(push=push, quiet=quiet, time_zone=zone), int(devices)))
        return found
