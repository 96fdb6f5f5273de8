"""Begin: every table of the first version."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0001_pre_begin"
down_revision = None
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
SMALL = sa.SmallInteger().with_variant(sa.Integer(), "sqlite")
JSON = sa.Text().with_variant(JSONB(), "postgresql")


def upgrade() -> None:
    """Take the step."""
    _apps()
    _users()
    _subscriptions()
    _tracked()
    _notifications()
    _shards()
    _outcomes()
    _access()
    _instance()


def _apps() -> None:
    op.create_table(
        "apps",
        sa.Column("id", BIG, sa.Identity(always=False), nullable=False),
        sa.Column("public_id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("origins", JSON, nullable=False),
        sa.Column("identity_secret", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", BIG, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_apps"),
        sa.UniqueConstraint("public_id", name="uq_apps_public_id"),
        sqlite_autoincrement=True,
        sqlite_strict=True,
    )
    op.create_table(
        "integrations",
        sa.Column("id", BIG, sa.Identity(always=False), nullable=False),
        sa.Column("public_id", sa.Text(), nullable=False),
        sa.Column("app_id", BIG, nullable=False),
        sa.Column("provider", sa.Text(), nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("settings", JSON, nullable=False),
        sa.Column("paused_because", sa.Text(), nullable=True),
        sa.Column("created_at", BIG, nullable=False),
        sa.ForeignKeyConstraint(["app_id"], ["apps.id"], name="fk_integrations_app_id"),
        sa.PrimaryKeyConstraint("id", name="pk_integrations"),
        sa.UniqueConstraint("app_id", "provider", "label", name="uq_integrations_app_id_provider_label"),
        sa.UniqueConstraint("public_id", name="uq_integrations_public_id"),
        sqlite_autoincrement=True,
        sqlite_strict=True,
    )
    op.create_table(
        "credentials",
        sa.Column("id", BIG, sa.Identity(always=False), nullable=False),
        sa.Column("integration_id", BIG, nullable=False),
        sa.Column("app_id", BIG, nullable=False),
        sa.Column("provider", sa.Text(), nullable=False),
        sa.Column("fingerprint", sa.Text(), nullable=False),
        sa.Column("secret", sa.LargeBinary(), nullable=False),
        sa.Column("settings", JSON, nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("created_at", BIG, nullable=False),
        sa.ForeignKeyConstraint(["app_id"], ["apps.id"], name="fk_credentials_app_id"),
        sa.ForeignKeyConstraint(["integration_id"], ["integrations.id"], name="fk_credentials_integration_id"),
        sa.PrimaryKeyConstraint("id", name="pk_credentials"),
        sa.UniqueConstraint("integration_id", "fingerprint", name="uq_credentials_integration_id_fingerprint"),
        sqlite_autoincrement=True,
        sqlite_strict=True,
    )
    op.create_index("ix_credentials_app_id_provider", "credentials", ["app_id", "provider"], unique=False)
    op.create_index(
        "uq_credentials_current",
        "credentials",
        ["integration_id"],
        unique=True,
        sqlite_where=sa.text("status = 'current'"),
        postgresql_where=sa.text("status = 'current'"),
    )
    op.create_table(
        "pauses",
        sa.Column("credential_id", BIG, nullable=False),
        sa.Column("origin", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("since", BIG, nullable=False),
        sa.ForeignKeyConstraint(
            ["credential_id"], ["credentials.id"], name="fk_pauses_credential_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("credential_id", "origin", name="pk_pauses"),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )


def _users() -> None:
    op.create_table(
        "users",
        sa.Column("id", BIG, sa.Identity(always=False), nullable=False),
        sa.Column("app_id", BIG, nullable=False),
        sa.Column("external_id", sa.Text(), nullable=False),
        sa.Column("attributes", JSON, nullable=False),
        sa.Column("locale", sa.Text(), nullable=True),
        sa.Column("time_zone", sa.Text(), nullable=True),
        sa.Column("created_at", BIG, nullable=False),
        sa.Column("updated_at", BIG, nullable=False),
        sa.ForeignKeyConstraint(["app_id"], ["apps.id"], name="fk_users_app_id"),
        sa.PrimaryKeyConstraint("id", name="pk_users"),
        sa.UniqueConstraint("app_id", "external_id", name="uq_users_app_id_external_id"),
        sqlite_autoincrement=True,
        sqlite_strict=True,
    )
    op.create_index("ix_users_app_id_id", "users", ["app_id", "id"], unique=False)


def _subscriptions() -> None:
    op.create_table(
        "subscriptions",
        sa.Column("id", BIG, sa.Identity(always=False), nullable=False),
        sa.Column("public_id", sa.Text(), nullable=False),
        sa.Column("app_id", BIG, nullable=False),
        sa.Column("provider", sa.Text(), nullable=False),
        sa.Column("origin", sa.Text(), nullable=False),
        sa.Column("credential_id", BIG, nullable=True),
        sa.Column("user_external_id", sa.Text(), nullable=True),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("status_reason", sa.Text(), nullable=True),
        sa.Column("locale", sa.Text(), nullable=True),
        sa.Column("time_zone", sa.Text(), nullable=True),
        sa.Column("tags", JSON, nullable=False),
        sa.Column("device", sa.Text(), nullable=True),
        sa.Column("address", sa.LargeBinary(), nullable=False),
        sa.Column("address_hash", sa.LargeBinary(), nullable=False),
        sa.Column("secret_hash", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", BIG, nullable=False),
        sa.Column("last_active_at", BIG, nullable=True),
        sa.Column("last_seen_at", BIG, nullable=False),
        sa.ForeignKeyConstraint(["app_id"], ["apps.id"], name="fk_subscriptions_app_id"),
        sa.ForeignKeyConstraint(["credential_id"], ["credentials.id"], name="fk_subscriptions_credential_id"),
        sa.PrimaryKeyConstraint("id", name="pk_subscriptions"),
        sa.UniqueConstraint("app_id", "address_hash", name="uq_subscriptions_app_id_address_hash"),
        sa.UniqueConstraint("public_id", name="uq_subscriptions_public_id"),
        sqlite_autoincrement=True,
        sqlite_strict=True,
    )
    op.create_index("ix_subscriptions_app_id_id", "subscriptions", ["app_id", "id"], unique=False)
    op.create_index(
        "ix_subscriptions_app_id_status_id", "subscriptions", ["app_id", "status", "id", "credential_id"], unique=False
    )
    op.create_index(
        "ix_subscriptions_app_id_user_external_id", "subscriptions", ["app_id", "user_external_id"], unique=False
    )
    op.create_index("ix_subscriptions_credential_id", "subscriptions", ["credential_id"], unique=False)


def _tracked() -> None:
    op.create_table(
        "tracked_events",
        sa.Column("id", BIG, sa.Identity(always=False), nullable=False),
        sa.Column("public_id", sa.Text(), nullable=False),
        sa.Column("app_id", BIG, nullable=False),
        sa.Column("subscription_id", BIG, nullable=False),
        sa.Column("user_external_id", sa.Text(), nullable=True),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("properties", JSON, nullable=False),
        sa.Column("at", BIG, nullable=False),
        sa.ForeignKeyConstraint(
            ["subscription_id"], ["subscriptions.id"], name="fk_tracked_events_subscription_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_tracked_events"),
        sa.UniqueConstraint("public_id", name="uq_tracked_events_public_id"),
        sa.UniqueConstraint("subscription_id", "key", name="uq_tracked_events_subscription_id_key"),
        sqlite_autoincrement=True,
        sqlite_strict=True,
    )
    op.create_index("ix_tracked_events_at", "tracked_events", ["at"], unique=False)
    op.create_index(
        "ix_tracked_events_app_id_user_external_id", "tracked_events", ["app_id", "user_external_id"], unique=False
    )
    op.create_index("ix_tracked_events_subscription_id_id", "tracked_events", ["subscription_id", "id"], unique=False)


def _notifications() -> None:
    op.create_table(
        "notifications",
        sa.Column("id", BIG, sa.Identity(always=False), nullable=False),
        sa.Column("public_id", sa.Text(), nullable=False),
        sa.Column("app_id", BIG, nullable=False),
        sa.Column("message", JSON, nullable=False),
        sa.Column("audience", JSON, nullable=False),
        sa.Column("policy", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("ceiling", BIG, nullable=False),
        sa.Column("n_audience", BIG, server_default=sa.text("0"), nullable=False),
        sa.Column("n_sent", BIG, server_default=sa.text("0"), nullable=False),
        sa.Column("n_failed", BIG, server_default=sa.text("0"), nullable=False),
        sa.Column("n_expired", BIG, server_default=sa.text("0"), nullable=False),
        sa.Column("n_skipped", BIG, server_default=sa.text("0"), nullable=False),
        sa.Column("n_shown", BIG, server_default=sa.text("0"), nullable=False),
        sa.Column("n_clicked", BIG, server_default=sa.text("0"), nullable=False),
        sa.Column("n_closed", BIG, server_default=sa.text("0"), nullable=False),
        sa.Column("n_answered", BIG, server_default=sa.text("0"), nullable=False),
        sa.Column("created_at", BIG, nullable=False),
        sa.Column("send_at", BIG, nullable=False),
        sa.Column("expires_at", BIG, nullable=False),
        sa.Column("started_at", BIG, nullable=True),
        sa.Column("finished_at", BIG, nullable=True),
        sa.Column("planned_at", BIG, nullable=True),
        sa.Column("held_because", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["app_id"], ["apps.id"], name="fk_notifications_app_id"),
        sa.PrimaryKeyConstraint("id", name="pk_notifications"),
        sa.UniqueConstraint("public_id", name="uq_notifications_public_id"),
        sqlite_autoincrement=True,
        sqlite_strict=True,
    )
    op.create_index("ix_notifications_app_id_created_at", "notifications", ["app_id", "created_at"], unique=False)
    op.create_index("ix_notifications_app_id_id", "notifications", ["app_id", "id"], unique=False)
    op.create_index("ix_notifications_status_send_at", "notifications", ["status", "send_at"], unique=False)
    op.create_index(
        "ix_notifications_unplanned",
        "notifications",
        ["status", "send_at"],
        unique=False,
        sqlite_where=sa.text("planned_at IS NULL"),
        postgresql_where=sa.text("planned_at IS NULL"),
    )
    op.create_index(
        "ix_notifications_held",
        "notifications",
        ["app_id"],
        unique=False,
        sqlite_where=sa.text("held_because IS NOT NULL"),
        postgresql_where=sa.text("held_because IS NOT NULL"),
    )
    op.create_table(
        "notification_reasons",
        sa.Column("notification_id", BIG, nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("n", BIG, server_default=sa.text("0"), nullable=False),
        sa.ForeignKeyConstraint(
            ["notification_id"], ["notifications.id"], name="fk_notification_reasons_notification_id"
        ),
        sa.PrimaryKeyConstraint("notification_id", "reason", name="pk_notification_reasons"),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )


def _shards() -> None:
    op.create_table(
        "shards",
        sa.Column("id", BIG, sa.Identity(always=False), nullable=False),
        sa.Column("notification_id", BIG, nullable=False),
        sa.Column("app_id", BIG, nullable=False),
        sa.Column("n", BIG, nullable=False),
        sa.Column("low", BIG, nullable=False),
        sa.Column("high", BIG, nullable=False),
        sa.Column("retries", sa.LargeBinary(), nullable=True),
        sa.Column("size", BIG, nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("due_at", BIG, nullable=False),
        sa.Column("claimed_at", BIG, nullable=True),
        sa.Column("lease_owner", sa.Text(), nullable=True),
        sa.Column("lease_token", BIG, server_default=sa.text("0"), nullable=False),
        sa.Column("attempt", BIG, server_default=sa.text("0"), nullable=False),
        sa.Column("cursor", BIG, server_default=sa.text("0"), nullable=False),
        sa.Column("chunk_done", BIG, server_default=sa.text("0"), nullable=False),
        sa.Column("chunk_open", BIG, nullable=True),
        sa.Column("chunk_high", BIG, nullable=True),
        sa.Column("priority", SMALL, server_default=sa.text("4"), nullable=False),
        sa.Column("n_passed", BIG, server_default=sa.text("0"), nullable=False),
        sa.Column("n_doubtful", BIG, server_default=sa.text("0"), nullable=False),
        sa.Column("fault", sa.Text(), nullable=True),
        sa.Column("buried_at", BIG, nullable=True),
        sa.Column("created_at", BIG, nullable=False),
        sa.ForeignKeyConstraint(["notification_id"], ["notifications.id"], name="fk_shards_notification_id"),
        sa.PrimaryKeyConstraint("id", name="pk_shards"),
        sa.UniqueConstraint("notification_id", "n", name="uq_shards_notification_id_n"),
        sqlite_autoincrement=True,
        sqlite_strict=True,
    )
    op.create_index(
        "ix_shards_lanes",
        "shards",
        ["app_id", "priority", "due_at", "id"],
        unique=False,
        sqlite_where=sa.text("status IN ('ready', 'leased')"),
        postgresql_where=sa.text("status IN ('ready', 'leased')"),
    )
    op.create_index(
        "ix_shards_leased",
        "shards",
        ["app_id", "priority", "due_at"],
        unique=False,
        sqlite_where=sa.text("status = 'leased'"),
        postgresql_where=sa.text("status = 'leased'"),
    )
    op.create_index(
        "ix_shards_dead",
        "shards",
        ["app_id", "id"],
        unique=False,
        sqlite_where=sa.text("status = 'dead'"),
        postgresql_where=sa.text("status = 'dead'"),
    )


def _outcomes() -> None:
    op.create_table(
        "deliveries",
        sa.Column("notification_id", BIG, nullable=False),
        sa.Column("subscription_id", BIG, nullable=False),
        sa.Column("status", SMALL, nullable=False),
        sa.Column("attempt", SMALL, nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("provider_ref", sa.Text(), nullable=False),
        sa.Column("at", BIG, nullable=False),
        sa.PrimaryKeyConstraint("notification_id", "subscription_id", name="pk_deliveries"),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    op.create_index("ix_deliveries_subscription_id", "deliveries", ["subscription_id", "notification_id"], unique=False)
    op.create_table(
        "suspicions",
        sa.Column("subscription_id", BIG, nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("address_hash", sa.LargeBinary(), nullable=False),
        sa.Column("n", BIG, server_default=sa.text("0"), nullable=False),
        sa.Column("since", BIG, nullable=False),
        sa.Column("last_at", BIG, nullable=False),
        sa.PrimaryKeyConstraint("subscription_id", "reason", name="pk_suspicions"),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    op.create_index("ix_suspicions_last_at", "suspicions", ["last_at"], unique=False)
    op.create_table(
        "receipts",
        sa.Column("notification_id", BIG, nullable=False),
        sa.Column("subscription_id", BIG, nullable=False),
        sa.Column("event", sa.Text(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("at", BIG, nullable=False),
        sa.PrimaryKeyConstraint("notification_id", "subscription_id", "event", name="pk_receipts"),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )


def _access() -> None:
    op.create_table(
        "api_keys",
        sa.Column("id", BIG, sa.Identity(always=False), nullable=False),
        sa.Column("public_id", sa.Text(), nullable=False),
        sa.Column("app_id", BIG, nullable=True),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("prefix", sa.Text(), nullable=False),
        sa.Column("key_hash", sa.LargeBinary(), nullable=False),
        sa.Column("scopes", JSON, nullable=False),
        sa.Column("created_at", BIG, nullable=False),
        sa.Column("last_used_at", BIG, nullable=True),
        sa.Column("revoked_at", BIG, nullable=True),
        sa.ForeignKeyConstraint(["app_id"], ["apps.id"], name="fk_api_keys_app_id"),
        sa.PrimaryKeyConstraint("id", name="pk_api_keys"),
        sa.UniqueConstraint("key_hash", name="uq_api_keys_key_hash"),
        sa.UniqueConstraint("public_id", name="uq_api_keys_public_id"),
        sqlite_autoincrement=True,
        sqlite_strict=True,
    )
    op.create_table(
        "sessions",
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", BIG, nullable=False),
        sa.Column("expires_at", BIG, nullable=False),
        sa.PrimaryKeyConstraint("token_hash", name="pk_sessions"),
        sqlite_strict=True,
    )
    op.create_index("ix_sessions_expires_at", "sessions", ["expires_at"], unique=False)
    op.create_table(
        "setup_tokens",
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        sa.Column("expires_at", BIG, nullable=False),
        sa.PrimaryKeyConstraint("token_hash", name="pk_setup_tokens"),
        sqlite_strict=True,
    )


def _instance() -> None:
    op.create_table(
        "idempotency_keys",
        sa.Column("app_id", BIG, nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("request_hash", sa.LargeBinary(), nullable=False),
        sa.Column("answer", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", BIG, nullable=False),
        sa.PrimaryKeyConstraint("app_id", "key", name="pk_idempotency_keys"),
        sqlite_strict=True,
    )
    op.create_index("ix_idempotency_keys_created_at", "idempotency_keys", ["created_at"], unique=False)
    op.create_table(
        "volumes",
        sa.Column("app_id", BIG, nullable=False),
        sa.Column("minute", BIG, nullable=False),
        sa.Column("slot", SMALL, nullable=False),
        sa.Column("n", BIG, server_default=sa.text("0"), nullable=False),
        sa.PrimaryKeyConstraint("app_id", "minute", "slot", name="pk_volumes"),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    op.create_table(
        "broadcasts",
        sa.Column("app_id", BIG, nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("at", BIG, nullable=False),
        sa.PrimaryKeyConstraint("app_id", "content", name="pk_broadcasts"),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    op.create_table(
        "instance_values",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("value", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_instance_values"),
        sqlite_strict=True,
    )
    op.create_table(
        "heartbeats",
        sa.Column("worker_id", sa.Text(), nullable=False),
        sa.Column("host", sa.Text(), nullable=False),
        sa.Column("pid", BIG, nullable=False),
        sa.Column("senders", BIG, nullable=False),
        sa.Column("started_at", BIG, nullable=False),
        sa.Column("seen_at", BIG, nullable=False),
        sa.PrimaryKeyConstraint("worker_id", name="pk_heartbeats"),
        sqlite_strict=True,
    )
