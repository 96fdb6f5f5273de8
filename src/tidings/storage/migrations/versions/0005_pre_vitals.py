"""Chunks in doubt are counted by an index of their own."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005_pre_vitals"
down_revision = "0004_pre_accounts"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Take the step."""
    there = sa.text("chunk_open IS NOT NULL AND status = 'ready'")
    op.create_index("ix_shards_in_doubt", "shards", ["id"], sqlite_where=there, postgresql_where=there)


def downgrade() -> None:
    """Take it back."""
    op.drop_index("ix_shards_in_doubt", "shards")
