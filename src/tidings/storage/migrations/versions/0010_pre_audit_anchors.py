"""Where chains of the audit log begin once their oldest entries had their time."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010_pre_audit_anchors"
down_revision = "0009_pre_templates"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Take the step."""
    op.create_table(
        "audit_anchors",
        sa.Column("chain", BIG, nullable=False),
        sa.Column("n", BIG, nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.Column("mac", sa.LargeBinary(), nullable=False),
        sa.Column("at", BIG, nullable=False),
        sa.PrimaryKeyConstraint("chain", name="pk_audit_anchors"),
        sqlite_strict=True,
    )
