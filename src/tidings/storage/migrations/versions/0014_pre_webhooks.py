"""Outgoing webhooks: where they go, what is to be told, what was told and how each try went."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0014_pre_webhooks"
down_revision = "0013_pre_triggers"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
SMALL = sa.SmallInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Take the step."""
    op.add_column("apps", _count("webhook_kinds"))
    _webhooks()
    _outbox()
    _messages()
    _attempts()


def downgrade() -> None:
    """Take it back."""
    op.drop_table("webhook_attempts")
    op.drop_table("webhook_messages")
    op.drop_table("webhook_outbox")
    op.drop_table("webhooks")
    op.drop_column("apps", "webhook_kinds")


def _count(name: str) -> sa.Column[int]:
    return sa.Column(name, BIG, server_default=sa.text("0"), nullable=False)


def _webhooks() -> None:
    op.create_table(
        "webhooks",
        sa.Column("id", BIG, sa.Identity(always=False), nullable=False),
        sa.Column("public_id", sa.Text(), nullable=False),
        sa.Column("app_id", BIG, nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("earlier_until", BIG, nullable=True),
        sa.Column("kinds", BIG, nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("enabled", SMALL, nullable=False),
        sa.Column("disabled_because", sa.Text(), nullable=True),
        _count("failures"),
        sa.Column("failing_since", BIG, nullable=True),
        sa.Column("succeeded_at", BIG, nullable=True),
        sa.Column("rests_until", BIG, nullable=False),
        sa.Column("leased_until", BIG, nullable=False),
        _count("token"),
        sa.Column("created_at", BIG, nullable=False),
        sa.Column("updated_at", BIG, nullable=False),
        sa.ForeignKeyConstraint(["app_id"], ["apps.id"], name="fk_webhooks_app_id"),
        sa.PrimaryKeyConstraint("id", name="pk_webhooks"),
        sa.UniqueConstraint("public_id", name="uq_webhooks_public_id"),
        sqlite_autoincrement=True,
        sqlite_strict=True,
    )
    op.create_index("ix_webhooks_app_id", "webhooks", ["app_id"], unique=False)


def _outbox() -> None:
    op.create_table(
        "webhook_outbox",
        sa.Column("id", BIG, sa.Identity(always=False), nullable=False),
        sa.Column("app_id", BIG, nullable=False),
        sa.Column("notification_id", BIG, nullable=False),
        sa.Column("at", BIG, nullable=False),
        sa.Column("events", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_webhook_outbox"),
        sqlite_autoincrement=True,
        sqlite_strict=True,
    )
    op.create_index("ix_webhook_outbox_app_id", "webhook_outbox", ["app_id"], unique=False)


def _messages() -> None:
    op.create_table(
        "webhook_messages",
        sa.Column("id", BIG, sa.Identity(always=False), nullable=False),
        sa.Column("public_id", sa.Text(), nullable=False),
        sa.Column("webhook_id", BIG, nullable=False),
        sa.Column("app_id", BIG, nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("happenings", sa.LargeBinary(), nullable=False),
        sa.Column("n_events", BIG, nullable=False),
        _count("tries"),
        sa.Column("test", SMALL, nullable=False),
        sa.Column("created_at", BIG, nullable=False),
        sa.Column("begun_at", BIG, nullable=False),
        sa.Column("due_at", BIG, nullable=False),
        sa.Column("done_at", BIG, nullable=True),
        sa.Column("last_status", BIG, nullable=True),
        sa.Column("last_failure", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_webhook_messages"),
        sa.UniqueConstraint("public_id", name="uq_webhook_messages_public_id"),
        sqlite_autoincrement=True,
        sqlite_strict=True,
    )
    op.create_index("ix_webhook_messages_app_id", "webhook_messages", ["app_id"], unique=False)
    op.create_index("ix_webhook_messages_created_at", "webhook_messages", ["created_at"], unique=False)
    op.create_index("ix_webhook_messages_webhook_id_id", "webhook_messages", ["webhook_id", "id"], unique=False)
    op.create_index(
        "ix_webhook_messages_waiting",
        "webhook_messages",
        ["webhook_id", "due_at"],
        unique=False,
        sqlite_where=sa.text("status = 'waiting'"),
        postgresql_where=sa.text("status = 'waiting'"),
    )


def _attempts() -> None:
    op.create_table(
        "webhook_attempts",
        sa.Column("id", BIG, sa.Identity(always=False), nullable=False),
        sa.Column("message_id", BIG, nullable=False),
        sa.Column("app_id", BIG, nullable=False),
        sa.Column("at", BIG, nullable=False),
        sa.Column("status", BIG, nullable=True),
        sa.Column("failure", sa.Text(), nullable=False),
        sa.Column("milliseconds", BIG, nullable=False),
        sa.Column("answer", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_webhook_attempts"),
        sqlite_autoincrement=True,
        sqlite_strict=True,
    )
    op.create_index("ix_webhook_attempts_app_id", "webhook_attempts", ["app_id"], unique=False)
    op.create_index("ix_webhook_attempts_message_id", "webhook_attempts", ["message_id"], unique=False)
