"""Tables of segments and of what people follow."""

from __future__ import annotations

from sqlalchemy import (
    Column,
    ForeignKeyConstraint,
    Identity,
    Index,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
)

from tidings.storage.columns import Big, Json, Moment
from tidings.storage.tables.metadata import metadata

segments = Table(
    "segments",
    metadata,
    Column("id", Big, Identity(), nullable=False),
    Column("public_id", Text, nullable=False),
    Column("app_id", Big, nullable=False),
    Column("name", Text, nullable=False),
    Column("filter", Json, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("updated_at", Moment, nullable=False),
    PrimaryKeyConstraint("id", name="pk_segments"),
    UniqueConstraint("public_id", name="uq_segments_public_id"),
    UniqueConstraint("app_id", "name", name="uq_segments_app_id_name"),
    ForeignKeyConstraint(["app_id"], ["apps.id"], name="fk_segments_app_id"),
    sqlite_autoincrement=True,
    sqlite_strict=True,
)

follows = Table(
    "follows",
    metadata,
    Column("app_id", Big, nullable=False),
    Column("topic", Text, nullable=False),
    # Not a foreign key: somebody may follow before the App's server says anything of them.
    Column("user_external_id", Text, nullable=False),
    Column("created_at", Moment, nullable=False),
    PrimaryKeyConstraint("app_id", "topic", "user_external_id", name="pk_follows"),
    ForeignKeyConstraint(["app_id"], ["apps.id"], name="fk_follows_app_id"),
    Index("ix_follows_app_id_user_external_id", "app_id", "user_external_id", "topic"),
    sqlite_with_rowid=False,
    sqlite_strict=True,
)
