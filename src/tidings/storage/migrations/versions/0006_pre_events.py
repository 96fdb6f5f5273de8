"""Notifications say what they are about, and which trigger and event made them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006_pre_events"
down_revision = "0005_pre_vitals"
branch_labels = None
depends_on = None

COLUMNS = ("event_type", "trigger", "event")


def upgrade() -> None:
    """Take the step."""
    for name in COLUMNS:
        op.add_column("notifications", sa.Column(name, sa.Text()))


def downgrade() -> None:
    """Take it back."""
    for name in reversed(COLUMNS):
        op.drop_column("notifications", name)
