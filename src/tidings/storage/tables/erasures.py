"""The tables of what is being erased: what was asked, how far it is, and what came of it."""

from __future__ import annotations

from sqlalchemy import Column, Identity, Index, LargeBinary, PrimaryKeyConstraint, Table, Text, UniqueConstraint, text

from tidings.storage.columns import Big, Json, Moment
from tidings.storage.tables.metadata import metadata

# Kept as the proof of what was done: whose data it was is there only as a keyed hash.
erasures = Table(
    "erasures",
    metadata,
    Column("id", Big, Identity(), nullable=False),
    Column("public_id", Text, nullable=False),
    Column("app_id", Big, nullable=False),
    Column("app_public_id", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("subject_hash", LargeBinary, nullable=False),
    # Of a person whose messages are still being looked for: sealed, and gone once it is done.
    Column("sought", LargeBinary),
    Column("status", Text, nullable=False),
    Column("counts", Json, nullable=False),
    # Chunks that may hold a message to the subject, as (shard, lease token, chunk): they were being sent when it was
    # asked.
    Column("in_hand", Json, nullable=False),
    # How far the App's messages have been looked through, by id, and up to which id that is to be done.
    Column("looked_at", Big, nullable=False, server_default=text("0")),
    Column("look_to", Big, nullable=False, server_default=text("0")),
    Column("asked_at", Moment, nullable=False),
    Column("finished_at", Moment),
    PrimaryKeyConstraint("id", name="pk_erasures"),
    UniqueConstraint("public_id", name="uq_erasures_public_id"),
    Index("ix_erasures_subject_hash", "app_id", "subject_hash"),
    Index(
        "ix_erasures_running",
        "id",
        sqlite_where=text("status = 'running'"),
        postgresql_where=text("status = 'running'"),
    ),
    sqlite_autoincrement=True,
    sqlite_strict=True,
)

# Devices whose history is still to be removed; they themselves are gone.
erased_devices = Table(
    "erased_devices",
    metadata,
    Column("erasure_id", Big, nullable=False),
    Column("subscription_id", Big, nullable=False),
    Column("public_id", Text, nullable=False),
    PrimaryKeyConstraint("erasure_id", "subscription_id", name="pk_erased_devices"),
    sqlite_strict=True,
    sqlite_with_rowid=False,
)
