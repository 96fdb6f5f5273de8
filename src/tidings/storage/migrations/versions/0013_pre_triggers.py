"""Triggers, what came of events, what is counted and what is still to be sent."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0013_pre_triggers"
down_revision = "0012_pre_segments"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
SMALL = sa.SmallInteger().with_variant(sa.Integer(), "sqlite")
JSON = sa.Text().with_variant(JSONB(), "postgresql")


def upgrade() -> None:
    """Take the step."""
    _triggers()
    _firings()
    _trigger_windows()
    _trigger_pendings()


def downgrade() -> None:
    """Take it back."""
    op.drop_table("trigger_pendings")
    op.drop_table("trigger_windows")
    op.drop_table("firings")
    op.drop_table("triggers")


def _triggers() -> None:
    op.create_table(
        "triggers",
        sa.Column("id", BIG, sa.Identity(always=False), nullable=False),
        sa.Column("public_id", sa.Text(), nullable=False),
        sa.Column("app_id", BIG, nullable=False),
        sa.Column("event_type", sa.Text(), nullable=False),
        sa.Column("unless_type", sa.Text(), nullable=True),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("enabled", SMALL, nullable=False),
        sa.Column("definition", JSON, nullable=False),
        sa.Column("created_at", BIG, nullable=False),
        sa.Column("updated_at", BIG, nullable=False),
        sa.ForeignKeyConstraint(["app_id"], ["apps.id"], name="fk_triggers_app_id"),
        sa.PrimaryKeyConstraint("id", name="pk_triggers"),
        sa.UniqueConstraint("public_id", name="uq_triggers_public_id"),
        sqlite_autoincrement=True,
        sqlite_strict=True,
    )
    op.create_index("ix_triggers_app_id_event_type", "triggers", ["app_id", "event_type"], unique=False)
    op.create_index(
        "ix_triggers_app_id_unless_type",
        "triggers",
        ["app_id", "unless_type"],
        unique=False,
        sqlite_where=sa.text("unless_type IS NOT NULL"),
        postgresql_where=sa.text("unless_type IS NOT NULL"),
    )


def _firings() -> None:
    op.create_table(
        "firings",
        sa.Column("event_id", BIG, nullable=False),
        sa.Column("trigger_id", BIG, nullable=False),
        sa.Column("app_id", BIG, nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("notifications", JSON, nullable=False),
        sa.Column("pending_id", BIG, nullable=True),
        sa.Column("at", BIG, nullable=False),
        sa.PrimaryKeyConstraint("event_id", "trigger_id", name="pk_firings"),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    op.create_index(
        "ix_firings_pending_id",
        "firings",
        ["pending_id"],
        unique=False,
        sqlite_where=sa.text("pending_id IS NOT NULL"),
        postgresql_where=sa.text("pending_id IS NOT NULL"),
    )
    op.create_index("ix_firings_trigger_id_event_id", "firings", ["trigger_id", "event_id"], unique=False)


def _trigger_windows() -> None:
    op.create_table(
        "trigger_windows",
        sa.Column("trigger_id", BIG, nullable=False),
        sa.Column("key", sa.LargeBinary(), nullable=False),
        sa.Column("app_id", BIG, nullable=False),
        sa.Column("opened_at", BIG, nullable=False),
        sa.Column("n", BIG, nullable=False),
        sa.Column("closes_at", BIG, nullable=True),
        sa.PrimaryKeyConstraint("trigger_id", "key", name="pk_trigger_windows"),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    op.create_index("ix_trigger_windows_closes_at", "trigger_windows", ["closes_at"], unique=False)


def _trigger_pendings() -> None:
    op.create_table(
        "trigger_pendings",
        sa.Column("id", BIG, sa.Identity(always=False), nullable=False),
        sa.Column("app_id", BIG, nullable=False),
        sa.Column("trigger_id", BIG, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("key", sa.LargeBinary(), nullable=False),
        sa.Column("due_at", BIG, nullable=False),
        sa.Column("n", BIG, nullable=False),
        sa.Column("created_at", BIG, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_trigger_pendings"),
        sqlite_autoincrement=True,
        sqlite_strict=True,
    )
    op.create_index("ix_trigger_pendings_app_id_due_at", "trigger_pendings", ["app_id", "due_at"], unique=False)
    op.create_index("ix_trigger_pendings_trigger_id_key", "trigger_pendings", ["trigger_id", "key"], unique=False)
    op.create_index(
        "uq_trigger_pendings_digest",
        "trigger_pendings",
        ["trigger_id", "key"],
        unique=True,
        sqlite_where=sa.text("kind = 'digest'"),
        postgresql_where=sa.text("kind = 'digest'"),
    )
