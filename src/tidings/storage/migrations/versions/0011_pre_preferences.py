"""What people want to hear of, their quiet hours and their feeds."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011_pre_preferences"
down_revision = "0010_pre_audit_anchors"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
SMALL = sa.SmallInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Take the step."""
    _of_people(
        "preferences",
        ("event_type", "channel"),
        *_text("event_type", "channel"),
        _small("enabled"),
        _moment("updated_at"),
    )
    _of_people(
        "quiet_hours",
        (),
        _small("begins", nullable=True),
        _small("ends", nullable=True),
        sa.Column("time_zone", sa.Text(), nullable=True),
        _moment("updated_at"),
    )
    _of_people(
        "feed_items",
        ("notification_id",),
        _moment("notification_id"),
        _moment("at"),
        _moment("read_at", nullable=True),
        _moment("archived_at", nullable=True),
    )
    op.create_index(
        "ix_feed_items_app_id_user_external_id_at",
        "feed_items",
        ["app_id", "user_external_id", "at", "notification_id"],
    )
    op.create_index("ix_feed_items_at", "feed_items", ["at"])
    op.create_index("ix_feed_items_notification_id", "feed_items", ["notification_id"])
    op.create_table(
        "feed_broadcasts",
        sa.Column("app_id", BIG, nullable=False),
        _moment("notification_id"),
        sa.Column("event_type", sa.Text(), nullable=True),
        _moment("at"),
        sa.PrimaryKeyConstraint("notification_id", name="pk_feed_broadcasts"),
        sa.ForeignKeyConstraint(["app_id"], ["apps.id"], name="fk_feed_broadcasts_app_id"),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    op.create_index("ix_feed_broadcasts_app_id_at", "feed_broadcasts", ["app_id", "at", "notification_id"])
    op.create_index("ix_feed_broadcasts_at", "feed_broadcasts", ["at"])
    _of_people(
        "feed_people",
        (),
        _moment("since"),
        *(_moment(name, server_default=sa.text("0")) for name in ("seen_to", "read_to", "archived_to")),
        _moment("changed_at"),
    )
    op.create_index("ix_feed_people_changed_at", "feed_people", ["changed_at"])


def downgrade() -> None:
    """Take it back."""
    for name in ("feed_people", "feed_broadcasts", "feed_items", "quiet_hours", "preferences"):
        op.drop_table(name)


def _of_people(name: str, more_key: tuple[str, ...], *columns: sa.Column[object]) -> None:
    op.create_table(
        name,
        sa.Column("app_id", BIG, nullable=False),
        *_text("user_external_id"),
        *columns,
        sa.PrimaryKeyConstraint("app_id", "user_external_id", *more_key, name=f"pk_{name}"),
        sa.ForeignKeyConstraint(["app_id"], ["apps.id"], name=f"fk_{name}_app_id"),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )


def _text(*names: str) -> list[sa.Column[object]]:
    return [sa.Column(name, sa.Text(), nullable=False) for name in names]


def _small(name: str, *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, SMALL, nullable=nullable)


def _moment(name: str, *, nullable: bool = False, **more: object) -> sa.Column[object]:
    return sa.Column(name, BIG, nullable=nullable, **more)  # type: ignore[arg-type]
