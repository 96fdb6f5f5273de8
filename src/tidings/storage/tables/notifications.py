"""The tables of notifications on their way: shards, deliveries, receipts."""

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
from tidings.storage.tables.metadata import count_column, id_column, metadata

notifications = Table(
    "notifications",
    metadata,
    id_column(),
    Column("public_id", Text, nullable=False),
    Column("app_id", Big, nullable=False),
    Column("message", Json, nullable=False),
    Column("audience", Json, nullable=False),
    Column("policy", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("source", Text, nullable=False),
    Column("ceiling", Big, nullable=False),
    count_column("n_audience"),
    count_column("n_sent"),
    count_column("n_failed"),
    count_column("n_expired"),
    count_column("n_skipped"),
    count_column("n_shown"),
    count_column("n_clicked"),
    count_column("n_closed"),
    count_column("n_answered"),
    Column("created_at", Moment, nullable=False),
    Column("send_at", Moment, nullable=False),
    Column("expires_at", Moment, nullable=False),
    Column("started_at", Moment),
    Column("finished_at", Moment),
    # When it got its shards: what has none yet is found without a look at all that waits to be sent.
    Column("planned_at", Moment),
    # Why the tripwire holds it until somebody says what is to become of it.
    Column("held_because", Text),
    # When its deliveries and receipts had their time and were removed.
    Column("details_until", Moment),
    # What it is about, by which people choose what they get; and the trigger and event that made it, by public id.
    Column("event_type", Text),
    Column("trigger", Text),
    Column("event", Text),
    PrimaryKeyConstraint("id", name="pk_notifications"),
    UniqueConstraint("public_id", name="uq_notifications_public_id"),
    ForeignKeyConstraint(["app_id"], ["apps.id"], name="fk_notifications_app_id"),
    Index("ix_notifications_app_id_id", "app_id", "id"),
    Index("ix_notifications_app_id_created_at", "app_id", "created_at"),
    Index("ix_notifications_status_send_at", "status", "send_at"),
    Index(
        "ix_notifications_unplanned",
        "status",
        "send_at",
        sqlite_where=text("planned_at IS NULL"),
        postgresql_where=text("planned_at IS NULL"),
    ),
    Index(
        "ix_notifications_details",
        "finished_at",
        sqlite_where=text("details_until IS NULL"),
        postgresql_where=text("details_until IS NULL"),
    ),
    Index(
        "ix_notifications_held",
        "app_id",
        sqlite_where=text("held_because IS NOT NULL"),
        postgresql_where=text("held_because IS NOT NULL"),
    ),
    sqlite_autoincrement=True,
    sqlite_strict=True,
)

notification_reasons = Table(
    "notification_reasons",
    metadata,
    Column("notification_id", Big, nullable=False),
    Column("reason", Text, nullable=False),
    count_column("n"),
    PrimaryKeyConstraint("notification_id", "reason", name="pk_notification_reasons"),
    ForeignKeyConstraint(["notification_id"], ["notifications.id"], name="fk_notification_reasons_notification_id"),
    sqlite_with_rowid=False,
    sqlite_strict=True,
)

shards = Table(
    "shards",
    metadata,
    id_column(),
    Column("notification_id", Big, nullable=False),
    Column("app_id", Big, nullable=False),
    # Ranges count up from 0; lists to try again count down from -1, so that neither takes the other's number.
    Column("n", Big, nullable=False),
    Column("low", Big, nullable=False),
    Column("high", Big, nullable=False),
    Column("retries", LargeBinary),
    Column("size", Big, nullable=False),
    Column("status", Text, nullable=False),
    # When it may be claimed: its time while ready, the end of the lease while leased.
    Column("due_at", Moment, nullable=False),
    Column("claimed_at", Moment),
    Column("lease_owner", Text),
    Column("lease_token", Big, nullable=False, server_default=text("0")),
    Column("attempt", Big, nullable=False, server_default=text("0")),
    Column("cursor", Big, nullable=False, server_default=text("0")),
    Column("chunk_done", Big, nullable=False, server_default=text("0")),
    Column("chunk_open", Big),
    # The cursor that settling the open chunk would give: who was in it, whoever joins the audience meanwhile.
    Column("chunk_high", Big),
    Column("priority", Small, nullable=False, server_default=text("4")),
    count_column("n_passed"),
    # Of a dead one: how many of its recipients were counted as in doubt, why it was given up, and when.
    count_column("n_doubtful"),
    Column("fault", Text),
    Column("buried_at", Moment),
    Column("created_at", Moment, nullable=False),
    PrimaryKeyConstraint("id", name="pk_shards"),
    UniqueConstraint("notification_id", "n", name="uq_shards_notification_id_n"),
    ForeignKeyConstraint(["notification_id"], ["notifications.id"], name="fk_shards_notification_id"),
    # Whose turn it is: App by App, priority by priority, the oldest first.
    Index(
        "ix_shards_lanes",
        "app_id",
        "priority",
        "due_at",
        "id",
        sqlite_where=text("status IN ('ready', 'leased')"),
        postgresql_where=text("status IN ('ready', 'leased')"),
    ),
    Index(
        "ix_shards_leased",
        "app_id",
        "priority",
        "due_at",
        sqlite_where=text("status = 'leased'"),
        postgresql_where=text("status = 'leased'"),
    ),
    # Chunks that may have been sent and that nobody has: of dead shards that are tried again. There are few ever.
    Index(
        "ix_shards_in_doubt",
        "id",
        sqlite_where=text("chunk_open IS NOT NULL AND status = 'ready'"),
        postgresql_where=text("chunk_open IS NOT NULL AND status = 'ready'"),
    ),
    Index(
        "ix_shards_dead",
        "app_id",
        "id",
        sqlite_where=text("status = 'dead'"),
        postgresql_where=text("status = 'dead'"),
    ),
    sqlite_autoincrement=True,
    sqlite_strict=True,
)

# One row per recipient, so nothing that does not earn its place: no surrogate key, no foreign keys (each would be a
# look-up per row, and retention drops notifications and devices without touching this table).
deliveries = Table(
    "deliveries",
    metadata,
    Column("notification_id", Big, nullable=False),
    Column("subscription_id", Big, nullable=False),
    Column("status", Small, nullable=False),
    Column("attempt", Small, nullable=False),
    Column("reason", Text, nullable=False),
    Column("provider_ref", Text, nullable=False),
    Column("at", Moment, nullable=False),
    PrimaryKeyConstraint("notification_id", "subscription_id", name="pk_deliveries"),
    Index("ix_deliveries_subscription_id", "subscription_id", "notification_id"),
    # Whom a message did not reach, by reason: few among many, so that the others pay nothing for it.
    Index(
        "ix_deliveries_missed",
        "notification_id",
        "reason",
        "subscription_id",
        sqlite_where=text("status <> 1"),
        postgresql_where=text("status <> 1"),
    ),
    sqlite_with_rowid=False,
    sqlite_strict=True,
)

receipts = Table(
    "receipts",
    metadata,
    Column("notification_id", Big, nullable=False),
    Column("subscription_id", Big, nullable=False),
    Column("event", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("at", Moment, nullable=False),
    PrimaryKeyConstraint("notification_id", "subscription_id", "event", name="pk_receipts"),
    Index("ix_receipts_subscription_id", "subscription_id"),
    # Answers are counted whenever their notification is read: few among many that saw it.
    Index(
        "ix_receipts_answered",
        "notification_id",
        "action",
        sqlite_where=text("event = 'answered'"),
        postgresql_where=text("event = 'answered'"),
    ),
    sqlite_with_rowid=False,
    sqlite_strict=True,
)
