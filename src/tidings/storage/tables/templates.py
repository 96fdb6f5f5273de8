"""Tables of templates."""

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

templates = Table(
    "templates",
    metadata,
    Column("id", Big, Identity(), nullable=False),
    Column("public_id", Text, nullable=False),
    Column("app_id", Big, nullable=False),
    Column("name", Text, nullable=False),
    # Not a foreign key: a template may be written before the type is declared, and outlive it.
    Column("event_type", Text),
    Column("language", Text, nullable=False),
    Column("message", Json, nullable=False),
    Column("version", Big, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("updated_at", Moment, nullable=False),
    PrimaryKeyConstraint("id", name="pk_templates"),
    UniqueConstraint("public_id", name="uq_templates_public_id"),
    UniqueConstraint("app_id", "name", name="uq_templates_app_id_name"),
    ForeignKeyConstraint(["app_id"], ["apps.id"], name="fk_templates_app_id"),
    Index("ix_templates_app_id_id", "app_id", "id"),
    sqlite_autoincrement=True,
    sqlite_strict=True,
)
