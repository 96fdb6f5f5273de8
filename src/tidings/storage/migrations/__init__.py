"""The steps that bring a database from one version of Tidings to the next (Alembic)."""
