"""Run by Alembic: take the steps on the connection that `storage/open.py` hands over, in its transaction."""

from __future__ import annotations

from alembic import context

from tidings.storage.schema import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
context.run_migrations()
