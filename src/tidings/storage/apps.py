"""Apps: rows of `apps`; the identity secret is sealed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, insert, select, update

from tidings.domain.app import App
from tidings.domain.errors import CatalogueError, ErrorCode
from tidings.storage.ports.apps import Kept
from tidings.storage.scope import AnyRow, Scope
from tidings.storage.tables.apps import apps

_THERE = apps.c.erased_at.is_(None)
"""An App that is being erased is found by nobody."""

# Every request asks for one of these: building a statement takes longer than executing it.
_all = select(apps).where(_THERE).order_by(apps.c.id)
_by_id = select(apps).where(apps.c.id == bindparam("app_id"), _THERE)
_by_public_id = select(apps).where(apps.c.public_id == bindparam("name"), _THERE)


def _context(public_id: str) -> str:
    return f"apps|identity_secret|{public_id}"


def _earlier_context(public_id: str) -> str:
    return f"apps|earlier_secret|{public_id}"


def hold(scope: Scope, app_id: int, kept: Kept) -> None:
    """Let nobody else count or change these of the App until the transaction ends."""
    scope.dialect.hold(scope.connection, f"{kept} {app_id}")


class SqlApps:
    """Implements `storage.Apps`."""

    def __init__(self, scope: Scope) -> None:
        self._scope = scope

    def hold(self, app_id: int, kept: Kept) -> None:
        """Let nobody else count or change these of the App until the transaction ends; before anything is read."""
        hold(self._scope, app_id, kept)

    def add(self, *, public_id: str, name: str, identity_secret: bytes, now: datetime) -> App:
        """Store a new App without origins."""
        row = self._scope.connection.execute(
            insert(apps)
            .values(
                public_id=public_id,
                name=name,
                origins=[],
                identity_secret=self._scope.sealer.seal(identity_secret, context=_context(public_id)),
                created_at=now,
            )
            .returning(apps)
        ).one()
        return self._app(row)

    def get(self, public_id: str) -> App | None:
        """Find by public id."""
        row = self._scope.connection.execute(_by_public_id, {"name": public_id}).first()
        return self._app(row) if row else None

    def by_id(self, app_id: int) -> App | None:
        """Find by id."""
        row = self._scope.connection.execute(_by_id, {"app_id": app_id}).first()
        return self._app(row) if row else None

    def all(self) -> list[App]:
        """List all, oldest first."""
        return [self._app(row) for row in self._scope.connection.execute(_all)]

    def update(
        self,
        app_id: int,
        *,
        name: str | None = None,
        origins: Sequence[str] | None = None,
        language: str | None = None,
    ) -> App:
        """Change what is given; raise APP_NOT_FOUND."""
        values: dict[str, Any] = {}
        if name is not None:
            values["name"] = name
        if origins is not None:
            values["origins"] = list(origins)
        if language is not None:
            values["language"] = language
        if values:
            self._scope.connection.execute(update(apps).where(apps.c.id == app_id).values(values))
        app = self.by_id(app_id)
        if app is None:
            raise CatalogueError(ErrorCode.APP_NOT_FOUND)
        return app

    def rotate_secret(self, app_id: int, secret: bytes, *, keep_until: datetime | None, now: datetime) -> App:
        """Put a new identity secret in force; the one before holds until then besides. Raises APP_NOT_FOUND."""
        row = self._scope.connection.execute(select(apps).where(apps.c.id == app_id, _THERE).with_for_update()).first()
        if row is None:
            raise CatalogueError(ErrorCode.APP_NOT_FOUND)
        known = self._app(row)
        kept = self._scope.sealer.seal(known.identity_secret, context=_earlier_context(row.public_id))
        values = {
            "identity_secret": self._scope.sealer.seal(secret, context=_context(row.public_id)),
            "secret_since": now,
            "earlier_secret": kept if keep_until else None,
            "earlier_until": keep_until,
        }
        changed = update(apps).where(apps.c.id == app_id).values(values).returning(apps)
        return self._app(self._scope.connection.execute(changed).one())

    def end_earlier_secret(self, app_id: int) -> App:
        """Let the identity secret before the one in force hold no longer. Raises APP_NOT_FOUND."""
        values = {"earlier_secret": None, "earlier_until": None}
        row = self._scope.connection.execute(
            update(apps).where(apps.c.id == app_id, _THERE).values(values).returning(apps)
        ).first()
        if row is None:
            raise CatalogueError(ErrorCode.APP_NOT_FOUND)
        return self._app(row)

    def _app(self, row: AnyRow) -> App:
        earlier = row.earlier_secret
        return App(
            id=row.id,
            public_id=row.public_id,
            name=row.name,
            origins=tuple(row.origins),
            identity_secret=self._scope.sealer.open(row.identity_secret, context=_context(row.public_id)),
            created_at=row.created_at,
            earlier_secret=self._scope.sealer.open(earlier, context=_earlier_context(row.public_id))
            if earlier
            else None,
            earlier_until=row.earlier_until,
            secret_since=row.secret_since,
            language=row.language,
        )
