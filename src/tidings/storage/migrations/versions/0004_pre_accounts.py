"""Members, roles, how they sign in, and the audit log; sessions of the one operator before them end."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0004_pre_accounts"
down_revision = "0003_app_devices"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
SMALL = sa.SmallInteger().with_variant(sa.Integer(), "sqlite")
JSON = sa.Text().with_variant(JSONB(), "postgresql")


def upgrade() -> None:
    """Take the step."""
    _members()
    _links()
    _sessions()
    _factors()
    _oidc()
    _audit()
    op.add_column("api_keys", sa.Column("created_by", sa.Text(), nullable=True))
    op.add_column("api_keys", sa.Column("expires_at", BIG, nullable=True))
    op.add_column("setup_tokens", sa.Column("member_id", BIG, nullable=True))


def _sessions() -> None:
    op.drop_table("sessions")
    op.create_table(
        "sessions",
        sa.Column("id", BIG, sa.Identity(always=False), nullable=False),
        sa.Column("public_id", sa.Text(), nullable=False),
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        sa.Column("member_id", BIG, nullable=False),
        sa.Column("stage", sa.Text(), nullable=False),
        sa.Column("device", sa.Text(), nullable=False),
        sa.Column("address", sa.Text(), nullable=True),
        sa.Column("created_at", BIG, nullable=False),
        sa.Column("seen_at", BIG, nullable=False),
        sa.Column("authenticated_at", BIG, nullable=False),
        sa.Column("expires_at", BIG, nullable=False),
        sa.ForeignKeyConstraint(["member_id"], ["members.id"], name="fk_sessions_member_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name="pk_sessions"),
        sa.UniqueConstraint("public_id", name="uq_sessions_public_id"),
        sa.UniqueConstraint("token_hash", name="uq_sessions_token_hash"),
        sqlite_autoincrement=True,
        sqlite_strict=True,
    )
    op.create_index("ix_sessions_member_id", "sessions", ["member_id"], unique=False)
    op.create_index("ix_sessions_expires_at", "sessions", ["expires_at"], unique=False)


def _members() -> None:
    op.create_table(
        "members",
        sa.Column("id", BIG, sa.Identity(always=False), nullable=False),
        sa.Column("public_id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("email_key", sa.Text(), nullable=False),
        sa.Column("password", sa.Text(), nullable=True),
        sa.Column("super_admin", SMALL, nullable=False),
        sa.Column("totp_seed", sa.LargeBinary(), nullable=True),
        sa.Column("totp_since", BIG, nullable=True),
        sa.Column("totp_step", BIG, server_default=sa.text("0"), nullable=False),
        sa.Column("created_at", BIG, nullable=False),
        sa.Column("last_seen_at", BIG, nullable=True),
        sa.Column("disabled_at", BIG, nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_members"),
        sa.UniqueConstraint("email_key", name="uq_members_email_key"),
        sa.UniqueConstraint("public_id", name="uq_members_public_id"),
        sqlite_autoincrement=True,
        sqlite_strict=True,
    )
    op.create_table(
        "memberships",
        sa.Column("member_id", BIG, nullable=False),
        sa.Column("app_id", BIG, nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("created_at", BIG, nullable=False),
        sa.ForeignKeyConstraint(["app_id"], ["apps.id"], name="fk_memberships_app_id", ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["member_id"], ["members.id"], name="fk_memberships_member_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("member_id", "app_id", name="pk_memberships"),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    op.create_index("ix_memberships_app_id", "memberships", ["app_id"], unique=False)


def _links() -> None:
    op.create_table(
        "invitations",
        sa.Column("id", BIG, sa.Identity(always=False), nullable=False),
        sa.Column("public_id", sa.Text(), nullable=False),
        sa.Column("app_id", BIG, nullable=False),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        sa.Column("invited_by", sa.Text(), nullable=False),
        sa.Column("created_at", BIG, nullable=False),
        sa.Column("expires_at", BIG, nullable=False),
        sa.ForeignKeyConstraint(["app_id"], ["apps.id"], name="fk_invitations_app_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name="pk_invitations"),
        sa.UniqueConstraint("public_id", name="uq_invitations_public_id"),
        sa.UniqueConstraint("token_hash", name="uq_invitations_token_hash"),
        sqlite_autoincrement=True,
        sqlite_strict=True,
    )
    op.create_index("ix_invitations_app_id", "invitations", ["app_id"], unique=False)
    op.create_table(
        "password_resets",
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        sa.Column("member_id", BIG, nullable=False),
        sa.Column("expires_at", BIG, nullable=False),
        sa.ForeignKeyConstraint(["member_id"], ["members.id"], name="fk_password_resets_member_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("token_hash", name="pk_password_resets"),
        sqlite_strict=True,
    )
    op.create_index("ix_password_resets_member_id", "password_resets", ["member_id"], unique=False)


def _factors() -> None:
    op.create_table(
        "recovery_codes",
        sa.Column("member_id", BIG, nullable=False),
        sa.Column("code_hash", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["member_id"], ["members.id"], name="fk_recovery_codes_member_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("member_id", "code_hash", name="pk_recovery_codes"),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    op.create_table(
        "passkeys",
        sa.Column("id", BIG, sa.Identity(always=False), nullable=False),
        sa.Column("public_id", sa.Text(), nullable=False),
        sa.Column("member_id", BIG, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("webauthn_id", sa.LargeBinary(), nullable=False),
        sa.Column("public_key", sa.LargeBinary(), nullable=False),
        sa.Column("sign_count", BIG, nullable=False),
        sa.Column("created_at", BIG, nullable=False),
        sa.Column("last_used_at", BIG, nullable=True),
        sa.ForeignKeyConstraint(["member_id"], ["members.id"], name="fk_passkeys_member_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name="pk_passkeys"),
        sa.UniqueConstraint("webauthn_id", name="uq_passkeys_webauthn_id"),
        sa.UniqueConstraint("public_id", name="uq_passkeys_public_id"),
        sqlite_autoincrement=True,
        sqlite_strict=True,
    )
    op.create_index("ix_passkeys_member_id", "passkeys", ["member_id"], unique=False)
    op.create_table(
        "challenges",
        sa.Column("public_id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("member_id", BIG, nullable=True),
        sa.Column("state", sa.LargeBinary(), nullable=False),
        sa.Column("expires_at", BIG, nullable=False),
        sa.ForeignKeyConstraint(["member_id"], ["members.id"], name="fk_challenges_member_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("public_id", name="pk_challenges"),
        sqlite_strict=True,
    )
    op.create_index("ix_challenges_expires_at", "challenges", ["expires_at"], unique=False)
    op.create_table(
        "sign_in_failures",
        sa.Column("name", sa.LargeBinary(), nullable=False),
        sa.Column("n", BIG, nullable=False),
        sa.Column("last_at", BIG, nullable=False),
        sa.Column("blocked_until", BIG, nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_sign_in_failures"),
        sqlite_strict=True,
    )
    op.create_index("ix_sign_in_failures_last_at", "sign_in_failures", ["last_at"], unique=False)


def _oidc() -> None:
    op.create_table(
        "oidc_providers",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("issuer", sa.Text(), nullable=False),
        sa.Column("client_id", sa.Text(), nullable=False),
        sa.Column("client_secret", sa.LargeBinary(), nullable=False),
        sa.Column("domains", JSON, nullable=False),
        sa.Column("create_role", sa.Text(), nullable=True),
        sa.Column("app_id", BIG, nullable=True),
        sa.Column("created_at", BIG, nullable=False),
        sa.ForeignKeyConstraint(["app_id"], ["apps.id"], name="fk_oidc_providers_app_id", ondelete="SET NULL"),
        sa.PrimaryKeyConstraint("id", name="pk_oidc_providers"),
        sqlite_strict=True,
    )
    op.create_table(
        "oidc_identities",
        sa.Column("issuer", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("member_id", BIG, nullable=False),
        sa.Column("created_at", BIG, nullable=False),
        sa.ForeignKeyConstraint(["member_id"], ["members.id"], name="fk_oidc_identities_member_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("issuer", "subject", name="pk_oidc_identities"),
        sqlite_strict=True,
    )
    op.create_index("ix_oidc_identities_member_id", "oidc_identities", ["member_id"], unique=False)


def _audit() -> None:
    op.create_table(
        "audit_entries",
        sa.Column("id", BIG, sa.Identity(always=False), nullable=False),
        sa.Column("chain", BIG, nullable=False),
        sa.Column("n", BIG, nullable=False),
        sa.Column("at", BIG, nullable=False),
        sa.Column("actor_kind", sa.Text(), nullable=False),
        sa.Column("actor_id", sa.Text(), nullable=True),
        sa.Column("actor_name", sa.Text(), nullable=False),
        sa.Column("address", sa.Text(), nullable=True),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("subject_kind", sa.Text(), nullable=False),
        sa.Column("subject_id", sa.Text(), nullable=True),
        sa.Column("subject_name", sa.Text(), nullable=True),
        sa.Column("detail", JSON, nullable=False),
        sa.Column("previous", sa.LargeBinary(), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_audit_entries"),
        sa.UniqueConstraint("chain", "n", name="uq_audit_entries_chain_n"),
        sqlite_autoincrement=True,
        sqlite_strict=True,
    )
    op.create_index("ix_audit_entries_actor_id", "audit_entries", ["actor_id"], unique=False)
