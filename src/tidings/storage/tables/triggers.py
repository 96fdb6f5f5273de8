"""The tables of triggers: what they are, what came of each event, what they count and what is still to be sent."""

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

triggers = Table(
    "triggers",
    metadata,
    id_column(),
    Column("public_id", Text, nullable=False),
    Column("app_id", Big, nullable=False),
    Column("event_type", Text, nullable=False),
    # The type whose events take back what waits.
    Column("unless_type", Text),
    Column("name", Text, nullable=False),
    Column("enabled", Small, nullable=False),
    Column("definition", Json, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("updated_at", Moment, nullable=False),
    PrimaryKeyConstraint("id", name="pk_triggers"),
    UniqueConstraint("public_id", name="uq_triggers_public_id"),
    ForeignKeyConstraint(["app_id"], ["apps.id"], name="fk_triggers_app_id"),
    Index("ix_triggers_app_id_event_type", "app_id", "event_type"),
    Index(
        "ix_triggers_app_id_unless_type",
        "app_id",
        "unless_type",
        sqlite_where=text("unless_type IS NOT NULL"),
        postgresql_where=text("unless_type IS NOT NULL"),
    ),
    sqlite_autoincrement=True,
    sqlite_strict=True,
)

# What came of an event and a trigger whose conditions it met: once for each pair, whoever tries it again.
firings = Table(
    "firings",
    metadata,
    Column("event_id", Big, nullable=False),
    Column("trigger_id", Big, nullable=False),
    Column("app_id", Big, nullable=False),
    Column("outcome", Text, nullable=False),
    Column("reason", Text, nullable=False),
    # Public ids of what was sent; several where a digest says different things to different people.
    Column("notifications", Json, nullable=False),
    Column("pending_id", Big),
    Column("at", Moment, nullable=False),
    PrimaryKeyConstraint("event_id", "trigger_id", name="pk_firings"),
    Index("ix_firings_trigger_id_event_id", "trigger_id", "event_id"),
    Index(
        "ix_firings_pending_id",
        "pending_id",
        sqlite_where=text("pending_id IS NOT NULL"),
        postgresql_where=text("pending_id IS NOT NULL"),
    ),
    sqlite_strict=True,
    sqlite_with_rowid=False,
)

# How often a trigger fired for a key since its window was opened. The key is a keyed hash: it may name a person.
trigger_windows = Table(
    "trigger_windows",
    metadata,
    Column("trigger_id", Big, nullable=False),
    Column("key", LargeBinary, nullable=False),
    Column("app_id", Big, nullable=False),
    Column("opened_at", Moment, nullable=False),
    Column("n", Big, nullable=False),
    # Null: it never closes.
    Column("closes_at", Moment),
    PrimaryKeyConstraint("trigger_id", "key", name="pk_trigger_windows"),
    Index("ix_trigger_windows_closes_at", "closes_at"),
    sqlite_strict=True,
    sqlite_with_rowid=False,
)

# What is to be sent later: a message that waits, or a digest that is being collected.
trigger_pendings = Table(
    "trigger_pendings",
    metadata,
    id_column(),
    Column("app_id", Big, nullable=False),
    Column("trigger_id", Big, nullable=False),
    Column("kind", Text, nullable=False),
    Column("key", LargeBinary, nullable=False),
    Column("due_at", Moment, nullable=False),
    Column("n", Big, nullable=False),
    Column("created_at", Moment, nullable=False),
    PrimaryKeyConstraint("id", name="pk_trigger_pendings"),
    Index("ix_trigger_pendings_app_id_due_at", "app_id", "due_at"),
    Index("ix_trigger_pendings_trigger_id_key", "trigger_id", "key"),
    Index(
        "uq_trigger_pendings_digest",
        "trigger_id",
        "key",
        unique=True,
        sqlite_where=text("kind = 'digest'"),
        postgresql_where=text("kind = 'digest'"),
    ),
    sqlite_autoincrement=True,
    sqlite_strict=True,
)
