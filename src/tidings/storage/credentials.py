"""Integrations and their keys: rows of `integrations` and `credentials`; a key's secret is sealed."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import ColumnElement, bindparam, delete, func, select, update

from tidings.domain.app import Credential, CredentialStatus, Integration
from tidings.domain.subscription import SubscriptionStatus
from tidings.storage.dialects import Dialect, Prepared
from tidings.storage.relay_status import after_its_key
from tidings.storage.scope import AnyRow, Scope
from tidings.storage.tables.apps import credentials, integrations, pauses
from tidings.storage.tables.subscriptions import subscriptions


@cache
def _by_id(dialect: Dialect) -> Prepared:
    return dialect.prepare(select(credentials).where(credentials.c.id == bindparam("id")))


@cache
def _of_app(dialect: Dialect) -> Prepared:
    of_app = select(integrations).where(integrations.c.app_id == bindparam("app"))
    return dialect.prepare(of_app.order_by(integrations.c.id))


@cache
def _paused(dialect: Dialect) -> Prepared:
    paused = select(pauses.c.credential_id, pauses.c.origin)
    of_app = paused.join(credentials, credentials.c.id == pauses.c.credential_id)
    return dialect.prepare(of_app.where(credentials.c.app_id == bindparam("app_id")))


def _context(integration_id: int, fingerprint: str) -> str:
    return f"credentials|secret|{integration_id}|{fingerprint}"


class SqlCredentials:
    """Implements `storage.Credentials`."""

    def __init__(self, scope: Scope) -> None:
        self._scope = scope

    def ensure_integration(
        self, app_id: int, provider: str, *, public_id: str, label: str, settings: Mapping[str, str], now: datetime
    ) -> Integration:
        """Give the App's integration of that provider, made now if there is none."""
        found = self.integration(app_id, provider)
        if found is not None:
            return found
        self._scope.connection.execute(
            self._scope.dialect.insert_missing(integrations).values(
                public_id=public_id,
                app_id=app_id,
                provider=provider,
                label=label,
                settings=dict(settings),
                created_at=now,
            )
        )
        stored = self.integration(app_id, provider)
        assert stored is not None
        return stored

    def integration(self, app_id: int, provider: str) -> Integration | None:
        """Give the App's first integration of that provider."""
        return next((one for one in self.integrations(app_id) if one.provider == provider), None)

    def integrations(self, app_id: int) -> list[Integration]:
        """List the App's integrations, oldest first."""
        found = _of_app(self._scope.dialect).records(self._scope.connection, {"app": app_id})
        return [_integration(row) for row in found]

    def find(self, app_id: int, public_id: str) -> Integration | None:
        """Find an integration of the App."""
        query = select(integrations).where(integrations.c.app_id == app_id, integrations.c.public_id == public_id)
        row = self._scope.connection.execute(query).first()
        return _integration(row) if row else None

    def add_integration(
        self, app_id: int, provider: str, *, public_id: str, label: str, settings: Mapping[str, str], now: datetime
    ) -> Integration | None:
        """Store a further integration; None when the App has one of that provider with that label."""
        added = self._scope.dialect.insert_missing(integrations).values(
            public_id=public_id,
            app_id=app_id,
            provider=provider,
            label=label,
            settings=dict(settings),
            created_at=now,
        )
        self._scope.connection.execute(added)
        return self.find(app_id, public_id)

    def rename(self, integration_id: int, label: str) -> bool:
        """Give it another label; False when another one of its provider has that."""
        one, other = integrations.alias(), integrations.alias()
        taken = (
            select(other.c.id)
            .join(one, (one.c.app_id == other.c.app_id) & (one.c.provider == other.c.provider))
            .where(one.c.id == integration_id, other.c.id != integration_id, other.c.label == label)
        )
        if self._scope.connection.execute(taken).first() is not None:
            return False
        self._set(integration_id, label=label)
        return True

    def remove(self, integration_id: int, *, reason: str) -> int:
        """Forget an integration and its keys; its devices expire with that reason, as nothing reaches them."""
        keys = select(credentials.c.id).where(credentials.c.integration_id == integration_id)
        execute = self._scope.connection.execute
        mine = subscriptions.c.credential_id.in_(keys)
        self._scope.dialect.hold_in_order(self._scope.connection, subscriptions.c.id, mine)
        ended = execute(
            update(subscriptions)
            .where(mine, subscriptions.c.status == SubscriptionStatus.ACTIVE)
            .values(status=SubscriptionStatus.EXPIRED, status_reason=reason)
        ).rowcount
        execute(update(subscriptions).where(mine).values(credential_id=None, status=after_its_key()))
        execute(delete(pauses).where(pauses.c.credential_id.in_(keys)))
        execute(delete(credentials).where(credentials.c.integration_id == integration_id))
        execute(delete(integrations).where(integrations.c.id == integration_id))
        return ended

    def set_integration(self, integration_id: int, *, settings: Mapping[str, str]) -> None:
        """Replace the settings."""
        self._set(integration_id, settings=dict(settings))

    def pause(self, credential_id: int, origin: str, *, reason: str, now: datetime) -> None:
        """Send nothing more with this key to this origin, and say why; a removed one pauses nothing."""
        owner = select(credentials.c.integration_id).where(credentials.c.id == credential_id)
        its = self._scope.connection.execute(owner.with_for_update(read=True, key_share=True)).scalar()
        if its is None:
            return
        new = {"credential_id": credential_id, "origin": origin, "reason": reason, "since": now}
        self._scope.connection.execute(self._scope.dialect.insert_missing(pauses).values(new))
        self._set(its, paused_because=reason)

    def paused(self, app_id: int) -> set[tuple[int, str]]:
        """Give the (credential id, origin) pairs of an App that are paused."""
        return set(map(tuple, _paused(self._scope.dialect).rows(self._scope.connection, {"app_id": app_id})))

    def resume(self, integration_id: int) -> None:
        """End every pause of an integration's keys."""
        keys = select(credentials.c.id).where(credentials.c.integration_id == integration_id)
        self._scope.connection.execute(delete(pauses).where(pauses.c.credential_id.in_(keys)))
        self._set(integration_id, paused_because=None)

    def _set(self, integration_id: int, **values: Any) -> None:
        self._scope.connection.execute(update(integrations).where(integrations.c.id == integration_id).values(values))

    def add(
        self, integration_id: int, *, fingerprint: str, secret: bytes, settings: Mapping[str, str], now: datetime
    ) -> Credential:
        """Store a key as the current one and retire the one before; a key that is known becomes current again."""
        owner = self._scope.connection.execute(
            select(integrations.c.app_id, integrations.c.provider).where(integrations.c.id == integration_id)
        ).one()
        self._retire_current(integration_id)
        stored = self._scope.dialect.upsert(
            credentials, key=("integration_id", "fingerprint"), update=("secret", "settings", "status")
        ).values(
            integration_id=integration_id,
            app_id=owner.app_id,
            provider=owner.provider,
            fingerprint=fingerprint,
            secret=self._scope.sealer.seal(secret, context=_context(integration_id, fingerprint)),
            settings=dict(settings),
            status=CredentialStatus.CURRENT,
            created_at=now,
        )
        return self._credential(self._scope.connection.execute(stored.returning(credentials)).one())

    def replace(
        self, integration_id: int, *, fingerprint: str, secret: bytes, settings: Mapping[str, str], now: datetime
    ) -> Credential:
        """Store a key in the place of the integration's one key, with all devices of it; the first one is added."""
        there = self.of_integration(integration_id)
        if not there:
            return self.add(integration_id, fingerprint=fingerprint, secret=secret, settings=settings, now=now)
        sealed = self._scope.sealer.seal(secret, context=_context(integration_id, fingerprint))
        changed = (
            update(credentials)
            .where(credentials.c.id == there[0].id)
            .values(fingerprint=fingerprint, secret=sealed, settings=dict(settings), created_at=now)
        )
        return self._credential(self._scope.connection.execute(changed.returning(credentials)).one())

    def of_integration(self, integration_id: int) -> list[Credential]:
        """List the keys of an integration, newest first."""
        return self._list(credentials.c.integration_id == integration_id)

    def current(self, app_id: int, provider: str) -> Credential | None:
        """Give the key that new subscriptions are made with."""
        return self._first(*_of(app_id, provider), credentials.c.status == CredentialStatus.CURRENT)

    def by_fingerprint(self, app_id: int, provider: str, fingerprint: str) -> Credential | None:
        """Find by the key's public name, whatever its status."""
        return self._first(*_of(app_id, provider), credentials.c.fingerprint == fingerprint)

    def by_id(self, credential_id: int) -> Credential | None:
        """Find by id, whatever its status."""
        found = _by_id(self._scope.dialect).records(self._scope.connection, {"id": credential_id})
        return self._credential(found[0]) if found else None

    def all(self, app_id: int, provider: str) -> list[Credential]:
        """List the keys of a provider in an App, newest first."""
        return self._list(*_of(app_id, provider))

    def set_status(self, credential_id: int, status: CredentialStatus) -> None:
        """Change a key's status; making it current retires the one before."""
        if status is CredentialStatus.CURRENT:
            found = self.by_id(credential_id)
            if found is None:
                return
            self._retire_current(found.integration_id)
        changed = update(credentials).where(credentials.c.id == credential_id)
        self._scope.connection.execute(changed.values(status=status))

    def set_settings(self, credential_id: int, settings: Mapping[str, str]) -> None:
        """Replace what is kept with a key."""
        changed = update(credentials).where(credentials.c.id == credential_id)
        self._scope.connection.execute(changed.values(settings=dict(settings)))

    def usage(self, app_id: int, provider: str) -> dict[int, int]:
        """Count active subscriptions by the credential they were made with; a credential without any is left out."""
        query = (
            select(subscriptions.c.credential_id, func.count())
            .where(
                subscriptions.c.app_id == app_id,
                subscriptions.c.status == SubscriptionStatus.ACTIVE,
                subscriptions.c.credential_id.in_(select(credentials.c.id).where(*_of(app_id, provider))),
            )
            .group_by(subscriptions.c.credential_id)
        )
        return dict(self._scope.connection.execute(query).all())

    def unseen(self, integration_id: int, *, since: datetime) -> int:
        """Count the active devices of an integration that were last seen before that."""
        keys = select(credentials.c.id).where(credentials.c.integration_id == integration_id)
        query = (
            select(func.count())
            .select_from(subscriptions)
            .where(
                subscriptions.c.credential_id.in_(keys),
                subscriptions.c.status == SubscriptionStatus.ACTIVE,
                subscriptions.c.last_seen_at < since,
            )
        )
        found: int = self._scope.connection.execute(query).scalar_one()
        return found

    def _retire_current(self, integration_id: int) -> None:
        self._scope.connection.execute(
            update(credentials)
            .where(credentials.c.integration_id == integration_id, credentials.c.status == CredentialStatus.CURRENT)
            .values(status=CredentialStatus.RETIRED)
        )

    def _first(self, *conditions: ColumnElement[bool]) -> Credential | None:
        return next(iter(self._list(*conditions, most=1)), None)

    def _list(self, *conditions: ColumnElement[bool], most: int | None = None) -> list[Credential]:
        query = select(credentials).where(*conditions).order_by(credentials.c.id.desc()).limit(most)
        return [self._credential(row) for row in self._scope.connection.execute(query)]

    def _credential(self, row: AnyRow) -> Credential:
        return Credential(
            id=row.id,
            integration_id=row.integration_id,
            app_id=row.app_id,
            provider=row.provider,
            fingerprint=row.fingerprint,
            secret=self._scope.sealer.open(row.secret, context=_context(row.integration_id, row.fingerprint)),
            settings=row.settings,
            status=CredentialStatus(row.status),
            created_at=row.created_at,
        )


def _of(app_id: int, provider: str) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return credentials.c.app_id == app_id, credentials.c.provider == provider


def _integration(row: AnyRow) -> Integration:
    return Integration(
        id=row.id,
        public_id=row.public_id,
        app_id=row.app_id,
        provider=row.provider,
        label=row.label,
        settings=row.settings,
        paused_because=row.paused_because,
        created_at=row.created_at,
    )
