"""Templates, and the language that an App's people are told in otherwise."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from tidings.storage.columns import Big, Json, Moment

revision = "0009_pre_templates"
down_revision = "0008_pre_event_types"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Take the step."""
    op.add_column("apps", sa.Column("language", sa.Text()))
    op.create_table(
        "templates",
        sa.Column("id", Big, sa.Identity(), nullable=False),
        sa.Column("public_id", sa.Text(), nullable=False),
        sa.Column("app_id", Big, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("event_type", sa.Text()),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column("message", Json, nullable=False),
        sa.Column("version", Big, nullable=False),
        sa.Column("created_at", Moment, nullable=False),
        sa.Column("updated_at", Moment, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_templates"),
        sa.UniqueConstraint("public_id", name="uq_templates_public_id"),
        sa.UniqueConstraint("app_id", "name", name="uq_templates_app_id_name"),
        sa.ForeignKeyConstraint(["app_id"], ["apps.id"], name="fk_templates_app_id"),
        sqlite_autoincrement=True,
        sqlite_strict=True,
    )
    op.create_index("ix_templates_app_id_id", "templates", ["app_id", "id"])


def downgrade() -> None:
    """Take it back."""
    op.drop_index("ix_templates_app_id_id", table_name="templates")
    op.drop_table("templates")
    op.drop_column("apps", "language")
