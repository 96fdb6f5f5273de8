"""Notifications that are being put into the feeds of many, bit by bit, and whom one to everybody leaves out."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0017_pre_feed_fills"
down_revision = "0016_pre_missed"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Take the step."""
    op.add_column("feed_broadcasts", sa.Column("except_user", sa.Text(), nullable=True))
    op.create_table(
        "feed_fills",
        sa.Column("notification_id", BIG, nullable=False),
        sa.Column("app_id", BIG, nullable=False),
        sa.Column("at", BIG, nullable=False),
        sa.Column("stage", sa.Text(), nullable=False),
        sa.Column("cursor", BIG, nullable=False),
        sa.ForeignKeyConstraint(["app_id"], ["apps.id"], name="fk_feed_fills_app_id"),
        sa.PrimaryKeyConstraint("notification_id", name="pk_feed_fills"),
        sqlite_strict=True,
    )
    op.create_index("ix_feed_fills_at", "feed_fills", ["at"], unique=False)


def downgrade() -> None:
    """Take it back."""
    op.drop_table("feed_fills")
    op.drop_column("feed_broadcasts", "except_user")
