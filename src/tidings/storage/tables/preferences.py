"""The tables of what people want to hear of, and of what is in their feeds."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKeyConstraint, Index, PrimaryKeyConstraint, Table, Text, text

from tidings.storage.columns import Big, Moment, Small
from tidings.storage.tables.metadata import metadata

# Only what differs from what was said by default: nobody has a row for every event type.
preferences = Table(
    "preferences",
    metadata,
    Column("app_id", Big, nullable=False),
    Column("user_external_id", Text, nullable=False),
    Column("event_type", Text, nullable=False),
    Column("channel", Text, nullable=False),
    Column("enabled", Small, nullable=False),
    Column("updated_at", Moment, nullable=False),
    PrimaryKeyConstraint("app_id", "user_external_id", "event_type", "channel", name="pk_preferences"),
    ForeignKeyConstraint(["app_id"], ["apps.id"], name="fk_preferences_app_id"),
    sqlite_strict=True,
    sqlite_with_rowid=False,
)

# A row without hours is a person who wants none, whatever the App's own are.
quiet_hours = Table(
    "quiet_hours",
    metadata,
    Column("app_id", Big, nullable=False),
    Column("user_external_id", Text, nullable=False),
    Column("begins", Small),
    Column("ends", Small),
    Column("time_zone", Text),
    Column("updated_at", Moment, nullable=False),
    PrimaryKeyConstraint("app_id", "user_external_id", name="pk_quiet_hours"),
    ForeignKeyConstraint(["app_id"], ["apps.id"], name="fk_quiet_hours_app_id"),
    sqlite_strict=True,
    sqlite_with_rowid=False,
)

# What named people were told; of a broadcast a person has a row once they have read it or put it away.
feed_items = Table(
    "feed_items",
    metadata,
    Column("app_id", Big, nullable=False),
    Column("user_external_id", Text, nullable=False),
    Column("notification_id", Big, nullable=False),
    # From when on it is there: when the notification is to be sent.
    Column("at", Moment, nullable=False),
    Column("read_at", Moment),
    Column("archived_at", Moment),
    PrimaryKeyConstraint("app_id", "user_external_id", "notification_id", name="pk_feed_items"),
    ForeignKeyConstraint(["app_id"], ["apps.id"], name="fk_feed_items_app_id"),
    Index("ix_feed_items_app_id_user_external_id_at", "app_id", "user_external_id", "at", "notification_id"),
    Index("ix_feed_items_at", "at"),
    Index("ix_feed_items_notification_id", "notification_id"),
    sqlite_strict=True,
    sqlite_with_rowid=False,
)

# What everybody was told: one row, whoever reads it.
feed_broadcasts = Table(
    "feed_broadcasts",
    metadata,
    Column("app_id", Big, nullable=False),
    Column("notification_id", Big, nullable=False),
    Column("event_type", Text),
    Column("at", Moment, nullable=False),
    # Whoever did it, of what a trigger tells everybody else.
    Column("except_user", Text),
    PrimaryKeyConstraint("notification_id", name="pk_feed_broadcasts"),
    ForeignKeyConstraint(["app_id"], ["apps.id"], name="fk_feed_broadcasts_app_id"),
    Index("ix_feed_broadcasts_app_id_at", "app_id", "at", "notification_id"),
    Index("ix_feed_broadcasts_at", "at"),
    sqlite_strict=True,
    sqlite_with_rowid=False,
)

# What is for many who are not named: it gets a row for each of them, some at a time, from when it is to be sent.
feed_fills = Table(
    "feed_fills",
    metadata,
    Column("notification_id", Big, nullable=False),
    Column("app_id", Big, nullable=False),
    Column("at", Moment, nullable=False),
    Column("stage", Text, nullable=False),
    Column("cursor", Big, nullable=False),
    PrimaryKeyConstraint("notification_id", name="pk_feed_fills"),
    ForeignKeyConstraint(["app_id"], ["apps.id"], name="fk_feed_fills_app_id"),
    Index("ix_feed_fills_at", "at"),
    sqlite_strict=True,
)

# How far a person is: since when broadcasts are meant for them, what they have seen, read and put away as a whole.
feed_people = Table(
    "feed_people",
    metadata,
    Column("app_id", Big, nullable=False),
    Column("user_external_id", Text, nullable=False),
    Column("since", Moment, nullable=False),
    Column("seen_to", Moment, nullable=False, server_default=text("0")),
    Column("read_to", Moment, nullable=False, server_default=text("0")),
    Column("archived_to", Moment, nullable=False, server_default=text("0")),
    # What they did last, for their other pages.
    Column("changed_at", Moment, nullable=False),
    PrimaryKeyConstraint("app_id", "user_external_id", name="pk_feed_people"),
    ForeignKeyConstraint(["app_id"], ["apps.id"], name="fk_feed_people_app_id"),
    Index("ix_feed_people_changed_at", "changed_at"),
    sqlite_strict=True,
    sqlite_with_rowid=False,
)

PERSONAL = {
    "preferences": (preferences,),
    "quiet_hours": (quiet_hours,),
    "feed": (feed_items, feed_people),
}
"""What goes with a person, under the names that an erasure counts it by."""
