"""Whom a notification did not reach, found by the reason."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0016_pre_missed"
down_revision = "0015_pre_owners"
branch_labels = None
depends_on = None

MISSED = sa.text("status <> 1")


def upgrade() -> None:
    """Take the step."""
    op.create_index(
        "ix_deliveries_missed",
        "deliveries",
        ["notification_id", "reason", "subscription_id"],
        sqlite_where=MISSED,
        postgresql_where=MISSED,
    )


def downgrade() -> None:
    """Take it back."""
    op.drop_index("ix_deliveries_missed", "deliveries")
