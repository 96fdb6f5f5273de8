"""The tables of Apps, their integrations and credentials, and the people that they know."""

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

from tidings.storage.columns import Big, Bytewise, Json, Moment
from tidings.storage.tables.metadata import count_column, id_column, metadata

apps = Table(
    "apps",
    metadata,
    id_column(),
    Column("public_id", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("origins", Json, nullable=False),
    Column("identity_secret", LargeBinary, nullable=False),
    # The one before, which holds until then besides.
    Column("earlier_secret", LargeBinary),
    Column("earlier_until", Moment),
    Column("secret_since", Moment),
    Column("created_at", Moment, nullable=False),
    # Since when it is being erased: nobody finds it any more.
    Column("erased_at", Moment),
    # What those are told in whose own language a message does not have.
    Column("language", Text),
    # What its webhooks want to be told, a bit for each kind: 0, and nothing is written down for them.
    count_column("webhook_kinds"),
    PrimaryKeyConstraint("id", name="pk_apps"),
    UniqueConstraint("public_id", name="uq_apps_public_id"),
    sqlite_autoincrement=True,
    sqlite_strict=True,
)

integrations = Table(
    "integrations",
    metadata,
    id_column(),
    Column("public_id", Text, nullable=False),
    Column("app_id", Big, nullable=False),
    Column("provider", Text, nullable=False),
    Column("label", Text, nullable=False),
    Column("settings", Json, nullable=False),
    Column("paused_because", Text),
    Column("created_at", Moment, nullable=False),
    PrimaryKeyConstraint("id", name="pk_integrations"),
    UniqueConstraint("public_id", name="uq_integrations_public_id"),
    UniqueConstraint("app_id", "provider", "label", name="uq_integrations_app_id_provider_label"),
    ForeignKeyConstraint(["app_id"], ["apps.id"], name="fk_integrations_app_id"),
    sqlite_autoincrement=True,
    sqlite_strict=True,
)

credentials = Table(
    "credentials",
    metadata,
    id_column(),
    Column("integration_id", Big, nullable=False),
    Column("app_id", Big, nullable=False),
    Column("provider", Text, nullable=False),
    Column("fingerprint", Text, nullable=False),
    Column("secret", LargeBinary, nullable=False),
    Column("settings", Json, nullable=False),
    Column("status", Text, nullable=False),
    Column("created_at", Moment, nullable=False),
    PrimaryKeyConstraint("id", name="pk_credentials"),
    UniqueConstraint("integration_id", "fingerprint", name="uq_credentials_integration_id_fingerprint"),
    ForeignKeyConstraint(["integration_id"], ["integrations.id"], name="fk_credentials_integration_id"),
    ForeignKeyConstraint(["app_id"], ["apps.id"], name="fk_credentials_app_id"),
    Index("ix_credentials_app_id_provider", "app_id", "provider"),
    Index(
        "uq_credentials_current",
        "integration_id",
        unique=True,
        sqlite_where=text("status = 'current'"),
        postgresql_where=text("status = 'current'"),
    ),
    sqlite_autoincrement=True,
    sqlite_strict=True,
)

pauses = Table(
    "pauses",
    metadata,
    Column("credential_id", Big, nullable=False),
    Column("origin", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("since", Moment, nullable=False),
    PrimaryKeyConstraint("credential_id", "origin", name="pk_pauses"),
    ForeignKeyConstraint(["credential_id"], ["credentials.id"], name="fk_pauses_credential_id", ondelete="CASCADE"),
    sqlite_strict=True,
    sqlite_with_rowid=False,
)

users = Table(
    "users",
    metadata,
    id_column(),
    Column("app_id", Big, nullable=False),
    Column("external_id", Text, nullable=False),
    Column("attributes", Json, nullable=False),
    Column("locale", Text),
    Column("time_zone", Text),
    Column("created_at", Moment, nullable=False),
    Column("updated_at", Moment, nullable=False),
    PrimaryKeyConstraint("id", name="pk_users"),
    UniqueConstraint("app_id", "external_id", name="uq_users_app_id_external_id"),
    ForeignKeyConstraint(["app_id"], ["apps.id"], name="fk_users_app_id"),
    Index("ix_users_app_id_id", "app_id", "id"),
    sqlite_autoincrement=True,
    sqlite_strict=True,
)

# The words that a person is found by: those of the id and of the name, in small letters.
user_words = Table(
    "user_words",
    metadata,
    Column("user_id", Big, nullable=False),
    Column("word", Bytewise, nullable=False),
    Column("app_id", Big, nullable=False),
    PrimaryKeyConstraint("user_id", "word", name="pk_user_words"),
    ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_user_words_user_id", ondelete="CASCADE"),
    Index("ix_user_words_app_id_word_user_id", "app_id", "word", "user_id"),
    sqlite_strict=True,
    sqlite_with_rowid=False,
)
