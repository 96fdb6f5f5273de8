"""The tables of devices and browsers, of what speaks against their addresses, and of what they did on a site."""

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
)

from tidings.storage.columns import Big, Json, Moment
from tidings.storage.tables.metadata import count_column, id_column, metadata

subscriptions = Table(
    "subscriptions",
    metadata,
    id_column(),
    Column("public_id", Text, nullable=False),
    Column("app_id", Big, nullable=False),
    Column("provider", Text, nullable=False),
    Column("origin", Text, nullable=False),
    Column("credential_id", Big),
    # Not a foreign key: a device may name a person before the App's server does.
    Column("user_external_id", Text),
    Column("status", Text, nullable=False),
    Column("status_reason", Text),
    Column("locale", Text),
    Column("time_zone", Text),
    Column("tags", Json, nullable=False),
    Column("device", Text),
    Column("app_version", Text),
    Column("address", LargeBinary, nullable=False),
    Column("address_hash", LargeBinary, nullable=False),
    Column("secret_hash", LargeBinary, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("last_active_at", Moment),
    Column("last_seen_at", Moment, nullable=False),
    # When it last changed hands; NULL for one that never has.
    Column("owner_since", Moment),
    PrimaryKeyConstraint("id", name="pk_subscriptions"),
    UniqueConstraint("public_id", name="uq_subscriptions_public_id"),
    UniqueConstraint("app_id", "address_hash", name="uq_subscriptions_app_id_address_hash"),
    ForeignKeyConstraint(["app_id"], ["apps.id"], name="fk_subscriptions_app_id"),
    ForeignKeyConstraint(["credential_id"], ["credentials.id"], name="fk_subscriptions_credential_id"),
    # Answers counts, cuts and keyset pages of an audience without a look at the rows.
    Index("ix_subscriptions_app_id_status_id", "app_id", "status", "id", "credential_id"),
    Index("ix_subscriptions_app_id_id", "app_id", "id"),
    Index("ix_subscriptions_app_id_user_external_id", "app_id", "user_external_id"),
    Index("ix_subscriptions_credential_id", "credential_id"),
    sqlite_autoincrement=True,
    sqlite_strict=True,
)

# How many subscriptions an App has of each status: the sum of these rows. Triggers of the database write them, so that
# no statement can be forgotten. On SQLite there is one row of each; on PostgreSQL every change adds one, so that works
# at the same time do not wait for each other, and `statuses.py` adds them up now and then.
subscription_counts = Table(
    "subscription_counts",
    metadata,
    id_column(),
    Column("app_id", Big, nullable=False),
    Column("status", Text, nullable=False),
    Column("n", Big, nullable=False),
    PrimaryKeyConstraint("id", name="pk_subscription_counts"),
    Index("ix_subscription_counts_app_id_status", "app_id", "status"),
    sqlite_autoincrement=True,
    sqlite_strict=True,
)
subscriptions.add_is_dependent_on(subscription_counts)  # whoever empties both ends with the counts

tracked_events = Table(
    "tracked_events",
    metadata,
    id_column(),
    Column("public_id", Text, nullable=False),
    Column("app_id", Big, nullable=False),
    Column("subscription_id", Big, nullable=False),
    # Whose device it was then; kept apart, since a device changes hands.
    Column("user_external_id", Text),
    Column("key", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("properties", Json, nullable=False),
    Column("at", Moment, nullable=False),
    PrimaryKeyConstraint("id", name="pk_tracked_events"),
    UniqueConstraint("public_id", name="uq_tracked_events_public_id"),
    UniqueConstraint("subscription_id", "key", name="uq_tracked_events_subscription_id_key"),
    ForeignKeyConstraint(
        ["subscription_id"], ["subscriptions.id"], name="fk_tracked_events_subscription_id", ondelete="CASCADE"
    ),
    Index("ix_tracked_events_subscription_id_id", "subscription_id", "id"),
    Index("ix_tracked_events_app_id_user_external_id", "app_id", "user_external_id"),
    Index("ix_tracked_events_at", "at"),
    sqlite_autoincrement=True,
    sqlite_strict=True,
)

# What an address answered that may mean that it is dead: a row for each that did so lately, none for those that work.
# No foreign key: a device that is deleted meanwhile must not keep a chunk from being settled.
suspicions = Table(
    "suspicions",
    metadata,
    Column("subscription_id", Big, nullable=False),
    Column("reason", Text, nullable=False),
    Column("address_hash", LargeBinary, nullable=False),
    count_column("n"),
    Column("since", Moment, nullable=False),
    Column("last_at", Moment, nullable=False),
    PrimaryKeyConstraint("subscription_id", "reason", name="pk_suspicions"),
    Index("ix_suspicions_last_at", "last_at"),
    sqlite_with_rowid=False,
    sqlite_strict=True,
)
