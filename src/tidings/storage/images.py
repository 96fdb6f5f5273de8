"""Uploaded pictures: rows of `images`."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ColumnElement, delete, func, insert, select, update

from tidings.domain.image import Image, NewImage
from tidings.storage.clearing import delete_some
from tidings.storage.scope import AnyRow, Scope
from tidings.storage.tables.apps import apps
from tidings.storage.tables.images import images

c = images.c
_KNOWN = tuple(column for column in images.columns if column.name not in ("data", "sha256"))


class SqlImages:
    """Implements `storage.Images`."""

    def __init__(self, scope: Scope) -> None:
        self._scope = scope

    def add(self, app_id: int, new: NewImage, *, public_id: str, now: datetime) -> Image:
        """Store a picture."""
        values = {
            "app_id": app_id,
            "public_id": public_id,
            "sha256": new.sha256,
            "media_type": new.media_type,
            "width": new.width,
            "height": new.height,
            "size": len(new.data),
            "data": new.data,
            "created_at": now,
            "used_at": now,
        }
        return _image(self._scope.connection.execute(insert(images).values(values).returning(*_KNOWN)).one())

    def by_content(self, app_id: int, sha256: bytes) -> Image | None:
        """Find the one with these bytes."""
        return self._one(c.app_id == app_id, c.sha256 == sha256)

    def get(self, app_id: int, public_id: str) -> Image | None:
        """Find an App's own by its public id."""
        return self._one(c.app_id == app_id, c.public_id == public_id)

    def find(self, public_id: str) -> Image | None:
        """Find it whichever App it is of, unless that is being erased."""
        there = select(apps.c.id).where(apps.c.erased_at.is_(None))
        return self._one(c.public_id == public_id, c.app_id.in_(there))

    def data(self, image_id: int) -> bytes | None:
        """Give its bytes."""
        found = self._scope.connection.execute(select(c.data).where(c.id == image_id)).scalar_one_or_none()
        return None if found is None else bytes(found)

    def page(self, app_id: int, *, after: int, limit: int) -> list[Image]:
        """List newest first; `after` is the id of the last one seen, 0 to begin."""
        query = select(*_KNOWN).where(c.app_id == app_id).order_by(c.id.desc()).limit(limit)
        if after:
            query = query.where(c.id < after)
        return [_image(row) for row in self._scope.connection.execute(query)]

    def total(self, app_id: int) -> tuple[int, int]:
        """Give how many an App has, and their bytes together."""
        query = select(func.count(), func.coalesce(func.sum(c.size), 0)).where(c.app_id == app_id)
        count, size = self._scope.connection.execute(query).one()
        return int(count), int(size)

    def touch(self, image_id: int, *, now: datetime) -> None:
        """Write down that it is used."""
        self._scope.connection.execute(update(images).where(c.id == image_id, c.used_at < now).values(used_at=now))

    def delete(self, image_id: int) -> None:
        """Remove it; whatever names its address shows no picture any more."""
        self._scope.connection.execute(delete(images).where(c.id == image_id))

    def purge(self, *, before: datetime, limit: int) -> int:
        """Remove some that nobody has used since then; give how many."""
        return delete_some(self._scope, images, c.used_at < before, limit=limit)

    def _one(self, *conditions: ColumnElement[bool]) -> Image | None:
        row = self._scope.connection.execute(select(*_KNOWN).where(*conditions)).first()
        return _image(row) if row else None


def _image(row: AnyRow) -> Image:
    return Image(
        id=row.id,
        public_id=row.public_id,
        app_id=row.app_id,
        media_type=row.media_type,
        width=row.width,
        height=row.height,
        size=row.size,
        created_at=row.created_at,
        used_at=row.used_at,
    )
