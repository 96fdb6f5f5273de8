"""Counts by day, erasures, and identity secrets that are changed with a time of grace."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0002_pre_privacy"
down_revision = "0001_pre_begin"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
JSON = sa.Text().with_variant(JSONB(), "postgresql")


def upgrade() -> None:
    """Take the step."""
    op.add_column("apps", sa.Column("earlier_secret", sa.LargeBinary(), nullable=True))
    op.add_column("apps", sa.Column("earlier_until", BIG, nullable=True))
    op.add_column("apps", sa.Column("secret_since", BIG, nullable=True))
    op.add_column("apps", sa.Column("erased_at", BIG, nullable=True))
    op.add_column("notifications", sa.Column("details_until", BIG, nullable=True))
    op.create_index(
        "ix_notifications_details",
        "notifications",
        ["finished_at"],
        sqlite_where=sa.text("details_until IS NULL"),
        postgresql_where=sa.text("details_until IS NULL"),
    )
    op.create_index("ix_receipts_subscription_id", "receipts", ["subscription_id"])
    _counts()
    _erasures()


def _counts() -> None:
    op.create_table(
        "tallies",
        sa.Column("id", BIG, sa.Identity(always=False), nullable=False),
        sa.Column("app_id", BIG, nullable=False),
        sa.Column("day", BIG, nullable=False),
        sa.Column("notification_id", BIG, nullable=False),
        *(
            sa.Column(name, sa.Text(), nullable=False)
            for name in ("source", "provider", "origin", "device", "outcome", "reason")
        ),
        sa.Column("n", BIG, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_tallies"),
        sqlite_autoincrement=True,
        sqlite_strict=True,
    )
    op.create_index("ix_tallies_app_id_day", "tallies", ["app_id", "day"])
    words = ("source", "provider", "service", "browser", "outcome", "reason")
    op.create_table(
        "daily_counts",
        sa.Column("app_id", BIG, nullable=False),
        sa.Column("day", BIG, nullable=False),
        sa.Column("notification_id", BIG, nullable=False),
        *(sa.Column(name, sa.Text(), nullable=False) for name in words),
        sa.Column("n", BIG, server_default=sa.text("0"), nullable=False),
        sa.PrimaryKeyConstraint("app_id", "notification_id", "day", *words, name="pk_daily_counts"),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    op.create_index("ix_daily_counts_day", "daily_counts", ["day"])
    op.create_table(
        "notification_answers",
        sa.Column("notification_id", BIG, nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("n", BIG, server_default=sa.text("0"), nullable=False),
        sa.PrimaryKeyConstraint("notification_id", "action", name="pk_notification_answers"),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )


def _erasures() -> None:
    op.create_table(
        "erasures",
        sa.Column("id", BIG, sa.Identity(always=False), nullable=False),
        sa.Column("public_id", sa.Text(), nullable=False),
        sa.Column("app_id", BIG, nullable=False),
        sa.Column("app_public_id", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("subject_hash", sa.LargeBinary(), nullable=False),
        sa.Column("sought", sa.LargeBinary(), nullable=True),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("counts", JSON, nullable=False),
        sa.Column("in_hand", JSON, nullable=False),
        sa.Column("looked_at", BIG, server_default=sa.text("0"), nullable=False),
        sa.Column("look_to", BIG, server_default=sa.text("0"), nullable=False),
        sa.Column("asked_at", BIG, nullable=False),
        sa.Column("finished_at", BIG, nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_erasures"),
        sa.UniqueConstraint("public_id", name="uq_erasures_public_id"),
        sqlite_autoincrement=True,
        sqlite_strict=True,
    )
    op.create_index("ix_erasures_subject_hash", "erasures", ["app_id", "subject_hash"])
    op.create_index(
        "ix_erasures_running",
        "erasures",
        ["id"],
        sqlite_where=sa.text("status = 'running'"),
        postgresql_where=sa.text("status = 'running'"),
    )
    op.create_table(
        "erased_devices",
        sa.Column("erasure_id", BIG, nullable=False),
        sa.Column("subscription_id", BIG, nullable=False),
        sa.Column("public_id", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("erasure_id", "subscription_id", name="pk_erased_devices"),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
