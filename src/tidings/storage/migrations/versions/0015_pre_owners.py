"""Since when a device has been whose it is: what was said to the one before is not theirs."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0015_pre_owners"
down_revision = "0014_pre_webhooks"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Take the step."""
    op.add_column("subscriptions", sa.Column("owner_since", BIG, nullable=True))


def downgrade() -> None:
    """Take it back."""
    op.drop_column("subscriptions", "owner_since")
