"""What event types are called in other languages."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0020_pre_naming"
down_revision = "0019_pre_names"
branch_labels = None
depends_on = None

JSON = sa.Text().with_variant(JSONB(), "postgresql")


def upgrade() -> None:
    """Take the step."""
    op.add_column("event_types", sa.Column("language", sa.Text(), nullable=False, server_default=sa.text("'en'")))
    op.add_column("event_types", sa.Column("locales", JSON, nullable=False, server_default=sa.text("'{}'")))


def downgrade() -> None:
    """Take it back."""
    op.drop_column("event_types", "locales")
    op.drop_column("event_types", "language")
