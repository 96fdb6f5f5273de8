"""Uploaded pictures."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0018_pre_images"
down_revision = "0017_pre_feed_fills"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Take the step."""
    op.create_table(
        "images",
        sa.Column("id", BIG, sa.Identity(always=False), nullable=False),
        sa.Column("public_id", sa.Text(), nullable=False),
        sa.Column("app_id", BIG, nullable=False),
        sa.Column("sha256", sa.LargeBinary(), nullable=False),
        sa.Column("media_type", sa.Text(), nullable=False),
        sa.Column("width", BIG, nullable=False),
        sa.Column("height", BIG, nullable=False),
        sa.Column("size", BIG, nullable=False),
        sa.Column("created_at", BIG, nullable=False),
        sa.Column("used_at", BIG, nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["app_id"], ["apps.id"], name="fk_images_app_id"),
        sa.PrimaryKeyConstraint("id", name="pk_images"),
        sa.UniqueConstraint("public_id", name="uq_images_public_id"),
        sa.UniqueConstraint("app_id", "sha256", name="uq_images_app_id_sha256"),
        sqlite_autoincrement=True,
        sqlite_strict=True,
    )
    op.create_index("ix_images_app_id_id", "images", ["app_id", "id"], unique=False)
    op.create_index("ix_images_used_at", "images", ["used_at"], unique=False)


def downgrade() -> None:
    """Take it back."""
    op.drop_table("images")
