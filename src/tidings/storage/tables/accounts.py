"""Tables of those who run an instance: members, how they sign in, and the log of what was done."""

from __future__ import annotations

from sqlalchemy import (
    Column,
    ForeignKeyConstraint,
    Index,
    LargeBinary,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from tidings.storage.columns import Big, Json, Moment, Small
from tidings.storage.tables.metadata import id_column, metadata

members = Table(
    "members",
    metadata,
    id_column(),
    Column("public_id", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("email", Text, nullable=False),
    # The address as two people who write it differently would both mean it.
    Column("email_key", Text, nullable=False),
    # 0 once the member chose the address alone: no provider's word about it leads to this account.
    Column("email_confirmed", Small, nullable=False, server_default=text("1")),
    Column("password", Text),
    Column("super_admin", Small, nullable=False),
    Column("totp_seed", LargeBinary),
    # Null until a first code has shown that the app and the clock agree.
    Column("totp_since", Moment),
    # The time step of the last code taken: none is good twice.
    Column("totp_step", Big, nullable=False, server_default=text("0")),
    Column("created_at", Moment, nullable=False),
    Column("last_seen_at", Moment),
    Column("disabled_at", Moment),
    PrimaryKeyConstraint("id", name="pk_members"),
    UniqueConstraint("public_id", name="uq_members_public_id"),
    UniqueConstraint("email_key", name="uq_members_email_key"),
    sqlite_autoincrement=True,
    sqlite_strict=True,
)

memberships = Table(
    "memberships",
    metadata,
    Column("member_id", Big, nullable=False),
    Column("app_id", Big, nullable=False),
    Column("role", Text, nullable=False),
    Column("created_at", Moment, nullable=False),
    PrimaryKeyConstraint("member_id", "app_id", name="pk_memberships"),
    ForeignKeyConstraint(["member_id"], ["members.id"], name="fk_memberships_member_id", ondelete="CASCADE"),
    ForeignKeyConstraint(["app_id"], ["apps.id"], name="fk_memberships_app_id", ondelete="CASCADE"),
    Index("ix_memberships_app_id", "app_id"),
    sqlite_strict=True,
    sqlite_with_rowid=False,
)

invitations = Table(
    "invitations",
    metadata,
    id_column(),
    Column("public_id", Text, nullable=False),
    Column("app_id", Big, nullable=False),
    Column("email", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("token_hash", LargeBinary, nullable=False),
    Column("invited_by", Text, nullable=False),
    Column("inviter_id", Text),
    Column("created_at", Moment, nullable=False),
    Column("expires_at", Moment, nullable=False),
    PrimaryKeyConstraint("id", name="pk_invitations"),
    UniqueConstraint("public_id", name="uq_invitations_public_id"),
    UniqueConstraint("token_hash", name="uq_invitations_token_hash"),
    ForeignKeyConstraint(["app_id"], ["apps.id"], name="fk_invitations_app_id", ondelete="CASCADE"),
    Index("ix_invitations_app_id", "app_id"),
    Index("ix_invitations_inviter_id", "inviter_id"),
    sqlite_autoincrement=True,
    sqlite_strict=True,
)

password_resets = Table(
    "password_resets",
    metadata,
    Column("token_hash", LargeBinary, nullable=False),
    Column("member_id", Big, nullable=False),
    # Public id of the member or key that made the link; none for the operator of the machine.
    Column("maker_id", Text),
    Column("expires_at", Moment, nullable=False),
    PrimaryKeyConstraint("token_hash", name="pk_password_resets"),
    ForeignKeyConstraint(["member_id"], ["members.id"], name="fk_password_resets_member_id", ondelete="CASCADE"),
    Index("ix_password_resets_member_id", "member_id"),
    sqlite_strict=True,
)

sessions = Table(
    "sessions",
    metadata,
    id_column(),
    Column("public_id", Text, nullable=False),
    Column("token_hash", LargeBinary, nullable=False),
    Column("member_id", Big, nullable=False),
    Column("stage", Text, nullable=False),
    Column("device", Text, nullable=False),
    Column("address", Text),
    Column("created_at", Moment, nullable=False),
    Column("seen_at", Moment, nullable=False),
    Column("authenticated_at", Moment, nullable=False),
    Column("expires_at", Moment, nullable=False),
    PrimaryKeyConstraint("id", name="pk_sessions"),
    UniqueConstraint("public_id", name="uq_sessions_public_id"),
    UniqueConstraint("token_hash", name="uq_sessions_token_hash"),
    ForeignKeyConstraint(["member_id"], ["members.id"], name="fk_sessions_member_id", ondelete="CASCADE"),
    Index("ix_sessions_member_id", "member_id"),
    Index("ix_sessions_expires_at", "expires_at"),
    sqlite_autoincrement=True,
    sqlite_strict=True,
)

recovery_codes = Table(
    "recovery_codes",
    metadata,
    Column("member_id", Big, nullable=False),
    Column("code_hash", LargeBinary, nullable=False),
    PrimaryKeyConstraint("member_id", "code_hash", name="pk_recovery_codes"),
    ForeignKeyConstraint(["member_id"], ["members.id"], name="fk_recovery_codes_member_id", ondelete="CASCADE"),
    sqlite_strict=True,
    sqlite_with_rowid=False,
)

passkeys = Table(
    "passkeys",
    metadata,
    id_column(),
    Column("public_id", Text, nullable=False),
    Column("member_id", Big, nullable=False),
    Column("name", Text, nullable=False),
    Column("webauthn_id", LargeBinary, nullable=False),
    Column("public_key", LargeBinary, nullable=False),
    Column("sign_count", Big, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("last_used_at", Moment),
    PrimaryKeyConstraint("id", name="pk_passkeys"),
    UniqueConstraint("public_id", name="uq_passkeys_public_id"),
    UniqueConstraint("webauthn_id", name="uq_passkeys_webauthn_id"),
    ForeignKeyConstraint(["member_id"], ["members.id"], name="fk_passkeys_member_id", ondelete="CASCADE"),
    Index("ix_passkeys_member_id", "member_id"),
    sqlite_autoincrement=True,
    sqlite_strict=True,
)

# What was asked of a browser and is answered once: of a passkey, or of a provider that signs people in.
challenges = Table(
    "challenges",
    metadata,
    Column("public_id", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("member_id", Big),
    Column("state", LargeBinary, nullable=False),
    Column("expires_at", Moment, nullable=False),
    PrimaryKeyConstraint("public_id", name="pk_challenges"),
    ForeignKeyConstraint(["member_id"], ["members.id"], name="fk_challenges_member_id", ondelete="CASCADE"),
    Index("ix_challenges_expires_at", "expires_at"),
    sqlite_strict=True,
)

# How often signing in failed, by account, by address and by both; names are keyed hashes.
sign_in_failures = Table(
    "sign_in_failures",
    metadata,
    Column("name", LargeBinary, nullable=False),
    Column("n", Big, nullable=False),
    Column("last_at", Moment, nullable=False),
    Column("blocked_until", Moment, nullable=False),
    PrimaryKeyConstraint("name", name="pk_sign_in_failures"),
    Index("ix_sign_in_failures_last_at", "last_at"),
    sqlite_strict=True,
)

oidc_providers = Table(
    "oidc_providers",
    metadata,
    Column("id", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("issuer", Text, nullable=False),
    Column("client_id", Text, nullable=False),
    Column("client_secret", LargeBinary, nullable=False),
    Column("domains", Json, nullable=False),
    Column("create_role", Text),
    Column("app_id", Big),
    Column("created_at", Moment, nullable=False),
    PrimaryKeyConstraint("id", name="pk_oidc_providers"),
    ForeignKeyConstraint(["app_id"], ["apps.id"], name="fk_oidc_providers_app_id", ondelete="SET NULL"),
    sqlite_strict=True,
)

oidc_identities = Table(
    "oidc_identities",
    metadata,
    Column("issuer", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("member_id", Big, nullable=False),
    Column("created_at", Moment, nullable=False),
    PrimaryKeyConstraint("issuer", "subject", name="pk_oidc_identities"),
    ForeignKeyConstraint(["member_id"], ["members.id"], name="fk_oidc_identities_member_id", ondelete="CASCADE"),
    Index("ix_oidc_identities_member_id", "member_id"),
    sqlite_strict=True,
)

# Where a chain of the audit log begins once its oldest entries had their time; `mac` is over number and hash.
audit_anchors = Table(
    "audit_anchors",
    metadata,
    Column("chain", Big, nullable=False),
    Column("n", Big, nullable=False),
    Column("hash", LargeBinary, nullable=False),
    Column("mac", LargeBinary, nullable=False),
    Column("at", Moment, nullable=False),
    PrimaryKeyConstraint("chain", name="pk_audit_anchors"),
    sqlite_strict=True,
)

# No foreign keys: what was done to an App or a member that is gone must stay to be read. Chain 0 is the instance's.
audit_entries = Table(
    "audit_entries",
    metadata,
    id_column(),
    Column("chain", Big, nullable=False),
    Column("n", Big, nullable=False),
    Column("at", Moment, nullable=False),
    Column("actor_kind", Text, nullable=False),
    Column("actor_id", Text),
    Column("actor_name", Text, nullable=False),
    Column("address", Text),
    Column("action", Text, nullable=False),
    Column("subject_kind", Text, nullable=False),
    Column("subject_id", Text),
    Column("subject_name", Text),
    Column("detail", Json, nullable=False),
    Column("previous", LargeBinary, nullable=False),
    Column("hash", LargeBinary, nullable=False),
    PrimaryKeyConstraint("id", name="pk_audit_entries"),
    UniqueConstraint("chain", "n", name="uq_audit_entries_chain_n"),
    Index("ix_audit_entries_actor_id", "actor_id"),
    sqlite_autoincrement=True,
    sqlite_strict=True,
)
