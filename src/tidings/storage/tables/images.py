"""The table of uploaded pictures."""

from __future__ import annotations

from sqlalchemy import (
    Column,
    ForeignKeyConstraint,
    Identity,
    Index,
    LargeBinary,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
)

from tidings.storage.columns import Big, Moment
from tidings.storage.tables.metadata import metadata

images = Table(
    "images",
    metadata,
    Column("id", Big, Identity(), nullable=False),
    Column("public_id", Text, nullable=False),
    Column("app_id", Big, nullable=False),
    Column("sha256", LargeBinary, nullable=False),
    Column("media_type", Text, nullable=False),
    Column("width", Big, nullable=False),
    Column("height", Big, nullable=False),
    Column("size", Big, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("used_at", Moment, nullable=False),
    # Last, so that a list of the others does not walk through the pages of all pictures.
    Column("data", LargeBinary, nullable=False),
    PrimaryKeyConstraint("id", name="pk_images"),
    UniqueConstraint("public_id", name="uq_images_public_id"),
    UniqueConstraint("app_id", "sha256", name="uq_images_app_id_sha256"),
    ForeignKeyConstraint(["app_id"], ["apps.id"], name="fk_images_app_id"),
    Index("ix_images_app_id_id", "app_id", "id"),
    Index("ix_images_used_at", "used_at"),
    sqlite_autoincrement=True,
    sqlite_strict=True,
)
