"""The tables of what happened in Apps, and of what follows from it: event types, events, triggers, firings."""

from __future__ import annotations

from sqlalchemy import (
    Column,
    ForeignKeyConstraint,
    Index,
    LargeBinary,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from tidings.storage.columns import Big, Json, Moment, Small
from tidings.storage.tables.metadata import id_column, metadata

event_types = Table(
    "event_types",
    metadata,
    id_column(),
    Column("app_id", Big, nullable=False),
    Column("key", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("description", Text, nullable=False),
    Column("category", Text, nullable=False),
    Column("variables", Json, nullable=False),
    Column("examples", Json, nullable=False),
    Column("push", Small, nullable=False),
    Column("feed", Small, nullable=False),
    Column("mandatory", Small, nullable=False),
    # That of name, description and category; these in other languages, by tag.
    Column("language", Text, nullable=False, server_default=text("'en'")),
    Column("locales", Json, nullable=False, server_default=text("'{}'")),
    # Counts up with every change of it or of a trigger of it, by which workers see that what they keep is old.
    Column("edition", Big, nullable=False, server_default=text("1")),
    Column("created_at", Moment, nullable=False),
    Column("updated_at", Moment, nullable=False),
    PrimaryKeyConstraint("id", name="pk_event_types"),
    UniqueConstraint("app_id", "key", name="uq_event_types_app_id_key"),
    ForeignKeyConstraint(["app_id"], ["apps.id"], name="fk_event_types_app_id"),
    sqlite_autoincrement=True,
    sqlite_strict=True,
)

events = Table(
    "events",
    metadata,
    id_column(),
    Column("public_id", Text, nullable=False),
    Column("app_id", Big, nullable=False),
    Column("type", Text, nullable=False),
    # The sender's own id of it, and a hash of what was reported under it.
    Column("key", Text),
    Column("content", LargeBinary, nullable=False),
    Column("data", Json, nullable=False),
    Column("users", Json, nullable=False),
    Column("actor", Text),
    Column("occurred_at", Moment, nullable=False),
    Column("status", Text, nullable=False),
    Column("tries", Small, nullable=False, server_default=text("0")),
    Column("fault", Text),
    Column("replay_of", Text),
    Column("created_at", Moment, nullable=False),
    Column("done_at", Moment),
    PrimaryKeyConstraint("id", name="pk_events"),
    UniqueConstraint("public_id", name="uq_events_public_id"),
    UniqueConstraint("app_id", "key", name="uq_events_app_id_key"),
    ForeignKeyConstraint(["app_id"], ["apps.id"], name="fk_events_app_id"),
    Index("ix_events_app_id_id", "app_id", "id"),
    Index("ix_events_app_id_type_id", "app_id", "type", "id"),
    Index("ix_events_created_at", "created_at"),
    # What waits, App by App in the order in which it was stored.
    Index(
        "ix_events_queued",
        "app_id",
        "id",
        sqlite_where=text("status = 'queued'"),
        postgresql_where=text("status = 'queued'"),
    ),
    sqlite_autoincrement=True,
    sqlite_strict=True,
)

# Whom an event names, as its user or as its actor: found at once when somebody is shown, exported or erased.
event_people = Table(
    "event_people",
    metadata,
    Column("app_id", Big, nullable=False),
    Column("external_id", Text, nullable=False),
    Column("event_id", Big, nullable=False),
    PrimaryKeyConstraint("app_id", "external_id", "event_id", name="pk_event_people"),
    Index("ix_event_people_event_id", "event_id"),
    sqlite_strict=True,
    sqlite_with_rowid=False,
)

# One worker at a time takes an App's events, so that they come in their order.
event_lanes = Table(
    "event_lanes",
    metadata,
    Column("app_id", Big, nullable=False),
    Column("owner", Text, nullable=False),
    Column("token", Big, nullable=False),
    Column("leased_until", Moment, nullable=False),
    Column("served_at", Moment, nullable=False),
    PrimaryKeyConstraint("app_id", name="pk_event_lanes"),
    sqlite_strict=True,
)
