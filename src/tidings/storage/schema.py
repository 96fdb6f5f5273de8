"""Every table, with explicit names for its constraints and indexes."""

from __future__ import annotations

from sqlalchemy import (
    Column,
    ForeignKeyConstraint,
    Identity,
    Index,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from tidings.storage.columns import Big, Json, Moment, Small

metadata = MetaData()

PAUSED = "paused"
"""The instance value that is there while nothing may be sent."""


def _id() -> Column[int]:
    # A number is never given twice: the highest id of an audience is frozen with a notification.
    return Column("id", Big, Identity(), nullable=False)


def _count(name: str) -> Column[int]:
    return Column(name, Big, nullable=False, server_default=text("0"))


apps = Table(
    "apps",
    metadata,
    _id(),
    Column("public_id", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("origins", Json, nullable=False),
    Column("identity_secret", LargeBinary, nullable=False),
    # The one before, which holds until then besides.
    Column("earlier_secret", LargeBinary),
    Column("earlier_until", Moment),
    Column("secret_since", Moment),
    Column("created_at", Moment, nullable=False),
    # Since when it is being erased: nobody finds it any more.
    Column("erased_at", Moment),
    # What those are told in whose own language a message does not have.
    Column("language", Text),
    PrimaryKeyConstraint("id", name="pk_apps"),
    UniqueConstraint("public_id", name="uq_apps_public_id"),
    sqlite_autoincrement=True,
    sqlite_strict=True,
)

integrations = Table(
    "integrations",
    metadata,
    _id(),
    Column("public_id", Text, nullable=False),
    Column("app_id", Big, nullable=False),
    Column("provider", Text, nullable=False),
    Column("label", Text, nullable=False),
    Column("settings", Json, nullable=False),
    Column("paused_because", Text),
    Column("created_at", Moment, nullable=False),
    PrimaryKeyConstraint("id", name="pk_integrations"),
    UniqueConstraint("public_id", name="uq_integrations_public_id"),
    UniqueConstraint("app_id", "provider", "label", name="uq_integrations_app_id_provider_label"),
    ForeignKeyConstraint(["app_id"], ["apps.id"], name="fk_integrations_app_id"),
    sqlite_autoincrement=True,
    sqlite_strict=True,
)

credentials = Table(
    "credentials",
    metadata,
    _id(),
    Column("integration_id", Big, nullable=False),
    Column("app_id", Big, nullable=False),
    Column("provider", Text, nullable=False),
    Column("fingerprint", Text, nullable=False),
    Column("secret", LargeBinary, nullable=False),
    Column("settings", Json, nullable=False),
    Column("status", Text, nullable=False),
    Column("created_at", Moment, nullable=False),
    PrimaryKeyConstraint("id", name="pk_credentials"),
    UniqueConstraint("integration_id", "fingerprint", name="uq_credentials_integration_id_fingerprint"),
    ForeignKeyConstraint(["integration_id"], ["integrations.id"], name="fk_credentials_integration_id"),
    ForeignKeyConstraint(["app_id"], ["apps.id"], name="fk_credentials_app_id"),
    Index("ix_credentials_app_id_provider", "app_id", "provider"),
    Index(
        "uq_credentials_current",
        "integration_id",
        unique=True,
        sqlite_where=text("status = 'current'"),
        postgresql_where=text("status = 'current'"),
    ),
    sqlite_autoincrement=True,
    sqlite_strict=True,
)

pauses = Table(
    "pauses",
    metadata,
    Column("credential_id", Big, nullable=False),
    Column("origin", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("since", Moment, nullable=False),
    PrimaryKeyConstraint("credential_id", "origin", name="pk_pauses"),
    ForeignKeyConstraint(["credential_id"], ["credentials.id"], name="fk_pauses_credential_id", ondelete="CASCADE"),
    sqlite_strict=True,
    sqlite_with_rowid=False,
)

users = Table(
    "users",
    metadata,
    _id(),
    Column("app_id", Big, nullable=False),
    Column("external_id", Text, nullable=False),
    Column("attributes", Json, nullable=False),
    Column("locale", Text),
    Column("time_zone", Text),
    Column("created_at", Moment, nullable=False),
    Column("updated_at", Moment, nullable=False),
    PrimaryKeyConstraint("id", name="pk_users"),
    UniqueConstraint("app_id", "external_id", name="uq_users_app_id_external_id"),
    ForeignKeyConstraint(["app_id"], ["apps.id"], name="fk_users_app_id"),
    Index("ix_users_app_id_id", "app_id", "id"),
    sqlite_autoincrement=True,
    sqlite_strict=True,
)

subscriptions = Table(
    "subscriptions",
    metadata,
    _id(),
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

tracked_events = Table(
    "tracked_events",
    metadata,
    _id(),
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

notifications = Table(
    "notifications",
    metadata,
    _id(),
    Column("public_id", Text, nullable=False),
    Column("app_id", Big, nullable=False),
    Column("message", Json, nullable=False),
    Column("audience", Json, nullable=False),
    Column("policy", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("source", Text, nullable=False),
    Column("ceiling", Big, nullable=False),
    _count("n_audience"),
    _count("n_sent"),
    _count("n_failed"),
    _count("n_expired"),
    _count("n_skipped"),
    _count("n_shown"),
    _count("n_clicked"),
    _count("n_closed"),
    _count("n_answered"),
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
    _count("n"),
    PrimaryKeyConstraint("notification_id", "reason", name="pk_notification_reasons"),
    ForeignKeyConstraint(["notification_id"], ["notifications.id"], name="fk_notification_reasons_notification_id"),
    sqlite_with_rowid=False,
    sqlite_strict=True,
)

shards = Table(
    "shards",
    metadata,
    _id(),
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
    _count("n_passed"),
    # Of a dead one: how many of its recipients were counted as in doubt, why it was given up, and when.
    _count("n_doubtful"),
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
    sqlite_with_rowid=False,
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
    _count("n"),
    Column("since", Moment, nullable=False),
    Column("last_at", Moment, nullable=False),
    PrimaryKeyConstraint("subscription_id", "reason", name="pk_suspicions"),
    Index("ix_suspicions_last_at", "last_at"),
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
    sqlite_with_rowid=False,
    sqlite_strict=True,
)

api_keys = Table(
    "api_keys",
    metadata,
    _id(),
    Column("public_id", Text, nullable=False),
    Column("app_id", Big),
    Column("name", Text, nullable=False),
    Column("prefix", Text, nullable=False),
    Column("key_hash", LargeBinary, nullable=False),
    Column("scopes", Json, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("created_by", Text),
    Column("expires_at", Moment),
    Column("last_used_at", Moment),
    Column("revoked_at", Moment),
    PrimaryKeyConstraint("id", name="pk_api_keys"),
    UniqueConstraint("public_id", name="uq_api_keys_public_id"),
    UniqueConstraint("key_hash", name="uq_api_keys_key_hash"),
    ForeignKeyConstraint(["app_id"], ["apps.id"], name="fk_api_keys_app_id"),
    sqlite_autoincrement=True,
    sqlite_strict=True,
)

setup_tokens = Table(
    "setup_tokens",
    metadata,
    Column("token_hash", LargeBinary, nullable=False),
    Column("expires_at", Moment, nullable=False),
    # Whom it signs in without a question; null makes the first member.
    Column("member_id", Big),
    PrimaryKeyConstraint("token_hash", name="pk_setup_tokens"),
    sqlite_strict=True,
)

idempotency_keys = Table(
    "idempotency_keys",
    metadata,
    Column("app_id", Big, nullable=False),
    Column("key", Text, nullable=False),
    Column("request_hash", LargeBinary, nullable=False),
    Column("answer", LargeBinary, nullable=False),
    Column("created_at", Moment, nullable=False),
    PrimaryKeyConstraint("app_id", "key", name="pk_idempotency_keys"),
    Index("ix_idempotency_keys_created_at", "created_at"),
    sqlite_strict=True,
)

# How many recipients an App asked for in each minute. In several slots, so that requests at the same time do not
# wait for each other's row.
volumes = Table(
    "volumes",
    metadata,
    Column("app_id", Big, nullable=False),
    Column("minute", Big, nullable=False),
    Column("slot", Small, nullable=False),
    _count("n"),
    PrimaryKeyConstraint("app_id", "minute", "slot", name="pk_volumes"),
    sqlite_strict=True,
    sqlite_with_rowid=False,
)

broadcasts = Table(
    "broadcasts",
    metadata,
    Column("app_id", Big, nullable=False),
    Column("content", LargeBinary, nullable=False),
    Column("at", Moment, nullable=False),
    PrimaryKeyConstraint("app_id", "content", name="pk_broadcasts"),
    sqlite_strict=True,
    sqlite_with_rowid=False,
)

instance_values = Table(
    "instance_values",
    metadata,
    Column("name", Text, nullable=False),
    Column("value", LargeBinary, nullable=False),
    PrimaryKeyConstraint("name", name="pk_instance_values"),
    sqlite_strict=True,
)

heartbeats = Table(
    "heartbeats",
    metadata,
    Column("worker_id", Text, nullable=False),
    Column("host", Text, nullable=False),
    Column("pid", Big, nullable=False),
    Column("senders", Big, nullable=False),
    Column("started_at", Moment, nullable=False),
    Column("seen_at", Moment, nullable=False),
    PrimaryKeyConstraint("worker_id", name="pk_heartbeats"),
    sqlite_strict=True,
)
