"""People are found by the words of their e-mail address too."""

from __future__ import annotations

import json
import re
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0023_pre_emails"
down_revision = "0022_pre_minutes"
branch_labels = None
depends_on = None

WORD = re.compile("[^\\W_\u2e80-\U0010ffff]+|(?=\\w)[\u2e80-\U0010ffff]")
AT_ONCE = 1_000
PEOPLE = sa.text("SELECT id, app_id, attributes FROM users WHERE id > :after ORDER BY id LIMIT :limit")
FOLDED = sa.text("SELECT tidings_fold(CAST(:text AS text))")
ADD = sa.text("INSERT INTO user_words (user_id, word, app_id) VALUES (:user, :word, :app) ON CONFLICT DO NOTHING")
KEPT = sa.text("SELECT count(*) FROM user_words WHERE user_id = :user")
MOST = 24


def upgrade() -> None:
    """Take the step."""
    connection = op.get_bind()
    after = 0
    while rows := connection.execute(PEOPLE, {"after": after, "limit": AT_ONCE}).all():
        after = rows[-1][0]
        for user_id, app_id, attributes in rows:
            if not (email := _email(attributes)):
                continue
            room = MOST - connection.execute(KEPT, {"user": user_id}).scalar_one()
            folded = connection.execute(FOLDED, {"text": email}).scalar_one()
            words = list(dict.fromkeys(word[:40] for word in WORD.findall(folded)))[: max(0, room)]
            if words:
                connection.execute(ADD, [{"user": user_id, "word": word, "app": app_id} for word in words])


def downgrade() -> None:
    """Leave the words: a name or an id may have the same, and whoever is written again loses the others."""


def _email(attributes: Any) -> str:
    found = json.loads(attributes) if isinstance(attributes, str) else attributes
    email = found.get("email")
    return email if isinstance(email, str) else ""
