"""The words that people are found by."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0019_pre_names"
down_revision = "0018_pre_images"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
BYTEWISE = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
WORD = re.compile("[^\\W_\u2e80-\U0010ffff]+|(?=\\w)[\u2e80-\U0010ffff]")
AT_ONCE = 1_000


def upgrade() -> None:
    """Take the step."""
    op.create_table(
        "user_words",
        sa.Column("user_id", BIG, nullable=False),
        sa.Column("word", BYTEWISE, nullable=False),
        sa.Column("app_id", BIG, nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_user_words_user_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("user_id", "word", name="pk_user_words"),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    op.create_index("ix_user_words_app_id_word_user_id", "user_words", ["app_id", "word", "user_id"], unique=False)
    words = sa.table("user_words", sa.column("user_id"), sa.column("word"), sa.column("app_id"))
    for rows in _people(op.get_bind()):
        new = [
            {"user_id": user_id, "word": word, "app_id": app_id}
            for user_id, app_id, external_id, name in rows
            for word in _words(external_id, name)
        ]
        if new:
            op.bulk_insert(words, new)


def downgrade() -> None:
    """Take it back."""
    op.drop_table("user_words")


def _people(connection: sa.Connection) -> Iterator[list[tuple[int, int, str, str]]]:
    fold = sa.text(
        "SELECT id, app_id, tidings_fold(external_id), attributes FROM users WHERE id > :after ORDER BY id LIMIT :limit"
    )
    folded = sa.text("SELECT tidings_fold(CAST(:name AS text))")
    after = 0
    while rows := connection.execute(fold, {"after": after, "limit": AT_ONCE}).all():
        after = rows[-1][0]
        yield [
            (row[0], row[1], row[2], connection.execute(folded, {"name": _name(row[3])}).scalar_one()) for row in rows
        ]


def _name(attributes: Any) -> str:
    found = json.loads(attributes) if isinstance(attributes, str) else attributes
    name = found.get("name")
    return name if isinstance(name, str) else ""


def _words(*texts: str) -> list[str]:
    found = (word[:40] for text in texts for word in WORD.findall(text))
    return list(dict.fromkeys(found))[:24]
