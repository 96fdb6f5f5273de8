"""Event types, and the events that an App reports."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0008_pre_event_types"
down_revision = "0007_pre_rights"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
SMALL = sa.SmallInteger().with_variant(sa.Integer(), "sqlite")
JSON = sa.Text().with_variant(JSONB(), "postgresql")


def upgrade() -> None:
    """Take the step."""
    _event_types()
    _events()
    _event_people()
    _event_lanes()


def downgrade() -> None:
    """Take it back."""
    op.drop_table("event_lanes")
    op.drop_table("event_people")
    op.drop_table("events")
    op.drop_table("event_types")


def _event_types() -> None:
    op.create_table(
        "event_types",
        sa.Column("id", BIG, sa.Identity(always=False), nullable=False),
        sa.Column("app_id", BIG, nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("category", sa.Text(), nullable=False),
        sa.Column("variables", JSON, nullable=False),
        sa.Column("examples", JSON, nullable=False),
        sa.Column("push", SMALL, nullable=False),
        sa.Column("feed", SMALL, nullable=False),
        sa.Column("mandatory", SMALL, nullable=False),
        sa.Column("edition", BIG, nullable=False, server_default=sa.text("1")),
        sa.Column("created_at", BIG, nullable=False),
        sa.Column("updated_at", BIG, nullable=False),
        sa.ForeignKeyConstraint(["app_id"], ["apps.id"], name="fk_event_types_app_id"),
        sa.PrimaryKeyConstraint("id", name="pk_event_types"),
        sa.UniqueConstraint("app_id", "key", name="uq_event_types_app_id_key"),
        sqlite_autoincrement=True,
        sqlite_strict=True,
    )


def _events() -> None:
    op.create_table(
        "events",
        sa.Column("id", BIG, sa.Identity(always=False), nullable=False),
        sa.Column("public_id", sa.Text(), nullable=False),
        sa.Column("app_id", BIG, nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=True),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("data", JSON, nullable=False),
        sa.Column("users", JSON, nullable=False),
        sa.Column("actor", sa.Text(), nullable=True),
        sa.Column("occurred_at", BIG, nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("tries", SMALL, nullable=False, server_default=sa.text("0")),
        sa.Column("fault", sa.Text(), nullable=True),
        sa.Column("replay_of", sa.Text(), nullable=True),
        sa.Column("created_at", BIG, nullable=False),
        sa.Column("done_at", BIG, nullable=True),
        sa.ForeignKeyConstraint(["app_id"], ["apps.id"], name="fk_events_app_id"),
        sa.PrimaryKeyConstraint("id", name="pk_events"),
        sa.UniqueConstraint("app_id", "key", name="uq_events_app_id_key"),
        sa.UniqueConstraint("public_id", name="uq_events_public_id"),
        sqlite_autoincrement=True,
        sqlite_strict=True,
    )
    op.create_index("ix_events_app_id_id", "events", ["app_id", "id"], unique=False)
    op.create_index("ix_events_app_id_type_id", "events", ["app_id", "type", "id"], unique=False)
    op.create_index("ix_events_created_at", "events", ["created_at"], unique=False)
    op.create_index(
        "ix_events_queued",
        "events",
        ["app_id", "id"],
        unique=False,
        sqlite_where=sa.text("status = 'queued'"),
        postgresql_where=sa.text("status = 'queued'"),
    )


def _event_people() -> None:
    op.create_table(
        "event_people",
        sa.Column("app_id", BIG, nullable=False),
        sa.Column("external_id", sa.Text(), nullable=False),
        sa.Column("event_id", BIG, nullable=False),
        sa.PrimaryKeyConstraint("app_id", "external_id", "event_id", name="pk_event_people"),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    op.create_index("ix_event_people_event_id", "event_people", ["event_id"], unique=False)


def _event_lanes() -> None:
    op.create_table(
        "event_lanes",
        sa.Column("app_id", BIG, nullable=False),
        sa.Column("owner", sa.Text(), nullable=False),
        sa.Column("token", BIG, nullable=False),
        sa.Column("leased_until", BIG, nullable=False),
        sa.Column("served_at", BIG, nullable=False),
        sa.PrimaryKeyConstraint("app_id", name="pk_event_lanes"),
        sqlite_strict=True,
    )
