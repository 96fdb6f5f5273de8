"""The tables of outgoing webhooks: where they go, what is to be told, what was told and how each try went."""

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

from tidings.storage.columns import Big, Moment, Small
from tidings.storage.tables.metadata import count_column, id_column, metadata

webhooks = Table(
    "webhooks",
    metadata,
    id_column(),
    Column("public_id", Text, nullable=False),
    Column("app_id", Big, nullable=False),
    # URL and secrets: many receivers know us by a token in the path.
    Column("sealed", LargeBinary, nullable=False),
    Column("earlier_until", Moment),
    # A bit for each kind of event.
    Column("kinds", Big, nullable=False),
    Column("description", Text, nullable=False),
    Column("enabled", Small, nullable=False),
    Column("disabled_because", Text),
    count_column("failures"),
    Column("failing_since", Moment),
    Column("succeeded_at", Moment),
    Column("rests_until", Moment, nullable=False),
    # Who has it in hand: one request at a time, whoever sends it.
    Column("leased_until", Moment, nullable=False),
    count_column("token"),
    Column("created_at", Moment, nullable=False),
    Column("updated_at", Moment, nullable=False),
    PrimaryKeyConstraint("id", name="pk_webhooks"),
    UniqueConstraint("public_id", name="uq_webhooks_public_id"),
    ForeignKeyConstraint(["app_id"], ["apps.id"], name="fk_webhooks_app_id"),
    Index("ix_webhooks_app_id", "app_id"),
    sqlite_autoincrement=True,
    sqlite_strict=True,
)

# What happened, written in the transaction in which it did; it goes as soon as messages were made of it.
webhook_outbox = Table(
    "webhook_outbox",
    metadata,
    id_column(),
    Column("app_id", Big, nullable=False),
    Column("notification_id", Big, nullable=False),
    Column("at", Moment, nullable=False),
    Column("events", LargeBinary, nullable=False),
    PrimaryKeyConstraint("id", name="pk_webhook_outbox"),
    Index("ix_webhook_outbox_app_id", "app_id"),
    sqlite_autoincrement=True,
    sqlite_strict=True,
)

# Devices and notifications stand in them by number alone: what is told of them is read when it is told.
webhook_messages = Table(
    "webhook_messages",
    metadata,
    id_column(),
    Column("public_id", Text, nullable=False),
    Column("webhook_id", Big, nullable=False),
    Column("app_id", Big, nullable=False),
    Column("status", Text, nullable=False),
    Column("happenings", LargeBinary, nullable=False),
    Column("n_events", Big, nullable=False),
    count_column("tries"),
    Column("test", Small, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("begun_at", Moment, nullable=False),
    Column("due_at", Moment, nullable=False),
    Column("done_at", Moment),
    Column("last_status", Big),
    Column("last_failure", Text, nullable=False),
    PrimaryKeyConstraint("id", name="pk_webhook_messages"),
    UniqueConstraint("public_id", name="uq_webhook_messages_public_id"),
    Index("ix_webhook_messages_webhook_id_id", "webhook_id", "id"),
    Index("ix_webhook_messages_created_at", "created_at"),
    Index(
        "ix_webhook_messages_waiting",
        "webhook_id",
        "due_at",
        sqlite_where=text("status = 'waiting'"),
        postgresql_where=text("status = 'waiting'"),
    ),
    Index("ix_webhook_messages_app_id", "app_id"),
    sqlite_autoincrement=True,
    sqlite_strict=True,
)

webhook_attempts = Table(
    "webhook_attempts",
    metadata,
    id_column(),
    Column("message_id", Big, nullable=False),
    Column("app_id", Big, nullable=False),
    Column("at", Moment, nullable=False),
    Column("status", Big),
    Column("failure", Text, nullable=False),
    Column("milliseconds", Big, nullable=False),
    # Cut and escaped; it may repeat what we said of people, and so it goes when any of them is erased.
    Column("answer", Text, nullable=False),
    PrimaryKeyConstraint("id", name="pk_webhook_attempts"),
    Index("ix_webhook_attempts_message_id", "message_id"),
    Index("ix_webhook_attempts_app_id", "app_id"),
    sqlite_autoincrement=True,
    sqlite_strict=True,
)
