"""When people did what with a notification that went to many, and its answers, without a look at all their receipts."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0022_pre_minutes"
down_revision = "0021_pre_subscription_counts"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
ANSWERED = sa.text("event = 'answered'")


def upgrade() -> None:
    """Take the step."""
    op.add_column("tallies", sa.Column("minute", BIG, nullable=True))
    op.create_table(
        "notification_minutes",
        sa.Column("notification_id", BIG, nullable=False),
        sa.Column("minute", BIG, nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("n", BIG, server_default=sa.text("0"), nullable=False),
        sa.PrimaryKeyConstraint("notification_id", "minute", "outcome", name="pk_notification_minutes"),
        sqlite_with_rowid=False,
        sqlite_strict=True,
    )
    # A moment is microseconds since 1970. Tallies that wait have no minute, so nothing is counted twice.
    op.execute(
        "INSERT INTO notification_minutes (notification_id, minute, outcome, n)"
        " SELECT receipts.notification_id, receipts.at / 60000000, receipts.event, count(*) FROM receipts"
        " JOIN notifications ON notifications.id = receipts.notification_id WHERE notifications.n_audience > 100"
        " GROUP BY receipts.notification_id, receipts.at / 60000000, receipts.event"
    )
    op.create_index(
        "ix_receipts_answered",
        "receipts",
        ["notification_id", "action"],
        sqlite_where=ANSWERED,
        postgresql_where=ANSWERED,
    )


def downgrade() -> None:
    """Take it back."""
    op.drop_index("ix_receipts_answered", "receipts")
    op.drop_table("notification_minutes")
    op.drop_column("tallies", "minute")
