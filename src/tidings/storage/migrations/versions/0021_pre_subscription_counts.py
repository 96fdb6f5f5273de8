"""Subscriptions of an App by status, counted by the database as they change."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0021_pre_subscription_counts"
down_revision = "0020_pre_naming"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

ADD = """
  INSERT INTO subscription_counts (app_id, status, n) SELECT NEW.app_id, NEW.status, 0
    WHERE NOT EXISTS (SELECT 1 FROM subscription_counts WHERE app_id = NEW.app_id AND status = NEW.status);
  UPDATE subscription_counts SET n = n + 1 WHERE app_id = NEW.app_id AND status = NEW.status;
"""
TAKE = "UPDATE subscription_counts SET n = n - 1 WHERE app_id = OLD.app_id AND status = OLD.status;"
SQLITE = (
    f"CREATE TRIGGER subscriptions_counted_in AFTER INSERT ON subscriptions BEGIN {ADD} END",
    f"CREATE TRIGGER subscriptions_counted_out AFTER DELETE ON subscriptions BEGIN {TAKE} END",
    "CREATE TRIGGER subscriptions_counted_on AFTER UPDATE OF status ON subscriptions"
    f" WHEN OLD.status <> NEW.status BEGIN {TAKE} {ADD} END",
)

# Rows that only come and go are counted by statement. A change of status is counted by row: only so is a trigger of one
# column alone, and the update that notes when devices were reached does not pay for it.
POSTGRES = (
    """
    CREATE FUNCTION tidings_count_subscriptions() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      IF TG_OP = 'INSERT' THEN
        INSERT INTO subscription_counts (app_id, status, n)
          SELECT app_id, status, count(*) FROM new_rows GROUP BY app_id, status;
      ELSIF TG_OP = 'DELETE' THEN
        INSERT INTO subscription_counts (app_id, status, n)
          SELECT app_id, status, -count(*) FROM old_rows GROUP BY app_id, status;
      ELSE
        INSERT INTO subscription_counts (app_id, status, n)
          VALUES (OLD.app_id, OLD.status, -1), (NEW.app_id, NEW.status, 1);
      END IF;
      RETURN NULL;
    END $$
    """,
    "CREATE TRIGGER subscriptions_counted_in AFTER INSERT ON subscriptions REFERENCING NEW TABLE AS new_rows"
    " FOR EACH STATEMENT EXECUTE FUNCTION tidings_count_subscriptions()",
    "CREATE TRIGGER subscriptions_counted_out AFTER DELETE ON subscriptions REFERENCING OLD TABLE AS old_rows"
    " FOR EACH STATEMENT EXECUTE FUNCTION tidings_count_subscriptions()",
    "CREATE TRIGGER subscriptions_counted_on AFTER UPDATE OF status ON subscriptions"
    " FOR EACH ROW WHEN (OLD.status <> NEW.status) EXECUTE FUNCTION tidings_count_subscriptions()",
)
NAMES = ("subscriptions_counted_in", "subscriptions_counted_out", "subscriptions_counted_on")


def upgrade() -> None:
    """Take the step."""
    op.create_table(
        "subscription_counts",
        sa.Column("id", BIG, sa.Identity(always=False), nullable=False),
        sa.Column("app_id", BIG, nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("n", BIG, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_subscription_counts"),
        sqlite_autoincrement=True,
        sqlite_strict=True,
    )
    op.create_index("ix_subscription_counts_app_id_status", "subscription_counts", ["app_id", "status"], unique=False)
    op.execute(
        "INSERT INTO subscription_counts (app_id, status, n)"
        " SELECT app_id, status, count(*) FROM subscriptions GROUP BY app_id, status"
    )
    for statement in POSTGRES if op.get_bind().dialect.name == "postgresql" else SQLITE:
        op.execute(statement)


def downgrade() -> None:
    """Take it back."""
    postgres = op.get_bind().dialect.name == "postgresql"
    for name in NAMES:
        op.execute(f"DROP TRIGGER {name} ON subscriptions" if postgres else f"DROP TRIGGER {name}")
    if postgres:
        op.execute("DROP FUNCTION tidings_count_subscriptions()")
    op.drop_table("subscription_counts")
