"""The tables of an instance: keys to its API, what was asked twice, how much was sent, its workers."""

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

from tidings.storage.columns import Big, Json, Moment, Small
from tidings.storage.tables.metadata import count_column, id_column, metadata

PAUSED = "paused"
"""The instance value that is there while nothing may be sent."""

api_keys = Table(
    "api_keys",
    metadata,
    id_column(),
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
    count_column("n"),
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
