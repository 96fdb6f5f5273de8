"""Let devices that are apps say which version of the app they run."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003_app_devices"
down_revision = "0002_pre_privacy"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Take the step."""
    op.add_column("subscriptions", sa.Column("app_version", sa.Text()))
