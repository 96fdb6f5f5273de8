"""Who invited or made a reset link, and whose address is confirmed."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007_pre_rights"
down_revision = "0006_pre_events"
branch_labels = None
depends_on = None

SMALL = sa.SmallInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Take the step."""
    op.add_column("members", sa.Column("email_confirmed", SMALL, nullable=False, server_default=sa.text("1")))
    op.add_column("invitations", sa.Column("inviter_id", sa.Text(), nullable=True))
    op.add_column("password_resets", sa.Column("maker_id", sa.Text(), nullable=True))
    op.create_index("ix_invitations_inviter_id", "invitations", ["inviter_id"])
