"""The tables of what is counted by day; they outlive the rows they were counted from."""

from __future__ import annotations

from sqlalchemy import Column, Identity, Index, PrimaryKeyConstraint, Table, Text, text

from tidings.storage.columns import Big
from tidings.storage.tables.metadata import metadata

# What happened and is not rolled up yet: written in the transaction in which it happened, taken away in the one that
# adds it to a day. Rows are only ever added here, so that works at the same time do not wait for each other.
tallies = Table(
    "tallies",
    metadata,
    Column("id", Big, Identity(), nullable=False),
    Column("app_id", Big, nullable=False),
    Column("day", Big, nullable=False),
    Column("notification_id", Big, nullable=False),
    Column("source", Text, nullable=False),
    Column("provider", Text, nullable=False),
    Column("origin", Text, nullable=False),
    Column("device", Text, nullable=False),
    Column("outcome", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("n", Big, nullable=False),
    # Of what people did: whole minutes since 1970.
    Column("minute", Big),
    PrimaryKeyConstraint("id", name="pk_tallies"),
    Index("ix_tallies_app_id_day", "app_id", "day"),
    sqlite_autoincrement=True,
    sqlite_strict=True,
)

# A day is whole days since 1970 in UTC. Under notification 0 is everything of an App. What went to many is there once
# more under its own; of what went to a few there would be as many rows as deliveries.
daily_counts = Table(
    "daily_counts",
    metadata,
    Column("app_id", Big, nullable=False),
    Column("day", Big, nullable=False),
    Column("notification_id", Big, nullable=False),
    Column("source", Text, nullable=False),
    Column("provider", Text, nullable=False),
    Column("service", Text, nullable=False),
    Column("browser", Text, nullable=False),
    Column("outcome", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("n", Big, nullable=False, server_default=text("0")),
    PrimaryKeyConstraint(
        "app_id",
        "notification_id",
        "day",
        "source",
        "provider",
        "service",
        "browser",
        "outcome",
        "reason",
        name="pk_daily_counts",
    ),
    Index("ix_daily_counts_day", "day"),
    sqlite_strict=True,
    sqlite_with_rowid=False,
)

# When people did what with a notification that went to many: a page of it would read all their receipts otherwise.
notification_minutes = Table(
    "notification_minutes",
    metadata,
    Column("notification_id", Big, nullable=False),
    Column("minute", Big, nullable=False),
    Column("outcome", Text, nullable=False),
    Column("n", Big, nullable=False, server_default=text("0")),
    PrimaryKeyConstraint("notification_id", "minute", "outcome", name="pk_notification_minutes"),
    sqlite_strict=True,
    sqlite_with_rowid=False,
)

# How often each action was chosen, of receipts that are kept no longer.
notification_answers = Table(
    "notification_answers",
    metadata,
    Column("notification_id", Big, nullable=False),
    Column("action", Text, nullable=False),
    Column("n", Big, nullable=False, server_default=text("0")),
    PrimaryKeyConstraint("notification_id", "action", name="pk_notification_answers"),
    sqlite_strict=True,
    sqlite_with_rowid=False,
)
